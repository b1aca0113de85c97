/**
 * wsync-rrsync: stock rsync's transfers through it on each runtime, and its answer to many commands beside that of
 * rrsync: the same refusals, and the same words for the server where both accept.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  bundleCommand, missing, peer, peerVersion, quote, type Runtime, scratch, whereIs, wsync, writeScript,
} from "../_programs.ts";
import { type Outcome, run } from "../_run.ts";
import { compare, describeTree, makeTree } from "../_trees.ts";

const runtimes: readonly Runtime[] = ["node", "deno", "bun"];
const noPeer = peer === null ? "no stock rsync (apt-get install rsync)" : "";

/** A remote shell whose login is restricted by `words`; the host's name is not looked at. */
function restrictedShell(name: string, words: readonly string[]): string {
  const command = words.map(quote).join(" ");
  return writeScript(`shell-${name}`, `#!/bin/sh\nshift\nSSH_ORIGINAL_COMMAND="$*" exec ${command}\n`);
}

describe.each(runtimes)("through wsync-rrsync on %s", (runtime) => {
  const reason = noPeer || missing(runtime);
  const dir = mkdtempSync(join(scratch, `rrsync-${runtime}-`));
  const root = join(dir, "root");
  mkdirSync(root);
  const shell = (...options: string[]): string => restrictedShell(`${runtime}-${options.join("")}`,
    [...(bundleCommand(runtime, "wsync-rrsync") ?? []), ...options, root]);

  it.skipIf(reason !== "")(`stock rsync pushes, updates and pulls [${reason}]`, async () => {
    const source = join(dir, "source");
    makeTree(source);
    const rsync = (...words: string[]): Promise<Outcome> => run([peer!, "-aH", `--rsh=${shell()}`, ...words]);
    const push = await rsync(`${source}/`, "host:new/tree/", "--mkpath");
    expect([push.code, push.stderr]).toEqual([0, ""]);
    expect(compare(describeTree(source), describeTree(join(root, "new/tree")))).toEqual([]);
    writeFileSync(join(source, "sizes/f65536"), "changed");
    const update = await rsync("--delete", "--backup-dir=/old", "-b", `${source}/`, "host:/new/tree/");
    expect([update.code, update.stderr]).toEqual([0, ""]);
    expect(readFileSync(join(root, "old/sizes/f65536"))).toHaveLength(65536);
    const pull = await rsync("host:new/tree/", `${join(dir, "back")}/`);
    expect([pull.code, pull.stderr]).toEqual([0, ""]);
    expect(compare(describeTree(source), describeTree(join(dir, "back")))).toEqual([]);
    const some = await rsync("host:new/tree/sizes/f6*", "host:new/tree/links", `${join(dir, "some")}/`);
    expect([some.code, some.stderr]).toEqual([0, ""]);
    expect(readFileSync(join(dir, "some/f65536"), "latin1")).toBe("changed");
    expect(existsSync(join(dir, "some/links/target"))).toBe(true);
  });

  it.skipIf(reason !== "")(`keeps to its directory and its rights [${reason}]`, async () => {
    writeFileSync(join(dir, "secret"), "secret");
    writeFileSync(join(root, "plain"), "plain");
    symlinkSync("..", join(root, "out"));
    const attempt = (options: string[], ...words: string[]): Promise<Outcome> =>
      run([peer!, "-r", `--rsh=${shell(...options)}`, ...words]);
    const told = [
      [await attempt([], "host:out/secret", join(dir, "got")), "unsafe arg"],
      [await attempt([], "host:../secret", join(dir, "got")), "do not use .. in arg"],
      [await attempt([], "-L", "host:out", join(dir, "got")), "option -L has been disabled"],
      [await attempt(["-ro"], join(dir, "secret"), "host:"), "sending to read-only server is not allowed"],
      [await attempt(["-wo"], "host:plain", join(dir, "got")), "reading from write-only server is not allowed"],
      [await attempt(["-no-del"], "--delete", `${root}/`, "host:new/"), "option --delete has been disabled"],
    ] as const;
    for (const [outcome, text] of told) {
      expect(outcome.stderr).toContain(text);
      expect(outcome.code, text).not.toBe(0);
    }
    expect(existsSync(join(dir, "got"))).toBe(false);
    writeFileSync(join(dir, "plain"), "another text");
    const kept = await attempt(["-no-overwrite", "-no-lock"], join(dir, "plain"), "host:");
    expect([kept.code, readFileSync(join(root, "plain"), "utf8")]).toEqual([0, "plain"]);
  });
});

