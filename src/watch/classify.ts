/** What a round's end means for the next one. */
import { ExitCode } from "../errors.ts";

/**
 * "done": up to date. "vanished": files went away meanwhile, which their own events tell of. "partial": some files
 * could not be sent. "transient": the connection or the other machine. "refused": the other side does not want us.
 * "full": no room there. "bug": this program, or the command line.
 */
export type Outcome = "done" | "vanished" | "partial" | "transient" | "refused" | "full" | "bug" | "stopped";

/** How long to wait after an outcome, in milliseconds: at first, and how much longer than usual at most. */
export interface RetryRule {
  readonly baseMs: number;
  readonly factor: number;
}

/** Pauses by outcome. The longest pause is `factor` times --watch-retry. */
export const RETRY: Readonly<Record<Exclude<Outcome, "done" | "vanished" | "stopped">, RetryRule>> = {
  partial: { baseMs: 2000, factor: 5 },
  transient: { baseMs: 1000, factor: 1 },
  refused: { baseMs: 5000, factor: 5 },
  full: { baseMs: 5000, factor: 5 },
  bug: { baseMs: 10_000, factor: 10 },
};

const refused = /@ERROR: (auth failed|access denied|unknown module|.*chroot)|read.only|not permitted to|Host key/i;
const busy = /max connections|try again later/i;
const full = /No space left on device|Disk quota exceeded|\((28|122)\)/;

const TRANSIENT: readonly number[] = [
  ExitCode.fileSelect, ExitCode.startClient, ExitCode.socketIo, ExitCode.fileIo, ExitCode.streamIo, ExitCode.messageIo,
  ExitCode.ipc, ExitCode.crashed, ExitCode.terminated, ExitCode.waitChild, ExitCode.timeout, ExitCode.connectTimeout,
];

/** Judges a round by its exit code and the error lines it printed. */
export function classify(exitCode: number, errors: readonly string[]): Outcome {
  if (exitCode === 0) return "done";
  if (exitCode === ExitCode.vanished) return "vanished";
  if (exitCode === ExitCode.signal) return "stopped";
  if (errors.some((line) => full.test(line))) return "full";
  if (exitCode === ExitCode.partial || exitCode === ExitCode.deleteLimit) return "partial";
  if (errors.some((line) => busy.test(line))) return "transient";
  if (errors.some((line) => refused.test(line)) || exitCode === ExitCode.unsupported) return "refused";
  if (TRANSIENT.includes(exitCode) || exitCode > LARGEST_OWN_CODE) return "transient";
  return "bug";
}

/** Codes above are those of remote shells, such as ssh's 255. */
const LARGEST_OWN_CODE = 36;
