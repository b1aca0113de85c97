/** --check-config: what is wrong with a configuration and with what it names, by file, line, module and parameter. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missing, type Runtime, scratch, wsync } from "../_programs.ts";
import { run } from "../_run.ts";
import { makeCertificates, opensslMissing } from "./_certificates.ts";

/** Lines of a configuration, and what is said of each. */
const WRONG: readonly (readonly [line: string, text: string])[] = [
  ["bogus = 1", 'IGNORING unknown parameter "bogus"'],
  ["list = maybe", 'list is yes, no, true, false, 1 or 0, not "maybe"'],
  ["port = 70000", "port: 70000 is no port"],
  ["metrics port = 9999", ""],
  ["websocket port = 9999", ""],
  ["pid file = /nonexistent/x.pid", 'pid file: "/nonexistent" cannot be opened: No such file or directory'],
  ["proxy protocol = yes", 'proxy protocol: without "proxy protocol hosts" every connection is rejected'],
  ["[a]", ""],
  ["path = /nonexistent", '[a] path: "/nonexistent" cannot be opened: No such file or directory'],
  ["uid = nosuchuser", "[a] uid: invalid uid nosuchuser"],
  ["auth users = u", ""],
  ["secrets file = TOP/open",
    '[a] secrets file: "TOP/open": secrets file must not be other-accessible (see strict modes option)'],
  ["hosts allow = 10.0.0.0/33 example.org fe80::/10", '[a] hosts allow: "10.0.0.0/33" has no mask'],
  ["hosts deny = 300.1.1.1 *", '[a] hosts deny: "300.1.1.1" is no address'],
  ["incoming chmod = Dzz", '[a] incoming chmod: "Dzz" is no change of modes'],
  ["auth digest = crc", '[a] auth digest: "crc" is none of sha512, sha256, sha1, md5, md4'],
  ["refuse options = no-such-thing delete", '[a] refuse options: "no-such-thing" is no option'],
  ["write only = yes", '[a] write only: with "read only" nothing is allowed'],
  ["charset = klingon", '[a] charset: iconv_open("UTF-8", "klingon") failed'],
  ["pre-xfer exec = nosuchprogram --x", '[a] pre-xfer exec: no program "nosuchprogram" in PATH'],
  ["exclude from = TOP", '[a] exclude from: "TOP" is no file'],
  ["max connections = x", 'max connections is a number, not "x"'],
];

const runtimes: readonly Runtime[] = ["node", "deno", "bun"];
describe.each(runtimes)("--check-config on %s", (runtime) => {
  const absent = missing(runtime);
  const check = (config: string): ReturnType<typeof run> =>
    run([wsync(runtime)!, "--daemon", "--check-config", `--config=${config}`]);

  it.skipIf(absent !== "")("names every mistake and where it is", async () => {
    const top = join(scratch, `check-${runtime}`);
    mkdirSync(top);
    writeFileSync(join(top, "open"), "u:p\n");
    chmodSync(join(top, "open"), 0o644);
    const config = join(top, "rsyncd.conf");
    const here = (text: string): string => text.replaceAll("TOP", top);
    writeFileSync(config, WRONG.map(([line]) => `${here(line)}\n`).join(""));
    const { code, stdout, stderr } = await check(config);
    const expected = WRONG.flatMap(([, text], i) => (text === "" ? [] : [`${config} line ${i + 1}: ${here(text)}`]));
    expected.push(`${config} line 4: metrics port: 9999 is taken twice`);
    expect(stderr.trimEnd().split("\n").toSorted()).toEqual(expected.toSorted());
    expect(stdout).toBe(`${config}: 1 module, ${expected.length} wrong\n`);
    expect(code).toBe(1);
  });

  it.skipIf(absent !== "" || opensslMissing !== "")(`finds nothing where nothing is ${opensslMissing}`, async () => {
    const top = join(scratch, `check-good-${runtime}`);
    mkdirSync(top);
    writeFileSync(join(top, "secrets"), "u:p\n", { mode: 0o600 });
    const { server } = makeCertificates(`check-${runtime}`);
    writeFileSync(join(top, "more.conf"), `[b]\npath = ${top}\npre-xfer exec = echo %RSYNC_MODULE_NAME%\n`);
    const config = join(top, "rsyncd.conf");
    writeFileSync(config, [
      `pid file = ${top}/pid`, "tls port = 874", `tls certificate = ${server.cert}`, `tls key = ${server.key}`,
      "[a]", `path = ${top}/./`, "auth users = u, @wheel:ro", `secrets file = ${top}/secrets`,
      "hosts allow = 10.0.0.0/8, *.example.org, fe80::%eth0/10, 192.168.1.0/255.255.255.0", "max connections = 5",
      `lock file = ${top}/lock`, "refuse options = c* !checksum delete", "path = %HOME%", `&include ${top}/more.conf`,
      "",
    ].join("\n"));
    const text = `${config} (2 files): 2 modules, nothing wrong\n`;
    expect(await check(config)).toMatchObject({ code: 0, stdout: text, stderr: "" });
    chmodSync(server.key, 0o644);
    const open = await check(config);
    expect(open.stderr).toBe(
      `${config} line 4: tls key: "tls key" ${server.key} must not be open to everybody (chmod o= FILE)\n`);
  });

  it.skipIf(absent !== "")("reads a file through a symlink in the directory where it is started", async () => {
    const top = join(scratch, `check-link-${runtime}`);
    mkdirSync(top);
    writeFileSync(join(top, "real.conf"), `[a]\npath = ${top}\n`);
    symlinkSync("real.conf", join(top, "rsyncd.conf"));
    const words = [wsync(runtime)!, "--daemon", "--check-config", "--config=rsyncd.conf"];
    expect(await run(words, { cwd: top })).toMatchObject({ code: 0, stdout: "rsyncd.conf: 1 module, nothing wrong\n" });
  });

  it.skipIf(absent !== "")("ends with what keeps the file from being read", async () => {
    const { code, stderr } = await check("/nonexistent/conf");
    expect(code).toBe(1);
    expect(stderr).toContain('unable to open config file "/nonexistent/conf": No such file or directory');
  });
});
