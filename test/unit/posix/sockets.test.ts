import { describe, expect, it } from "vitest";
import { createHost } from "../../../runtimes/_nodehost.ts";
import { loadKernels } from "../../../src/checksum/kernels.ts";
import { openFileSystem } from "../../../src/posix/open.ts";
import { Sockets } from "../../../src/posix/sockets.ts";

describe.skipIf(process.platform !== "linux")("Sockets", () => {
  const host = createHost();
  const { memory } = loadKernels(host.kernels());
  const fs = openFileSystem(host, memory);
  const sockets = Sockets.open(host, memory)!;

  // One descriptor leaves room behind it, which is none.
  it.each([1, 2, 3])("hands over %i descriptors, no more and no less", (count) => {
    const [near, far] = sockets.pair()!;
    expect(sockets.sendDescriptors(near, Uint8Array.of(7), Array.from({ length: count }, () => near))).toBe(1);
    const { bytes, fds } = sockets.receiveDescriptors(far, 16)!;
    expect([...bytes]).toEqual([7]);
    expect(fds.length).toBe(count);
    expect(fds).not.toContain(0);
    for (const fd of [near, far, ...fds]) fs.close(fd);
  });

  it("sends what goes soon, and no more to who has gone", () => {
    const [near, far] = sockets.pair()!;
    const byteLength = 8 << 20;
    const ptr = memory.alloc(byteLength);
    memory.u8.fill(1, ptr, ptr + byteLength);
    const sent = sockets.sendWithin(near, ptr, byteLength, 2, 1);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(byteLength);
    expect(sockets.sendWithin(near, ptr, 1, 2, 1)).toBe(0);
    let received = 0;
    while (received < sent) received += fs.read(far, ptr, byteLength);
    expect(received).toBe(sent);
    expect(sockets.sendWithin(near, ptr, 1000, 0, 0)).toBe(1000);
    fs.close(far);
    expect(sockets.sendWithin(near, ptr, 1000, 2, 1)).toBe(0);
    fs.close(near);
    memory.release(ptr);
  });
});
