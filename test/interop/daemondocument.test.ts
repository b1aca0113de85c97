/**
 * DAEMON.md followed word by word: its commands and files, in order, on two hosts that are network namespaces of this
 * machine, in a mount namespace whose /etc, /srv, /run, /usr/local and /var/log are its own.
 *
 * A block whose info string is "sh server" or "sh client" is run there; one that names a file is written to it, with a
 * "+" in front of what is there already.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missing, peer, projectRoot, quote, scratch, whereIs, wsync } from "../_programs.ts";
import { run } from "../_run.ts";

/** What the machine must let happen. */
function whyNot(): string {
  if (peer === null) return "no stock rsync (apt-get install rsync)";
  const absent = ["ip", "unshare", "openssl", "curl", "rsync-ssl", "flock"].filter((name) => whereIs(name) === null);
  if (absent.length > 0) return `no ${absent.join(", ")}`;
  const tries = ["mount --make-rprivate /", "mount -t tmpfs t /run", "mkdir /run/netns", "ip netns add t",
    "ip link add v0 type veth peer name v1"].join(" && ");
  const tried = spawnSync("unshare", ["-mn", "sh", "-c", tries], { encoding: "utf8" });
  return tried.status === 0 ? "" : `no namespaces here: ${(tried.stderr ?? "").trim().split("\n")[0]}`;
}

const reason = whyNot();

/** A fenced block: the words behind its language, and its text. */
interface Block {
  readonly words: readonly string[];
  readonly text: string;
}

function blocksOf(document: string): Block[] {
  return [...document.matchAll(/^```(?:\w+) ([^\n]+)\n([^]*?)^```$/gm)]
    .map(([, words, text]) => ({ words: words.split(" "), text }));
}

/** The whole of it as one script for sh. `wsync` and `scp` are programs of `bin`. */
function scriptOf(blocks: readonly Block[], bin: string): string {
  const lines = [
    "set -eu", "mount --make-rprivate /", "mkdir /tmp/etc.$$ && cp -a /etc/. /tmp/etc.$$/", "mount -t tmpfs t /run",
    "mount --bind /tmp/etc.$$ /etc", "mkdir -p /srv /etc/systemd/system /etc/cron.d /etc/xinetd.d /run/netns",
    "mount -t tmpfs t /srv", "mount -t tmpfs t /var/log", "cp -a /usr/local /tmp/local.$$",
    "mount --bind /tmp/local.$$ /usr/local", "mkdir -p /usr/local/bin",
    "for host in server client; do ip netns add $host; ip -n $host link set lo up; done",
    "ip -n server link add eth0 type veth peer name eth0 netns client",
    "ip -n server address add 10.77.0.1/24 dev eth0", "ip -n client address add 10.77.0.2/24 dev eth0",
    "ip -n server link set eth0 up", "ip -n client link set eth0 up",
    `export PATH=${quote(bin)}:$PATH`, "cd /srv",
    // What the document leaves running must not outlive it.
    "trap 'kill $(cat /run/rsyncd.pid) 2>/dev/null; rm -rf /tmp/etc.$$ /tmp/local.$$' EXIT",
  ];
  blocks.forEach(({ words, text }, i) => {
    const mark = `BLOCK_${i}`;
    const [first, path] = words;
    if (first === "server" || first === "client") {
      lines.push(`echo '== ${i} ${first}'`, `cat >/tmp/block.$$ <<'${mark}'`, `set -e\n${text}${mark}`,
        `ip netns exec ${first} bash -e /tmp/block.$$ </dev/null`);
    } else if (first === "+") {
      lines.push(`cat - ${path} >/tmp/block.$$ <<'${mark}'`, `${text}${mark}`, `cp /tmp/block.$$ ${path}`);
    } else lines.push(`cat >${first} <<'${mark}'`, `${text}${mark}`);
  });
  return `${lines.join("\n")}\n`;
}

describe(`DAEMON.md ${reason}`, () => {
  const document = readFileSync(join(projectRoot, "DAEMON.md"), "utf8");

  it("names each parameter of wsync's own", async () => {
    const { GLOBAL_PARAMETERS } = await import("../../src/daemon/paramtable.ts");
    const own = GLOBAL_PARAMETERS.filter((row) => "own" in row).map(({ name }) => name);
    expect(own.length).toBeGreaterThan(5);
    expect(own.filter((name) => !document.includes(name))).toEqual([]);
  });

  it.skipIf(reason !== "" || missing("node") !== "")("does what it says", async () => {
    const bin = join(scratch, "document-bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "wsync"), `#!/bin/sh\nexec ${quote(wsync("node")!)} "$@"\n`, { mode: 0o755 });
    // There is one file system, and no ssh between the two.
    writeFileSync(join(bin, "scp"), '#!/bin/sh\nexec cp "${1#*:}" "$2"\n', { mode: 0o755 });
    const script = join(scratch, "document.sh");
    writeFileSync(script, scriptOf(blocksOf(document), bin));
    const { code, stdout, stderr } = await run(["unshare", "-mn", "bash", script]);
    expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain("/etc/rsyncd.conf: 2 modules, nothing wrong\n");
    expect(stdout).toContain("This is server. Be gentle.\n");
    expect(stdout).toMatch(/^www\s+the web site$/m);
    expect(stdout).toContain("all is well\n");
    expect(stdout).toMatch(/recv \S+ \[10\.77\.0\.2\] inbox \(alice\) report\.txt 12\n/);
    expect(stdout).toMatch(/wsync_daemon_connections_total\{door="metrics"\} \d/);
    expect(JSON.parse(stdout.trimEnd().split("\n").at(-1)!)).toMatchObject({ level: "info" });
  });
});
