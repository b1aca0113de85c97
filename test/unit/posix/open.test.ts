import * as nodeFs from "node:fs";
import { describe, expect, test } from "vitest";
import { type Host } from "../../../src/host.ts";
import { openFileSystem } from "../../../src/posix/open.ts";
import { BASE, fakeFfi, fakeHost, newMemory } from "./_fake.ts";

const withNodeFs: Partial<Host> = { files: { nodeFs, readFile: () => new Uint8Array(0) } };

describe("the choice of file system", () => {
  test("libc where it can be called, which sets the memory's base", () => {
    const memory = newMemory();
    expect(openFileSystem(fakeHost(fakeFfi({}), withNodeFs), memory).capabilities.atCalls).toBe(true);
    expect(memory.base).toBe(BASE);
  });
  test("node:fs without foreign functions, on another system, and when libc lacks a function", () => {
    const hosts = [
      fakeHost(null, withNodeFs),
      fakeHost(fakeFfi({}), { ...withNodeFs, os: "darwin" }),
      fakeHost(fakeFfi({}), { ...withNodeFs, arch: "other" }),
      fakeHost(fakeFfi({}, ["utimensat"]), withNodeFs),
    ];
    for (const host of hosts) expect(openFileSystem(host, newMemory()).capabilities.atCalls).toBe(false);
  });
  test("with neither, the reason is given", () => {
    expect(() => openFileSystem(fakeHost(null), newMemory())).toThrow("no file system: not here");
    expect(() => openFileSystem(fakeHost(fakeFfi({}, ["openat"])), newMemory())).toThrow("the C library has no openat");
  });
});
