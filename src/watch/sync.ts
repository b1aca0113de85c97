/**
 * Continuous sync: sources, a watcher, the state of what is dirty, and one loop a target. Upstream has nothing like it;
 * it replaces the shell loop of inotifywait and rsync.
 */
import { UsageError } from "../errors.ts";
import { type Platform } from "../conversation/conversation.ts";
import { type Options } from "../options/options.ts";
import { type ParseContext } from "../options/parse.ts";
import { type Observer } from "../output/events.ts";
import { DirtyTrie, type Rename } from "./dirtytrie.ts";
import { type StatusEvent, type WatchEvent } from "./events.ts";
import { Guard, type Problem } from "./guards.ts";
import { Judge } from "./judge.ts";
import { openWatcher } from "./openwatcher.ts";
import { mayCarryRenames } from "./renames.ts";
import { type RoundParts } from "./round.ts";
import { type WatchSettings } from "./settings.ts";
import { parseSources, type Source } from "./sources.ts";
import { StopHub } from "./stophub.ts";
import { Target, type TargetHost } from "./target.ts";
import { type ChangeSink, type Watcher } from "./watcher.ts";

/** Renames that are remembered for targets which have yet to carry them. */
const MOST_RENAMES = 4096;
/** A fallback that may lose events is audited at least this often. */
const DEGRADED_AUDIT_MS = 600_000;

/** What continuous sync needs. */
export interface SyncParts {
  readonly platform: Platform;
  readonly options: Options;
  readonly parseContext: ParseContext;
  readonly settings: WatchSettings;
  /** Hears of rounds, audits, losses, ... */
  readonly tell: (event: WatchEvent) => void;
  /** Hears what the sessions of all rounds do; null: they print as any transfer does. */
  readonly observer: Observer | null;
}

/** See the file's head. */
export class ContinuousSync {
  private readonly parts: SyncParts;
  private readonly sources: readonly Source[];
  private readonly judges: readonly Judge[];
  private readonly guards: readonly Guard[];
  private readonly trie = new DirtyTrie();
  private readonly targets: readonly Target[];
  private readonly hub = new StopHub();
  private watcher: Watcher | null = null;
  private renames: Rename[] = [];
  private renamesFrom = 0;
  private readonly carries: boolean;
  private lostTimes = 0;
  private problem: Problem = null;
  private readonly away = new Set<Source>();

  /** Parses the sources. Throws UsageError. */
  constructor(parts: SyncParts) {
    const { platform, options, settings } = parts;
    const { host, fs } = platform;
    this.parts = parts;
    this.sources = parseSources(fs, settings.sources, host.cwd(), options.relative > 0);
    this.judges = this.sources.map((source) => new Judge(host, fs, options, source));
    this.guards = this.sources.map((source) => new Guard(fs, source, settings.allowEmpty));
    this.carries = this.sources.length === 1 && this.sources[0].isDir && mayCarryRenames(options);
    const round: RoundParts = {
      platform: { ...platform, interrupts: this.hub }, options, parseContext: parts.parseContext,
      sources: this.sources, judges: this.judges, observer: parts.observer, isStopping: () => this.hub.stopped,
    };
    const outer = this.outerParts();
    this.targets = settings.targets.map((name) => new Target(name, round, settings, outer));
  }

  /** Watches and brings targets up to date until `stop`. Throws UsageError when the sources cannot be watched. */
  async run(): Promise<void> {
    const { platform, settings, tell } = this.parts;
    const opened = openWatcher(platform.host, platform.fs, this.sources, this.sink(), settings);
    if (typeof opened === "string") throw new UsageError(opened);
    this.watcher = opened;
    await opened.start();
    if (opened.degraded !== null) {
      for (const target of this.targets) target.auditAtMost(DEGRADED_AUDIT_MS);
    }
    tell({
      type: "watch", backend: opened.name, degraded: opened.degraded, directories: opened.directories,
      sources: settings.sources, targets: settings.targets,
    });
    this.tellGuards(true);
    this.trie.touchTree("");
    await Promise.all(this.targets.map((target) => target.run()));
    opened.close();
    tell({ type: "end", targets: this.targets.map((target) => target.status()) });
  }

  /** Ends sessions under way in order, and then `run`. Idempotent. */
  stop(): void {
    for (const target of this.targets) target.stop();
    this.hub.stop();
  }

