import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createHost } from "../../../runtimes/_nodehost.ts";
import { authResponse } from "../../../src/checksum/auth.ts";
import { loadKernels } from "../../../src/checksum/kernels.ts";
import { connectDaemon } from "../../../src/client/connect.ts";
import { type DaemonCall, greetDaemon, moduleOf } from "../../../src/client/greeting.ts";
import { type ByteStream } from "../../../src/host.ts";
import { bytesOf, latin1 } from "../../../src/memory.ts";
import { whereIs } from "../../_programs.ts";
import { type Server, startDaemon } from "../../_servers.ts";
import { removeTree, tempDir } from "../files/_fs.ts";

const kernels = loadKernels(createHost().kernels());

/** A daemon that says its lines whatever it hears; `step` bytes arrive at a time. */
class Scripted implements ByteStream {
  heard = "";
  private readonly script: Uint8Array;
  private readonly step: number;
  private at = 0;

  constructor(script: string, step: number) {
    this.script = bytesOf(script);
    this.step = step;
  }

  read(): Promise<Uint8Array | null> {
    const chunk = this.script.subarray(this.at, this.at + this.step);
    this.at += chunk.length;
    return Promise.resolve(chunk.length === 0 ? null : chunk);
  }

  write(chunk: Uint8Array): undefined {
    this.heard += latin1(chunk, 0, chunk.length);
    return undefined;
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  destroy(): void {}
}

let lines: string[] = [];
const call = (o: Partial<DaemonCall> = {}): DaemonCall => ({
  version: 32, user: "me", paths: ["mod/path"], oldArgs: false, earlyInput: null,
  serverWords: () => ({ open: ["--server", "--sender", "-e.x"], secluded: null }),
  secludedWord: (word) => word,
  password: () => Promise.resolve("secret"),
  authResponse: (digest, password, challenge) => `${digest}/${password}/${challenge}`,
  onLine: (line) => lines.push(line), ...o,
});
const OK = "@RSYNCD: 32.0 sha512 md5\nwelcome\n\n@RSYNCD: OK\n";

async function rest(stream: ByteStream): Promise<string> {
  let text = "";
  for (let chunk = await stream.read(); chunk; chunk = await stream.read()) text += latin1(chunk, 0, chunk.length);
  return text;
}

describe.each([1, 7, 4096])("greetDaemon, %i bytes at a time", (step) => {
  beforeEach(() => {
    lines = [];
  });

  test("greeting, message of the day, arguments, and the bytes after them", async () => {
    const daemon = new Scripted(`${OK}\0\x01binary\nrest`, step);
    const answer = await greetDaemon(daemon, call());
    if (answer.kind !== "ready") throw new Error(answer.kind);
    expect(answer.version).toBe(32);
    expect(lines).toEqual(["welcome", ""]);
    const words = "--server\0--sender\0-e.x\0.\0mod/path\0\0";
    expect(daemon.heard).toBe(`@RSYNCD: 32.0 sha512 sha256 sha1 md5 md4\nmod\n${words}`);
    expect(await rest(answer.stream)).toBe("\0\x01binary\nrest");
  });

  test("an old daemon gets lines and its own version", async () => {
    const versions: number[] = [];
    const daemon = new Scripted("@RSYNCD: 29\n@RSYNCD: OK\n", step);
    const serverWords = (version: number) => (versions.push(version), { open: ["--server"], secluded: null });
    const answer = await greetDaemon(daemon, call({ serverWords, paths: ["mod"] }));
    expect(answer).toMatchObject({ kind: "ready", version: 29 });
    expect(versions).toEqual([29]);
    expect(daemon.heard.split("\n").slice(1)).toEqual(["mod", "--server", ".", "mod/", "", ""]);
  });

  test("a challenge is answered with the strongest common digest", async () => {
    const daemon = new Scripted("@RSYNCD: 32.0 md4 sha1 unknown\n@RSYNCD: AUTHREQD abc\n@RSYNCD: OK\n", step);
    await greetDaemon(daemon, call());
    expect(daemon.heard.split("\n")[2]).toBe("me sha1/secret/abc");
  });

  test("a daemon without a digest list gets md5, or the old md4", async () => {
    for (const [greeting, digest] of [["31.0", "md5"], ["29", "md4-old"]]) {
      const daemon = new Scripted(`@RSYNCD: ${greeting}\n@RSYNCD: AUTHREQD abc\n@RSYNCD: OK\n`, step);
      await greetDaemon(daemon, call());
      expect(daemon.heard.split("\n")[2]).toBe(`me ${digest}/secret/abc`);
    }
  });

  test("a listing ends the conversation", async () => {
    const daemon = new Scripted("@RSYNCD: 32.0 md5\nmod            \tA module\n@RSYNCD: EXIT\n", step);
    expect(await greetDaemon(daemon, call({ paths: [""] }))).toEqual({ kind: "listed" });
    expect(lines).toEqual(["mod            \tA module"]);
    expect(daemon.heard.split("\n")[1]).toBe("");
  });

  test("early input, secluded words, awkward paths", async () => {
    const daemon = new Scripted(OK, step);
    const serverWords = () => ({ open: ["--server", "-se.x"], secluded: ["--delete", ""] });
    await greetDaemon(daemon, call({ earlyInput: bytesOf("hello"), serverWords, paths: ["mod/a mod/b", "-x"] }));
    expect(daemon.heard).toContain("\n#early_input=5\nhellomod\n--server\0-se.x\0\0");
    expect(daemon.heard.endsWith("rsync\0--delete\0.\0.\0mod/a[ ]mod/b\0./-x\0\0")).toBe(true);
    const old = new Scripted(OK, step);
    await greetDaemon(old, call({ oldArgs: true, paths: ["mod/a mod/b"] }));
    expect(old.heard).toContain("\0mod/a mod/b\0");
  });

  test.each([
    ["SSH-2.0-OpenSSH_9.2\n", 5, 'rsync: server sent "SSH-2.0-OpenSSH_9.2" rather than greeting'],
    ["@RSYNCD: 31\n", 5, "rsync: the server omitted the subprotocol value: @RSYNCD: 31"],
    ["@RSYNCD: 32.0\n", 5, "rsync: the server omitted the digest name list"],
    ["@RSYNCD: 32.0 md5\n@ERROR: Unknown module 'mod'\n", 5, "@ERROR: Unknown module 'mod'", "A listing"],
    [
      "@RSYNCD: 32.0 md5\n@RSYNCD: AUTHREQD x\n@ERROR: auth failed on module mod\n", 5,
      "@ERROR: auth failed on module mod", "Check the user",
    ],
    ["", 12, "connection unexpectedly closed (0 bytes received so far)"],
    ["@RSYNCD: 32.0 md5\nhalf a li", 12, "connection unexpectedly closed (27 bytes received so far)"],
    [`@RSYNCD: 32.0 md5\n${"x".repeat(6000)}\n`, 5, "too long"],
  ] as [string, number, string, string?][])("%j", async (script, exitCode, message, hint = "") => {
    await expect(greetDaemon(new Scripted(script, step), call())).rejects.toMatchObject({
      exitCode, message: expect.stringContaining(message) as string, hint: expect.stringContaining(hint) as string,
    });
  });
});

test("a path has to start with a module", () => {
  expect(moduleOf(["mod/x"])).toBe("mod");
  expect(() => moduleOf(["/x"])).toThrow("must start with a module name");
});

describe.skipIf(whereIs("rsync") === null)("against a real daemon", () => {
  let dir: string;
  let daemon: Server;

  beforeAll(async () => {
    dir = tempDir("daemon");
    mkdirSync(`${dir}/files`);
    writeFileSync(`${dir}/secrets`, "me:secret\n", { mode: 0o600 });
    writeFileSync(`${dir}/motd`, "Be welcome\n");
    const shared = { path: `${dir}/files`, comment: "files of the test" };
    const guarded = { ...shared, "auth users": "me", "secrets file": `${dir}/secrets` };
    daemon = await startDaemon(whereIs("rsync")!, { open: shared, guarded }, { "motd file": `${dir}/motd` });
  });

  afterAll(() => {
    daemon?.stop();
    removeTree(dir);
  });

  beforeEach(() => {
    lines = [];
  });

  const dial = (): Promise<ByteStream> => connectDaemon(createHost(), {
    host: "127.0.0.1", port: daemon.port, family: 0, bindAddress: null, connectTimeout: 10, socketOptions: null,
    who: "Receiver",
  });
  const talk = async (o: Partial<DaemonCall>): Promise<string> => {
    const stream = await dial();
    try {
      const answer = await greetDaemon(stream, call({
        authResponse: (digest, password, challenge) => authResponse(kernels, digest, password, challenge),
        serverWords: () => ({ open: ["--server", "--sender", "-de.LsfxCIvu"], secluded: null }), ...o,
      }));
      if (answer.kind === "listed") return answer.kind;
      // The first thing a server says at protocol 30 and up is its compat flags.
      const first = await answer.stream.read();
      return `${answer.version} ${first !== null && first.length > 0}`;
    } finally {
      stream.destroy();
    }
  };

  test("lists modules after the message of the day", async () => {
    expect(await talk({ paths: [""] })).toBe("listed");
    expect(lines[0]).toBe("Be welcome");
    expect(lines.some((line) => /^open\s+files of the test$/.test(line))).toBe(true);
  });

  test.each([32, 31, 30])("opens a module at protocol %i", async (version) => {
    expect(await talk({ version, paths: ["open"] })).toBe(`${version} true`);
  });

  test.each([32, 31, 29])("proves a password at protocol %i", async (version) => {
    const open = ["--server", "--sender", version >= 30 ? "-de.LsfxCIvu" : "-d"];
    const serverWords = () => ({ open, secluded: null });
    expect(await talk({ version, paths: ["guarded"], serverWords })).toBe(`${version} true`);
  });

  test("a wrong password is refused", async () => {
    await expect(talk({ paths: ["guarded"], password: () => Promise.resolve("guess") })).rejects.toMatchObject({
      exitCode: 5, message: expect.stringContaining("@ERROR: auth failed on module guarded") as string,
    });
  });

  test("an unknown module is refused", async () => {
    await expect(talk({ paths: ["none/x"] })).rejects.toThrow("@ERROR: Unknown module 'none'");
  });
});
