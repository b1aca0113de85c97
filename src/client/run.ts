/**
 * A client's run: works out where the other end is, connects, and holds the conversation. Upstream main.c:start_client,
 * clientserver.c:start_socket_client.
 */
import { ExitCode, UsageError, WsyncError } from "../errors.ts";
import { type ByteStream, type ChildProcess } from "../host.ts";
import { type Charset } from "../charset/charset.ts";
import { type BatchRecorder } from "../batch/recorder.ts";
import { authResponse } from "../checksum/auth.ts";
import { refusalHint } from "../files/operator.ts";
import { type Options } from "../options/options.ts";
import { parseArguments, type ParseContext } from "../options/parse.ts";
import { openServerArguments, secludedServerArguments, serverArguments } from "../options/serverargs.ts";
import { charsetName } from "../output/escape.ts";
import { type Observer } from "../output/events.ts";
import { Writer } from "../protocol/cursor.ts";
import { writeProtectedArgs } from "../protocol/greeting.ts";
import { checkNamesFile } from "../roles/filesfrom.ts";
import { type FilterArguments, readAll, readFilterArguments } from "../roles/filters.ts";
import { operatorFiles } from "../roles/operatorpaths.ts";
import { type SourceWords, trustsNames } from "../roles/sendercheck.ts";
import { type BatchSink } from "../session/batchsink.ts";
import { Explainer } from "../session/explainer.ts";
import { LocalLink } from "../session/locallink.ts";
import { Log, LogCode } from "../session/log.ts";
import { SilenceLimit } from "../session/timeout.ts";
import { streamPair } from "../session/pipe.ts";
import { openBatch, openRecorder } from "./batches.ts";
import { daemonPassword, daemonUser } from "./auth.ts";
import { connectDaemon } from "./connect.ts";
import { charsetFor } from "../conversation/charset.ts";
import { converse, type Conversation, type Platform, refuseMissing } from "../conversation/conversation.ts";
import { openLogFile } from "../conversation/logfile.ts";
import { greetDaemon, type ServerWords } from "./greeting.ts";
import { daemonLineEvent, failureEvent, listedEvent, startEvent, tellFailure } from "./outerevents.ts";
import { endpointsOf, type Endpoints, type Remote } from "./hostspec.ts";
import { quoteOptionArgs, remoteCommand, type QuoteSettings } from "./remoteshell.ts";

/** Most bytes of --early-input that a daemon takes (upstream's line buffer). */
const EARLY_INPUT_BYTES = 5120;

/** What a client run needs. */
export interface ClientRun {
  readonly platform: Platform;
  readonly options: Options;
  readonly parseContext: ParseContext;
  /** The other end of a local run, where its files are in another file system. */
  readonly farPlatform?: Platform;
  /** Who is told what happens; absent or null: nobody. */
  readonly observer?: Observer | null;
  /** The batch that this run writes. */
  readonly batch?: BatchSink;
}

/** A run under way. */
interface StartedRun extends ClientRun {
  /** Where its lines go, before and during the conversation. */
  readonly log: Log;
  readonly filterArgs: FilterArguments;
  /** The host's wall clock, milliseconds. */
  readonly startedAt: number;
  readonly explainer?: Explainer;
}

/** A run that knows how names are converted (--iconv). */
interface ReachingRun extends StartedRun {
  readonly charset: Charset | null;
}

/**
 * Runs a client to its exit code. Throws WsyncError for what goes wrong before the conversation starts; by then it has
 * been told.
 */
export async function runClient(run: ClientRun): Promise<number> {
  const { options } = run;
  const { host } = run.platform;
  const startedAt = host.now();
  const log = new Log(host, options, options.levels);
  log.observer = run.observer ?? null;
  log.logFile = openLogFile(run.platform, options, log);
  try {
    const filterArgs = readFilterArguments(run.platform, options, log);
    checkNamesFile(run.platform, options, log);
    return await recorded({ ...run, log, startedAt, filterArgs });
  } catch (error) {
    tellFailure(log, error);
    run.observer?.event(failureEvent(host, options, error, startedAt));
    throw error;
  }
}

