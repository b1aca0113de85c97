/**
 * Gathers, in a dry run, what is decided about a few names, for --explain.
 *
 * It listens where the user's own side decides: to rules, lists, comparisons and the lines of either side. The two
 * sides of a local run share one. Nobody else pays: without --explain there is none. At the end it says what it has
 * learned (explained.ts) as one event a name, before the summary.
 */
import { type Filters } from "../filter/mergefiles.ts";
import { cleanName, joinPath } from "../filter/paths.ts";
import { RuleFlag, type FilterRule } from "../filter/rules.ts";
import { type FileList } from "../flist/filelist.ts";
import { type Options } from "../options/options.ts";
import { explanationLines } from "../output/explanation.ts";
import { itemKind, type Observer, type RunEvent, type SummaryEvent } from "../output/events.ts";
import { FileFlag } from "../protocol/constants.ts";
import { newStat, type StatRecord } from "../posix/filesystem.ts";
import { type Attributes, type NameFacts, newFacts, type Side } from "./explainfacts.ts";
import { explained } from "./explained.ts";
import { readLine } from "./explainlines.ts";

/** What is to be explained, and where. */
export interface ExplainParts {
  readonly options: Options;
  /** Sides that run in this process. */
  readonly near: "both" | Side;
  /** Words of the command line, without hosts. */
  readonly sources: readonly string[];
  readonly destination: string;
  /** Absolute directory that the words of a near side start from. */
  readonly cwd: string;
  /** Hears of errors, the explanations and the summary; null: the explanations are printed as lines. */
  readonly outer: Observer | null;
  readonly print: (text: string) => void;
}

/** Where a word of the command line starts on the sender. */
interface Start {
  /** The directory that names are relative to. */
  readonly base: string;
  /** The part of every name that the word itself names; "" when it stands for what is in the base. */
  readonly name: string;
}

/** A run's observer that explains. */
export class Explainer implements Observer {
  readonly mutes = "stdout";
  private readonly p: ExplainParts;
  /** For each path that was asked for, the names within the transfer that it may mean. */
  private readonly targets: readonly (readonly string[])[];
  private readonly facts = new Map<string, NameFacts>();
  private readonly basenames = new Set<string>();
  /** Lines about all deletions. */
  private readonly stops: string[] = [];
  private filters: Filters | null = null;
  /** What the only file is called on the receiver, when that is another name. */
  private solo: string | null = null;
  /** The source that the destination may be the new name of, if one asks for the destination. */
  private only = "";

  constructor(parts: ExplainParts) {
    this.p = parts;
    this.targets = parts.options.explain.map((path) => this.meanings(path));
    for (const name of this.targets.flat()) {
      for (const one of [name, ".", ...directoriesAbove(name)]) {
        this.facts.set(one, newFacts());
        this.basenames.add(one.slice(one.lastIndexOf("/") + 1));
      }
    }
  }

  /** What the words of the command line name on the sender. */
  get starts(): readonly Start[] {
    const { options, sources } = this.p;
    if (options.filesFrom !== null) return [{ base: clean(sources[0]), name: "" }];
    return sources.map((word) => (options.relative > 0 ? relativeStart(word) : startOf(word)));
  }

  /** The rules of a near side, which tell what the far side was given. */
  useFilters(filters: Filters): void {
    if (this.p.near !== "both") this.filters = filters;
  }

  /** A rule decides about a name. */
  judged(side: Side, name: string, rule: FilterRule): void {
    const facts = this.facts.get(name);
    if (!facts || !rule.origin) return;
    facts.rules[side] = { origin: rule.origin, include: (rule.flags & RuleFlag.include) !== 0 };
  }

  /** A list of the sender's is complete. */
  sawList(list: FileList): void {
    for (let row = 0; row < list.used; row++) {
      if (!list.isActive(row) || !this.basenames.has(list.basename(row))) continue;
      const facts = this.facts.get(list.path(row));
      if (facts) facts.listed = attributesOf(list, row);
    }
  }

  /** What there is on a near side: `lstat` is asked for names that may be part of the transfer. */
  lookUp(side: Side, lstat: (name: string, stat: StatRecord) => number, top = ""): void {
    const stat = newStat();
    for (const [name, facts] of this.facts) {
      const within = top === "" || name === top || name.startsWith(`${top}/`);
      facts.present[side] = facts.present[side] || (within && lstat(name, stat) >= 0);
    }
  }

  /** The only file goes to another name. */
  goesTo(name: string): void {
    this.solo = name;
  }

  /** The receiver compares a row with what it has (null: nothing). */
  compared(list: FileList, row: number, stat: StatRecord | null): void {
    const facts = this.facts.get(list.path(row));
    if (facts && stat) facts.old = { ...stat };
  }

