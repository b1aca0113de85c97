/**
 * `sync`: a client's run for programs. It takes what the command line takes, and calls back instead of printing.
 */
import { Compressors } from "../compress/registry.ts";
import { type Kernels, loadKernels } from "../checksum/kernels.ts";
import { parseHostSpec } from "../client/hostspec.ts";
import { runClient } from "../client/run.ts";
import { type Platform } from "../conversation/conversation.ts";
import { InterruptedError } from "../conversation/interrupts.ts";
import { ExitCode, UsageError } from "../errors.ts";
import { type ByteStream, type Host } from "../host.ts";
import { latin1, nameOfText } from "../memory.ts";
import { type ParseContext, parseArguments } from "../options/parse.ts";
import { type Options } from "../options/options.ts";
import { type Capabilities } from "../options/version.ts";
import { type Observer, type RunEvent, type SummaryEvent } from "../output/events.ts";
import { readable } from "../output/jsonlines.ts";
import { openFileSystem } from "../posix/open.ts";
import { CHECKSUMS } from "../protocol/negotiate.ts";
import { type Duplex, DuplexByteStream } from "./duplex.ts";
import { type FilesPlace } from "./files.ts";
import { optionWords, type TransferOptions } from "./options.ts";
import { Outcome } from "./outcome.ts";

/** Where a connection is wanted to, for callers who bring their own. */
export type ConnectRequest =
  /** To a daemon (HOST::MODULE, rsync://HOST/MODULE). */
  | { readonly kind: "daemon"; readonly host: string; readonly port: number }
  /** To a server that somebody starts with these words (HOST:PATH): a remote shell, its arguments, the command. */
  | { readonly kind: "shell"; readonly argv: readonly string[] };

/** An event whose names are text; where a name's bytes are none, a field with "Bytes" behind its name has them. */
export type SyncEvent = RunEvent;

/** What `sync` takes besides rsync's options. */
export interface SyncSettings {
  /** Called with all that happens, in order, from within the run. It is waited for. */
  readonly onEvent?: (event: SyncEvent) => void;
  /** Ends the run in order, as an interrupt does: nothing half-written stays. `sync` then fails with exit code 20. */
  readonly signal?: AbortSignal;
  /** The password for a daemon's module, or who is asked for it when the daemon wants one. */
  readonly password?: string | (() => string | Promise<string>);
  /** Environment variables for this run (RSYNC_RSH, RSYNC_PROXY, ...), before the process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Makes connections in place of sockets and remote shells. */
  readonly connect?: (request: ConnectRequest) => Duplex | Promise<Duplex>;
}

/** How `sync` works: rsync's options by name, and what programs need. */
export type SyncOptions = SyncSettings & TransferOptions;

/** Where to read from: what stands on a command line, or a place in another file system. */
export type Source = string | readonly string[] | FilesPlace;
/** Where to write to; null lists the source and writes nothing. */
export type Target = string | FilesPlace | null;

/** What a run that went well has to tell. */
export interface SyncResult {
  readonly dryRun: boolean;
  /** Protocol version; null for a mere list of modules. */
  readonly protocol: number | null;
  /** Bytes over the connection. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly elapsedSeconds: number;
  /** rsync's --stats; null for a mere list of modules. */
  readonly stats: SummaryEvent["stats"];
}

/** See the public function of this name in runtimes/. `host` is the runtime's. */
export async function runSync(
  host: Host, source: Source, target: Target, options: SyncOptions = {},
): Promise<SyncResult> {
  const { onEvent, signal, password, env, connect, ...transfer } = options;
  const settings: SyncSettings = { onEvent, signal, password, env, connect };
  const abort = new AbortHub(signal);
  const outcome = new Outcome();
  const observer: Observer = {
    mutes: "all",
    event: (event) => {
      outcome.event(event);
      onEvent?.(readable(event) as unknown as SyncEvent);
    },
    failure: (error) => outcome.failure(error),
  };
  const near = new Station(host, settings, abort, observer);
  try {
    signal?.throwIfAborted();
    const run = near.prepare(source, target, transfer);
    const code = await abort.race(runClient({ ...run, observer }));
    await settleAll(source, target);
    return outcome.result(code);
  } catch (error) {
    throw outcome.error(abort.explain(error));
  } finally {
    abort.close();
  }
}

async function settleAll(source: Source, target: Target): Promise<void> {
  for (const place of [source, target]) if (isPlace(place)) await place.files.settle?.();
}

function isPlace(place: Source | Target): place is FilesPlace {
  return typeof place === "object" && place !== null && "files" in place;
}

/** Makes the platforms of one run. */
class Station {
  private readonly host: Host;
  private readonly settings: SyncSettings;
  private readonly abort: AbortHub;
  private readonly kernels: Kernels;
  private readonly observer: Observer;

  constructor(host: Host, settings: SyncSettings, abort: AbortHub, observer: Observer) {
    this.host = host;
    this.settings = settings;
    this.abort = abort;
    this.observer = observer;
    this.kernels = loadKernels(host.kernels(), undefined, host.runtime !== "browser");
  }

