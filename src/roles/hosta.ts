/**
 * Host-A, the sending side, put together: from the handshake's end to the goodbye, as client or as server.
 * Upstream main.c: do_server_sender, the sending half of client_run, read_final_goodbye.
 */
import { ExitCode, ProtocolError, UsageError } from "../errors.ts";
import { Compressors } from "../compress/registry.ts";
import { NAMELESS, SenderIds } from "../flist/idmap.ts";
import { Lookahead } from "../flist/lookahead.ts";
import { Segments } from "../flist/segments.ts";
import { type SentExtras } from "../flist/sendextras.ts";
import { FlistSender } from "../flist/walk.ts";
import { type WalkReport, type WalkTrace } from "../flist/makefile.ts";
import { type Filters } from "../filter/mergefiles.ts";
import { joinPath } from "../filter/paths.ts";
import { modeChanger } from "../options/chmod.ts";
import { formatHas } from "../options/formathas.ts";
import { type StatRecord } from "../posix/filesystem.ts";
import { MessageTag, Ndx } from "../protocol/constants.ts";
import { NdxWriter } from "../protocol/ndx.ts";
import { writeEndStats } from "../protocol/stats.ts";
import { attachMessages, tellTimeout } from "../session/messages.ts";
import { type ModuleScope, quotedInModule } from "../session/module.ts";
import { fileReporter } from "../session/reporter.ts";
import { type Explainer } from "../session/explainer.ts";
import { type Session } from "../session/session.ts";
import { nameConversion } from "./charsets.ts";
import { becomeCopyAsUser } from "./copyas.ts";
import { deleteModeOf } from "./deletion.ts";
import { deviceAsFile } from "./devices.ts";
import { sendingExtras } from "./extras.ts";
import { flistFields, hearsGenerator } from "./fields.ts";
import { FileSummer } from "./filesummer.ts";
import { awaitsRawNames, namesDirectory, sourceNames } from "./filesfrom.ts";
import { type FilterArguments, makeFilters, receiveFilters, sendFilters } from "./filters.ts";
import { tellHeap } from "./heap.ts";
import { openHandover } from "./listhandover.ts";
import { ItemLog } from "./itemlog.ts";
import { linkText } from "./listtrace.ts";
import { sourceRoots } from "./operatorpaths.ts";
import { recordStats, startRecording, writeReplayScript } from "./recording.ts";
import { boundedFiles } from "./operatorpaths.ts";
import { Sender } from "./sender.ts";
import { SourceRemoval } from "./sourceremoval.ts";
import { type SourceRoots } from "./sourceroots.ts";
import { readFlags, SourceTree } from "./sourcetree.ts";
import { TokenOutput } from "./tokenoutput.ts";
import { XattrAnswers } from "./xattritems.ts";

/** Compressing threads that a daemon's client may ask for. */
const MAX_DAEMON_THREADS = 8;

/** Runs the sending side over an agreed session. `args` are the paths to send. */
export async function runHostA(
  session: Session, args: readonly string[], filterArgs: FilterArguments | null,
): Promise<void> {
  const { context, input, output, amServer } = session;
  // First, because taking buffered bytes apart may meet a message.
  attachMessages(session, {});
  if (amServer || context.version >= 30) output.startMultiplex();
  tellTimeout(session);
  if (session.module) checkSending(session, session.module);
  const rawNames = awaitsRawNames(session);
  input.frameByFrame = rawNames;
  if (amServer ? hearsGenerator(session) : !rawNames) input.startMultiplex(amServer);
  if (amServer) becomeCopyAsUser(session);
  const cwd = startingPoint(session, args);
  if (amServer && session.log.debug("SEND", 1)) {
    session.log.infoLine(`server_sender starting pid=${session.host.pid}\n`);
  }
  const filters = makeFilters(session, filterArgs);
  filters.setRoot(cwd);
  writeReplayScript(session, filters);
  if (amServer) await receiveFilters(session, filters);
  else sendFilters(session, filters);
  startRecording(session);
  const paths = amServer ? args.slice(1) : args;
  if (session.options.filesFrom !== null) {
    const dir = namesDirectory(session, cwd, paths[0]);
    output.flush();
    const names = await sourceNames(session);
    input.frameByFrame = false;
    if (!amServer) becomeCopyAsUser(session);
    return sendAll(session, dir, names, filters);
  }
  if (!amServer) becomeCopyAsUser(session);
  const everything = session.options.recurse > 0 || session.options.dirs > 0 || session.options.listOnly > 0;
  await sendAll(session, cwd, paths.length === 0 && everything ? ["."] : paths, filters);
}