  /** How things stand, with all that the kernel has to say taken in. */
  status(): StatusEvent {
    this.watcher?.drain();
    return {
      type: "status", backend: this.watcher?.name ?? "none", degraded: this.watcher?.degraded ?? null,
      directories: this.watcher?.directories ?? 0, changes: this.trie.seq, lostTimes: this.lostTimes,
      guard: this.problem, targets: this.targets.map((target) => target.status()),
    };
  }

  private outerParts(): TargetHost {
    const renames = (): readonly Rename[] => this.renames;
    const renamesFrom = (): number => this.renamesFrom;
    return {
      trie: this.trie, carriesRenames: this.carries,
      get renames() {
        return renames();
      },
      get renamesFrom() {
        return renamesFrom();
      },
      refresh: () => this.refresh(),
      tell: this.parts.tell,
      changed: () => this.notice(),
      advanced: () => this.forget(),
    };
  }

  /** Takes in what has happened and looks whether the sources are what they were. */
  private refresh(): Problem {
    this.watcher?.drain();
    this.tellGuards(false);
    for (const source of this.away) {
      if (this.guards[source.index].problem === "vanished") continue;
      this.away.delete(source);
      void this.watcher?.renew(source).then(() => this.changedTree(source, source.key));
    }
    const order: readonly Problem[] = ["vanished", "device", "emptied"];
    this.problem = order.find((problem) => this.guards.some((guard) => guard.problem === problem)) ?? null;
    return this.problem;
  }

  private tellGuards(first: boolean): void {
    for (const guard of this.guards) {
      const changed = guard.check();
      if (!changed && !(first && guard.problem !== null)) continue;
      // What is there after a change may be another directory than the one under watch.
      if (!first) this.away.add(guard.source);
      this.parts.tell({ type: "guard", source: guard.source.word, problem: guard.problem });
    }
  }

  /** Forgets what all targets have. */
  private forget(): void {
    const marks = this.targets.map((target) => target.watermark);
    this.trie.prune(marks);
    const least = Math.min(...marks);
    if (this.renames.length > 0 && this.renames[0].seq <= least) {
      this.renames = this.renames.filter(({ seq }) => seq > least);
    }
  }

  private sink(): ChangeSink {
    return {
      touch: (source, key, isDir) => this.touch(source, key, isDir),
      touchTree: (source, key) => this.changedTree(source, key),
      rename: (source, from, to, isDir) => this.rename(source, from, to, isDir),
      lost: (reason) => {
        this.lostTimes++;
        this.parts.tell({ type: "lost", reason });
      },
      rootGone: (source) => {
        this.away.add(source);
        this.changedTree(source, source.key);
      },
      warn: (text) => this.parts.tell({ type: "warning", text }),
      hides: (source, key, isDir) => this.judges[source.index].hides(key, isDir),
    };
  }

  private touch(source: Source, key: string, isDir: boolean | null): void {
    if (this.holdsRules(source, key)) return;
    if (this.judges[source.index].hides(key, isDir)) return;
    this.trie.touch(key, isDir);
    this.notice();
  }

  private changedTree(source: Source, key: string): void {
    if (this.judges[source.index].hides(key, true)) return;
    this.trie.touchTree(key);
    this.notice();
  }

  private rename(source: Source, from: string, to: string, isDir: boolean): void {
    const judge = this.judges[source.index];
    const [fromHidden, toHidden] = [judge.hides(from, isDir), judge.hides(to, isDir)];
    if (this.holdsRules(source, from) || this.holdsRules(source, to)) return;
    if (!fromHidden && !toHidden && this.carries) {
      this.remember(this.trie.rename(from, to, isDir));
      this.notice();
      return;
    }
    this.touch(source, from, isDir);
    if (isDir) this.changedTree(source, to);
    else this.touch(source, to, false);
  }

  private remember(rename: Rename): void {
    this.renames.push(rename);
    if (this.renames.length <= MOST_RENAMES) return;
    this.renamesFrom = this.renames.shift()!.seq;
  }

  /** A file that holds rules changed: all verdicts are in doubt. */
  private holdsRules(source: Source, key: string): boolean {
    const { ruleFiles } = this.judges[source.index];
    if (ruleFiles.length === 0 || !ruleFiles.includes(key.slice(key.lastIndexOf("/") + 1))) return false;
    this.trie.touchTree("");
    this.notice();
    this.watcher?.refresh(source);
    return true;
  }

  private notice(): void {
    for (const target of this.targets) target.notice();
  }
}
