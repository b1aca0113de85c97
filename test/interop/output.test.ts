/**
 * Output and exit codes, line by line against stock rsync: both programs run the same command on equal trees.
 *
 * Figures that may honestly differ (byte counts on the wire, rates, times) and the place of an error line are masked;
 * everything else must be equal. Skipped when the stock rsync is not of the version whose output wsync takes over.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing, peer, peerVersion, scratch, wsync } from "../_programs.ts";
import { type Outcome, run } from "../_run.ts";
import { fakeShell, freePort, type Server, startDaemon, writeSecret } from "../_servers.ts";
import { age, compare, describeTree, makeTree, put } from "../_trees.ts";

/** The rsync whose words wsync speaks. */
const reference = "3.5";

const reason = peer === null
  ? "no stock rsync (apt-get install rsync)"
  : peerVersion.version.startsWith(reference) ? missing("node")
    : `stock rsync is ${peerVersion.version}, not ${reference}`;

const top = join(scratch, "output");
const source = join(top, "source");
const shell = fakeShell();
const asRoot = process.getuid?.() === 0;
let daemon: Server;
let closedPort: number;

/** Command lines; SRC, DST, SHELL, PROGRAM, PORT and CLOSED are replaced. Both programs start from an aged copy. */
const commands: readonly string[] = [
  "-a SRC/ DST/", "-av SRC/ DST/", "-avv SRC/ DST/", "-ai SRC/ DST/", "-aii SRC/ DST/", "-ain SRC/ DST/",
  "-avn SRC/ DST/",
  "-aic SRC/ DST/", "-aiI SRC/ DST/", "-ai --size-only SRC/ DST/", "-aiu SRC/ DST/", "-ai --delete SRC/ DST/",
  "-avn --delete SRC/ DST/", "-aiH SRC/ DST/", "-ri SRC/ DST/", "-rlti SRC/ DST/", "-ai --existing SRC/ DST/",
  "-ai --ignore-existing SRC/ DST/", "-ai --max-size=1000 SRC/ DST/", "-ai --min-size=1k SRC/ DST/",
  "-ai --exclude=*.txt SRC/ DST/", "-ai --include=*/ --include=file1* --exclude=* SRC/ DST/",
  "-ai --exclude=/deep --delete SRC/ DST/", "-aiR SRC/./deep/a DST/", "-aib SRC/ DST/", "-aib --suffix=.old SRC/ DST/",
  "-aib --backup-dir=.saved SRC/ DST/", "-ai --remove-source-files COPY/ DST/", "-ai SRC DST/",
  "-ai SRC/links SRC/deep DST/", "SRC/", "-r SRC/deep", "-a --list-only SRC/", "-ai8 SRC/odd/ DST/",
  "-vi SRC/links DST/",
  "-a --stats SRC/ DST/", "-avh --stats SRC/ DST/", "-a --stats --delete SRC/ DST/", "-a --stats --no-i-r SRC/ DST/",
  "-ai --no-whole-file -B700 SRC/ DST/", "-aiP SRC/perms DST/", "-a --info=progress2 SRC/empty DST/", "-aq SRC/ DST/",
  "-ai --numeric-ids SRC/ DST/", "-ai --no-perms --no-times SRC/ DST/", "-ai --checksum-choice=md5 -c SRC/ DST/",
  "-ai -e SHELL --rsync-path=PROGRAM SRC/ host:DST/", "-ai -e SHELL --rsync-path=PROGRAM host:SRC/ DST/",
  "-av -e SHELL --rsync-path=PROGRAM SRC/ host:DST/", "-av -e SHELL --rsync-path=PROGRAM host:SRC/ DST/",
  "-a --stats -e SHELL --rsync-path=PROGRAM host:SRC/ DST/", "-ai --protocol=29 SRC/ DST/",
  "-av --protocol=28 SRC/ DST/",
  "-ai rsync://127.0.0.1:PORT/ro/source/ DST/", "-av SRC/ rsync://127.0.0.1:PORT/rw/rel/", "rsync://127.0.0.1:PORT/",
  "rsync://127.0.0.1:PORT/ro/source/", "-ai --delete --dry-run rsync://127.0.0.1:PORT/ro/source/ DST/",
];

/** Commands that fail. */
const failures: readonly string[] = [
  "-a", "--no-such-option SRC/ DST/", "-a TOP/absent DST/", "-a SRC/ TOP/absent DST/",
  "-a SRC/deep/a/file1.txt TOP/a/b/c/",
  "-a host:a host:b", "-a SRC/ SRC/sizes/f1/x", "-B abc SRC/ DST/", "--max-size=xyz SRC/ DST/",
  "--protocol=10 SRC/ DST/",
  "-a rsync://127.0.0.1:CLOSED/x/ DST/", "-a rsync://127.0.0.1:PORT/nosuch/ DST/",
  "-a SRC/ rsync://127.0.0.1:PORT/ro/x/",
  "-a rsync://tester@127.0.0.1:PORT/auth/ --password-file=WRONG DST/", "-a rsync://127.0.0.1:PORT/ro/absent DST/",
  "--checksum-choice=nope -a SRC/ DST/", "--compress-choice=nope -az SRC/ DST/",
];