/** What a module does not allow its clients to get. Throws UsageError (1). Upstream main.c:do_server_sender. */
function checkSending({ options }: Session, module: ModuleScope): void {
  if (module.writeOnly) throw new UsageError("ERROR: module is write only");
  if (!module.readOnly || options.removeSourceFiles === 0) return;
  const which = options.removeSourceFiles === 1 ? "source" : "sent";
  throw new UsageError(`ERROR: --remove-${which}-files cannot be used with a read-only module`);
}

/** A server changes to its first argument, unless --relative makes it part of the names. */
function startingPoint(session: Session, args: readonly string[]): string {
  const { options, cwd } = session;
  if (!session.amServer || options.relative > 0) return cwd;
  if (args.length === 0) throw new UsageError("ERROR: do_server_sender called without args");
  const dir = args[0];
  return dir === "." ? cwd : joinPath(cwd, dir);
}

async function sendAll(session: Session, cwd: string, paths: readonly string[], filters: Filters): Promise<void> {
  const { context, output } = session;
  const codec = new Compressors(session.host, session.memory).tokenWriter(context, compressThreads(session));
  const segments = new Segments(session.memory, context.incRecurse);
  const view = segments.view();
  const ndxWriter = new NdxWriter(context.version);
  const ids = new SenderIds(session.module?.names ?? (session.module?.numericIds ? NAMELESS : session.fs));
  const extras = sendingExtras(session, filters, ids);
  const dirs = session.own(sourceRoots(session));
  const list = listSender(session, cwd, filters, segments, view, ndxWriter, ids, dirs, extras.sent);
  const tree = new SourceTree(session, list, dirs, segments, view);
  const itemLog = new ItemLog(session, {
    view,
    listComplete: () => segments.eof,
    rootOf: (rows, row) => tree.rootPath(rows, row),
    directory: cwd,
  });
  const removal = new SourceRemoval(session, tree);
  attachMessages(session, {
    deleted: (path, mode) => itemLog.deleted(path, mode),
    success: (ndx) => removal.remove(ndx),
    noSend: () => {},
  });
  if (session.explainer) lookUpSources(session, session.explainer);
  await tree.sendFirst(paths);
  output.flush();
  if (!(session.amServer && (view.first?.used ?? 0) === 0)) {
    const answers = extras.xattrs ? new XattrAnswers(session, tree, extras.xattrs) : null;
    const sender = new Sender(session, tree, itemLog, ndxWriter, new TokenOutput(session, codec.tokens), answers);
    session.input.beforeWait = () => output.flush();
    await sender.run();
    await endOfRun(session, sender);
  }
  await output.finish();
  tree.close();
  segments.release();
  codec.release();
}

/** --explain wants to know what is there. */
function lookUpSources(session: Session, explainer: Explainer): void {
  const files = boundedFiles(session, session.cwd);
  for (const { base, name: top } of explainer.starts) {
    explainer.lookUp("sender", (name, stat) => files.lstat(base === "." ? name : joinPath(base, name), stat), top);
  }
}

/** A daemon's client cannot ask for any number of threads. Upstream options.c:parse_arguments. */
function compressThreads({ options, module }: Session): number {
  return module === null ? options.compressThreads : Math.min(options.compressThreads, MAX_DAEMON_THREADS);
}

function listSender(
  session: Session, cwd: string, filters: Filters, segments: Segments, view: ReturnType<Segments["view"]>,
  ndxWriter: NdxWriter, ids: SenderIds, dirs: SourceRoots, extras: SentExtras | null,
): FlistSender {
  const { options, context, fs } = session;
  const summer = options.checksum ? new FileSummer(session.kernels, fs, context.fileChecksum) : null;
  return new FlistSender({
    fs, context, filters, segments, view, cwd, ids, dirs, extras,
    fullName: session.module ? nameInModule(session.module) : undefined,
    fields: flistFields(options, context),
    options: {
      recurse: options.recurse > 0, relative: options.relative > 0, impliedDirs: options.impliedDirs,
      missingArgs: options.missingArgs, ignoreErrors: options.ignoreErrors,
      deleteDuring: ["during", "delay"].includes(deleteModeOf(session)),
      ignoreNonreadable: session.module?.ignoreNonreadable,
      dirs: options.dirs !== 0, oneFileSystem: options.oneFileSystem,
      copyLinks: options.copyLinks, copyUnsafeLinks: options.copyUnsafeLinks, copyDirlinks: options.copyDirlinks,
      mungeLinks: options.mungeLinks, preserveAtimes: options.preserveAtimes > 0,
      tweakMode: chmodOf(session), deviceAsFile: options.copyDevices ? deviceAsFile(session) : undefined,
    },
    lookahead: lookahead(session),
    handover: openHandover(session),
    names: nameConversion(session),
    keepsNumbers: options.iconv !== null,
    out: session.output.writer,
    report: walkReport(session),
    writeNdx: (out, ndx) => ndxWriter.write(out, ndx),
    keepsChecksums: formatHas(options.outFormat, "C") || formatHas(options.logFormat, "C"),
    checksum: summer === null ? null : (dirFd, name, stat, into) => sumFile(session, summer, dirFd, name, stat, into),
  });
}

