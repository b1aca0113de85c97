/**
 * What happens while a destination is kept up to date, as data: for --json, for the lines that a person reads, for
 * callers of the library. Names are byte strings as everywhere.
 */
import { type Outcome } from "./classify.ts";

/** Watching has begun; the first round is about to bring everything up to date. */
export interface WatchStartEvent {
  readonly type: "watch";
  readonly backend: string;
  /** Why changes may be noticed late or not at all; null when they are not. */
  readonly degraded: string | null;
  readonly directories: number;
  readonly sources: readonly string[];
  readonly targets: readonly string[];
}

/** A round of one target has ended. */
export interface RoundEvent {
  readonly type: "round";
  readonly target: string;
  readonly outcome: Outcome;
  readonly exitCode: number;
  /** Everything was compared, not only what changed. */
  readonly whole: boolean;
  /** Names asked for, files and directories brought up to date, names deleted, directories renamed in place. */
  readonly names: number;
  readonly updated: number;
  readonly deleted: number;
  readonly renamed: number;
  readonly sentBytes: number;
  readonly elapsedMs: number;
  /** Nothing that is known to have changed is left to do. */
  readonly inSync: boolean;
}

/** A failed target will be tried again. */
export interface RetryEvent {
  readonly type: "retry";
  readonly target: string;
  readonly outcome: Outcome;
  readonly failures: number;
  readonly delayMs: number;
  readonly exitCode: number;
  /** The last error line, or the exit code in words. */
  readonly reason: string;
}

/** Changes may have been missed; what they may have touched is compared again. */
export interface LostEvent {
  readonly type: "lost";
  readonly reason: string;
}

/** A source looks as if it were not really there: deletions, or all rounds, are held back; or no longer. */
export interface GuardEvent {
  readonly type: "guard";
  readonly source: string;
  /** null: all is well again. */
  readonly problem: "vanished" | "emptied" | "device" | null;
}

/** A target was compared as a whole. */
export interface AuditEvent {
  readonly type: "audit";
  readonly target: string;
  /** Names that differ although nothing was known to have changed; they are repaired in the next round. */
  readonly drift: number;
  readonly exitCode: number;
  readonly elapsedMs: number;
}

/** Something the user should know. */
export interface WarningEvent {
  readonly type: "warning";
  readonly text: string;
}

/** How things stand, on request. */
export interface StatusEvent {
  readonly type: "status";
  readonly backend: string;
  readonly degraded: string | null;
  readonly directories: number;
  /** Changes noticed so far. */
  readonly changes: number;
  readonly lostTimes: number;
  readonly guard: GuardEvent["problem"];
  readonly targets: readonly TargetStatus[];
}

/** One target in a status. */
export interface TargetStatus {
  readonly target: string;
  readonly state: "in sync" | "waiting" | "running" | "failed" | "held";
  /** Number of the last change that the target has; `changes` when it has all. */
  readonly watermark: number;
  /** Names known to be dirty. */
  readonly dirty: number;
  /** Milliseconds since the epoch of the last complete round; 0: none yet. */
  readonly lastSync: number;
  readonly rounds: number;
  readonly failures: number;
  readonly lastError: string;
  /** Of the last audit; null before the first. */
  readonly drift: number | null;
  readonly lastAudit: number;
}

/** Watching has ended. */
export interface WatchEndEvent {
  readonly type: "end";
  readonly targets: readonly TargetStatus[];
}

/** Everything that may be told. */
export type WatchEvent =
  | WatchStartEvent | RoundEvent | RetryEvent | LostEvent | GuardEvent | AuditEvent | WarningEvent | StatusEvent
  | WatchEndEvent;
