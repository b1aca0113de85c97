/** Small decisions of continuous sync: pace, pauses, verdicts, options, what is printed. */
import { expect, test } from "vitest";
import { classify } from "../../../src/watch/classify.ts";
import { DirNodes } from "../../../src/watch/dirnodes.ts";
import { type TargetStatus } from "../../../src/watch/events.ts";
import { liveText, Reporter } from "../../../src/watch/report.ts";
import { Backoff, Debounce } from "../../../src/watch/schedule.ts";
import { checkWithoutWatch, watchSettings } from "../../../src/watch/settings.ts";
import { argumentOf, covers, type Source } from "../../../src/watch/sources.ts";
import { optionsOf } from "../options/_context.ts";

test("a round waits for quiet, but not for ever", () => {
  const debounce = new Debounce({ quietMs: 10, mostMs: 25 });
  expect(debounce.dueAt).toBe(null);
  debounce.note(-5);
  expect(debounce.dueAt).toBe(5);
  for (const now of [3, 11, 19]) debounce.note(now);
  expect(debounce.dueAt).toBe(20);
  debounce.reset();
  expect(debounce.dueAt).toBe(null);
});

test("pauses double up to a limit, with jitter of a quarter either way", () => {
  const low = new Backoff(() => 0);
  expect([1, 2, 3, 4, 5].map(() => low.next(100, 1000))).toEqual([75, 150, 300, 600, 750]);
  low.reset();
  expect(low.next(100, 1000)).toBe(75);
  expect(new Backoff(() => 0.999999).next(100, 1000)).toBeCloseTo(125, 2);
});

test("what an ending means", () => {
  const verdict = (code: number, ...errors: string[]): string => classify(code, errors);
  expect(verdict(0)).toBe("done");
  expect(verdict(24)).toBe("vanished");
  expect(verdict(23)).toBe("partial");
  expect(verdict(10, "rsync: [sender] failed to connect to h: Connection refused (111)")).toBe("transient");
  expect(verdict(5, "@ERROR: max connections (1) reached -- try again later")).toBe("transient");
  expect(verdict(5, "@ERROR: auth failed on module www")).toBe("refused");
  expect(verdict(5, "@ERROR: Unknown module 'x'")).toBe("refused");
  expect(verdict(1, "ERROR: module is read only")).toBe("refused");
  expect(verdict(11, 'rsync: [receiver] write failed on "x": No space left on device (28)')).toBe("full");
  expect(verdict(23, 'rsync: [receiver] mkstemp "x" failed: Disk quota exceeded (122)')).toBe("full");
  expect([verdict(255), verdict(12), verdict(30), verdict(14)]).toEqual(Array(4).fill("transient"));
  expect([verdict(2), verdict(1), verdict(22)]).toEqual(Array(3).fill("bug"));
  expect(verdict(20)).toBe("stopped");
});

test("options become settings", () => {
  const of = (words: string): ReturnType<typeof watchSettings> => watchSettings(optionsOf(words.split(" ")));
  expect(of("-a --watch s t")).toMatchObject({
    delayMs: 1000, maxDelayMs: 10_000, auditMs: 3_600_000, retryMs: 60_000, backend: null, sources: ["s"],
    targets: ["t"],
  });
  const more = of("-a --watch --watch-delay=.5 --watch-max-delay=0.1 --watch-audit=0 --watch-target=u s r t");
  expect(more).toMatchObject({
    delayMs: 500, maxDelayMs: 500, auditMs: 0, sources: ["s", "r"], targets: ["t", "u"],
  });
  for (const [words, why] of [
    ["--watch s t", /needs --recursive/], ["-a --watch s", /needs a source/], ["-an --watch s t", /--dry-run/],
    ["-aL --watch s t", /symlinks/], ["-a --watch --watch-delay=x s t", /number of seconds/],
    ["-a --watch --watch-delay=9999999 s t", /number of seconds/],
    ["-a --watch --watch-backend=x s t", /one of inotify/],
    ["-a --watch --exclude-from=- s t", /standard input/], ["-a --watch --remove-source-files s t", /remove-source/],
  ] as const) expect(() => of(words), words).toThrow(why);
  expect(() => checkWithoutWatch(optionsOf(["--watch-poll=3", "s", "t"]))).toThrow(/need --watch/);
  expect(() => checkWithoutWatch(optionsOf(["s", "t"]))).not.toThrow();
});

test("keys and arguments of sources", () => {
  const source: Source = { index: 0, word: "w", base: "/b", key: "k", root: "/b/k", isDir: true };
  expect([covers(source, "k"), covers(source, "k/x"), covers(source, "kx"), covers(source, "")])
    .toEqual([true, true, false, false]);
  expect(argumentOf(source, "k/x", false)).toBe("/b/./k/x");
  expect(argumentOf({ ...source, base: "/", key: "" }, "", true)).toBe("/./.\0");
});

test("directories under watch keep their names through renames", () => {
  const nodes = new DirNodes();
  const a = nodes.child(nodes.root, "a");
  const b = nodes.child(a, "b");
  nodes.setWd(a, 1);
  nodes.setWd(b, 2);
  nodes.cut(a);
  expect(nodes.pathOf(b)).toBe(null);
  expect(nodes.graft(a, nodes.root, "c")).toBe(null);
  expect([nodes.pathOf(b), nodes.of(2), nodes.size]).toEqual(["c/b", b, 2]);
  expect(nodes.takeWds(a)).toEqual([1, 2]);
  expect(nodes.size).toBe(0);
  // The kernel has one descriptor for a directory, whatever it is called.
  const d = nodes.child(nodes.root, "d");
  nodes.setWd(b, 7);
  nodes.setWd(d, 7);
  expect([b.wd, nodes.of(7)]).toEqual([-1, d]);
});

const status: TargetStatus = {
  target: "t", state: "waiting", watermark: 1, dirty: 2, lastSync: 0, rounds: 0, failures: 0, lastError: "",
  drift: null, lastAudit: 0,
};

test("a person is told news, and everything with --verbose", () => {
  const round = {
    type: "round", target: "t", outcome: "done", exitCode: 0, whole: false, names: 1, updated: 1, deleted: 0,
    renamed: 1, sentBytes: 5, elapsedMs: 1234, inSync: true,
  } as const;
  const text = "t: in sync, 1 updated, 0 deleted, 1 renamed, 5 bytes sent, 1.23 s";
  const calm = new Reporter(0, false);
  const texts = (event: Parameters<Reporter["lines"]>[0]): string[] => calm.lines(event).map((line) => line.text);
  expect(texts(round)).toEqual([text]);
  expect(texts(round)).toEqual([]);
  const retry = { failures: 1, delayMs: 900, exitCode: 11, reason: "no room" };
  expect(texts({ type: "retry", target: "t", outcome: "full", ...retry }))
    .toEqual(["t: full failure, exit code 11, next try in 0.9 s"]);
  expect(texts(round)).toEqual([text]);
  expect(new Reporter(1, false).lines(round)).toEqual([{ fd: 1, text }]);
  const hushed = new Reporter(0, true);
  expect(hushed.lines(round)).toEqual([]);
  expect(hushed.lines({ type: "guard", source: "s", problem: "device" })[0].fd).toBe(2);
  expect(liveText([status], 3, 0)).toBe("00:00:00Z  3 changes  t: waiting (2 dirty)");
});