  /** Platforms, options and context of the run. Throws UsageError. */
  prepare(source: Source, target: Target, transfer: TransferOptions): {
    platform: Platform; farPlatform?: Platform; options: Options; parseContext: ParseContext;
  } {
    const words = wordsOf(source);
    if (target !== null) words.push(isPlace(target) ? pathOf(target) : nameOfText(target));
    if (words.length === 0) throw new UsageError("nothing to sync: give a source");
    const { platform, farPlatform } = this.platforms(source, target, words);
    const parseContext: ParseContext = {
      env: (name) => platform.host.env(name),
      // A transfer's options ask for these two alone.
      capabilities: () => ({
        checksums: [...CHECKSUMS.names], compressors: new Compressors(platform.host, this.kernels.memory).available(),
      }) as unknown as Capabilities,
      splitHost: (text) => parseHostSpec(text, 0),
    };
    const listing = target === null ? ["--list-only"] : [];
    const parsed = parseArguments([...optionWords(transfer), ...listing, "--", ...words], parseContext);
    if (parsed.action !== "run") throw new UsageError("these options do not ask for a transfer");
    return { platform, farPlatform, options: parsed.options, parseContext };
  }

  /** One platform, or two where both ends are here and in different file systems. */
  private platforms(source: Source, target: Target, words: readonly string[]): {
    platform: Platform; farPlatform?: Platform;
  } {
    const files = isPlace(source) ? source : isPlace(target) ? target : null;
    if (files === null) return { platform: this.platform(null) };
    const otherIsRemote = isPlace(source)
      ? typeof target === "string" && parseHostSpec(nameOfText(target), 0) !== null
      : parseHostSpec(words[0], 0) !== null;
    if (otherIsRemote || target === null) return { platform: this.platform(files) };
    const same = isPlace(source) && isPlace(target) && source.files === target.files;
    if (same) return { platform: this.platform(source) };
    return {
      platform: this.platform(isPlace(source) ? source : null),
      farPlatform: this.platform(isPlace(target) ? target : null),
    };
  }

  private platform(place: FilesPlace | null): Platform {
    const { kernels } = this;
    const host = this.libraryHost(place !== null);
    const fs = place === null ? openFileSystem(host, kernels.memory) : place.files.open(kernels.memory);
    return { host, kernels, fs, interrupts: this.abort };
  }

  /** The runtime's host, without what a program's process is its own master of. */
  private libraryHost(ownFiles: boolean): Host {
    const { host, settings, observer } = this;
    const { env = {}, password, connect } = settings;
    const overrides: Partial<Host> = {
      argv: [],
      env: (name) => (name in env ? env[name] : host.env(name)),
      print: (_fd, bytes) => {
        for (const line of latin1(bytes, 0, bytes.length).split(/[\r\n]+/)) {
          if (line !== "") observer.event({ type: "message", text: line });
        }
      },
      isTerminal: () => false,
      readPassword: async () => (typeof password === "function" ? await password() : (password ?? null)),
      onSignal: () => () => {},
      setTitle: () => {},
      exit: () => {
        throw new InterruptedError();
      },
    };
    if (password !== undefined) {
      const outer = overrides.env!;
      overrides.env = (name) => (name === "RSYNC_PASSWORD" ? undefined : outer(name));
    }
    if (ownFiles) overrides.cwd = () => "/";
    if (connect) Object.assign(overrides, connections(connect));
    const members = Object.entries(overrides).map(([name, value]) => [name, { value, enumerable: true }] as const);
    return Object.create(host, Object.fromEntries(members)) as Host;
  }
}

/** The host's ways to reach others, by the caller's function. */
function connections(connect: NonNullable<SyncSettings["connect"]>): Pick<Host, "connect" | "spawn"> {
  return {
    connect: async ({ hostname, port }) => {
      return new DuplexByteStream(await connect({ kind: "daemon", host: hostname, port }));
    },
    spawn: ({ argv }) => {
      const opened = Promise.resolve(connect({ kind: "shell", argv })).then((duplex) => new DuplexByteStream(duplex));
      return {
        pid: -1, stream: new PendingStream(opened),
        kill: () => void opened.then((stream) => stream.destroy(), () => {}),
        // The connection has no exit code of its own; what the other side says over it counts.
        exited: opened.then(() => 0, () => ExitCode.ipc),
      };
    },
  };
}

/** A stream that is still on its way. */
class PendingStream implements ByteStream {
  private readonly opened: Promise<ByteStream>;

  constructor(opened: Promise<ByteStream>) {
    this.opened = opened;
  }

  async read(): Promise<Uint8Array | null> {
    return (await this.opened).read();
  }

  async write(chunk: Uint8Array): Promise<void> {
    await (await this.opened).write(chunk);
  }

  async end(): Promise<void> {
    await (await this.opened).end();
  }

  destroy(): void {
    this.opened.then((stream) => stream.destroy(), () => {});
  }
}

/** From an AbortSignal to the conversations under way. */
class AbortHub {
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

/** The source's words of a command line. */
function wordsOf(source: Source): string[] {
  if (isPlace(source)) return [pathOf(source)];
  return (typeof source === "string" ? [source] : [...source]).map(nameOfText);
}

/** A path in another file system is absolute, so that nothing in it looks like a host. */
function pathOf({ path = "/" }: FilesPlace): string {
  return nameOfText(`/${path.replace(/^\/+/, "")}`);
}