/** Commands as ssh hands them over. */
const commands: readonly string[] = [
  "", "true", "ls", "rsync", "rsync --version", "rsync --server", "rsync --daemon .", "rsync --server --daemon .",
  "rsync --server -vlogDtpre.iLsfxCIvu . new", "rsync --server -vlogDtpre.iLsfxCIvu --delete-during . sub/",
  "rsync --server --sender -vlogDtpre.iLsfxCIvu . sub/ f", "rsync --server --sender -re.iLsfxCIvu . .",
  "rsync --server --sender -re.iLsfxCIvu .", "rsync --server --sender -re.iLsfxCIvu . /sub/../f",
  "rsync --server --sender -re.iLsfxCIvu . ./sub//deep/", "rsync --server --sender -re.iLsfxCIvu . sub/.",
  "rsync --server --sender -Rre.iLsfxCIvu . sub/./deep/g", "rsync --server --sender -Rre.iLsfxCIvu . sub/deep",
  "rsync --server --sender -re.iLsfxCIvu . s* with\\ space", "rsync --server --sender -re.iLsfxCIvu . missing",
  "rsync --server --sender -re.iLsfxCIvu . dangling link out/secret", "rsync --server --sender -re.iLsfxCIvu . link",
  "rsync --server --sender -re.iLsfxCIvu . out/secret", "rsync --server --sender -re.iLsfxCIvu . out/",
  "rsync --server --sender -Lre.iLsfxCIvu . f", "rsync --server --sender -se.iLsfxCIvu .",
  "rsync --server --sender -kre.iLsfxCIvu . f", "rsync --server -Kre.iLsfxCIvu . f", "rsync --server -Qr . f",
  "rsync --server --sender --copy-unsafe-links -r . f", "rsync --server --sender --debug=ALL -r . f",
  "rsync --server --sender --unknown -r . f", "rsync --server -r --sender . f", "rsync --server -r --log-file=log . f",
  "rsync --server -rb --backup-dir old/one . sub", "rsync --server -r --link-dest ../x . sub",
  "rsync --server -r --link-dest sub . new", "rsync --server -r --link-dest none . new",
  "rsync --server -r --temp-dir none . new", "rsync --server -r --temp-dir sub . new",
  "rsync --server -r --partial-dir .part . new", "rsync --server -r --partial-dir out/part . new",
  "rsync --server --sender -r --files-from=- . .", "rsync --server --sender -r --files-from=f . .",
  "rsync --server --sender -r --files-from=out/secret . .", "rsync --server -B700 -r . new/deeper",
  "rsync --server -r --delete-excluded --remove-source-files . new", "rsync --server -r --write-devices . new",
  "rsync --server --sender -r --temp-dir out . f", "rsync --server -r --suffix=../x . f", "rsync --server -b -r . f",
  "rsync --server -r --delay-updates . f", "rsync --server -r --max-delete=3 --timeout=9 --usermap=a:b . f",
];

const settings: readonly (readonly string[])[] = [
  ["-no-lock"], ["-ro"], ["-wo", "-no-lock"], ["-no-del", "-munge", "-no-lock"], ["-no-overwrite", "-no-lock"],
];

describe("beside rrsync", () => {
  const rrsync = whereIs("rrsync");
  const reason = noPeer || (rrsync === null ? "no rrsync" : "")
    || (peerVersion.version.startsWith("3.5.") ? "" : `rrsync of ${peerVersion.version} has other rules`);

  it.skipIf(reason !== "")(`gives the same answers [${reason}]`, async () => {
    // The server's words, with the files that its descriptors stand for.
    const stub = writeScript("stub", `#!/bin/bash
for word; do
  if [[ $word =~ ^(.*)(/proc/self/fd/[0-9]+)(.*)$ ]]; then
    word="\${BASH_REMATCH[1]}<$(readlink "\${BASH_REMATCH[2]}")>\${BASH_REMATCH[3]}"
  fi
  printf '%s\\n' "$word"
done
`);
    const theirs = writeScript("rrsync-theirs",
      readFileSync(rrsync!, "utf8").replace(/^RSYNC\s*=.*$/m, `RSYNC = '${stub}'`));
    // Every command with the first settings, some with the others.
    const pairs = settings.flatMap((options, i) =>
      commands.filter((_, j) => i === 0 || j % 8 === i).map((command) => ({ options, command })));
    for (const { options, command } of pairs) {
      const own = [wsync("node")!, "--rrsync", `-rsync=${stub}`];
      const [expected, ours] = await Promise.all(
        [[theirs], own].map((shell) => answer([...shell, ...options], command)));
      expect(ours, `${options.join(" ")}: ${command}`).toEqual(expected);
    }
  }, 120_000);
});

/** What a restricted shell makes of a command: exit code and reason, or words. */
async function answer(shell: readonly string[], command: string): Promise<unknown> {
  const dir = mkdtempSync(join(scratch, "rrsync-answer-"));
  const root = join(dir, "root");
  mkdirSync(join(root, "sub/deep"), { recursive: true });
  for (const name of ["f", "sub/deep/g", "with space", "../secret"]) writeFileSync(join(root, name), name);
  for (const [name, target] of [["out", ".."], ["dangling", "gone"], ["link", "sub"]]) {
    symlinkSync(target, join(root, name));
  }
  const { code, stdout, stderr } = await run([...shell, root], { env: { SSH_ORIGINAL_COMMAND: command } });
  const reason = /error: ([^[\n]*)/.exec(stderr)?.[1].trim() ?? stderr;
  return { code, reason, words: stdout.replaceAll(dir, "DIR").replaceAll(/empty-basis\.\d+/g, "empty-basis.PID"),
    tree: [...describeTree(root).keys()] };
}