/** The run, with its batch file or from one. */
async function recorded(run: StartedRun): Promise<number> {
  const { options, platform } = run;
  if ((options.writeBatch ?? options.readBatch) === null) return reach(run);
  let recorder: BatchRecorder | null = null;
  try {
    if (options.readBatch === null) {
      recorder = openRecorder(platform, options);
      return await reach({ ...run, batch: recorder! });
    }
    const { stream, destination } = openBatch(platform, options);
    return await converse(platform, {
      options, role: "receiver", stream, args: [destination], version: null, localLink: null,
      ...ownParts({ ...run, charset: charsetFor(platform, options) }),
    });
  } catch (error) {
    if (error instanceof WsyncError) error.who ??= "Receiver";
    throw error;
  } finally {
    recorder?.close();
  }
}

async function reach(run: StartedRun): Promise<number> {
  const { options } = run;
  refuseMissing(options, run.platform.fs);
  const ends = endpointsOf(wordsOf(options), options.port);
  const explainer = options.explain.length > 0 ? explainerOf(run, ends) : undefined;
  const own = explainer ? { ...run, observer: explainer, explainer } : run;
  own.observer?.event(startEvent(options, ends, run.startedAt));
  try {
    const watched = { ...own, charset: charsetFor(run.platform, options) };
    checkNamesHost(options, ends.remote);
    if (ends.remote === null) return await runLocal(watched, ends);
    if (ends.remote.door !== undefined && options.rsh !== null) {
      throw new UsageError(`--rsh does not go with ${ends.remote.door}://`);
    }
    if (ends.remote.daemon && options.rsh === null) return await runDaemonClient(watched, ends, ends.remote);
    return await runShellClient(watched, ends, ends.remote);
  } catch (error) {
    if (error instanceof WsyncError) error.who ??= roleOf(ends);
    throw error;
  }
}

/** The paths. An empty destination is the working directory with --old-args, else a mistake. */
function wordsOf({ args, oldArgs }: Options): readonly string[] {
  return oldArgs > 0 && args.length > 1 && args[args.length - 1] === "" ? [...args.slice(0, -1), "."] : args;
}

/** --debug=iconv2, when the connection is there. Upstream rsync.c:setup_iconv. */
function tellCharset({ log, platform: { host } }: StartedRun): void {
  if (log.debug("ICONV", 2)) log.infoLine(`msg checking charset: ${charsetName((name) => host.env(name))}\n`);
}

/** Who answers --explain: it watches the run, and the run's observer hears from it. */
function explainerOf({ options, observer = null, log, platform }: StartedRun, ends: Endpoints): Explainer {
  const { amSender, localArgs, remoteArgs, remote } = ends;
  const [sources, destination] = amSender ? [localArgs, remoteArgs] : [remoteArgs, localArgs];
  if (options.listOnly > 0 || destination.length === 0) throw new UsageError("--explain needs a destination");
  const explainer = new Explainer({
    options, sources, destination: destination[0], cwd: platform.host.cwd(), outer: observer,
    near: remote === null ? "both" : amSender ? "sender" : "receiver",
    print: (text) => {
      log.observer = null;
      log.write(LogCode.client, text);
      log.observer = explainer;
    },
  });
  log.observer = explainer;
  return explainer;
}

/** What rsync calls a client that has yet to connect. */
function roleOf(ends: Endpoints): "sender" | "Receiver" {
  return ends.amSender ? "sender" : "Receiver";
}

/** A remote --files-from file can only be on the machine of the transfer. */
function checkNamesHost({ filesFromHost }: Options, remote: Remote | null): void {
  if (filesFromHost === null) return;
  if (remote === null) throw new UsageError("--files-from cannot be remote when the transfer is local");
  if (filesFromHost === "" || filesFromHost === remote.host) return;
  throw new UsageError("--files-from hostname is not the same as the transfer hostname");
}

