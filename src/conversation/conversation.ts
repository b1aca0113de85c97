/**
 * One session from the handshake to its exit code, on either side of any connection. Upstream main.c: client_run,
 * start_server; cleanup.c: _exit_cleanup.
 */
import { ExitCode, exitCodeOf, LimitError, ProtocolError, RemoteExit, UsageError, WsyncError } from "../errors.ts";
import { type ByteStream, type Host } from "../host.ts";
import { type Kernels } from "../checksum/kernels.ts";
import { type Charset } from "../charset/charset.ts";
import { isDirectory } from "../files/perms.ts";
import { MUNGE_PREFIX } from "../flist/munge.ts";
import { Compressors } from "../compress/registry.ts";
import { type SummaryEvent } from "../output/events.ts";
import { exitCodeName, exitLine, totalsLine, type RoleName } from "../output/messages.ts";
import { Numbers } from "../output/numbers.ts";
import { summaryLines } from "../output/summary.ts";
import { fakeSuperFs } from "../files/fakesuper.ts";
import { type Options } from "../options/options.ts";
import { type FileSystem, newStat } from "../posix/filesystem.ts";
import { IoError, MessageTag } from "../protocol/constants.ts";
import { type FilterArguments } from "../roles/filters.ts";
import { runHostA } from "../roles/hosta.ts";
import { runHostB } from "../roles/hostb.ts";
import { type SourceWords } from "../roles/sendercheck.ts";
import { agree } from "../session/agree.ts";
import { type BatchSink } from "../session/batchsink.ts";
import { Input } from "../session/input.ts";
import { type LocalLink } from "../session/locallink.ts";
import { type ModuleScope } from "../session/module.ts";
import { Log, LogCode, type LogFileWriter } from "../session/log.ts";
import { type DirectOutput, Output } from "../session/output.ts";
import { BandwidthLimit } from "../session/bandwidth.ts";
import { logReporter } from "../session/reporter.ts";
import { type Explainer } from "../session/explainer.ts";
import { Session } from "../session/session.ts";
import { InterruptedError, type Interrupts } from "./interrupts.ts";
import { TimeoutWatch } from "../session/timeout.ts";

/** Longest wait for the other side to take in our reason for stopping, milliseconds. */
const LAST_WORDS_MS = 2000;

/** Protocol errors whose message says by itself who noticed. */
const BARE_LABELS: readonly string[] = ["file", "version"];

/** What every conversation of this process shares. */
export interface Platform {
  readonly host: Host;
  readonly kernels: Kernels;
  readonly fs: FileSystem;
  /** Who may end what is under way. */
  readonly interrupts: Pick<Interrupts, "add">;
}

/** The platform of a program of its own, whose signals are all for it. */
export interface ProgramPlatform extends Platform {
  readonly interrupts: Interrupts;
}

/** One conversation to hold. */
export interface Conversation {
  readonly options: Options;
  readonly role: "sender" | "receiver";
  readonly stream: ByteStream;
  /** Sends to where the stream does, in a process that has nothing else to do; null: the stream alone does. */
  readonly direct?: DirectOutput | null;
  /** Paths: see runHostA and runHostB. */
  readonly args: readonly string[];
  /** Version settled by a daemon's greeting; null to exchange versions. */
  readonly version: number | null;
  /** Set when the other side is in this process. */
  readonly localLink: LocalLink | null;
  /** What a client that receives has asked the other side for, to check its list against. */
  readonly sources?: SourceWords;
  /** Filter options of the client, which a local server goes by too. */
  readonly filterArgs?: FilterArguments;
  /** On a daemon: the module that is served. */
  readonly module?: ModuleScope;
  /** On a daemon: why the client is told of a failure as soon as it can be told, and nothing else happens. */
  readonly refusal?: WsyncError;
  /** Resolves to the exit code of the remote shell, if there is one; minus the signal's number if one ended it. */
  readonly childExit?: Promise<number>;
  readonly childPid?: number;
  /** A log that is in use already; made anew otherwise. Its observer hears of all that happens. */
  readonly log?: Log;
  /** How names are converted (--iconv). */
  readonly charset?: Charset | null;
  /** Who explains what is decided (--explain), if anybody does. */
  readonly explainer?: Explainer | null;
  /** The batch file that records the conversation, if one does. */
  readonly batch?: BatchSink;
}

