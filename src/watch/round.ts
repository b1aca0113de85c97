/**
 * One round of one target: which names to ask for, and the ordinary rsync sessions that bring them up to date.
 *
 * Each name travels as an argument of a --relative transfer, directories by themselves unless all of them is in doubt.
 * What is gone is deleted in a second session, last: its names are missing arguments that the receiver is asked to
 * delete, so that no directory need be listed. Receivers from before rsync 3.1 do not know that and are shown the
 * directory instead.
 */
import { ExitCode, exitCodeOf, WsyncError } from "../errors.ts";
import { runClient } from "../client/run.ts";
import { type Platform } from "../conversation/conversation.ts";
import { openScope } from "../conversation/scope.ts";
import { type Options } from "../options/options.ts";
import { type ParseContext } from "../options/parse.ts";
import { type Observer, type RunEvent } from "../output/events.ts";
import { newStat, type StatRecord } from "../posix/filesystem.ts";
import { type DirtyPath, type Rename } from "./dirtytrie.ts";
import { type Judge } from "./judge.ts";
import { argumentOf, covers, isDirectory, pathOfKey, type Source } from "./sources.ts";

/** The first protocol whose receivers delete missing arguments (rsync 3.1). */
const DELETES_MISSING_ARGS = 31;
const MODE_TYPE = 0o170000;
const MODE_REGULAR = 0o100000;
/** Error lines that are kept of a session. */
const MOST_ERRORS = 20;

/** What rounds of all targets share. */
export interface RoundParts {
  readonly platform: Platform;
  readonly options: Options;
  readonly parseContext: ParseContext;
  readonly sources: readonly Source[];
  readonly judges: readonly Judge[];
  /** Hears what sessions do, beside the round itself. */
  readonly observer: Observer | null;
  /** The watch is ending: sessions that are ended early say nothing of it. */
  isStopping(): boolean;
}

/** What to ask for. */
export interface RoundPlan {
  /** Compare everything. */
  readonly whole: boolean;
  /** Arguments of the session that updates, and of the one that deletes. */
  readonly updates: readonly string[];
  readonly deletes: readonly string[];
  /** Directories that hold what is to be deleted, for old receivers. */
  readonly deletesIn: readonly string[];
}

/** What a session came to. */
export interface SessionResult {
  readonly exitCode: number;
  readonly errors: readonly string[];
  /** null when the two sides have not come to terms. */
  readonly protocol: number | null;
  readonly updated: readonly string[];
  readonly deleted: readonly string[];
  readonly sentBytes: number;
}

/** Options that need the whole list, whatever changed. */
function needsWhole(options: Options, sources: readonly Source[]): boolean {
  return options.pruneEmptyDirs || (sources.length === 1 && !sources[0].isDir);
}

/** Turns dirty paths into a plan, by what is there now. */
export class Planner {
  private readonly parts: RoundParts;
  private readonly stat: StatRecord = newStat();
  private readonly updates: string[] = [];
  private readonly gone = new Map<string, Source>();
  private whole = false;

  constructor(parts: RoundParts) {
    this.parts = parts;
  }

  plan(dirty: readonly DirtyPath[]): RoundPlan {
    const { options, sources } = this.parts;
    if (needsWhole(options, sources)) this.whole = true;
    for (const path of dirty) if (!this.whole) this.add(path);
    if (this.whole) return { whole: true, updates: [], deletes: [], deletesIn: [] };
    const roots = sources.filter(({ key, isDir }) => key === "" && isDir).slice(0, 1)
      .map((source) => argumentOf(source, "", true));
    const deletes = options.deleteMode ? [...this.gone].map(([key, source]) => argumentOf(source, key, true)) : [];
    return {
      whole: false,
      updates: this.updates.length > 0 || deletes.length === 0 ? [...roots, ...this.updates] : [],
      deletes: deletes.length > 0 ? [...roots, ...deletes] : [],
      deletesIn: deletes.length > 0 ? this.parentsOfGone() : [],
    };
  }

  private add({ path, tree, isDir }: DirtyPath): void {
    const { sources, judges, options } = this.parts;
    if (path === "") {
      this.whole ||= tree;
      return;
    }
    const able = sources.filter((source) => covers(source, path) && !judges[source.index].hides(path, isDir));
    let found = false;
    for (const source of able) {
      if (!this.lookAt(source, path)) continue;
      const { stat } = this;
      const type = stat.mode & MODE_TYPE;
      if (judges[source.index].hides(path, isDirectory(stat))) continue;
      // The other names of a hard link have to be in the list too, and nobody knows them.
      if (options.preserveHardLinks > 0 && type === MODE_REGULAR && stat.nlink > 1) this.whole = true;
      this.updates.push(argumentOf(source, path, !(tree && isDirectory(stat))));
      found = true;
    }
    if (!found && able.length > 0) this.addGone(able[0], path);
  }

