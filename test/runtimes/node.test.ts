import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { NODE_FS, NO_SOCKET_OPTIONS } from "./_skips.ts";
import { bundle, conformance } from "./_start.ts";

const program = await bundle("_node");
const command = [process.execPath, program];

conformance({ title: "Node.js with koffi", command, fileSystem: "libc" });
conformance({
  title: "Node.js without FFI", command, env: { WSYNC_NO_FFI: "1" }, fileSystem: "node:fs",
  skips: { ...NODE_FS, ...NO_SOCKET_OPTIONS },
});

describe("Node.js ends while a helper thread comes up", async () => {
  const ending = await bundle("_ending");
  // Koffi is loaded some 25 ms after the thread's start, depending on the machine.
  const delays = Array.from({ length: 24 }, (_, i) => 5 + 2 * i);
  test.each(delays)("after %d ms", (delay) => {
    const { status, signal, stderr } = spawnSync(process.execPath, [ending, String(delay)], { encoding: "utf8" });
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
  });
});
