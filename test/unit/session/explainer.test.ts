/** The names that --explain's path may mean, and what the facts amount to. */
import { describe, expect, it } from "vitest";
import { type ExplainEvent, type RunEvent } from "../../../src/output/events.ts";
import { defaultOptions } from "../../../src/options/options.ts";
import { Explainer } from "../../../src/session/explainer.ts";

const SUMMARY: RunEvent = {
  type: "summary", exitCode: 0, exitText: "", dryRun: true, elapsedSeconds: 0, protocol: 32, sentBytes: 1,
  receivedBytes: 1, stats: null,
};

interface Asked {
  readonly paths: readonly string[];
  readonly sources: readonly string[];
  readonly destination?: string;
  readonly relative?: number;
  readonly filesFrom?: string;
  readonly near?: "both" | "sender" | "receiver";
}

/** The explanations after `happen` has told of a run. */
function answers(
  { paths, sources, destination = "dst", near = "both", relative = 0, filesFrom }: Asked,
  happen: (explainer: Explainer) => void,
): ExplainEvent[] {
  const options = { ...defaultOptions(), explain: [...paths], relative, filesFrom: filesFrom ?? null };
  const events: RunEvent[] = [];
  const explainer = new Explainer({
    options, near, sources, destination, cwd: "/home/me", print: () => {},
    outer: { event: (event) => void events.push(event), mutes: "stdout" },
  });
  happen(explainer);
  explainer.event(SUMMARY);
  expect(events.pop()).toBe(SUMMARY);
  return events as ExplainEvent[];
}

/** The name that a path is taken for when that name was deleted. */
function meaning(asked: Asked, deleted: string): string {
  return answers(asked, (explainer) => explainer.event({ type: "delete", path: deleted, kind: "file" }))[0].path;
}

describe("what a path means", () => {
  it.each<[string, readonly string[], string, Partial<Asked>]>([
    ["a/b", ["src/"], "a/b", {}], ["./a//b/", ["src/"], "a/b", {}], ["src/a/b", ["src/"], "a/b", {}],
    ["src/a", ["src"], "src/a", {}], ["/home/me/src/a", ["src"], "src/a", {}], ["x/../src/a", ["./src/."], "a", {}],
    ["dst/a", ["src/"], "a", {}], ["/home/me/dst/a", ["src/"], "a", {}], ["/srv/a/b", ["/srv/"], "a/b", {}],
    ["/srv/a", ["/srv/a"], "a", {}], ["/srv/a", ["/srv/a"], "srv/a", { relative: 1 }],
    ["/srv/x/a", ["/srv/./x"], "x/a", { relative: 1 }], ["src/a", ["src"], "a", { filesFrom: "list" }],
    ["srv/a", ["srv/"], "a", { near: "receiver" }], ["a", ["-/x"], "a", {}],
  ])("%s of %j is %s", (path, sources, name, changes) => {
    expect(meaning({ paths: [path], sources, ...changes }, name)).toBe(name);
  });

  it("the destination is the only file's new name when it is one", () => {
    const asked = { paths: ["dst"], sources: ["src/a"] };
    expect(answers(asked, (explainer) => explainer.goesTo("dst"))[0].path).toBe("a");
    expect(answers(asked, () => {})[0].path).toBe("dst");
  });
});

describe("what becomes of it", () => {
  const asked = { paths: ["d/a"], sources: ["src/"] };

  it("nothing is said of a run whose sides never met", () => {
    const options = { ...defaultOptions(), explain: ["a"] };
    const lines: string[] = [];
    const explainer = new Explainer({
      options, near: "both", sources: ["src"], destination: "dst", cwd: "/", outer: null,
      print: (text) => void lines.push(text),
    });
    explainer.event({ ...SUMMARY, protocol: null } as RunEvent);
    expect(lines).toEqual([]);
  });

  it("an error about a directory above it refuses it", () => {
    const text = 'rsync: [sender] opendir "/home/me/src/d" failed: Permission denied (13)';
    const events = answers(asked, (explainer) => explainer.event({ type: "error", severity: "error", text }));
    const reasons = [`about its directory "d": ${text}`, "if the receiver has it, it stays (no --delete)"];
    expect(events).toMatchObject([{ type: "error", text }, { verdict: "refused", reasons }]);
  });

  it("what the receiver has and nobody deletes stays", () => {
    const [answer] = answers(asked, (explainer) => {
      explainer.lookUp("sender", () => -1);
      explainer.lookUp("receiver", () => 0);
    });
    expect(answer).toMatchObject({ verdict: "kept", sender: "absent", receiver: "present", reasons: [
      "the sender does not have it", "the receiver's copy stays: no --delete is given",
    ] });
  });

  it("a far receiver that does not ask for a file may have its reasons", () => {
    const [answer] = answers({ ...asked, near: "sender" }, () => {});
    expect(answer).toMatchObject({ verdict: "unknown", sender: "unknown", receiver: "unknown" });
  });
});
