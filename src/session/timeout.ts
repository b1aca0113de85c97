/**
 * --timeout: ends a run in which nothing has moved for too long, and keeps the other side's clock from running out
 * while this side works. --stop-at and --stop-after end a run at a time of day. Upstream io.c:check_timeout,
 * maybe_send_keepalive, perform_io.
 */
import { ExitCode, TransportError } from "../errors.ts";
import { type Host } from "../host.ts";

const CHECK_MS = 250;

type Clock = Pick<Host, "monotonic" | "sleep" | "now">;

/** What is watched. Times are the host's monotonic milliseconds. */
export interface Watched {
  /** The role, for the message. */
  who(): string;
  /** Seconds of silence allowed; 0 is for ever. Asked anew at each look: a server may lower it (see `changed`). */
  timeout(): number;
  /** The second since the epoch at which the run ends (--stop-at), or null. */
  readonly stopAt: number | null;
  lastRead(): number;
  lastWrite(): number;
  /** Lets the other side know that this one is alive. */
  keepAlive(): void;
  /** The silence was too long, or the time has come: the work must end with `error`. Called once. */
  expired(error: TransportError): void;
}

/** The error of too long a silence. Exit code 30. */
function timeoutError(who: string, seconds: number): TransportError {
  return new TransportError(`[${who}] io timeout after ${seconds} seconds -- exiting\n`, ExitCode.timeout);
}

/** Watches from the moment it is made until `stop`, if there is a limit: the first timer of a runtime takes long. */
export class TimeoutWatch {
  private readonly host: Clock;
  private readonly watched: Watched;
  /** Silence is counted from here: our own work, during which nothing can be read, is not the peer's silence. */
  private awakeSince: number;
  private running = false;
  private stopped = false;

  constructor(host: Clock, watched: Watched) {
    this.host = host;
    this.watched = watched;
    this.awakeSince = host.monotonic();
    this.changed();
  }

  /** There may be a limit where there was none. */
  changed(): void {
    const { timeout, stopAt } = this.watched;
    if (this.running || (stopAt === null && timeout() === 0)) return;
    this.running = true;
    void this.run();
  }

  stop(): void {
    this.stopped = true;
  }

  private async run(): Promise<void> {
    const { host } = this;
    while (!this.stopped) {
      const before = host.monotonic();
      await host.sleep(CHECK_MS);
      const now = host.monotonic();
      if (now - before >= 2 * CHECK_MS) this.awakeSince = now;
      if (!this.stopped) this.check(now);
    }
  }

  private check(now: number): void {
    const { watched } = this;
    if (watched.stopAt !== null && Math.floor(this.host.now() / 1000) >= watched.stopAt) {
      this.stopped = true;
      watched.expired(new TransportError("stopping at requested limit\n", ExitCode.timeout));
      return;
    }
    const limitMs = watched.timeout() * 1000;
    if (limitMs === 0) return;
    const idleMs = now - Math.max(this.awakeSince, watched.lastRead(), watched.lastWrite());
    if (idleMs >= limitMs) {
      this.stopped = true;
      watched.expired(timeoutError(watched.who(), Math.floor(idleMs / 1000)));
    } else if (now - watched.lastWrite() >= limitMs / 2) {
      watched.keepAlive();
    }
  }
}

/** --timeout for work that is not a session yet: the lines exchanged with a daemon. */
export class SilenceLimit {
  private readonly host: Clock;
  private readonly seconds: number;
  private readonly who: string;
  private heardAt: number;

  constructor(host: Clock, seconds: number, who: string) {
    this.host = host;
    this.seconds = seconds;
    this.who = who;
    this.heardAt = host.monotonic();
  }

  /** The other side has said something. */
  heard(): void {
    this.heardAt = this.host.monotonic();
  }

  /** The outcome of `work`; rejects with TransportError (30) when nothing is heard for too long. */
  async limit<T>(work: Promise<T>): Promise<T> {
    let expired: (error: TransportError) => void = () => {};
    const late = new Promise<never>((_, reject) => {
      expired = reject;
    });
    const watch = new TimeoutWatch(this.host, {
      who: () => this.who,
      timeout: () => this.seconds,
      stopAt: null,
      lastRead: () => this.heardAt,
      lastWrite: () => this.heardAt,
      keepAlive: () => {},
      expired,
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      watch.stop();
    }
  }
}
