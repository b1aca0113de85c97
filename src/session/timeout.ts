/**
 * --timeout: ends a run in which nothing has moved for too long, and keeps the other side's clock from running out
 * while this side works. Upstream io.c:check_timeout, maybe_send_keepalive.
 */
import { ExitCode, TransportError } from "../errors.ts";
import { type Session } from "./session.ts";

const CHECK_MS = 250;

/** Watches a session until `stop`; `expired` rejects with TransportError (30) when the timeout passes. */
export class TimeoutWatch {
  private readonly session: Session;
  private stopped = false;

  constructor(session: Session) {
    this.session = session;
  }

  /** Never resolves: rejects on timeout, and stays pending after `stop`. */
  async expired(): Promise<never> {
    const { session } = this;
    const began = session.host.monotonic();
    for (;;) {
      await session.host.sleep(CHECK_MS);
      if (this.stopped) return new Promise(() => {});
      if (session.ioTimeout > 0) this.check(began);
    }
  }

  stop(): void {
    this.stopped = true;
  }

  private check(began: number): void {
    const { session } = this;
    const now = session.host.monotonic();
    const idleMs = now - Math.max(began, session.input.lastRead, session.output.lastWrite);
    if (idleMs >= session.ioTimeout * 1000) {
      const seconds = Math.floor(idleMs / 1000);
      throw new TransportError(`[${session.who}] io timeout after ${seconds} seconds -- exiting\n`, ExitCode.timeout);
    }
    if (now - session.output.lastWrite >= session.ioTimeout * 500) session.output.keepAlive();
  }
}