  /**
   * Notes the topmost directory that is gone: what was below it goes with it. Its name starts from a source that has
   * the directory above it.
   */
  private addGone(first: Source, path: string): void {
    let source = first;
    let top = path;
    for (let slash = top.lastIndexOf("/"); slash > 0; slash = top.lastIndexOf("/")) {
      const parent = top.slice(0, slash);
      if (this.gone.has(parent)) return;
      const holder = this.parts.sources.find((one) => covers(one, parent) && this.lookAt(one, parent));
      if (holder !== undefined) {
        // A directory that became a file is replaced together with what was in it.
        if (!isDirectory(this.stat)) return;
        source = holder;
        break;
      }
      if (!covers(source, parent) || parent === source.key) break;
      top = parent;
    }
    this.gone.set(top, source);
  }

  private parentsOfGone(): string[] {
    const parents = new Map<string, Source>();
    for (const [key, source] of this.gone) parents.set(key.slice(0, Math.max(0, key.lastIndexOf("/"))), source);
    return [...parents].map(([key, source]) => `${argumentOf(source, key, false)}/`);
  }

  private lookAt(source: Source, key: string): boolean {
    const { fs } = this.parts.platform;
    const path = fs.cstr(pathOfKey(source, key));
    return fs.fstatat(fs.constants.AT.FDCWD, path, this.stat, false) >= 0;
  }
}

/** How to run the sessions of a plan. */
export interface RunSettings {
  readonly withDeletes: boolean;
  /** As last agreed with the target, null when not known. */
  readonly protocol: number | null;
  /**
   * Times are compared to the nanosecond: of two changes within one second that leave the size alone the second would
   * otherwise be missed. Receivers from before rsync 3.1.3 cannot, and are sent every name that is asked for.
   */
  readonly fineTimes: boolean;
  /** Renames since the target's last round that it has not carried out by itself. */
  readonly renames: readonly Rename[];
}

/** Runs the sessions of a plan against a target. */
export async function runPlan(
  parts: RoundParts, target: string, plan: RoundPlan, { withDeletes, protocol, fineTimes, renames }: RunSettings,
): Promise<SessionResult> {
  const { options, sources } = parts;
  const base = inTime(withDeletes ? options : withoutDeletes(options), fineTimes, plan.whole);
  if (plan.whole) return runSession(parts, base, [...sources.map(({ word }) => word), target]);
  // Without --relative the parser has switched implied directories off. Incremental recursion leaves the times of some
  // implied directories as writing in them made them, in rsync as here.
  const impliedDirs = options.relative === 0 || options.impliedDirs;
  const named = { ...base, relative: 1, impliedDirs, allowIncRecurse: false };
  let result = await runMoves(parts, base, target, renames);
  if (plan.updates.length > 0) {
    // A renamed file is still there under its old name: its deletion comes last.
    const fuzzy = options.fuzzy === 0 && renames.some(staysInDirectory) ? 1 : options.fuzzy;
    result = together(result, await runSession(parts, { ...named, fuzzy }, [...plan.updates, target]));
  }
  if (plan.deletes.length === 0 || !withDeletes || isBad(result.exitCode)) return result;
  const knows = (result.protocol ?? protocol ?? DELETES_MISSING_ARGS) >= DELETES_MISSING_ARGS;
  const second = knows
    ? await runSession(parts, { ...named, missingArgs: 2 }, [...plan.deletes, target])
    : await runSession(parts, { ...named, recurse: 0, dirs: 2, existing: true, ignoreExisting: true },
      [...plan.deletesIn, target]);
  return together(result, second);
}

/**
 * A renamed directory has its old contents at the target still, under the old name: a transfer of that directory alone
 * takes them from there (--copy-dest), so that nothing but names and attributes is sent. Whatever goes wrong is left
 * to the session that follows.
 */
async function runMoves(
  parts: RoundParts, base: Options, target: string, renames: readonly Rename[],
): Promise<SessionResult> {
  const { options, sources } = parts;
  const plain = options.filters.length === 0 && !options.cvsExclude && options.basisDirs.length === 0
    && options.relative === 0 && options.preserveHardLinks === 0 && sources.length === 1;
  let result: SessionResult = NOTHING;
  if (!plain) return result;
  for (const { from, to } of renames.filter(({ isDir }) => isDir).slice(-MOST_MOVES)) {
    if (!PLAIN_NAME.test(from) || !PLAIN_NAME.test(to) || to.startsWith(`${from}/`)) continue;
    const up = "../".repeat(to.split("/").length);
    const moved: Options = { ...base, basisDirs: [{ kind: "copy", path: up + from }] };
    const dest = `${target.replace(/\/*$/, "")}${target.endsWith(":") ? "" : "/"}${to}/`;
    const session = await runSession(parts, moved, [`${pathOfKey(sources[0], to)}/`, dest], true);
    result = { ...together(result, session), exitCode: 0, errors: [] };
  }
  return result;
}

