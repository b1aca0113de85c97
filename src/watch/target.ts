/**
 * One destination: its own watermarks, its own pauses after failures, its own rounds one after the other. A target that
 * cannot be reached holds nothing up; it has only its watermark to remember.
 */
import { ExitCode } from "../errors.ts";
import { type Host } from "../host.ts";
import { parseHostSpec } from "../client/hostspec.ts";
import { Alarm } from "./alarm.ts";
import { classify, type Outcome, RETRY } from "./classify.ts";
import { type DirtyTrie, type Rename } from "./dirtytrie.ts";
import { type TargetStatus, type WatchEvent } from "./events.ts";
import { type Problem } from "./guards.ts";
import { Renamer } from "./renames.ts";
import {
  Planner, mayRefuseFineTimes, type RoundParts, type RoundPlan, runAudit, runPlan, type SessionResult,
} from "./round.ts";
import { Backoff, Debounce } from "./schedule.ts";
import { isDaemon, type WatchSettings } from "./settings.ts";

/** Names that drifted by more than this are compared again as a whole. */
const MOST_DRIFT = 1000;
/** How often a source that is away is looked for. */
const HELD_MS = 1000;

/** What a target asks of the whole. */
export interface TargetHost {
  readonly trie: DirtyTrie;
  /** Renames in order, from `renamesFrom` on complete. */
  readonly renames: readonly Rename[];
  readonly renamesFrom: number;
  /** Renames may be carried to destinations on this machine. */
  readonly carriesRenames: boolean;
  /** Takes in what has happened, and looks at the sources; what is wrong with one of them, or null. */
  refresh(): Problem;
  tell(event: WatchEvent): void;
  /** Something is dirty that no watcher has told of. */
  changed(): void;
  /** A target has moved on. */
  advanced(): void;
}

/** See the file's head. */
export class Target {
  readonly name: string;
  /** Changes up to here are at the target; up to `deleteMark` their deletions too. */
  mark = 0;
  deleteMark = 0;
  private readonly host: Host;
  private readonly parts: RoundParts;
  private readonly settings: WatchSettings;
  private readonly outer: TargetHost;
  private readonly isLocal: boolean;
  private readonly alarm: Alarm;
  private readonly debounce: Debounce;
  private readonly backoff: Backoff;
  private retryAt = 0;
  private auditMs: number;
  private auditAt: number;
  private stopped = false;
  private running = false;
  private held = false;
  private protocol: number | null = null;
  private fineTimes: boolean;
  private status_ = { lastSync: 0, rounds: 0, lastError: "", drift: null as number | null, lastAudit: 0 };

  constructor(name: string, parts: RoundParts, settings: WatchSettings, outer: TargetHost) {
    const { host } = parts.platform;
    this.name = name;
    this.host = host;
    const options = isDaemon(name) ? parts.options : { ...parts.options, passwordFile: null, contimeout: 0 };
    this.parts = { ...parts, options };
    this.settings = settings;
    this.outer = outer;
    this.isLocal = parseHostSpec(name, 0) === null;
    this.fineTimes = !this.isLocal || parts.platform.fs.capabilities.nanoseconds;
    this.alarm = new Alarm(host);
    this.debounce = new Debounce({ quietMs: settings.delayMs, mostMs: settings.maxDelayMs });
    this.backoff = new Backoff(() => randomFraction(host));
    this.auditMs = settings.auditMs;
    this.auditAt = host.monotonic() + settings.auditMs;
  }

  /** Audits come at least this often, if there are any. */
  auditAtMost(ms: number): void {
    if (this.auditMs === 0 || this.auditMs <= ms) return;
    this.auditMs = ms;
    this.auditAt = this.host.monotonic() + ms;
  }

  /** Something changed. */
  notice(): void {
    this.debounce.note(this.host.monotonic());
    this.alarm.wake();
  }

  /** Ends the loop after the round under way, which the caller interrupts. */
  stop(): void {
    this.stopped = true;
    this.alarm.wake();
  }

