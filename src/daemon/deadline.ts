/** A limit on how long a client may take before its transfer begins. Upstream io.c:handshake_poll_timeout_ms. */
import { ExitCode, TransportError } from "../errors.ts";
import { type ByteStream, type Host } from "../host.ts";

/** Longest time for a phase, seconds; a module's "timeout" may make it shorter. */
const MOST_SECONDS = 60;
/** How often the clock is looked at, milliseconds. */
const LOOK_MS = 500;

/** Watches one stream. Time counts from `restart` until `stop`, whatever the client sends meanwhile. */
export class Deadline {
  private readonly host: Pick<Host, "monotonic" | "sleep">;
  private readonly stream: ByteStream;
  /** Monotonic milliseconds; Infinity while nothing is limited. */
  private until = Infinity;
  private watching = false;
  private readonly late: Promise<never>;
  private expire: (error: TransportError) => void = () => {};

  constructor(host: Pick<Host, "monotonic" | "sleep">, stream: ByteStream) {
    this.host = host;
    this.stream = stream;
    this.late = new Promise((_, reject) => {
      this.expire = reject;
    });
    this.late.catch(() => {});
  }

  /** Starts anew. `timeout` is the "timeout" that holds, in seconds; 0 or less: none. */
  restart(timeout: number): void {
    const seconds = timeout > 0 ? Math.min(timeout, MOST_SECONDS) : MOST_SECONDS;
    this.until = this.host.monotonic() + seconds * 1000;
    if (!this.watching) void this.watch();
  }

  stop(): void {
    this.until = Infinity;
  }

  /** The outcome of `work`; rejects with TransportError (30), and ends the connection, when time runs out. */
  limit<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.late]);
  }

  private async watch(): Promise<void> {
    this.watching = true;
    for (;;) {
      const left = this.until - this.host.monotonic();
      if (left === Infinity) break;
      if (left <= 0) {
        this.expire(new TransportError("[Receiver] daemon handshake timeout -- exiting", ExitCode.timeout));
        this.stream.destroy();
        break;
      }
      await this.host.sleep(Math.min(left, LOOK_MS));
    }
    this.watching = false;
  }
}