/** Both ends here: a client and a server session in this process, joined by a pipe. */
async function runLocal(outer: ReachingRun, ends: Endpoints): Promise<number> {
  const run = { ...outer, options: localOptions(outer.options) };
  const { platform, options, log } = run;
  refuseDaemonOptions(options);
  const link = new LocalLink();
  link.observer = run.observer ?? null;
  link.explainer = run.explainer ?? null;
  if (run.farPlatform) link.clientFiles = platform.fs;
  if (options.copyAs !== null) link.changesIdentity();
  if (log.debug("CMD", 2)) {
    showCommand(log, null, null, null, ends.remoteArgs[0], [".", ends.remoteArgs[0]]);
  }
  tellCharset(run);
  const [near, far] = streamPair();
  const serverOptions = localServerOptions(run);
  serverOptions.listOnly = options.listOnly;
  // What no server is sent shows all the same, since a local server prints here.
  serverOptions.levels = options.levels;
  serverOptions.humanReadable = options.humanReadable;
  serverOptions.eightBitOutput = options.eightBitOutput;
  // Both ends of a local copy pretend alike, unless --remote-option says otherwise.
  serverOptions.superMode ??= options.superMode;
  // A map sent to a server turns these on; here --no-owner and --no-group stand.
  serverOptions.preserveUid = options.preserveUid;
  serverOptions.preserveGid = options.preserveGid;
  // One operator named the paths of both sides.
  serverOptions.insecureLinks = options.insecureLinks;
  serverOptions.confineRoot = options.confineRoot;
  serverOptions.wholeFile = options.wholeFile < 0 && options.writeBatch === null ? 1 : options.wholeFile;
  const farPlatform = run.farPlatform ?? platform;
  const server = converse(farPlatform, {
    options: serverOptions, role: "receiver", stream: far, args: [".", ends.remoteArgs[0]], version: null,
    localLink: link, filterArgs: run.filterArgs, charset: charsetFor(farPlatform, serverOptions),
  });
  const client = converse(platform, {
    options, role: "sender", stream: near, args: ends.localArgs, version: null, localLink: link,
    childExit: server, ...ownParts(run),
  }).finally(() => link.settleIdentity());
  const codes = await Promise.all([client, server]);
  // An end that meets a broken stream has been left by the other one, which knows why.
  const [own] = codes;
  return own === ExitCode.streamIo && codes[1] !== 0 ? codes[1] : Math.max(...codes);
}

type OwnPart = "log" | "batch" | "charset" | "filterArgs" | "explainer";

/** What a client brings to its conversation. */
function ownParts(run: ReachingRun): Pick<Conversation, OwnPart> {
  const { log, batch, charset, filterArgs, explainer } = run;
  return { log, batch, charset, filterArgs, explainer };
}

/** Between two local ends whole files are cheaper than a delta, unless the user says otherwise. */
function localOptions(options: Options): Options {
  const open = options.wholeFile < 0 && options.append === 0 && options.writeBatch === null;
  return open ? { ...options, wholeFile: 1 } : options;
}

/** The options a server would be given on its command line, by the same way. */
function localServerOptions(run: ClientRun): Options {
  // What a forked receiver would inherit though no server is told of it.
  const { dropDevices, superMode, levels } = run.options;
  const debug = levels.serverOption("debug", ~0);
  const inherited = [
    ...(dropDevices ? ["--drop-D"] : []), ...(superMode === null ? [] : [`--${superMode}`]),
    ...(debug === null ? [] : [debug]),
  ];
  const words = [...inherited, ...serverArguments(run.options, { sender: true })];
  const parsed = parseArguments([...words, ".", "."], run.parseContext);
  if (parsed.action === "secluded") {
    const rest = parsed.resume([...secludedServerArguments(run.options, { sender: true }), ".", "."]);
    if (rest.action === "run") return asInherited(rest.options, run.options);
  }
  if (parsed.action !== "run") throw new UsageError("the local server refused its own options");
  return asInherited(parsed.options, run.options);
}

/** A server that is told of --acls keeps permissions; a forked receiver knows of a --no-perms behind it. */
function asInherited(server: Options, { preservePerms }: Options): Options {
  return { ...server, preservePerms };
}

