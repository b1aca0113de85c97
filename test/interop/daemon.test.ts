/**
 * The daemon beside stock rsync's, with the same configuration: one client's command against either must end with the
 * same exit code, print the same lines and leave the same trees. The client is stock rsync, and for some wsync.
 */
import {
  chmodSync, lutimesSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, utimesSync, writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing, peer, peerVersion, type Runtime, scratch, wsync } from "../_programs.ts";
import { type Outcome, run } from "../_run.ts";
import { type Modules, type Server, startDaemon, writeSecret } from "../_servers.ts";
import { compare, describeTree } from "../_trees.ts";

const asRoot = process.getuid!() === 0;
const reason = peer === null ? "no stock rsync (apt-get install rsync)"
  : !peerVersion.version.startsWith("3.5.") ? `rsync ${peerVersion.version} is another daemon` : "";

/** Commands: URL is the daemon, LOCAL a directory of the client's. */
const commands: Readonly<Record<string, readonly string[]>> = {
  "list of modules": ["URL"],
  "list of a module": ["-r", "URL/plain"],
  "list through wild cards": ["-r", "URL/plain/s*/"],
  "a module that is not there": ["URL/nothing"],
  "a module that is not listed": ["-r", "URL/hidden"],
  "a module for others": ["-r", "URL/denied"],
  "a hidden module for others": ["-r", "URL/hidden-denied"],
  "no more connections": ["-r", "URL/full"],
  "pull": ["-a", "URL/plain/", "LOCAL/new/"],
  "pull with names": ["-avi", "URL/plain/", "LOCAL/new/"],
  "pull with socket options": ["-a", "--sockopts=SO_SNDBUF=65536,TCP_NODELAY", "URL/plain/", "LOCAL/new/"],
  "pull of what is not there": ["-a", "URL/plain/absent", "LOCAL/new/"],
  "pull of several": ["-aR", "URL/plain/sub/f", "::plain/./other", "LOCAL/new/"],
  "push": ["-a", "LOCAL/", "URL/plain/"],
  "push with names": ["-avi", "--delete", "LOCAL/", "URL/plain/"],
  "push of one file": ["-a", "LOCAL/f", "URL/plain/other"],
  "push into a new directory": ["-a", "LOCAL/", "URL/plain/new/"],
  "push with statistics": ["-a", "--stats", "--no-h", "LOCAL/", "URL/plain/"],
  "push upwards": ["-a", "LOCAL/", "URL/plain/../../up/"],
  "push with --delete to a filtered module": ["-a", "--delete", "LOCAL/", "URL/filtered/"],
  "push of what is hidden": ["-a", "LOCAL/secret", "URL/filtered/"],
  "push to what is hidden": ["-a", "LOCAL/", "URL/filtered/secret/"],
  "push of a file to a hidden name": ["-a", "LOCAL/f", "URL/filtered/x.tmp"],
  "pull of what is hidden": ["-a", "URL/filtered/secret", "LOCAL/new/"],
  "pull from a filtered module": ["-a", "URL/filtered/", "LOCAL/new/"],
  "--backup-dir in what is hidden": ["-ab", "--backup-dir=secret", "LOCAL/", "URL/filtered/"],
  "--partial-dir in what is hidden": ["-a", "--partial-dir=/secret", "LOCAL/", "URL/filtered/"],
  "--link-dest in what is hidden": ["-a", "--link-dest=/secret", "LOCAL/", "URL/filtered/"],
  "--temp-dir in what is hidden": ["-a", "--temp-dir=secret", "LOCAL/", "URL/filtered/"],
  "--backup-dir": ["-ab", "--backup-dir=/kept", "LOCAL/", "URL/plain/"],
  "--link-dest from the module's top": ["-a", "--link-dest=/sub", "LOCAL/", "URL/plain/new/"],
  "--link-dest upwards": ["-a", "--link-dest=../../../sub", "LOCAL/", "URL/plain/new/"],
  "--compare-dest": ["-a", "--compare-dest=../sub", "LOCAL/", "URL/plain/new/"],
  "a filter only for the daemon": ["-a", "-M--filter=- g", "URL/plain/", "LOCAL/new/"],
  "names to leave out from a file of the daemon's": ["-a", "-M--exclude-from=/names", "URL/plain/", "LOCAL/new/"],
  "names from a file of the daemon's": ["-a", "--files-from=:/names", "URL/plain/", "LOCAL/new/"],
  "push to a read-only module": ["-a", "LOCAL/", "URL/ro/"],
  "pull that removes from a read-only module": ["-a", "--remove-source-files", "URL/ro/", "LOCAL/new/"],
  "pull from a write-only module": ["-a", "URL/wo/", "LOCAL/new/"],
  "push to a write-only module": ["-a", "LOCAL/", "URL/wo/"],
  "password": ["-a", "--password-file=PASSWORDS/right", "AUTH@URL/auth/", "LOCAL/new/"],
  "wrong password": ["-a", "--password-file=PASSWORDS/wrong", "AUTH@URL/auth/", "LOCAL/new/"],
  "a user who may not": ["-a", "--password-file=PASSWORDS/right", "other@URL/auth/", "LOCAL/new/"],
  "a refused option": ["-a", "--delete", "LOCAL/", "URL/refusing/"],
  "a refused part of -a": ["-a", "-c", "LOCAL/", "URL/refusing/"],
  "incoming chmod": ["-a", "LOCAL/", "URL/modes/"],
  "outgoing chmod": ["-a", "URL/modes/", "LOCAL/new/"],
  "no incremental recursion": ["-a", "--no-i-r", "LOCAL/", "URL/plain/"],
  "secluded arguments": ["-as", "URL/plain/s*", "LOCAL/new/"],
  "compression": ["-az", "URL/plain/", "LOCAL/new/"],
  "compression that the module refuses": ["-az", "--zc=zlib", "LOCAL/", "URL/refusing/"],
  "a command before that fails": ["-a", "URL/before/", "LOCAL/new/"],
  "a command before": ["-a", "LOCAL/", "URL/told/"],
  "a dry run": ["-ani", "--delete", "LOCAL/", "URL/plain/"],
  "names through a converter": ["-a", "--chown=robot:robots", "LOCAL/", "URL/converted/"],
  "a root directory of its own": ["-a", "URL/jail/", "LOCAL/new/"],
  "a root directory of its own, push": ["-a", "--delete", "LOCAL/", "URL/jail/sub/"],
  "a root directory above the module": ["-a", "URL/inner/", "LOCAL/new/"],
  "munge symlinks, push": ["-a", "LOCAL/", "URL/munged/"],
  "munge symlinks, pull": ["-ai", "URL/munged/", "LOCAL/new/"],
  "fuzzy": ["-ayi", "LOCAL/", "URL/filtered/"],
  "temp dir": ["-a", "LOCAL/", "URL/temp/"],
  "ignore nonreadable": ["-a", "URL/nonreadable/", "LOCAL/new/"],
  "fake super": ["-a", "LOCAL/", "URL/fake/"],
};