/** Holds a conversation and returns its exit code. Everything worth telling has been told, and logged. */
export async function converse(
  platform: Platform, conversation: Conversation, logFile: LogFileWriter = null,
  onSession: (session: Session) => void = () => {},
): Promise<number> {
  refuseUnsafeMunging(platform.fs, conversation.options);
  const session = open(platform, conversation, logFile);
  onSession(session);
  const code = await hold(platform, conversation, session);
  if (!session.amServer) traceExit(session, code);
  session.release();
  if (session.observer) session.observer.event(summaryEvent(session, code));
  return code;
}

async function hold(platform: Platform, conversation: Conversation, session: Session): Promise<number> {
  let childCode = 0;
  try {
    await guarded(platform, session, async () => {
      await conduct(platform, conversation, session);
      childCode = await childExit(session, conversation);
    });
  } catch (error) {
    session.stop(error);
    session.observer?.failure?.(error);
    return await failed(session, conversation, error);
  }
  if (!session.amServer) {
    session.log.endLine();
    summarize(session);
  }
  await session.output.finish().catch(() => {});
  const code = Math.max(finalCode(session), childCode);
  logTotals(session, code);
  const role = (session.who === "receiver" ? "generator" : session.who) as RoleName;
  // At the end of a run the client's line says it for both; only a log wants the server's too.
  if (code !== 0 && !session.amServer) tellExit(session, code, "main.ts(1)", role);
  else if (code !== 0) session.log.write(LogCode.log, exitLine(code, "main.ts(1)", session.who as RoleName));
  if (session.amServer) await conversation.stream.end().catch(() => {});
  conversation.stream.destroy();
  return code;
}

function open(platform: Platform, conversation: Conversation, logFile: LogFileWriter): Session {
  const { host, kernels, fs } = platform;
  const { options, role, stream, direct = null, localLink, module, explainer, batch = null, charset = null }
    = conversation;
  const log = conversation.log ?? new Log(host, options, options.levels);
  log.logFile ??= logFile;
  const { observer } = log;
  // The errors of a local server are printed by itself.
  if (localLink && options.server) log.observer = localLink.observer;
  const fakeSuper = options.superMode === "fake-super"
    ? fakeSuperFs(fs, role === "sender", logReporter(log, fs, role), !module) : null;
  const files = { fs: fakeSuper ?? fs, fakeSuper };
  const parts = { host, kernels, ...files, options, log, localLink, observer, explainer, batch, module, charset };
  const session = new Session(parts, role);
  log.iconv = charset;
  session.memory.maxAlloc = options.maxAlloc;
  session.input = new Input(session.memory, stream, () => host.monotonic());
  session.output = new Output(session.memory, stream, () => host.monotonic(), direct);
  session.input.role = session.who;
  session.output.role = session.who;
  session.input.beforeWait = () => session.output.flush();
  if (options.bwlimit > 0) session.output.rateLimit = new BandwidthLimit(host, options.bwlimit);
  if (log.debug("IO", 1)) traceIo(session);
  if (session.amServer) {
    log.send = (tag, payload) => session.output.message(tag, payload);
  }
  return session;
}

/** Throws UsageError for options that need what the file system behind this runtime cannot do. */
export function refuseMissing(options: Options, fs: FileSystem): void {
  if (fs.capabilities.xattrs) return;
  const side = options.server ? "server" : "client";
  if (options.preserveAcls > 0) throw new UsageError(`ACLs are not supported on this ${side}`);
  if (options.preserveXattrs > 0) throw new UsageError(`extended attributes are not supported on this ${side}`);
  if (options.superMode === "fake-super") {
    throw new UsageError("--fake-super requires an rsync with extended attributes enabled");
  }
}