/** Commands whose connection dies: which side notices first varies from run to run, so any of these codes will do. */
const brokenConnections: ReadonlyMap<string, readonly number[]> = new Map([
  ["-a -e SHELL --rsync-path=/no/such SRC/ host:DST/", [12, 127]],
  ["-a -e /no/such/shell SRC/ host:DST/", [12, 14]],
  ["-a -e false SRC/ host:DST/", [10, 12]],
  ["-a -e true host:SRC/ DST/", [10, 12]],
]);

/** Replaces what two honest runs may disagree on. Equal lines stay in order. */
function mask(text: string): string[] {
  return text.replaceAll("\r", "\n").split("\n").map((line) => line
    .replace(/^(Total bytes (sent|received)|File list (size|generation time|transfer time)):.*/, "$1: N")
    .replace(/^sent .* bytes {2}received .* bytes {2}.*/, "sent N")
    .replace(/speedup is [\d.,KMGT]+/, "speedup is N")
    .replace(/ +\d[\d.,]*[kKMGT]?B\/s +\d+:\d\d:\d\d/, " RATE TIME")
    .replace(/^(rsync|wsync) {2}version \S+ /, "PROGRAM VERSION")
    .replace(/\b(rsync|wsync)(-node)?: \[(\w+)\]/, "rsync: [$3]")
    .replace(/\[[\w ]+=[\d.a-z]+\]$/, "[ROLE=VERSION]")
    .replace(/ at [\w.]+\(\d+\)/, " at FILE(LINE)")
    .replace(/\.[A-Za-z0-9]{6}" /, '.XXXXXX" ')
    .replace(/\bpid \d+/, "pid N"));
}

/** Lines that come from the generator's process rather than the sender's. */
const generatorLine = /^\*?deleting | is uptodate$|^skipping non-regular/;

/** The sender's lines, then the generator's: how those two interleave varies from one run of rsync to the next. */
function bySpeaker(lines: readonly string[]): string[] {
  return [...lines.filter((line) => !generatorLine.test(line)), ...lines.filter((line) => generatorLine.test(line))];
}

interface Side {
  readonly outcome: Outcome;
  readonly tree: Map<string, string>;
}

/** Runs one command with a program in a destination prepared for it; the paths are alike for both programs. */
async function side(program: string, command: string): Promise<Side> {
  const work = join(top, "work");
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  execFileSync("cp", ["-a", join(top, "aged"), join(work, "dst")]);
  execFileSync("cp", ["-a", source, join(work, "copy")]);
  const values: Record<string, string> = {
    SRC: source, DST: join(work, "dst"), COPY: join(work, "copy"), TOP: work, SHELL: shell, PROGRAM: program,
    PORT: `${daemon.port}`, CLOSED: `${closedPort}`, WRONG: join(scratch, "wrong.password"),
  };
  const words = command.split(" ").map((word) => word.replace(/[A-Z]{3,}/g, (name) => values[name] ?? name));
  const outcome = await run([program, ...words], { cwd: top });
  return { outcome, tree: describeTree(work, { times: "none" }) };
}

/**
 * Runs the command with both programs and expects the same output, exit code and trees. Of a failure's lines only the
 * first is certain.
 */
async function same(command: string, failing = false): Promise<void> {
  const theirs = await side(peer!, command);
  const ours = await side(wsync("node")!, command);
  const shown = ({ outcome }: Side): unknown => ({
    code: outcome.code,
    stdout: bySpeaker(mask(outcome.stdout)),
    stderr: failing ? mask(outcome.stderr)[0] : mask(outcome.stderr),
  });
  expect(shown(ours)).toEqual(shown(theirs));
  expect(compare(theirs.tree, ours.tree)).toEqual([]);
}

describe.skipIf(reason !== "")(`output like stock rsync ${reference}${reason === "" ? "" : ` [${reason}]`}`, () => {
  beforeAll(async () => {
    mkdirSync(top);
    makeTree(source, 3);
    execFileSync("cp", ["-a", source, join(top, "aged")]);
    age(join(top, "aged"), 4);
    mkdirSync(join(top, "work"));
    writeSecret("wrong.password", "not it\n");
    const secrets = writeSecret("output.secrets", "tester:right\n");
    closedPort = await freePort();
    daemon = await startDaemon(peer!, {
      ro: { path: top, comment: "read only", "read only": "yes" },
      rw: { path: join(top, "work"), comment: "writable", "read only": "no" },
      auth: { path: top, "auth users": "tester", "secrets file": secrets },
    });
  });
  afterAll(() => daemon?.stop());

  it.each(commands)("%s", (command) => same(command));
  it.each(failures)("fails alike: %s", (command) => same(command, true));
  it.each([...brokenConnections])("%s says so and changes nothing", async (command, codes) => {
    const untouched = describeTree(join(top, "aged"), { times: "none" });
    const { outcome } = await side(wsync("node")!, command);
    expect(codes).toContain(outcome.code);
    expect(outcome.stderr).toMatch(/rsync( error)?:|not found|No such file/);
    expect(compare(untouched, describeTree(join(top, "work", "dst"), { times: "none" }))).toEqual([]);
  });

  it.skipIf(asRoot)("an unreadable file costs exit code 23 and nothing else [needs an ordinary user]", async () => {
    const locked = join(source, "locked");
    put(locked, Buffer.from("secret"));
    chmodSync(locked, 0);
    try {
      await same("-ai SRC/ DST/");
    } finally {
      rmSync(locked, { force: true });
    }
  });
});
