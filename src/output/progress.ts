/**
 * The live line of --progress (each file) and --info=progress2 (the whole transfer). Upstream: progress.c.
 *
 * All times are milliseconds of one clock. Each update starts with a carriage return, on a terminal and in a pipe
 * alike. While a file moves, the rate is that of the last five seconds and the time is what remains; its last line
 * gives both for the whole file.
 */
import { type Numbers } from "./numbers.ts";

/** Counters of the run; session/stats has them all. */
export interface ProgressStats {
  readonly totalSize: number;
  readonly totalTransferredSize: number;
  readonly numFiles: number;
  readonly transferredFiles: number;
}

/** Where in the list a file stood that has ended. */
export interface ProgressPlace {
  /** Entries of the list up to and with this one. */
  readonly checked: number;
  /** The whole list is known: "to-chk" instead of "ir-chk". */
  readonly listComplete: boolean;
}

interface Moment {
  time: number;
  offset: number;
}

const HISTORY = 5;
const INTERVAL_MS = 1000;
const RECENT_MS = 1500;

/** Draws the line; it is handed the clock and reads the run's counters. */
export class Progress {
  private readonly numbers: Numbers;
  private readonly stats: ProgressStats;
  /** progress2: the line is about the whole transfer. */
  private readonly whole: boolean;
  private start: Moment | null = null;
  private readonly history: Moment[] = Array.from({ length: HISTORY }, () => ({ time: -Infinity, offset: 0 }));
  private newest = 0;
  private oldest = 0;
  private lastLength = 0;

  constructor(numbers: Numbers, stats: ProgressStats, whole: boolean) {
    this.numbers = numbers;
    this.stats = stats;
    this.whole = whole;
  }

  /** The line for `offset` of `size` bytes of the current file, "" when the last one is not a second old. */
  show(offset: number, size: number, nowMs: number): string {
    const done = this.whole ? this.stats.totalTransferredSize - size + offset : offset;
    const all = this.whole ? this.stats.totalSize : size;
    if (this.start === null) {
      this.begin(done, nowMs);
    } else {
      if (nowMs - this.history[this.newest].time < INTERVAL_MS) return "";
      this.newest = this.oldest;
      this.oldest = (this.oldest + 1) % HISTORY;
      note(this.history[this.newest], nowMs, done);
    }
    const since = this.history[this.oldest];
    const rate = kilobytesPerSecond(done - since.offset, nowMs - since.time);
    const remaining = rate === 0 ? 0 : (all - done) / rate / 1000;
    return this.line(done, all, rate, remaining, "  ");
  }

  /** The line that ends a file of `size` bytes. With progress2 it carries no line end. */
  end(size: number, nowMs: number, place: ProgressPlace): string {
    const done = this.whole ? this.stats.totalTransferredSize : size;
    const all = this.whole ? this.stats.totalSize : size;
    const elapsed = this.start === null ? 1 : Math.floor(nowMs - this.start.time) || 1;
    const rate = kilobytesPerSecond(done - (this.start?.offset ?? 0), elapsed);
    const text = this.line(done, all, rate, elapsed / 1000, this.tail(place));
    if (!this.whole) this.start = null;
    return text;
  }

  /** True when the cursor stays behind the line that was returned last. */
  leavesCursor(ended: boolean): boolean {
    return this.whole || !ended;
  }

  /** A new file: if data came a moment ago, its transfer began then. */
  private begin(offset: number, nowMs: number): void {
    const last = this.history[this.newest].time;
    this.start = nowMs - last <= RECENT_MS ? { time: last, offset: 0 } : { time: nowMs, offset };
    for (const moment of this.history) note(moment, this.start.time, this.start.offset);
  }

  private tail({ checked, listComplete }: ProgressPlace): string {
    const { transferredFiles, numFiles } = this.stats;
    const text = ` (xfr#${transferredFiles}, ${listComplete ? "to" : "ir"}-chk=${numFiles - checked}/${numFiles})`;
    if (!this.whole) return `${text}\n`;
    const padded = text.padEnd(this.lastLength);
    this.lastLength = text.length;
    return padded;
  }

  private line(done: number, all: number, rate: number, seconds: number, tail: string): string {
    const percent = done === all ? 100 : Math.trunc((100 * done) / all);
    const size = this.numbers.bytes(done).padStart(15);
    return `\r${size} ${String(percent).padStart(3)}% ${speed(rate)} ${clock(seconds)}${tail}`;
  }
}

function note(moment: Moment, time: number, offset: number): void {
  moment.time = time;
  moment.offset = offset;
}

/** "  31.25MB/s". */
function speed(rate: number): string {
  if (rate > 1024 * 1024) return `${(rate / 1024 / 1024).toFixed(2).padStart(7)}GB/s`;
  return rate > 1024 ? `${(rate / 1024).toFixed(2).padStart(7)}MB/s` : `${rate.toFixed(2).padStart(7)}kB/s`;
}

function kilobytesPerSecond(byteCount: number, milliseconds: number): number {
  return (byteCount * 1000) / (Math.floor(milliseconds) || 1) / 1024;
}

/** "   0:01:05". */
function clock(seconds: number): string {
  if (seconds < 0 || seconds > 9999 * 3600) return "  ??:??:??";
  const two = (value: number): string => String(Math.floor(value) % 60).padStart(2, "0");
  return `${String(Math.floor(seconds / 3600)).padStart(4)}:${two(seconds / 60)}:${two(seconds)}`;
}
