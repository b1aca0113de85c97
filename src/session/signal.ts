/**
 * A wake-up between roles that share one process: the waiter sleeps until somebody notifies it. A notification that
 * comes while nobody waits is kept for the next wait, because whoever checks a condition and then waits may be
 * overtaken between the two. So a wait may end for old news: callers check again in a loop.
 */
export class Signal {
  private notified = false;
  private resolve: (() => void) | null = null;
  private pending: Promise<void> | null = null;
  private failure: unknown = null;

  /** Wakes the waiter, or lets the next wait end at once. */
  notify(): void {
    this.notified = true;
    const resolve = this.resolve;
    this.resolve = null;
    this.pending = null;
    resolve?.();
  }

  /** Somebody sleeps in `wait` and nothing has happened that would wake it. */
  get isAwaited(): boolean {
    return this.resolve !== null;
  }

  /** Wakes the waiter with an error, now and for every later wait. */
  fail(error: unknown): void {
    this.failure ??= error;
    this.notify();
  }

  /** Resolves once there was a `notify` since the last wait; rejects after `fail`. */
  async wait(): Promise<void> {
    if (!this.notified && !this.failure) {
      this.pending ??= new Promise((resolve) => {
        this.resolve = resolve;
      });
      await this.pending;
    }
    this.notified = false;
    if (this.failure) throw this.failure;
  }
}