  event(event: RunEvent): void {
    const { outer } = this.p;
    switch (event.type) {
      case "file": this.note(event.path, (facts) => (facts.item = event)); break;
      case "delete": this.note(event.path, (facts) => (facts.deleted = true)); break;
      case "message": this.heard(event.text, false); break;
      case "error": this.heard(event.text, true); break;
      case "summary": this.finish(event); break;
    }
    if (event.type === "start" || event.type === "error" || event.type === "summary") outer?.event(event);
  }

  private note(name: string, change: (facts: NameFacts) => void): void {
    const facts = this.facts.get(name);
    if (facts) change(facts);
  }

  private heard(text: string, isError: boolean): void {
    for (const [name, facts] of this.facts) {
      const names = this.solo === null || !facts.listed ? [name] : [name, this.solo];
      const fact = names.map((one) => readLine(text, one, isError, this.places())).find((found) => found !== null);
      if (fact) facts.lines.push(fact);
    }
    if (/^IO error encountered|^Deletions stopped/.test(text)) this.stops.push(text);
  }

  /** Directories that the paths in messages start with. */
  private places(): readonly string[] {
    return [...this.starts.map(({ base }) => base), this.p.destination];
  }

  private finish(summary: SummaryEvent): void {
    const { options, near, outer, print } = this.p;
    if (summary.protocol === null) return;
    for (const names of this.targets) {
      const name = this.likeliest(names);
      const event = explained(name, (one) => this.facts.get(one)!, {
        options, near, stops: this.stops, protocol: summary.protocol, exitCode: summary.exitCode,
        peerRule: (path, isDir) => this.filters?.peerRule(path, isDir) ?? null,
        above: directoriesAbove(name),
      });
      if (outer) outer.event(event);
      else for (const line of explanationLines(event)) print(line);
    }
  }

  /** The meaning of a path that most is known of. */
  private likeliest(names: readonly string[]): string {
    if (this.only && names.includes(this.only)) return this.solo === null ? names[0] : this.only;
    const weigh = (name: string): number => {
      const { listed, item, deleted, rules, present, lines } = this.facts.get(name)!;
      if (listed || item) return 4;
      if (deleted || rules.sender || rules.receiver || lines.length > 0) return 3;
      return present.sender ? 2 : present.receiver ? 1 : 0;
    };
    return names.reduce((best, name) => (weigh(name) > weigh(best) ? name : best));
  }

  /** Names within the transfer that a path may stand for: itself, or one below a source or the destination. */
  private meanings(path: string): string[] {
    const { destination, near, cwd, sources } = this.p;
    const whole = clean(path);
    const names = [whole.replace(/^\/+/, "") || "."];
    const nearSender = near !== "receiver";
    for (const { base } of this.starts) names.push(...below(whole, base, nearSender ? cwd : null));
    const there = below(whole, destination, near !== "sender" ? cwd : null);
    names.push(...there);
    // The destination may be the new name of the only file.
    if (there[0] === "." && sources.length === 1) this.only = sources[0].slice(sources[0].lastIndexOf("/") + 1);
    if (this.only) names.push(this.only);
    return [...new Set(names)];
  }
}

/** A path without what does not matter in it. */
function clean(path: string): string {
  return cleanName(path, { collapseDotDot: true })!.replace(/(?<=.)\/+(?:\.$)?$/, "").replace(/^\.\/+/, "") || ".";
}

function startOf(word: string): Start {
  const at = word.lastIndexOf("/") + 1;
  const name = word.slice(at);
  if (name === "" || name === "." || name === "..") return { base: clean(word), name: "" };
  return { base: clean(word.slice(0, at) || "."), name };
}

/** --relative: all of a word is part of the names, or what stands behind "/./" in it. */
function relativeStart(word: string): Start {
  const anchor = word.lastIndexOf("/./");
  if (anchor >= 0) return { base: clean(word.slice(0, anchor) || "/"), name: topName(word.slice(anchor + 3)) };
  return { base: word.startsWith("/") ? "/" : ".", name: topName(word) };
}

function topName(word: string): string {
  return clean(word || ".").replace(/^\/+|^\.$/, "");
}

/** The part of `path` below `base`, if it is there; `cwd` makes relative ones comparable. */
function below(path: string, base: string, cwd: string | null): string[] {
  const whole = (text: string): string => clean(cwd === null ? text : joinPath(cwd, text));
  const [at, from] = [whole(path), whole(base)];
  if (at === from) return ["."];
  const start = from === "/" ? "/" : `${from}/`;
  return at.startsWith(start) ? [at.slice(start.length)] : [];
}

/** From the top down. */
function directoriesAbove(name: string): string[] {
  const parts = name.split("/").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

function attributesOf(list: FileList, row: number): Attributes {
  return {
    kind: itemKind(list.mode[row]), size: list.size[row], mtime: list.mtime[row], mode: list.mode[row],
    uid: list.uid[row] ?? 0, gid: list.gid[row] ?? 0,
    withContents: (list.flags[row] & FileFlag.contentDir) !== 0,
  };
}
