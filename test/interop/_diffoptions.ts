/** Random option sets for the differential test, and random ways to reach the other end. */
import { type Dice } from "./_dice.ts";

/** How the two ends of a run are joined. */
export type Way = "local" | "push" | "pull";

/** Options by the chance, in percent, that a run has one of them. */
const GROUPS: readonly (readonly [percent: number, choices: readonly string[]])[] = [
  [25, ["-p", "-E", "-t", "-o", "-g", "--no-p", "--no-t", "--no-o", "--no-g", "-l", "--no-l"]],
  [25, ["--chmod=ugo=rwX", "--chmod=Dg+s,ug+w,Fo-w,+X", "--chmod=F600,D700", "--chmod=g=u,o=", "--chmod=u+s,o+t",
    "-E"]],
  [15, ["-D", "--devices", "--specials", "--no-D", "--no-devices", "--no-specials", "--drop-D"]],
  [18, ["-O", "-J", "-OJ", "-U", "-UU", "--open-noatime"]],
  [30, ["-H", "-H", "-HH"]],
  [12, ["-L", "-k", "-K", "--copy-unsafe-links", "--safe-links", "--munge-links"]],
  [18, ["-u", "-c", "-I", "--size-only", "--existing", "--ignore-existing", "-@1", "-@-1", "-@5000", "-@0"]],
  [10, ["--max-size=5000", "--min-size=700", "-m", "--existing --ignore-existing"]],
  [18, ["--inplace", "--append", "--append-verify", "--inplace -S", "--append -S"]],
  [35, ["-W", "--no-W", "--no-W", "--no-W -B700", "--no-W -B1500"]],
  [12, ["-S", "--preallocate", "-S --preallocate", "--fsync"]],
  [12, ["-y", "-yy", "-y --no-W", "-yy --no-W"]],
  [15, ["--partial", "--partial-dir=.p", "--delay-updates", "--delay-updates --partial-dir=.p",
    "--partial-dir=WORK/tmp"]],
  [10, ["--temp-dir=WORK/tmp", "--temp-dir=../tmp", "-TWORK/tmp"]],
  [25, ["-b", "-b --suffix=.old", "-b --backup-dir=bak", "-b --backup-dir=WORK/bak",
    "-b --backup-dir=../bak --suffix=.s"]],
  [22, ["--link-dest", "--copy-dest", "--compare-dest"]],
  [50, ["--delete", "--del", "--delete-before", "--delete-during", "--delete-delay", "--delete-after"]],
  [15, ["--exclude=f1*", "--exclude=/d0/s0", "--exclude=*~", "--exclude=x --delete-excluded", "--exclude=gone/in"]],
  [10, ["--force", "--ignore-errors", "--max-delete=2", "--max-delete=0", "--force --max-delete=1"]],
  [8, ["--remove-source-files", "--numeric-ids", "--super", "--no-super", "--no-i-r", "--no-i-r"]],
  [10, ["-n"]],
];

/** For rich trees; one of each group that is drawn comes on top of the others. */
const RICH_GROUPS: typeof GROUPS = [
  [85, ["-A", "-X", "-AX", "-AX", "-AX", "-XX", "-AXX"]],
  [20, ["--fake-super", "-M--fake-super", "--super", "-M--super"]],
  [25, ["--numeric-ids", "--usermap=0:1,1234:nobody", "--groupmap=*:1234", "--chown=1:1", "--chown=nobody:daemon",
    "--usermap=1-2000:0 --groupmap=daemon:0"]],
  [15, ["--filter=-x_user.a", "--filter=-xs_trusted.*", "--filter=-xr_user.b", "--filter=+x_user.*"]],
  [15, ["-UO", "-J", "-@-1"]],
];

const BASES: readonly string[] = [
  "-a", "-a", "-a", "-a", "-r", "-rl", "-rlt", "-rlptD", "-d", "-dlt", "-dltp --old-dirs",
];
const REPORTS: readonly string[] = ["-i", "-i", "-i", "-ii", "-iv", "-ivv", "-iivv", "-v", "-vv", ""];

/** Basis directories of an option, one or two, seen from the destination or by full path. */
function basisDirs(dice: Dice, option: string): string[] {
  const first = dice.pick(["../alt1", "WORK/alt1", "../alt1/"]);
  return [`${option}=${first}`, ...(dice.chance(50) ? [`${option}=../alt2`] : [])];
}

/** A random command line's options. WORK stands for the folder that the trees are in. */
export function randomOptions(dice: Dice, rich: boolean): string[] {
  const words = dice.pick(BASES).split(" ");
  for (const [percent, choices] of rich ? [...RICH_GROUPS, ...GROUPS] : GROUPS) {
    if (!dice.chance(percent)) continue;
    const choice = dice.pick(choices);
    words.push(...(choice.endsWith("-dest") ? basisDirs(dice, choice) : choice.split(" ")));
  }
  const report = dice.pick(REPORTS);
  return report === "" ? words : [...words, report];
}

/** A random way to the other end, with the protocol to speak there. */
export function randomWay(dice: Dice): { way: Way; protocol: number } {
  const way = dice.pick(["local", "local", "push", "pull"] as const);
  return { way, protocol: way === "local" || dice.chance(60) ? 32 : dice.pick([28, 29, 30, 31]) };
}
