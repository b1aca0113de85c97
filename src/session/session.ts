/**
 * One side of one conversation: what its roles share. Two sessions may live in one process (a local transfer has a
 * client and a server session joined by an in-process pipe), so nothing here or below is module state.
 */
import { type Host } from "../host.ts";
import { type FakeSuperFs } from "../files/fakesuper.ts";
import { type Kernels } from "../checksum/kernels.ts";
import { type Charset } from "../charset/charset.ts";
import { type LinearMemory } from "../memory.ts";
import { type Options } from "../options/options.ts";
import { type Observer } from "../output/events.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { type ProtocolContext } from "../protocol/context.ts";
import { type BatchSink } from "./batchsink.ts";
import { type Input } from "./input.ts";
import { type Log } from "./log.ts";
import { type Output } from "./output.ts";
import { newStats, type Stats } from "./stats.ts";
import type { Explainer } from "./explainer.ts";
import { type LocalLink } from "./locallink.ts";
import { type ModuleScope } from "./module.ts";

/** Work between two turns of the event loop, milliseconds. */
const SLICE_MS = 50;

/** What a session is made of before the handshake. */
export interface SessionParts {
  readonly host: Host;
  readonly kernels: Kernels;
  readonly fs: FileSystem;
  /** `fs` under --fake-super, else null. */
  readonly fakeSuper: FakeSuperFs | null;
  readonly options: Options;
  readonly log: Log;
  /** The other end when it runs in this process, else null. */
  readonly localLink: LocalLink | null;
  /** Who is told what happens, on a client; null (or absent) when nobody is. */
  readonly observer?: Observer | null;
  /** How names are converted (--iconv), or null. */
  readonly charset: Charset | null;
  /** Who explains what is decided here (--explain); null (or absent) when nobody asks. */
  readonly explainer?: Explainer | null;
  /** The batch file that records this session, or null. */
  readonly batch: BatchSink | null;
  /** Set on a daemon. */
  readonly module?: ModuleScope | null;
}

/** Where the session is, as the exit report names it. */
export type RoleName = "sender" | "receiver" | "generator" | "client" | "server" | "Receiver";

export class Session {
  readonly host: Host;
  readonly kernels: Kernels;
  readonly memory: LinearMemory;
  readonly fs: FileSystem;
  /** `fs` under --fake-super, else null. */
  readonly fakeSuper: FakeSuperFs | null;
  readonly options: Options;
  readonly log: Log;
  readonly localLink: LocalLink | null;
  readonly observer: Observer | null;
  readonly charset: Charset | null;
  readonly explainer: Explainer | null;
  readonly batch: BatchSink | null;
  /** The module that is served, null outside a daemon. */
  readonly module: ModuleScope | null;
  /** Absolute directory that relative paths start from. */
  readonly cwd: string;
  readonly stats: Stats = newStats();
  readonly amServer: boolean;
  readonly amSender: boolean;
  /** 1 with root's powers, 0 without, -1 with --fake-super; --copy-as changes it. Upstream am_root. */
  amRoot: -1 | 0 | 1;
  /** Agreed features; set once by the handshake. */
  context!: ProtocolContext;
  input!: Input;
  output!: Output;
  /** IoError bits raised on this side or reported by the sender. */
  ioError = 0;
  /** --timeout in seconds, as given or as lowered by the server; 0 waits for ever. */
  ioTimeout: number;
  /** Called when the server has lowered it. */
  timeoutLowered: () => void = () => {};
  /** The last exchange is under way: a closed connection is no longer worth a message. */
  shuttingDown = false;
  /** Why the session was told to stop, or null while it runs. */
  stopReason: unknown = null;
  /** Resolves when the session is told to stop. */
  readonly stopped: Promise<void>;
  /** Monotonic start, milliseconds, for rates. */
  readonly startedAt: number;
  /** Wall-clock second of the start, for the summary. */
  readonly startedSecond: number;
  /** 1 with --dry-run or --only-write-batch, 2 once the destination turned out not to exist yet (upstream dry_run). */
  dryRun: number;
  /** Data moves at all, if only into a batch file: neither a dry run nor a listing (upstream do_xfers). */
  readonly doTransfers: boolean;
  /** Lines about refused symlinks that the user has read. */
  readonly toldRefusals = new Set<string>();
  private readonly owned: { close(): void }[] = [];
  private announceStop!: () => void;
  private listReceived = false;
  /** When the event loop last had its turn, as far as this session's roles know. */
  private turnedAt: number;