async function runShellClient(run: ReachingRun, ends: Endpoints, remote: Remote): Promise<number> {
  const { platform, options, log } = run;
  const { host } = platform;
  if (!remote.daemon) refuseDaemonOptions(options);
  if (remote.host.startsWith("-")) throw new UsageError("Invalid remote host: hostnames may not start with '-'.");
  const side = { sender: ends.amSender };
  const secludedArgs = options.secludedArgs > 0;
  const command = remoteCommand({
    ...quoting(options, ends.amSender), secludedArgs,
    rsh: options.rsh, rshEnvironment: host.env("RSYNC_RSH"), host: remote.host, user: remote.user,
    family: options.family, rsyncPath: options.rsyncPath ?? "rsync", blockingIo: options.blockingIo,
    daemon: remote.daemon,
    serverWords: secludedArgs ? openServerArguments(options, side) : serverArguments(options, side),
    secludedWords: secludedServerArguments(options, side),
    remoteOptionCount: options.remoteOptions.length,
    paths: ends.remoteArgs,
  });
  if (log.debug("CMD", 2)) {
    const words = command.protectedArgs === null ? command.argv : [...command.argv, "(null)", ...command.protectedArgs];
    const shell = options.rsh ?? host.env("RSYNC_RSH") ?? null;
    showCommand(log, shell, remote.host, remote.user, ends.remoteArgs[0] ?? null, words);
  }
  if (log.debug("CMD", 1)) showWords(log, "opening connection using:", command.argv);
  const env = remote.daemon ? { RSYNC_PORT: String(remote.port) } : undefined;
  const child = host.spawn({ argv: command.argv, env, stderr: "inherit" });
  tellCharset(run);
  let stream: ByteStream = child.stream;
  let version: number | null = null;
  if (remote.daemon) {
    const greeted = await greet(run, ends, remote, stream);
    if (greeted === null) {
      await settle(child);
      return 0;
    }
    ({ stream, version } = greeted);
  } else if (command.protectedArgs) {
    if (log.debug("CMD", 1)) showWords(log, "protected args:", command.protectedArgs);
    await writeWords(stream, command.protectedArgs.map((word) => wireForm(run.charset, word)));
  }
  return converse(platform, {
    options, role: ends.amSender ? "sender" : "receiver", stream, args: ends.localArgs, version,
    localLink: null, childExit: child.exited, childPid: child.pid, ...ownParts(run),
    sources: sourcesOf(ends),
  });
}

/** What the other side is asked to send, when it does. */
function sourcesOf({ amSender, remote, remoteArgs }: Endpoints): SourceWords | undefined {
  return amSender ? undefined : { words: remoteArgs, daemon: remote?.daemon === true };
}

/** --debug=cmd2: what a remote shell is started for, and each of its words. Upstream main.c: start_client, do_cmd. */
function showCommand(
  log: Log, shell: string | null, machine: string | null, user: string | null, path: string | null,
  words: readonly string[],
): void {
  const [cmd, host, who, where] = [shell, machine, user, path].map((word) => word ?? "<NULL>");
  log.infoLine(`cmd=${cmd} machine=${host} user=${who} path=${where}\n`);
  log.write(LogCode.client, `${words.map((word, at) => `cmd[${at}]=${word} `).join("")}\n`);
}

/** The words of a command for the user to read. Upstream util1.c:print_child_argv. */
function showWords(log: Log, prefix: string, words: readonly string[]): void {
  const shown = words.map((word) => (/^[\w,.=+@/-]*$/.test(word) ? word : `"${word}"`));
  log.write(LogCode.client, `${[prefix, ...shown].join(" ")}  (${words.length} args)\n`);
}

async function runDaemonClient(run: ReachingRun, ends: Endpoints, remote: Remote): Promise<number> {
  const { platform, options, log } = run;
  const stream = await connectDaemon(platform.host, {
    host: remote.host, port: remote.port, door: remote.door, family: options.family,
    bindAddress: options.address, connectTimeout: options.contimeout, socketOptions: options.sockopts,
    who: roleOf(ends), tell: (level, text) => {
      if (log.debug("CONNECT", level)) log.infoLine(`${text}\n`);
    },
  }, platform.kernels);
  tellCharset(run);
  const greeted = await greet(run, ends, remote, stream);
  if (greeted === null) {
    stream.destroy();
    return 0;
  }
  return converse(platform, {
    options, role: ends.amSender ? "sender" : "receiver", stream: greeted.stream, args: ends.localArgs,
    version: greeted.version, localLink: null, ...ownParts(run), sources: sourcesOf(ends),
  });
}

