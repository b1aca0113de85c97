/**
 * wsync's command line run inside the test's own process, up to the point where it would start another program:
 * hundreds of command lines a second. What it prints is gathered; the words of the program it would start are kept,
 * with what it writes into it, and the program seems to end at once.
 */
import { main } from "../../src/cli.ts";
import { type ByteStream, type ChildProcess, type Host } from "../../src/host.ts";
import { createHost } from "../../runtimes/_nodehost.ts";

/** What came of a command line. Output as latin1. */
export interface Attempt {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The words of the program that was to be started, null when it did not come to that. */
  readonly started: readonly string[] | null;
  /** What was written into it. */
  readonly written: string;
}

const real: Host = createHost();

/** A stream whose other end reads everything and says nothing. */
function silentStream(written: (text: string) => void): ByteStream {
  return {
    read: async () => null,
    write(chunk) {
      written(Buffer.from(chunk).toString("latin1"));
      return undefined;
    },
    end: async () => undefined,
    destroy: () => undefined,
  };
}

/** Runs a command line in an environment of its own. */
export async function attempt(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<Attempt> {
  const printed = ["", "", ""];
  let started: readonly string[] | null = null;
  let written = "";
  const parts: Partial<Host> = {
    argv,
    env: (name) => env[name],
    environment: () => env,
    print: (fd, bytes) => void (printed[fd] += Buffer.from(bytes).toString("latin1")),
    isTerminal: () => false,
    stdio: () => silentStream((text) => (printed[1] += text)),
    onSignal: () => () => undefined,
    setTitle: () => undefined,
    spawn(options): ChildProcess {
      started = options.argv;
      const stream = silentStream((text) => (written += text));
      return { pid: 1, stream, exited: Promise.resolve(0), kill: () => undefined };
    },
  };
  const host = Object.defineProperties(Object.create(real) as Host, Object.getOwnPropertyDescriptors(parts));
  const code = await main(host);
  return { code, stdout: printed[1], stderr: printed[2], started, written };
}
