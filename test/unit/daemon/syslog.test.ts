/** Lines for the system's log. */
import { expect, it } from "vitest";
import { syslogLine } from "../../../src/daemon/syslog.ts";

it("have priority, time, tag and process in front", () => {
  const now = new Date(2026, 1, 3, 4, 5, 6).getTime();
  const name = { facility: 3, tag: "rsyncd", pid: 42, now: () => now };
  expect(syslogLine(name, false, "text\n")).toBe("<30>Feb  3 04:05:06 rsyncd[42]: text");
  expect(syslogLine({ ...name, facility: 16 }, true, "text")).toBe("<132>Feb  3 04:05:06 rsyncd[42]: text");
});
