/** Waiting for a time or for a call, whichever comes first, without leaving a timer behind. */
import { type Host } from "../host.ts";

/** Longest time that a timer can be set to, milliseconds. */
const MOST_MS = 2 ** 31 - 1;

/** One waiter at a time. A call that comes while nobody waits ends the next wait at once. */
export class Alarm {
  private readonly host: Host;
  private rung = false;
  private ring: (() => void) | null = null;

  constructor(host: Host) {
    this.host = host;
  }

  /** Ends the wait, or the next one. */
  wake(): void {
    this.rung = true;
    this.ring?.();
  }

  /** Resolves at a time of the monotonic clock (null: never), or when woken. */
  async wait(until: number | null): Promise<void> {
    if (!this.rung) await this.pause(until);
    this.rung = false;
  }

  private pause(until: number | null): Promise<void> {
    const { host } = this;
    const ms = until === null ? MOST_MS : Math.min(Math.max(0, until - host.monotonic()), MOST_MS);
    return new Promise((resolve) => {
      const cancel = until === null ? () => undefined : after(host, ms, () => this.ring?.());
      this.ring = () => {
        this.ring = null;
        cancel();
        resolve();
      };
    });
  }
}

function after(host: Host, ms: number, call: () => void): () => void {
  if (host.timer !== undefined) return host.timer(ms, call);
  void host.sleep(ms).then(call);
  return () => undefined;
}