  /** Is everything that is known to have changed at the target? */
  get inSync(): boolean {
    const { trie } = this.outer;
    return this.mark >= trie.seq && this.deleteMark >= trie.seq;
  }

  /** The lower of the two watermarks: what the target may still ask for. */
  get watermark(): number {
    return Math.min(this.mark, this.deleteMark);
  }

  status(): TargetStatus {
    const { trie } = this.outer;
    return {
      target: this.name, state: this.state, watermark: this.inSync ? trie.seq : this.watermark,
      dirty: this.inSync ? 0 : trie.collect(this.watermark).length, failures: this.backoff.count, ...this.status_,
    };
  }

  private get state(): TargetStatus["state"] {
    if (this.running) return "running";
    if (this.held) return "held";
    if (this.backoff.count > 0) return "failed";
    return this.inSync ? "in sync" : "waiting";
  }

  /** Rounds and audits until stopped. Begins with a round over everything. */
  async run(): Promise<void> {
    this.debounce.note(this.host.monotonic() - this.settings.maxDelayMs);
    while (!this.stopped) {
      const now = this.host.monotonic();
      const roundAt = this.roundAt();
      const auditAt = this.auditMs > 0 && this.inSync ? this.auditAt : null;
      if (roundAt !== null && roundAt <= now) await this.round();
      else if (auditAt !== null && auditAt <= now) await this.audit();
      else await this.alarm.wait(earliest(roundAt, auditAt));
    }
  }

  /** When the next round may begin; null when there is nothing to do. */
  private roundAt(): number | null {
    if (this.held) return this.retryAt;
    if (this.inSync) return null;
    const due = this.debounce.dueAt ?? 0;
    return this.backoff.count > 0 ? Math.max(due, this.retryAt) : due;
  }

  private async round(): Promise<void> {
    const { outer, host } = this;
    const problem = outer.refresh();
    if (this.holds(problem)) return;
    const started = host.monotonic();
    const { trie } = outer;
    const upTo = trie.seq;
    const withDeletes = problem === null;
    const since = withDeletes ? this.watermark : this.mark;
    trie.raiseHorizon(upTo);
    this.debounce.reset();
    this.running = true;
    const carried = withDeletes ? this.carryRenames(since) : new Set<Rename>();
    const dirty = trie.collect(since, carried);
    const plan = new Planner(this.parts).plan(dirty);
    const renames = this.isLocal ? [] : outer.renames.filter(({ seq }) => seq > since);
    const result = await this.runSessions(plan, withDeletes, renames);
    this.running = false;
    this.protocol = result.protocol ?? this.protocol;
    const outcome = this.stopped && result.exitCode !== 0 ? "stopped" : classify(result.exitCode, result.errors);
    if (outcome === "done" || outcome === "vanished") this.succeed(upTo, withDeletes);
    outer.tell({
      type: "round", target: this.name, outcome, exitCode: result.exitCode, whole: plan.whole, names: dirty.length,
      updated: result.updated.length, deleted: result.deleted.length, renamed: carried.size,
      sentBytes: result.sentBytes, elapsedMs: Math.round(host.monotonic() - started), inSync: this.inSync,
    });
    if (outcome !== "done" && outcome !== "vanished" && outcome !== "stopped") this.fail(outcome, result);
  }

  private async runSessions(
    plan: RoundPlan, withDeletes: boolean, renames: readonly Rename[],
  ): Promise<SessionResult> {
    const { protocol, fineTimes } = this;
    const result = await runPlan(this.parts, this.name, plan, { withDeletes, protocol, fineTimes, renames });
    if (!fineTimes || protocol !== null || !mayRefuseFineTimes(result)) return result;
    const again = await runPlan(this.parts, this.name, plan, {
      withDeletes, protocol, fineTimes: false, renames: [],
    });
    this.fineTimes = again.protocol === null;
    return again;
  }

