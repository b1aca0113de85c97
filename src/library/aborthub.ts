/** From an AbortSignal to the conversations under way. */
import { InterruptedError } from "../conversation/interrupts.ts";

/** Takes the place of the process's interrupts for one run. */
export class AbortHub {
  private readonly signal: AbortSignal | undefined;
  private readonly stops = new Set<(error: InterruptedError) => void>();
  private readonly listener: () => void;
  private reject: ((error: unknown) => void) | null = null;

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal;
    this.listener = () => this.stop();
    signal?.addEventListener("abort", this.listener, { once: true });
  }

  /** As Interrupts.add. */
  add(stop: (error: InterruptedError) => void): () => void {
    this.stops.add(stop);
    if (this.signal?.aborted) stop(new InterruptedError());
    return () => void this.stops.delete(stop);
  }

  /** The outcome of a run; an abort before it talks to anybody need not wait for it. */
  async race(run: Promise<number>): Promise<number> {
    const aborted = new Promise<never>((_, reject) => {
      this.reject = reject;
    });
    run.catch(() => {});
    return Promise.race([run, aborted]);
  }

  /** The error to report: an abort is one of its own kind. */
  explain(error: unknown): unknown {
    if (!this.signal?.aborted) return error;
    const interrupted = new InterruptedError();
    interrupted.message = "the run was aborted";
    interrupted.name = "AbortError";
    interrupted.cause = this.signal.reason;
    return interrupted;
  }

  close(): void {
    this.signal?.removeEventListener("abort", this.listener);
  }

  private stop(): void {
    if (this.stops.size === 0) this.reject?.(new InterruptedError());
    for (const stop of this.stops) stop(new InterruptedError());
  }
}