/** What only root can have done. */
const rooted = ["names through a converter", "a root directory of its own", "a root directory of its own, push",
  "a root directory above the module", "ignore nonreadable"];

/** Commands that are also run with wsync as the client. */
const both = ["list of modules", "pull with names", "push with names", "password", "wrong password",
  "a command before that fails", "push of what is hidden", "a refused option", "pull with socket options"];

interface Side {
  readonly top: string;
  readonly server: Server;
}

function modulesOf(top: string): Modules {
  const path = join(top, "module");
  const free = { path, "read only": "no" };
  return {
    plain: { ...free, comment: "the plain one" },
    hidden: { path, list: "no" },
    denied: { path, "hosts deny": "*" },
    "hidden-denied": { path, list: "no", "hosts deny": "*" },
    full: { path, "max connections": "-1" },
    filtered: { ...free, exclude: "/secret *.tmp" },
    ro: { path },
    wo: { ...free, "write only": "yes" },
    auth: { path, "auth users": "tester", "secrets file": join(top, "../secrets") },
    refusing: { ...free, "refuse options": "delete checksum compress*" },
    modes: { ...free, "incoming chmod": "D700,F600", "outgoing chmod": "F444" },
    before: { path, "pre-xfer exec": "echo not today; exit 1" },
    told: { ...free, "pre-xfer exec": join(top, "../bin-told") },
    converted: { ...free, "name converter": join(top, "../bin-converter") },
    jail: { ...free, "use chroot": "yes" },
    inner: { ...free, path: `${top}/./module`, "use chroot": "yes" },
    temp: { ...free, "temp dir": join(top, "temp") },
    nonreadable: { path, uid: "nobody", gid: "nogroup", "ignore nonreadable": "yes" },
    munged: { ...free, "munge symlinks": "yes" },
    fake: { ...free, "fake super": "yes" },
  };
}

