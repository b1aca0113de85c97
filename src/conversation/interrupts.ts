/**
 * SIGINT, SIGTERM and SIGHUP, and SIGUSR1 by which rsync ends a remote shell it has started: the first one ends the
 * conversations under way in order (clean-up, a word to the other side, exit code 20, or 19 for SIGUSR1), a second one
 * ends the process at once. Upstream rsync.c:sig_int, main.c:sigusr1_handler.
 */
import { ExitCode, WsyncError } from "../errors.ts";
import { type Host } from "../host.ts";
import { bytesOf } from "../memory.ts";
import { exitLine, type RoleName } from "../output/messages.ts";

/** The user, the system or another rsync wants the run to end. Exit code 20, or 19 for SIGUSR1. */
export class InterruptedError extends WsyncError {
  override name = "InterruptedError";
  constructor(exitCode: number = ExitCode.signal) {
    super("", exitCode);
  }
}

type Stop = (error: InterruptedError) => void;

/** The signals of one process, and who is to be told. */
export class Interrupts {
  private readonly host: Host;
  private readonly stops = new Set<Stop>();
  private interrupted = false;
  private started = false;
  private answer: (() => void) | null = null;

  constructor(host: Host) {
    this.host = host;
  }

  /** From now on signals come here; before, they do what they do by themselves. */
  start(): void {
    if (this.started) return;
    this.started = true;
    this.host.onSignal(["SIGINT", "SIGTERM", "SIGHUP"], () => this.interrupt(ExitCode.signal));
    // Left alone, it would open Node's debugger.
    this.host.onSignal(["SIGUSR1"], () => {
      if (this.answer === null) this.interrupt(ExitCode.signal1);
      else this.answer();
    });
  }

  /** From now on SIGUSR1 asks for an answer and ends nothing. Returns the function that ends this. */
  answerUsr1(answer: () => void): () => void {
    this.answer = answer;
    return () => void (this.answer = null);
  }

  /** From now on the first signal calls `stop`. Returns the function that ends this. */
  add(stop: Stop): () => void {
    this.start();
    this.stops.add(stop);
    return () => void this.stops.delete(stop);
  }

  private interrupt(code: number): void {
    const { host, stops } = this;
    if (this.interrupted) host.exit(code);
    this.interrupted = true;
    if (stops.size === 0) {
      const role: RoleName = "client";
      host.print(2, bytesOf(exitLine(code, "main.ts(1)", role)));
      host.exit(code);
    }
    for (const stop of stops) stop(new InterruptedError(code));
  }
}