/** --debug=io. What would itself cause messages is told only when all lines go to standard error. */
function traceIo(session: Session): void {
  const { log, options, input, output } = session;
  const aside = options.stderrMode === "all";
  const trace = (level: number, text: string, always: boolean): void => {
    if (log.debug("IO", level) && (always || aside)) log.infoLine(`[${session.who}] ${text}\n`);
  };
  input.trace = (level, text) => trace(level, text, false);
  output.trace = trace;
}

/** --munge-links relies on a directory's absence. Upstream options.c:parse_arguments. */
function refuseUnsafeMunging(fs: FileSystem, { mungeLinks, server }: Options): void {
  if (!mungeLinks) return;
  const dir = MUNGE_PREFIX.slice(0, -1);
  const stat = newStat();
  if (fs.fstatat(fs.constants.AT.FDCWD, fs.cstr(dir), stat, true) < 0 || !isDirectory(stat.mode)) return;
  const error = new WsyncError(`Symlink munging is unsafe when a ${dir} directory exists.`, ExitCode.unsupported);
  if (server) error.who = "server";
  throw error;
}

async function conduct(platform: Platform, conversation: Conversation, session: Session): Promise<void> {
  const { version, role, args, filterArgs = null, sources = null } = conversation;
  const { compress, compressChoice, readBatch } = session.options;
  const compressors = compress || compressChoice !== null || readBatch !== null
    ? new Compressors(platform.host, session.memory).available()
    : (["none"] as const);
  await agree(session, { version, compressors });
  if (conversation.refusal) return refuse(session, conversation.refusal);
  if (role === "sender") {
    await runHostA(session, args, filterArgs);
  } else {
    await runHostB(session, args, filterArgs, sources);
  }
}

/** A daemon's refusal travels as messages, which both sides have to be ready for first. Upstream rsync_module. */
function refuse(session: Session, refusal: WsyncError): never {
  const { output, options } = session;
  // The client may be about to read names of --files-from.
  if (!session.amSender && options.filesFrom !== null) output.writer.u8(0);
  output.startMultiplex();
  // Only then does its word that it has understood come as a message.
  if (session.context.version >= 31) session.input.startMultiplex(true);
  throw refusal;
}

/** Runs the conversation's work, which ends early when the clock or the user says so. */
async function guarded(platform: Platform, session: Session, work: () => Promise<void>): Promise<void> {
  const stop = (error: unknown): void => session.stop(error);
  const { input, output } = session;
  const watch = new TimeoutWatch(platform.host, {
    who: () => session.who,
    timeout: () => session.ioTimeout,
    stopAt: session.options.stopAt,
    lastRead: () => input.lastRead,
    lastWrite: () => output.lastWrite,
    keepAlive: () => {
      if (session.mayKeepAlive) output.keepAlive();
    },
    expired: stop,
  });
  session.timeoutLowered = () => watch.changed();
  const release = platform.interrupts.add(stop);
  try {
    await work();
  } finally {
    watch.stop();
    release();
  }
}

/** --debug=exit2 of a sender, --debug=recv of a receiver: the other side is waited for. */
function traceWait({ log, amSender }: Session, pid: number): void {
  if (amSender ? log.debug("EXIT", 2) : log.debug("RECV", 1)) {
    log.infoLine(`${amSender ? "client_run" : "client_run2"} waiting on ${pid}\n`);
  }
}

/** Waits for the remote shell, taking in what the other side still has to say. */
async function childExit(session: Session, conversation: Conversation): Promise<number> {
  if (!conversation.childExit) return 0;
  traceWait(session, conversation.childPid ?? session.host.pid);
  await conversation.stream.end().catch(() => {});
  const ended = Promise.all([conversation.childExit, session.input.drainToEnd().catch(() => {})]);
  await Promise.race([ended, session.stopped]);
  if (session.stopReason !== null) throw session.stopReason;
  const [code] = await ended;
  return code < 0 ? ExitCode.terminated : code;
}