const GLOBAL = { "lock file": join(scratch, "daemon/lock"), "reverse lookup": "no" };

function prepareScripts(): void {
  mkdirSync(join(scratch, "daemon"), { recursive: true });
  for (const [name, text] of [
    ["bin-told", 'echo "$RSYNC_MODULE_NAME $RSYNC_REQUEST $RSYNC_HOST_ADDR $RSYNC_ARG0 $RSYNC_ARG1"' +
      ' >"$RSYNC_MODULE_PATH/told"\n'],
    ["bin-converter", 'while read what name; do case "$what $name" in\n' +
      '"usr robot") echo 1234;; "grp robots") echo 1235;; *) echo;; esac; done\n'],
  ]) {
    writeFileSync(join(scratch, "daemon", name), `#!/bin/sh\n${text}`, { mode: 0o755 });
  }
  mkdirSync(join(scratch, "passwords"), { recursive: true });
  for (const [name, text] of [["right", "a secret\n"], ["wrong", "a guess\n"]]) writeSecret(`passwords/${name}`, text);
  writeSecret("daemon/secrets", "tester:a secret\nother:a secret\n");
}

/** Module and local tree as every command finds them. */
function prepareTrees(top: string): void {
  for (const name of ["module", "local", "up", "temp"]) rmSync(join(top, name), { recursive: true, force: true });
  for (const dir of ["module/sub", "module/secret", "local/sub", "local/secret", "temp"]) {
    mkdirSync(join(top, dir), { recursive: true });
  }
  for (const [path, text, time] of [
    ["module/f", "old", 900], ["module/g", "gone", 900], ["module/other", "other", 900],
    ["module/sub/f", "the file", 1000],
    ["module/secret/s", "a secret", 900], ["module/x.tmp", "temporary", 900], ["module/names", "other\nsub/f\n", 900],
    ["local/f", "the file", 1000], ["local/h", "h", 1000], ["local/sub/i", "i", 1000], ["local/secret/t", "t", 1000],
    ["local/x.tmp", "x", 1000],
  ] as const) {
    writeFileSync(join(top, path), text);
    utimesSync(join(top, path), time * 1_000_000, time * 1_000_000);
  }
  chmodSync(join(top, "module/secret/s"), 0o600);
  for (const [target, path] of [
    ["sub/f", "module/link"], ["h", "local/link"], ["../../../../etc", "local/sub/far"], ["/etc", "local/absolute"],
    ["../h", "local/sub/near"], ["/rsyncd-munged/../x", "module/munged"],
  ]) {
    symlinkSync(target, join(top, path));
    lutimesSync(join(top, path), 800_000_000, 800_000_000);
  }
  for (const dir of ["module", "module/sub", "module/secret", "local", "local/sub", "local/secret"]) {
    utimesSync(join(top, dir), 800_000_000, 800_000_000);
  }
}

/** Speeds, byte counts, the order of deletions and what a reset connection does to the client depend on chance. */
function plain(text: string, { top, server }: Side): string {
  const lines = text.split("\n").filter((line) => !/read error: Connection reset|code (4|10)\)/.test(line));
  const deleted = lines.filter((line) => line.startsWith("*deleting")).sort();
  const others = lines.filter((line) => !line.startsWith("*deleting"));
  return [...deleted, ...others].join("\n").replaceAll(top, "TOP").replaceAll(`:${server.port}`, ":PORT")
    .replace(/[\d,.]+ bytes\/sec/g, "N bytes/sec").replace(/^(File list (?:generation|transfer) time: ).*$/gm, "$1N")
    .replace(/^Total bytes (sent|received): .*$/gm, "Total bytes $1: N")
    .replace(/^sent [\d,]+ bytes  received [\d,]+ bytes/gm, "sent N bytes  received N bytes")
    .replace(/ at [\w.]+\(\d+\) \[(\w+)=[\d.]+\]/g, " at FILE [$1]");
}