/**
 * Directories are listed ahead by a thread of its own, but not for a daemon's clients, who could ask for any number of
 * them, nor in a local copy that makes files, which has enough to do for all threads.
 */
function lookahead(session: Session): Lookahead | undefined {
  const { fs, host, localLink, stats, module } = session;
  if (module !== null) return undefined;
  const worthwhile = (): boolean => localLink === null || stats.transferredFiles === 0;
  return session.own(new Lookahead({ fs, now: () => host.monotonic(), worthwhile }));
}

/** How a client is shown paths. */
function nameInModule(module: ModuleScope): (rootPath: string, path: string) => string {
  return (rootPath, path) => quotedInModule(module, joinPath(rootPath, path), rootPath);
}

/** What --chmod does to the modes of this side's list; undefined without the option. */
export function chmodOf({ fs, options }: Session): ((mode: number) => number) | undefined {
  const umask = fs.umask(0);
  fs.umask(umask);
  return modeChanger(options.chmod, umask) ?? undefined;
}

function sumFile(
  session: Session, summer: FileSummer, dirFd: number, name: number, stat: StatRecord, into: Uint8Array,
): void {
  const { fs } = session;
  const fd = fs.openat(dirFd, name, readFlags(session), 0);
  if (fd < 0) {
    into.fill(0);
    return;
  }
  summer.read(fd, stat.size, into);
  fs.close(fd);
}

/** Lines of --debug=flist, chdir and hlink; undefined when none is wanted. */
function walkTrace({ log }: Session, who: string): WalkTrace | undefined {
  const { FLIST, CHDIR, HLINK, HASH } = log.levels.debug;
  if (FLIST < 2 && CHDIR + HLINK + HASH === 0) return undefined;
  const tell = (word: "FLIST" | "CHDIR" | "HLINK" | "HASH", level: number, text: string): void => {
    if (log.debug(word, level)) log.infoLine(`[${who}] ${text}\n`);
  };
  return {
    made: (path, level) => tell("FLIST", 2, `make_file(${path},*,${FILTER_LEVELS[level]})`),
    entered: (path) => tell("CHDIR", 1, `change_dir(${path})`),
    linked: (ndx, first, here) => tell("HLINK", 1, linkText(ndx, first, here)),
    device: (devLo, devHi) => {
      tell("HASH", 1, `created hashtable of the inodes of dev ${wide(devLo, devHi)}`);
      tell("HLINK", 3, `created hashtable for dev ${wide(devLo, devHi)}`);
    },
    inode: (ndx, { devLo, devHi, inoLo, inoHi }) =>
      tell("HLINK", 3, `dev:inode for #${ndx} is ${wide(devLo, devHi)}:${wide(inoLo, inoHi)}`),
  };
}

function wide(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

const FILTER_LEVELS = { none: 0, server: 1, all: 2 } as const;

/** The walk's messages, for either side's lists. `who` makes them. */
export function walkReport(session: Session, who: string = session.who): WalkReport {
  const reporter = fileReporter(session, who);
  const words = { mount: "MOUNT", symsafe: "SYMSAFE" } as const;
  return {
    sysError: (text, errno) => reporter.failed("errorXfer", errno, text),
    error: (text) => reporter.print("errorXfer", text),
    warning: (text) => reporter.print("warning", text),
    info: (text) => reporter.print("info", text),
    detail: (word, text) => {
      if (session.log.info(words[word], 1)) reporter.print("info", text);
    },
    trace: walkTrace(session, who),
    ioError: (bits) => {
      session.output.messageInt(MessageTag.ioError, bits);
    },
  };
}

/** Statistics and the goodbye. */
async function endOfRun(session: Session, sender: Sender): Promise<void> {
  const { context, output, stats, input } = session;
  await output.finish();
  stats.totalRead = input.received;
  stats.totalWritten = output.written;
  tellHeap(session, "sender");
  const { totalRead, totalWritten, totalSize } = stats;
  const figures = {
    totalRead, totalWritten, totalSize,
    flistBuildTimeMs: stats.flistBuildTime, flistXferTimeMs: stats.flistTransferTime,
  };
  if (session.amServer) writeEndStats(output.writer, figures, context.version);
  else recordStats(session, figures);
  output.flush();
  session.shuttingDown = true;
  let ndx = await sender.nextNdx();
  if (context.version >= 31 && ndx === Ndx.done) {
    sender.ndxWriter.write(output.writer, Ndx.done);
    output.flush();
    ndx = await sender.nextNdx();
  }
  if (ndx !== Ndx.done) {
    throw new ProtocolError("goodbye", `Invalid packet at end of run (${ndx}) [${session.who}]`, ExitCode.protocol);
  }
}
