/** When a round is due: after a quiet time, but not later than a limit; after a failure, with growing pauses. */

/** Times in milliseconds on one monotonic clock. */
export interface Pace {
  readonly quietMs: number;
  readonly mostMs: number;
}

/** Debouncing with a maximum wait, so that a file that is written for ever still ships. */
export class Debounce {
  private readonly pace: Pace;
  private first: number | null = null;
  private last = 0;

  constructor(pace: Pace) {
    this.pace = pace;
  }

  /** Something changed. */
  note(now: number): void {
    this.first ??= now;
    this.last = now;
  }

  /** When to begin; null when nothing changed. */
  get dueAt(): number | null {
    if (this.first === null) return null;
    return Math.min(this.last + this.pace.quietMs, this.first + this.pace.mostMs);
  }

  /** A round takes what was noted. */
  reset(): void {
    this.first = null;
  }
}

/** Pauses between tries that double up to a limit, each a little shorter or longer than the last one's double. */
export class Backoff {
  private readonly random: () => number;
  private failures = 0;

  /** `random`: numbers in [0, 1). */
  constructor(random: () => number) {
    this.random = random;
  }

  get count(): number {
    return this.failures;
  }

  /** The pause after one more failure, milliseconds. */
  next(baseMs: number, mostMs: number): number {
    const plain = Math.min(baseMs * 2 ** this.failures, mostMs);
    this.failures++;
    return plain * (1 - SPREAD / 2 + this.random() * SPREAD);
  }

  reset(): void {
    this.failures = 0;
  }
}

/** Whole width of the jitter, as a part of the pause. */
const SPREAD = 0.5;
