import { chmodSync, chownSync, symlinkSync, lchownSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { daemonPassword, daemonUser } from "../../../src/client/auth.ts";
import { type Confined } from "../../../src/files/confine.ts";
import { operatorPaths } from "../../../src/files/operator.ts";
import { type ByteStream, type Host } from "../../../src/host.ts";
import { bytesOf } from "../../../src/memory.ts";
import { must, removeTree, tempDir, testFileSystem } from "../files/_fs.ts";

const isRoot = process.geteuid!() === 0;
let dir: string;
let operator: Confined;

beforeAll(() => {
  operator = must(operatorPaths(testFileSystem("libc"), process.cwd()));
});
afterAll(() => operator.close());
beforeEach(() => {
  dir = tempDir("auth");
  return () => removeTree(dir);
});

function hostWith(env: Record<string, string>, prompt: string | null = null, stdin: string[] = []): Host {
  const read = (): Promise<Uint8Array | null> => Promise.resolve(stdin.length > 0 ? bytesOf(stdin.shift()!) : null);
  const stream = { read } as unknown as ByteStream;
  return {
    env: (name: string) => env[name], readPassword: () => Promise.resolve(prompt), stdio: () => stream,
  } as unknown as Host;
}

test("the user", () => {
  expect(daemonUser(hostWith({ USER: "a", LOGNAME: "b" }), "given")).toBe("given");
  expect(daemonUser(hostWith({ USER: "a", LOGNAME: "b" }), null)).toBe("a");
  expect(daemonUser(hostWith({ LOGNAME: "b" }), null)).toBe("b");
  expect(daemonUser(hostWith({}), null)).toBe("nobody");
  expect(daemonUser(hostWith({}), "")).toBe("nobody");
});

test("environment, then the terminal, then nothing", async () => {
  expect(await daemonPassword(hostWith({ RSYNC_PASSWORD: "env" }, "typed"), null, operator)).toBe("env");
  expect(await daemonPassword(hostWith({}, "typed"), null, operator)).toBe("typed");
  expect(await daemonPassword(hostWith({}), null, operator)).toBe("");
});

test("standard input gives its first line", async () => {
  expect(await daemonPassword(hostWith({}, null, ["pa", "ss\nmore"]), "-", operator)).toBe("pass");
  await expect(daemonPassword(hostWith({}), "-", operator)).rejects.toThrow("failed to read a password from -");
});

describe("a password file", () => {
  const file = (content: string, mode = 0o600): string => {
    const path = `${dir}/password`;
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };

  test("gives its first line, whatever its end", async () => {
    for (const content of ["secret", "secret\n", "\n\nsecret\r\nmore"]) {
      expect(await daemonPassword(hostWith({ RSYNC_PASSWORD: "env" }), file(content), operator)).toBe("secret");
    }
  });

  test.each([0o604, 0o602, 0o666])("readable or writable by others (%o) is refused", async (mode) => {
    await expect(daemonPassword(hostWith({}), file("x", mode), operator)).rejects.toMatchObject({
      exitCode: 1, message: "ERROR: password file must not be other-accessible",
    });
  });

  test("missing or empty", async () => {
    await expect(daemonPassword(hostWith({}), `${dir}/none`, operator)).rejects.toMatchObject({
      exitCode: 1, message: `could not open password file ${dir}/none: No such file or directory (2)`,
    });
    await expect(daemonPassword(hostWith({}), file("\n"), operator)).rejects.toThrow("failed to read a password");
  });

  test.runIf(isRoot)("of another user is refused, and so is a stranger's link to it", async () => {
    const path = file("x");
    chownSync(path, 1234, 1234);
    await expect(daemonPassword(hostWith({}), path, operator)).rejects.toThrow("must be owned by root");
    chownSync(path, 0, 0);
    symlinkSync("password", `${dir}/link`);
    expect(await daemonPassword(hostWith({}), `${dir}/link`, operator)).toBe("x");
    lchownSync(`${dir}/link`, 1234, 1234);
    await expect(daemonPassword(hostWith({}), `${dir}/link`, operator)).rejects.toMatchObject({
      message: `could not open password file ${dir}/link: Too many levels of symbolic links (40)`,
      hint: expect.stringContaining('symlink "link" -> "password"') as string,
    });
  });
});
