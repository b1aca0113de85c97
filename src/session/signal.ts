/** A wake-up between roles that share one process: the waiter sleeps until somebody notifies it. */
export class Signal {
  private resolve: (() => void) | null = null;
  private pending: Promise<void> | null = null;
  private failure: unknown = null;

  /** Wakes the waiter, if any. */
  notify(): void {
    const resolve = this.resolve;
    this.resolve = null;
    this.pending = null;
    resolve?.();
  }

  /** Wakes the waiter with an error, now and for every later wait. */
  fail(error: unknown): void {
    this.failure ??= error;
    this.notify();
  }

  /** Resolves at the next `notify`; rejects after `fail`. */
  async wait(): Promise<void> {
    if (this.failure) throw this.failure;
    this.pending ??= new Promise((resolve) => {
      this.resolve = resolve;
    });
    await this.pending;
    if (this.failure) throw this.failure;
  }
}