/** The exit code of a run that reached its end; upstream _exit_cleanup's last part. */
function finalCode(session: Session): number {
  if (session.ioError & IoError.general || session.log.gotXferError) return ExitCode.partial;
  if (session.ioError & IoError.vanished) return ExitCode.vanished;
  return session.ioError & IoError.deleteLimit ? ExitCode.deleteLimit : 0;
}

/** The run ended with an error: tell the user, and the other side so that it ends with the same code. */
async function failed(session: Session, conversation: Conversation, noticed: unknown): Promise<number> {
  const error = await cause(session, noticed);
  if (error instanceof RemoteExit) {
    const code = exitCodeOf(error) || finalCode(session) || ExitCode.partial;
    await lastWords(session);
    return Math.max(code, await settleChild(session.host, conversation));
  }
  let code = exitCodeOf(error);
  // Both sides of a local transfer hear the signal; one word about it is enough.
  const { localLink } = session;
  const silent = localLink !== null && (localLink.timedOut || (error instanceof InterruptedError && session.amServer));
  // A peer that is silent will not take messages either.
  if (code === ExitCode.timeout) {
    session.log.send = null;
    if (localLink) localLink.timedOut = true;
  }
  if (!silent) tell(session, error);
  // A remote shell that failed says more about the cause than the connection that broke.
  if (isBroken(code)) code = Math.max(code, await settleChild(session.host, conversation));
  logTotals(session, code);
  if (!silent) tellExit(session, code, placeOf(error));
  if (code === ExitCode.timeout) {
    conversation.stream.destroy();
    return code;
  }
  await sendExit(session, conversation.stream, code);
  await settleChild(session.host, conversation);
  return code;
}

function isBroken(code: number): boolean {
  return code === ExitCode.socketIo || code === ExitCode.streamIo;
}

/** When nothing more can be written, what has arrived may tell why. Upstream io.c:drain_multiplex_messages. */
async function cause(session: Session, error: unknown): Promise<unknown> {
  const { input, output, host } = session;
  if (error !== output.failed) return error;
  try {
    await Promise.race([input.drainToEnd(LAST_WORDS_MS), host.sleep(LAST_WORDS_MS)]);
  } catch (better) {
    if (better instanceof RemoteExit) return better;
  }
  return error;
}

async function settleChild(host: Host, conversation: Conversation): Promise<number> {
  conversation.stream.destroy();
  if (!conversation.childExit) return 0;
  const patience = host.sleep(LAST_WORDS_MS).then(() => 0);
  const code = await Promise.race([conversation.childExit, patience]);
  return Math.max(code, 0);
}

function tell(session: Session, error: unknown): void {
  const told = session.log.debug("EXIT", 1) ? stackOf(error) : String(error);
  const message = error instanceof WsyncError ? error.message : `internal error: ${told}`;
  if (message === "") return;
  const text = error instanceof LimitError ? `[${session.who}] ${message}` : message;
  const role = error instanceof ProtocolError && !BARE_LABELS.includes(error.label) ? ` [${session.who}]` : "";
  const whole = text.endsWith("\n") ? text : `${text}${role !== "" && !text.includes(role) ? role : ""}\n`;
  // A line is a message of its own, or its end would be shown as a character.
  for (const line of whole.slice(0, -1).split("\n")) session.log.write(LogCode.error, `${line}\n`);
  if (error instanceof WsyncError) session.log.advise(error.hint);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Where the error was noticed, as rsync's last line names a file and line. */
function placeOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const match = /([A-Za-z_]+\.(?:ts|[cm]?js)):(\d+)/.exec(stack);
  return match ? `${match[1]}(${match[2]})` : "main.ts(1)";
}

function tellExit(session: Session, code: number, place: string, role: RoleName = session.who): void {
  const text = exitLine(code, place, role);
  session.log.write(code === ExitCode.vanished ? LogCode.warning : LogCode.error, text, true);
}