  /** A source that is away holds all rounds up; one that was emptied or replaced only deletions. */
  private holds(problem: Problem): boolean {
    this.held = problem === "vanished" || (problem !== null && this.mark >= this.outer.trie.seq);
    if (this.held) this.retryAt = this.host.monotonic() + HELD_MS;
    return this.held;
  }

  private succeed(upTo: number, withDeletes: boolean): void {
    this.mark = Math.max(this.mark, upTo);
    if (withDeletes) this.deleteMark = Math.max(this.deleteMark, upTo);
    this.backoff.reset();
    this.status_ = { ...this.status_, lastSync: this.host.now(), rounds: this.status_.rounds + 1, lastError: "" };
    this.outer.advanced();
  }

  private fail(outcome: Exclude<Outcome, "done" | "vanished" | "stopped">, { errors, exitCode }: SessionResult): void {
    const { baseMs, factor } = RETRY[outcome];
    const { retryMs } = this.settings;
    const delayMs = this.backoff.next(Math.min(baseMs, retryMs), retryMs * factor);
    this.retryAt = this.host.monotonic() + delayMs;
    const reason = errors[errors.length - 1] ?? `exit code ${exitCode}`;
    this.status_ = { ...this.status_, lastError: reason };
    this.outer.tell({
      type: "retry", target: this.name, outcome, failures: this.backoff.count, delayMs: Math.round(delayMs), exitCode,
      reason,
    });
  }

  /** Carries renames to a destination on this machine; those that succeeded. */
  private carryRenames(since: number): Set<Rename> {
    const { outer, parts } = this;
    const carried = new Set<Rename>();
    const renames = outer.renames.filter(({ seq }) => seq > since);
    // A destination that has never had a whole round may hold anything under the old name.
    const able = this.isLocal && outer.carriesRenames && since >= outer.renamesFrom && this.mark > 0;
    if (!able || renames.length === 0) return carried;
    const { fs, host } = parts.platform;
    const renamer = new Renamer(fs, this.name, host.cwd());
    for (const rename of renames) if (renamer.carry(rename)) carried.add(rename);
    renamer.close();
    return carried;
  }

  /** Compares everything; what differs although nothing changed is drift, and is repaired. */
  private async audit(): Promise<void> {
    const { host, outer } = this;
    const { trie } = outer;
    this.auditAt = host.monotonic() + this.auditMs;
    if (outer.refresh() !== null || !this.inSync) return;
    const started = host.monotonic();
    const since = this.watermark;
    this.running = true;
    const result = await runAudit(this.parts, this.name, this.fineTimes);
    this.running = false;
    if (this.stopped) return;
    // What changed while the audit ran is no drift: its event is on its way, or here.
    await host.sleep(EVENTS_MS);
    outer.refresh();
    const drifted = [...result.updated, ...result.deleted].map(keyOf).filter((key) => !trie.covers(key, since));
    const fine: readonly number[] = [ExitCode.ok, ExitCode.vanished, ExitCode.partial];
    const failed = !fine.includes(result.exitCode);
    if (!failed) this.status_ = { ...this.status_, drift: drifted.length, lastAudit: host.now() };
    outer.tell({
      type: "audit", target: this.name, drift: drifted.length, exitCode: result.exitCode,
      elapsedMs: Math.round(host.monotonic() - started),
    });
    if (drifted.length === 0) return;
    if (drifted.length > MOST_DRIFT) trie.touchTree("");
    else for (const key of drifted) trie.touch(key, null);
    outer.changed();
  }
}

/** How long an event may take to be read. */
const EVENTS_MS = 100;

/** The key of a name as sessions report it: a directory's may end in a slash, the root's is ".". */
function keyOf(path: string): string {
  const plain = path.replace(/\/+$/, "").replace(/^\.\//, "");
  return plain === "." ? "" : plain;
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function randomFraction(host: Host): number {
  const bytes = new Uint8Array(4);
  host.random(bytes);
  return new DataView(bytes.buffer).getUint32(0) / 2 ** 32;
}
