import { closeSync, openSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createHost } from "../../../runtimes/_nodehost.ts";
import { loadKernels } from "../../../src/checksum/kernels.ts";
import { processState } from "../../../src/daemon/processstate.ts";
import { openFileSystem } from "../../../src/posix/open.ts";

describe.skipIf(process.platform !== "linux")("processState", () => {
  const host = createHost();
  const fs = openFileSystem(host, loadKernels(host.kernels()).memory);

  it("is the same as long as nothing changes, and another with a file open or another mask", () => {
    const state = processState(fs);
    expect(state).toContain("Uid:");
    expect(processState(fs)).toBe(state);
    const fd = openSync("/proc/self/exe", "r");
    expect(processState(fs)).not.toBe(state);
    closeSync(fd);
    expect(processState(fs)).toBe(state);
    // By libc: a thread of the test runner may not set node's.
    const mask = fs.umask(0o777);
    expect(processState(fs)).not.toBe(state);
    fs.umask(mask);
    expect(processState(fs)).toBe(state);
  });
});