  constructor(parts: SessionParts, role: "sender" | "receiver") {
    const { options } = parts;
    this.host = parts.host;
    this.kernels = parts.kernels;
    this.memory = parts.kernels.memory;
    this.fs = parts.fs;
    this.options = options;
    this.log = parts.log;
    this.localLink = parts.localLink;
    this.observer = parts.observer ?? null;
    this.explainer = parts.explainer ?? parts.localLink?.explainer ?? null;
    this.batch = parts.batch;
    this.charset = parts.charset;
    this.module = parts.module ?? null;
    this.cwd = this.module === null ? parts.host.cwd() : this.module.dir || "/";
    this.amServer = options.server;
    this.amSender = role === "sender";
    this.amRoot = powersOf(options.superMode, parts.fs.euid);
    this.fakeSuper = parts.fakeSuper;
    this.ioTimeout = options.timeout;
    this.startedAt = parts.host.monotonic();
    this.startedSecond = Math.floor(parts.host.now() / 1000);
    this.dryRun = options.dryRun || options.onlyWriteBatch ? 1 : 0;
    this.doTransfers = !options.dryRun;
    this.turnedAt = this.startedAt;
    this.stopped = new Promise((resolve) => {
      this.announceStop = resolve;
    });
  }

  /** Has something closed when the session is over. */
  own<T extends { close(): void }>(resource: T): T {
    this.owned.push(resource);
    return resource;
  }

  /** The session is over: closes what it owns. */
  release(): void {
    for (const resource of this.owned.splice(0)) resource.close();
  }

  /**
   * Ends the session's work: every role that waits, or looks whether it may go on, gets `reason` thrown. The connection
   * stays usable for last words. The first reason counts.
   */
  stop(reason: unknown): void {
    if (this.stopReason !== null) return;
    this.stopReason = reason;
    this.input.stop(reason);
    this.output.stop(reason);
    this.announceStop();
  }

  /**
   * For loops that may go on for long without waiting for the peer: lets the event loop turn now and then, so that
   * signals and timers are served. Undefined when it is not time for that yet; throws once the session is stopped.
   */
  breathe(): Promise<void> | undefined {
    if (this.stopReason !== null) throw this.stopReason;
    return this.host.monotonic() - this.turnedAt < SLICE_MS ? undefined : this.turn();
  }

  private async turn(): Promise<void> {
    await this.host.sleep(0);
    this.turnedAt = this.host.monotonic();
    if (this.stopReason !== null) throw this.stopReason;
  }

  /** The role's name in messages: "Receiver" until the receiving side has its list. Upstream rsync.c:who_am_i. */
  get who(): RoleName {
    if (this.amSender) return "sender";
    return this.listReceived ? "receiver" : "Receiver";
  }

  /** The receiving side knows the first list: generator and receiver begin. */
  beginRoles(): void {
    this.listReceived = true;
    this.input.role = this.who;
    this.output.role = this.who;
  }

  /** Old senders do not bear a keep-alive while they send the first list. */
  get mayKeepAlive(): boolean {
    return this.amSender || this.listReceived;
  }
}

/** What the options and the user make of this side's powers. */
function powersOf(superMode: Options["superMode"], euid: number): -1 | 0 | 1 {
  if (superMode === "fake-super") return -1;
  return superMode === "super" || (superMode === null && euid === 0) ? 1 : 0;
}