/** The daemon's greeting; null when it only listed its modules. A conversation that fails here leaves no connection. */
async function greet(
  run: ReachingRun, ends: Endpoints, remote: Remote, stream: ByteStream,
): Promise<{ stream: ByteStream; version: number } | null> {
  try {
    return await greetOver(run, ends, remote, stream);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

async function greetOver(
  run: ReachingRun, ends: Endpoints, remote: Remote, stream: ByteStream,
): Promise<{ stream: ByteStream; version: number } | null> {
  const { platform, options, log } = run;
  const { host } = platform;
  const clock = new SilenceLimit(host, options.timeout, ends.amSender ? "sender" : "Receiver");
  const answer = await clock.limit(greetDaemon(stream, {
    heard: () => clock.heard(),
    version: options.protocol,
    user: daemonUser(host, remote.user),
    paths: ends.remoteArgs,
    oldArgs: options.oldArgs > 0,
    earlyInput: earlyInput(run, roleOf(ends)),
    serverWords: (version) => daemonWords(options, ends.amSender, version),
    secludedWord: (word) => wireForm(run.charset, word),
    password: () => passwordOf(run),
    authResponse: (digest, password, challenge) => authResponse(platform.kernels, digest, password, challenge),
    onLine: (line) => {
      if (options.motd || line.includes("\t")) showLine(run, line);
    },
    onArguments: (title, words) => {
      if (log.debug("CMD", 1)) showWords(log, title, words);
    },
  }));
  if (answer.kind !== "listed") return answer;
  run.observer?.event(listedEvent(run.platform.host, run.startedAt));
  return null;
}

/** A line of a daemon: one of its message of the day, or a module of its list. */
function showLine({ log, observer }: StartedRun, line: string): void {
  observer?.event(daemonLineEvent(line));
  log.write(LogCode.info, `${line}\n`, true);
}

async function passwordOf({ platform, options }: ClientRun): Promise<string> {
  const files = operatorFiles(platform.fs, platform.host.cwd(), options);
  try {
    return await daemonPassword(platform.host, options.passwordFile, files);
  } finally {
    files.close();
  }
}

/** What the --early-input file holds, for the daemon. Throws UsageError (5) when it cannot be had or is too long. */
function earlyInput(run: ClientRun, who: string): Uint8Array | null {
  const path = run.options.earlyInput;
  if (path === null) return null;
  const { fs, host } = run.platform;
  const operator = operatorFiles(fs, host.cwd(), run.options);
  const fd = operator.openFollowing(path, fs.constants.O.RDONLY, 0);
  const bytes = fd < 0 ? fd : readAll(fs, fd, EARLY_INPUT_BYTES + 1);
  if (fd >= 0) fs.close(fd);
  operator.close();
  if (typeof bytes === "number") {
    const text = `rsync: [${who}] failed to open ${path}: ${fs.strerror(-bytes)} (${-bytes})`;
    throw new UsageError(text, ExitCode.startClient).advise(refusalHint(operator));
  }
  if (bytes.length <= EARLY_INPUT_BYTES) return bytes;
  throw new UsageError(`${path} is > ${EARLY_INPUT_BYTES} bytes.`, ExitCode.startClient);
}

function daemonWords(options: Options, amSender: boolean, version: number): ServerWords {
  const side = { sender: amSender };
  const lowered = { ...options, protocol: Math.min(options.protocol, version) };
  if (options.secludedArgs > 0 && version >= 30) {
    return { open: openServerArguments(lowered, side), secluded: secludedServerArguments(lowered, side) };
  }
  const words = serverArguments(lowered, side);
  return { open: quoteOptionArgs(words, quoting(options, amSender), options.remoteOptions.length), secluded: null };
}

function quoting(options: Options, amSender: boolean): QuoteSettings {
  return {
    secludedArgs: options.secludedArgs > 0, oldArgs: Math.max(options.oldArgs, 0), amSender,
    trustSender: trustsNames(options), relativePaths: options.relative > 0,
  };
}

/** Refuses what only a daemon's client may be given. Upstream options.c and main.c:start_client. */
export function refuseDaemonOptions(options: Options): void {
  if (options.passwordFile !== null) {
    throw new UsageError("The --password-file option may only be used when accessing an rsync daemon.");
  }
  if (options.contimeout > 0) {
    throw new UsageError("The --contimeout option may only be used when connecting to an rsync daemon.");
  }
}

/** A word in the form in which it travels. */
function wireForm(charset: Charset | null, word: string): string {
  return charset?.send.lenient(word) ?? word;
}

async function writeWords(stream: ByteStream, words: readonly string[]): Promise<void> {
  const out = new Writer(4096);
  writeProtectedArgs(out, words);
  await stream.write(out.view());
}

async function settle(child: ChildProcess): Promise<number> {
  child.stream.destroy();
  return Math.max(await child.exited, 0);
}
