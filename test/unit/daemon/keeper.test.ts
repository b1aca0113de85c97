import { describe, expect, it } from "vitest";
import { WorkerMessages } from "../../../src/daemon/keeper.ts";

const after = { type: "after", command: "true", variables: { RSYNC_PID: "1" } };

describe("WorkerMessages", () => {
  it("takes lines in pieces", () => {
    let ready = 0;
    const messages = new WorkerMessages({ ready: () => ready++ });
    const text = `{"type":"ready"}\n${JSON.stringify(after)}\n`;
    for (const char of text) messages.add(char);
    expect(ready).toBe(1);
    expect(messages.after).toEqual(after);
  });

  it("does not believe a process that has given up its rights", () => {
    const heard: (number | string)[] = [];
    const messages = new WorkerMessages({ served: (code) => heard.push(code), sealed: () => heard.push("sealed") });
    const evil = JSON.stringify({ ...after, command: "evil" });
    messages.add(`{"type":"served","code":0}\n`);
    messages.add(`${JSON.stringify(after)}\n{"type":"sealed"}\n{"type":"served","code":3}\n${evil}\n`);
    messages.add(`{"type":"sealed"}\n${evil}\nno JSON\n`);
    expect(messages.after).toEqual(after);
    expect(heard).toEqual([0, "sealed"]);
  });
});