/** The log's last line of a run; a client leaves it out when its log has the summary. Upstream log.c:log_exit. */
function logTotals(session: Session, code: number): void {
  const { log, stats, output, input } = session;
  if (log.logFile === null || (code === 0 && !session.amServer && log.info("STATS", 1))) return;
  // What the receiving side knows of an unfinished run is not worth a line.
  if (code !== 0 && !session.amSender) return;
  const sent = stats.totalWritten || output.written;
  const received = stats.totalRead || input.received;
  log.write(LogCode.log, totalsLine(sent, received, stats.totalSize));
}

async function sendExit(session: Session, stream: ByteStream, code: number): Promise<void> {
  // Both sides in this process have heard the signal, and neither listens any more.
  if (session.localLink && code === ExitCode.signal) return;
  const silent = isBroken(code) || session.shuttingDown;
  const tells = !silent && session.context?.version >= 31;
  if (tells && session.log.debug("EXIT", 3)) {
    session.log.infoLine(`[${session.who}] sending MSG_ERROR_EXIT with exit_code ${code}\n`);
  }
  if (tells) session.output.messageInt(MessageTag.errorExit, code);
  // A user who interrupts a download need not wait until the sender has noticed.
  const waits = !silent && (code !== ExitCode.signal || session.amSender || session.amServer);
  await lastWords(session, waits ? stream : null);
}

/**
 * Sends what is left. With `stream` the other side gets a moment to read it and close, which a client does when the
 * server has.
 */
async function lastWords(session: Session, stream: ByteStream | null = null): Promise<void> {
  const { host } = session;
  const patience = host.sleep(LAST_WORDS_MS);
  const said = session.output.lastWords();
  await Promise.race([said, patience]);
  if (stream === null || session.localLink) return;
  if (session.amServer) await Promise.race([stream.end().catch(() => {}), patience]);
  session.input.onMessage = () => {};
  await Promise.race([session.input.drainToEnd(LAST_WORDS_MS).catch(() => {}), patience]);
}

/** The lines at the end of a client's run. */
function summarize(session: Session): void {
  const { stats, options, log, context } = session;
  const numbers = new Numbers(options.humanReadable);
  const lines = summaryLines(stats, {
    level: log.levels.info.STATS,
    protocolVersion: context.version,
    ...traffic(session),
    elapsedSeconds: elapsedSeconds(session),
    dryRun: options.dryRun,
    onlyWriteBatch: options.onlyWriteBatch,
  }, numbers);
  for (const { text, clientOnly } of lines) log.write(clientOnly ? LogCode.client : LogCode.info, text, true);
}

/** Bytes over the connection, as this side counts them. */
function traffic({ stats, input, output }: Session): { written: number; read: number } {
  return { written: stats.totalWritten || output.written, read: stats.totalRead || input.received };
}

function elapsedSeconds(session: Session): number {
  return Math.floor(session.host.now() / 1000) - session.startedSecond;
}

/** --debug=exit: the last lines of a client. Upstream cleanup.c:_exit_cleanup. */
function traceExit({ log, who, dryRun }: Session, code: number): void {
  const role = who === "receiver" ? "generator" : who;
  const call = `[${role}] _exit_cleanup(code=${code}, file=main.ts, line=1):`;
  if (log.debug("EXIT", 2)) log.infoLine(`${call} entered\n`);
  if (log.debug("EXIT", 1)) log.infoLine(`${call} about to call exit(${code})${dryRun > 0 ? " (DRY RUN)" : ""}\n`);
}

function summaryEvent(session: Session, exitCode: number): SummaryEvent {
  const met = session.context !== undefined;
  const { written, read } = traffic(session);
  return {
    type: "summary", exitCode, exitText: exitCode === 0 ? "" : exitCodeName(exitCode), dryRun: session.options.dryRun,
    elapsedSeconds: elapsedSeconds(session), protocol: met ? session.context.version : null,
    sentBytes: met ? written : null, receivedBytes: met ? read : null, stats: met ? { ...session.stats } : null,
  };
}
