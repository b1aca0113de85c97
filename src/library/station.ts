/**
 * The platforms that the library's runs work on: the runtime's host without what a program is its own master of, and
 * the file systems of the two ends.
 */
import { Compressors } from "../compress/registry.ts";
import { type Kernels, loadKernels } from "../checksum/kernels.ts";
import { parseHostSpec } from "../client/hostspec.ts";
import { type Platform } from "../conversation/conversation.ts";
import { InterruptedError } from "../conversation/interrupts.ts";
import { ExitCode, UsageError } from "../errors.ts";
import { type ByteStream, type ChildProcess, type Host, type SpawnOptions } from "../host.ts";
import { latin1, nameOfText } from "../memory.ts";
import { type ParseContext, parseArguments } from "../options/parse.ts";
import { type Options } from "../options/options.ts";
import { type Capabilities } from "../options/version.ts";
import { openFileSystem } from "../posix/open.ts";
import { CHECKSUMS } from "../protocol/negotiate.ts";
import { type Duplex, DuplexByteStream } from "./duplex.ts";
import { type FilesPlace, MemoryFiles } from "./files.ts";
import { optionWords, type TransferOptions } from "./options.ts";

const SIGTERM = 15;
/** What a remote shell has, after an interruption, to bring the last words across. */
const LAST_WORDS_MS = 500;

/** Where a connection is wanted to, for callers who bring their own. */
export type ConnectRequest =
  /** To a daemon (HOST::MODULE, rsync://HOST/MODULE). */
  | { readonly kind: "daemon"; readonly host: string; readonly port: number }
  /** To a server that somebody starts with these words (HOST:PATH): a remote shell, its arguments, the command. */
  | { readonly kind: "shell"; readonly argv: readonly string[] };

/** How a run reaches others and what it finds around it. */
export interface Surroundings {
  /** The password for a daemon's module, or who is asked for it when the daemon wants one. */
  readonly password?: string | (() => string | Promise<string>);
  /** Environment variables for this run (RSYNC_RSH, RSYNC_PROXY, ...), before the process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Makes connections in place of sockets and remote shells. */
  readonly connect?: (request: ConnectRequest) => Duplex | Promise<Duplex>;
}

/** Where to read from: what stands on a command line, or a place in another file system. */
export type Source = string | readonly string[] | FilesPlace;
/** Where to write to; null lists the source and writes nothing. */
export type Target = string | FilesPlace | null;

/** Everything a client's run is made of. */
export interface Prepared {
  readonly platform: Platform;
  readonly farPlatform?: Platform;
  readonly options: Options;
  readonly parseContext: ParseContext;
}

/** Whether an end is a place in a file system of the caller's. */
export function isPlace(place: Source | Target): place is FilesPlace {
  return typeof place === "object" && place !== null && "files" in place;
}

/** Makes the platforms of one run. */
export class Station {
  private readonly host: Host;
  private readonly around: Surroundings;
  private readonly interrupts: Platform["interrupts"];
  private readonly kernels: Kernels;
  private readonly tell: (line: string) => void;

  /** `tell` takes lines that would be printed though nobody is told of them as events. */
  constructor(host: Host, around: Surroundings, interrupts: Platform["interrupts"], tell: (line: string) => void) {
    this.host = host;
    this.around = around;
    this.interrupts = interrupts;
    this.tell = tell;
    this.kernels = loadKernels(host.kernels(), undefined, host.runtime !== "browser");
  }

  /** Platforms, options and context of the run. Throws UsageError. */
  prepare(source: Source, target: Target, transfer: TransferOptions, more: readonly string[] = []): Prepared {
    const words = wordsOf(source);
    if (target !== null) words.push(isPlace(target) ? pathOf(target) : nameOfText(target));
    if (words.length === 0) throw new UsageError("nothing to sync: give a source");
    const { platform, farPlatform } = this.platforms(source, target, words);
    const parseContext = this.parseContext(platform);
    const listing = target === null ? ["--list-only"] : [];
    const parsed = parseArguments([...optionWords(transfer), ...more, ...listing, "--", ...words], parseContext);
    if (parsed.action !== "run") throw new UsageError("these options do not ask for a transfer");
    return { platform, farPlatform, options: parsed.options, parseContext };
  }

  /** How a transfer's options are parsed. */
  parseContext({ host }: Platform): ParseContext {
    return {
      env: (name) => host.env(name),
      // A transfer's options ask for these two alone.
      capabilities: () => ({
        checksums: [...CHECKSUMS.names], compressors: new Compressors(host, this.kernels.memory).available(),
      }) as unknown as Capabilities,
      splitHost: (text) => parseHostSpec(text, 0),
    };
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

  /** The platform over a place, or over the disk. */
  platform(place: FilesPlace | null): Platform {
    const { kernels } = this;
    // A browser has no disk; a listing, say, needs none.
    const files = place?.files ?? (this.host.runtime === "browser" ? new MemoryFiles() : null);
    const host = this.libraryHost(files !== null);
    const fs = files === null ? openFileSystem(host, kernels.memory) : files.open(kernels.memory);
    return { host, kernels, fs, interrupts: this.interrupts };
  }

  /** The runtime's host, without what a program's process is its own master of. */
  private libraryHost(ownFiles: boolean): Host {
    const { host, around, tell } = this;
    const { env = {}, password, connect } = around;
    const overrides: Partial<Host> = {
      argv: [],
      env: (name) => (name in env ? env[name] : host.env(name)),
      print: (_fd, bytes) => {
        for (const line of latin1(bytes, 0, bytes.length).split(/[\r\n]+/)) {
          if (line !== "") tell(line);
        }
      },
      isTerminal: () => false,
      readPassword: async () => {
        const text = typeof password === "function" ? await password() : password;
        return text === undefined ? null : nameOfText(text);
      },
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
    if (host.runtime !== "browser") overrides.spawn = (options) => this.spawn(options);
    if (ownFiles) overrides.cwd = () => "/";
    if (connect) Object.assign(overrides, connections(connect));
    const members = Object.entries(overrides).map(([name, value]) => [name, { value, enumerable: true }] as const);
    return Object.create(host, Object.fromEntries(members)) as Host;
  }

  /** A remote shell, which does not outlive an interrupted run for long: it may be waiting for a password, or lost. */
  private spawn(options: SpawnOptions): ChildProcess {
    const child = this.host.spawn(options);
    let gone = false;
    const drop = this.interrupts.add(() => {
      void this.host.sleep(LAST_WORDS_MS).then(() => void (gone || child.kill(SIGTERM)));
    });
    const ended = (): void => {
      gone = true;
      drop();
    };
    child.exited.then(ended, ended);
    return child;
  }
}

/** The host's ways to reach others, by the caller's function. */
function connections(connect: NonNullable<Surroundings["connect"]>): Pick<Host, "connect" | "spawn"> {
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

/** The source's words of a command line. */
function wordsOf(source: Source): string[] {
  if (isPlace(source)) return [pathOf(source)];
  return (typeof source === "string" ? [source] : [...source]).map(nameOfText);
}

/** A path in another file system is absolute, so that nothing in it looks like a host. */
export function pathOf({ path = "/" }: FilesPlace): string {
  return nameOfText(`/${path.replace(/^\/+/, "")}`);
}