/** Directories that are moved by basis in one round; a storm of renames is better compared as a whole. */
const MOST_MOVES = 8;
/** A name that no shell and no daemon reads anything into. */
const PLAIN_NAME = /^[\w.@%+=-]+(\/[\w.@%+=-]+)*$/;

function staysInDirectory({ from, to, isDir }: Rename): boolean {
  return !isDir && from.slice(0, from.lastIndexOf("/") + 1) === to.slice(0, to.lastIndexOf("/") + 1);
}

/** Two sessions as one result. */
function together(first: SessionResult, second: SessionResult): SessionResult {
  return {
    exitCode: Math.max(first.exitCode, second.exitCode), errors: [...first.errors, ...second.errors],
    protocol: second.protocol ?? first.protocol, updated: [...first.updated, ...second.updated],
    deleted: [...first.deleted, ...second.deleted], sentBytes: first.sentBytes + second.sentBytes,
  };
}

/** May the other side have refused to compare times to the nanosecond? A remote shell keeps the reason to itself. */
export function mayRefuseFineTimes({ exitCode, protocol, errors }: SessionResult): boolean {
  if (protocol !== null) return false;
  return exitCode === ExitCode.streamIo || errors.some((line) => line.includes("-@-1"));
}

/** The options with the comparison of times that a round needs, unless the user has chosen one. */
function inTime(options: Options, fineTimes: boolean, whole: boolean): Options {
  if (options.modifyWindowSet || options.ignoreTimes || options.sizeOnly || options.checksum) return options;
  if (fineTimes) return { ...options, modifyWindow: -1, modifyWindowSet: true };
  return whole ? options : { ...options, ignoreTimes: true };
}

/** A whole comparison that changes nothing. */
export function runAudit(parts: RoundParts, target: string, fineTimes: boolean): Promise<SessionResult> {
  const quiet = { ...parts, observer: null };
  const args = [...parts.sources.map(({ word }) => word), target];
  return runSession(quiet, { ...inTime(parts.options, fineTimes, true), dryRun: true }, args, true);
}

const NOTHING: SessionResult = { exitCode: 0, errors: [], protocol: null, updated: [], deleted: [], sentBytes: 0 };

/** Nothing more can be done in this round; files that failed or vanished are no reason to leave out the rest. */
function isBad(exitCode: number): boolean {
  return exitCode !== 0 && exitCode !== ExitCode.partial && exitCode !== ExitCode.vanished;
}

/** The same transfer with nothing deleted. */
function withoutDeletes(options: Options): Options {
  return {
    ...options, deleteMode: false, deleteBefore: false, deleteDuring: 0, deleteAfter: false, deleteExcluded: false,
    missingArgs: 0,
  };
}

/** One session as a client. Never throws. */
async function runSession(
  parts: RoundParts, options: Options, args: readonly string[], silent = false,
): Promise<SessionResult> {
  const { parseContext } = parts;
  const { platform, release } = openScope(parts.platform);
  const gathered = new Gatherer(silent ? null : parts.observer, () => silent || parts.isStopping());
  let exitCode: number;
  try {
    exitCode = await runClient({
      platform, options: { ...options, args: [...args] }, parseContext, observer: gathered,
    });
  } catch (error) {
    exitCode = exitCodeOf(error);
    const text = error instanceof WsyncError ? error.message : `internal error: ${String(error)}`;
    if (gathered.errors.length === 0) gathered.errors.push(text);
  }
  release();
  return { ...gathered.result(), exitCode };
}

/** Hears a session and keeps what a round wants to know. */
class Gatherer implements Observer {
  readonly errors: string[] = [];
  private readonly next: Observer | null;
  private readonly isSilent: () => boolean;
  private readonly updated: string[] = [];
  private readonly deleted: string[] = [];
  private protocol: number | null = null;
  private sentBytes = 0;

  constructor(next: Observer | null, isSilent: () => boolean) {
    this.next = next;
    this.isSilent = isSilent;
  }

  get mutes(): Observer["mutes"] {
    return this.isSilent() ? "all" : this.next?.mutes ?? "nothing";
  }

  event(event: RunEvent): void {
    switch (event.type) {
      case "file":
        if (event.action !== "none") this.updated.push(event.path);
        break;
      case "delete":
        this.deleted.push(event.path);
        break;
      case "error":
        if (event.severity === "error" && this.errors.length < MOST_ERRORS) this.errors.push(event.text);
        break;
      case "summary":
        this.protocol = event.protocol;
        this.sentBytes = event.sentBytes ?? 0;
        break;
      default:
    }
    this.next?.event(event);
  }

  result(): Omit<SessionResult, "exitCode"> {
    const { errors, protocol, updated, deleted, sentBytes } = this;
    return { errors, protocol, updated, deleted, sentBytes };
  }
}
