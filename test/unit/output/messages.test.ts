import { expect, it } from "vitest";
import { ExitCode } from "../../../src/errors.ts";
import { exitCodeName, exitLine, systemErrorLine } from "../../../src/output/messages.ts";

it("ends a failed run with rsync's line", () => {
  expect(exitLine(12, "io.c(228)", "sender", "3.5.0"))
    .toBe("rsync error: error in rsync protocol data stream (code 12) at io.c(228) [sender=3.5.0]\n");
});

it("calls vanished files a warning", () => {
  expect(exitLine(24, "main.c(1)", "generator", "3.5.0")).toBe(
    "rsync warning: some files vanished before they could be transferred (code 24) at main.c(1) [generator=3.5.0]\n",
  );
});

it("has words for every exit code but success and the log file's, which rsync has none for either", () => {
  const mute: readonly number[] = [ExitCode.ok, ExitCode.logFile];
  const names = Object.values(ExitCode).filter((code) => !mute.includes(code)).map(exitCodeName);
  expect(new Set(names).size).toBe(names.length);
  expect(names).not.toContain("unexplained error");
  expect(exitCodeName(77)).toBe("unexplained error");
});

it("reports a failed call with its reason and number", () => {
  expect(systemErrorLine("sender", 'opendir "/x" failed', "Permission denied", 13))
    .toBe('rsync: [sender] opendir "/x" failed: Permission denied (13)\n');
});
