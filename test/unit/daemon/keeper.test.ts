import { describe, expect, it } from "vitest";
import { WorkerMessages } from "../../../src/daemon/keeper.ts";

const after = { type: "after", command: "true", variables: { RSYNC_PID: "1" } };

describe("WorkerMessages", () => {
  it("takes lines in pieces", () => {
    let ready = 0;
    const messages = new WorkerMessages(() => ready++);
    const text = `{"type":"ready"}\n${JSON.stringify(after)}\n`;
    for (const char of text) messages.add(char);
    expect(ready).toBe(1);
    expect(messages.after).toEqual(after);
  });

  it("does not believe a process that has given up its rights", () => {
    const messages = new WorkerMessages(() => {});
    const evil = JSON.stringify({ ...after, command: "evil" });
    messages.add(`${JSON.stringify(after)}\n{"type":"sealed"}\n${evil}\n`);
    messages.add(`${evil}\nno JSON\n`);
    expect(messages.after).toEqual(after);
  });
});