async function outcome(program: string, words: readonly string[], side: Side): Promise<{
  code: number | null; stdout: string; stderr: string; tree: Map<string, string>;
}> {
  prepareTrees(side.top);
  const filled = words.map((word) => word.replace("URL", `rsync://127.0.0.1:${side.server.port}`)
    .replace(/^(\w+)@rsync:\/\//, (_all, user: string) => `rsync://${user === "AUTH" ? "tester" : user}@`)
    .replace("LOCAL", join(side.top, "local")).replace("PASSWORDS", join(scratch, "passwords"))
    .replace(/^::/, `rsync://127.0.0.1:${side.server.port}/`));
  const ran: Outcome = await run([program, ...filled]);
  const { stdout, stderr } = ran;
  // A connection that is reset before the client has read why.
  const code = ran.code === 10 ? 4 : ran.code;
  const tree = describeTree(side.top, { times: "s", hardLinks: true });
  // What was made just now differs by chance.
  for (const [path, line] of tree) tree.set(path, line.replace(/ (1[6-9]|2)\d{8}\b/, " now"));
  return { code, stdout: plain(stdout, side), stderr: plain(stderr, side), tree };
}

const runtimes: readonly Runtime[] = ["node", "deno", "bun"];
describe.skipIf(reason !== "").each(runtimes)(`the daemon, on %s ${reason}`, (runtime) => {
  const absent = missing(runtime);
  const sides: Side[] = [];
  beforeAll(async () => {
    if (absent !== "" || reason !== "") return;
    prepareScripts();
    for (const [name, program] of [["stock", peer!], ["ours", wsync(runtime)!]]) {
      const top = join(scratch, "daemon", `${name}-${runtime}`);
      mkdirSync(top, { recursive: true });
      sides.push({ top, server: await startDaemon(program, modulesOf(top), GLOBAL) });
    }
  });
  afterAll(() => sides.forEach(({ server }) => server.stop()));

  // Every command on Node; elsewhere those that set root directory, user and commands up, which is what differs.
  const titles = Object.keys(commands).filter((title) => asRoot || !rooted.includes(title))
    .filter((title) => runtime === "node" || rooted.includes(title) || both.includes(title));
  it.skipIf(absent !== "").each(titles)("%s", async (title) => {
    const words = commands[title];
    const theirs = await outcome(peer!, words, sides[0]);
    const ours = await outcome(peer!, words, sides[1]);
    expect({ ...ours, tree: [] }).toEqual({ ...theirs, tree: [] });
    expect(compare(theirs.tree, ours.tree)).toEqual([]);
    if (!both.includes(title)) return;
    const client = await outcome(wsync(runtime)!, words, sides[1]);
    expect({ code: client.code, stdout: client.stdout }).toEqual({ code: theirs.code, stdout: theirs.stdout });
    expect(compare(theirs.tree, client.tree)).toEqual([]);
  });
});

describe.skipIf(missing("node") !== "")("what symlinks of a module lead to", () => {
  const top = join(scratch, "daemon-links");
  let server: Server;
  beforeAll(async () => {
    for (const dir of ["module/real", "outside"]) mkdirSync(join(top, dir), { recursive: true });
    for (const name of ["module/real/in", "outside/secret"]) writeFileSync(join(top, name), "text");
    for (const [target, name] of [
      ["real", "near"], ["../outside", "far"], ["../outside/secret", "file"], ["self", "self"], ["nowhere", "nowhere"],
    ]) symlinkSync(target, join(top, "module", name));
    server = await startDaemon(wsync("node")!, { links: { path: join(top, "module") } });
  });
  afterAll(() => server.stop());

  // Stock rsync sends the directory outside too, without what is in it.
  it("--copy-dirlinks follows within the module, and refuses a directory outside", async () => {
    const ran = await run([wsync("node")!, "-ak", `rsync://127.0.0.1:${server.port}/links/`, join(top, "copy/")]);
    expect(ran.code).toBe(23);
    expect(ran.stderr).toContain('readlink_stat("far" (in links)) failed: Too many levels of symbolic links (40)');
    expect(readdirSync(join(top, "copy")).sort()).toEqual(["file", "near", "nowhere", "real", "self"]);
    expect(readdirSync(join(top, "copy/near"))).toEqual(["in"]);
    expect(readlinkSync(join(top, "copy/file"))).toBe("../outside/secret");
  });
});
