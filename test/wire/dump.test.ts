/** The dumper reads what the scripted sender says, whole and cut, and what a real daemon says through the recorder. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { peer, scratch } from "../_programs.ts";
import { run } from "../_run.ts";
import { startDaemon } from "../_servers.ts";
import { context, fields, fileData, senderScript } from "../hostile/_script.ts";
import { dumpFrames, dumpGreeting, dumpSender } from "./_dump.ts";
import { direction, record } from "./_record.ts";

const script = senderScript({}, true);

describe("the dumper", () => {
  it("reads a whole script", () => {
    const frames = dumpFrames(script);
    expect(frames.rest).toBe(0);
    expect(frames.lines[0]).toMatch(/^0 mux-header data \d+ bytes$/);
    const lines = dumpSender(frames.data, context, fields, 16).map((line) => line.replace(/^\d+ /, ""));
    expect(lines).toEqual([
      'flist-entry 0 "." mode 40755 size 0', `flist-entry 1 "f" mode 100644 size ${fileData.length}`, "flist-end",
      "ndx 1 iflags 8000 sum-head 0 x 0", `literal ${fileData.length} bytes`, "token-end",
      expect.stringMatching(/^file-digest [0-9a-f]{32}$/), "ndx done", "ndx done", "ndx done",
    ]);
  });
  it("stops where a recording is cut, at every byte, with a prefix of the whole dump", () => {
    const whole = dumpFrames(script);
    const all = dumpSender(whole.data, context, fields, 16);
    for (let end = 0; end < whole.data.length; end++) {
      const lines = dumpSender(whole.data.subarray(0, end), context, fields, 16);
      const kept = lines.filter((line) => !line.endsWith("end of recording") && !line.includes(" literal "));
      expect(all.filter((line) => !line.includes(" literal ")).slice(0, kept.length)).toEqual(kept);
    }
  });
  it("counts the bytes of an unfinished frame", () => {
    expect(dumpFrames(script.subarray(0, 3)).rest).toBe(3);
    expect(dumpFrames(script.subarray(0, 10)).rest).toBe(10);
  });
  it.skipIf(peer === null)("reads a real daemon through the recorder [needs rsync]", async () => {
    const source = join(scratch, "recorded");
    mkdirSync(source, { recursive: true });
    writeFileSync(join(source, "one"), "1");
    const daemon = await startDaemon(peer!, { mod: { path: source } });
    const recording = await record(daemon.port);
    const outcome = await run([peer!, "-r", "--no-i-r", `rsync://127.0.0.1:${recording.port}/mod/`]);
    recording.stop();
    daemon.stop();
    expect(outcome.code).toBe(0);
    const said = direction(recording.chunks, "server");
    const { lines } = dumpGreeting(said, 2);
    expect(lines[0]).toMatch(/^0 line "@RSYNCD: \d+\.\d+/);
    expect(lines[1]).toMatch(/line "@RSYNCD: OK"$/);
    expect(latinOf(said)).toContain("one");
  });
});

function latinOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
