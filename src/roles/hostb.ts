/**
 * Host-B, the receiving side, put together: generator and receiver over one list and one connection.
 * Upstream main.c: do_recv, do_server_recv, the receiving half of client_run.
 */
import { ExitCode, ProtocolError, UsageError } from "../errors.ts";
import { transferDigest } from "../checksum/digest.ts";
import { Compressors } from "../compress/registry.ts";
import { Patcher } from "../delta/patch.ts";
import { AclFiles } from "../files/acls.ts";
import { Attributes, AttrFlag, type AttrSettings } from "../files/attrs.ts";
import { Backups, type BackupSettings } from "../files/backup.ts";
import { Committer } from "../files/commit.ts";
import { type Confined } from "../files/confine.ts";
import { type CopySettings } from "../files/copyfile.ts";
import { DefaultPerms } from "../files/defaultperms.ts";
import { PartialDir } from "../files/partial.ts";
import { Remover } from "../files/remove.ts";
import { type FileReporter } from "../files/report.ts";
import { isUnsafeSymlink } from "../files/symlinks.ts";
import { type Filters } from "../filter/mergefiles.ts";
import { type RequestedNames } from "../filter/requested.ts";
import { joinPath } from "../filter/paths.ts";
import { DirLister } from "../flist/dirlist.ts";
import { type FileList } from "../flist/filelist.ts";
import { HardLinks, IdevTable } from "../flist/hardlink.ts";
import { ReceiverIds } from "../flist/idmap.ts";
import { munged, sanitized } from "../flist/munge.ts";
import { FlistReceiver } from "../flist/receive.ts";
import { Segments } from "../flist/segments.ts";
import { modeChanger } from "../options/chmod.ts";
import { formatHas } from "../options/formathas.ts";
import { Ndx } from "../protocol/constants.ts";
import { NdxReader, NdxWriter } from "../protocol/ndx.ts";
import { type Cursor } from "../protocol/cursor.ts";
import { type EndStats, readEndStats } from "../protocol/stats.ts";
import { attachMessages, tellTimeout } from "../session/messages.ts";
import { clientPath } from "../session/module.ts";
import { fileReporter } from "../session/reporter.ts";
import { type Explainer } from "../session/explainer.ts";
import { type Session } from "../session/session.ts";
import { Deletion } from "./deletion.ts";
import { BasisDirs } from "./basisdirs.ts";
import { BatchRequests } from "./batchrequests.ts";
import { nameConversion } from "./charsets.ts";
import { becomeCopyAsUser, noteIdentity } from "./copyas.ts";
import { DestinationAhead, looksAhead } from "./destahead.ts";
import { type Destination } from "./destination.ts";
import { Entries } from "./entries.ts";
import { ReceivingExtras } from "./extras.ts";
import { flistFields, hearsGenerator } from "./fields.ts";
import { forwardNames, namesToForward } from "./filesfrom.ts";
import { type FilterArguments, makeFilters, receiveFilters, sendFilters } from "./filters.ts";
import { DestinationFinder } from "./finddestination.ts";
import { FuzzyBasis } from "./fuzzybasis.ts";
import { Generator } from "./generator.ts";
import { checkDestination, checkDirectories, hiddenTest } from "./hidden.ts";
import { chmodOf, walkReport } from "./hosta.ts";
import { Incoming } from "./incoming.ts";
import { Itemizer } from "./itemize.ts";
import { tellHeap } from "./heap.ts";
import { ItemLog } from "./itemlog.ts";
import { LocalCopy } from "./localcopy.ts";
import { backupDir, boundedPlaces, checkTempDir } from "./operatorpaths.ts";
import { startRecording, writeReplayScript } from "./recording.ts";
import { Receiver } from "./receiver.ts";
import { ListReader } from "./receivelist.ts";
import { Receiving } from "./receiving.ts";
import { Scene } from "./scene.ts";
import { requestedNames, senderChecks, type SourceWords } from "./sendercheck.ts";
import { allowsSmallFiles, type SmallFile, SmallFiles } from "./smallfiles.ts";
import { XattrReception } from "./xattritems.ts";

/**
 * Runs the receiving side over an agreed session. `args`: on a server its directory and the destination; on a client
 * the destination, if any. `sources`: what a client asked the sender for.
 */
export async function runHostB(
  session: Session, args: readonly string[], filterArgs: FilterArguments | null, sources: SourceWords | null = null,
): Promise<void> {
  const { context, input, output, amServer, memory, options } = session;
  const replaying = options.readBatch !== null;
  if (options.preallocate && !session.fs.capabilities.fallocate) {
    throw new UsageError(`preallocation is not supported on this ${amServer ? "Server" : "Client"}`);
  }
  // First, because taking buffered bytes apart may meet a message.
  attachMessages(session, {});
  if (!replaying) {
    if (!amServer || context.version >= 30) input.startMultiplex(amServer);
    if (amServer || hearsGenerator(session)) output.startMultiplex();
    tellTimeout(session);
  }
  input.beforeWait = () => output.flush();
  if (amServer && session.log.debug("RECV", 1)) {
    session.log.infoLine(`server_recv(${args.length}) starting pid=${session.host.pid}\n`);
  }
  if (session.module?.readOnly) throw new UsageError("ERROR: module is read only");
  if (amServer) becomeCopyAsUser(session);
  const cwd = workingDirectory(session, args);
  const filters = makeFilters(session, filterArgs);
  filters.setRoot(cwd);
  writeReplayScript(session, filters);
  const names = namesToForward(session);
  if (!amServer) becomeCopyAsUser(session);
  if (amServer) await receiveFilters(session, filters);
  else sendFilters(session, filters);
  output.flush();
  startRecording(session);
  if (session.localLink?.identity) {
    await session.localLink.identity;
    noteIdentity(session);
  }
  const segments = new Segments(memory, context.incRecurse);
  const receiving = new Receiving(session, segments);
  const ndxReader = new NdxReader(context.version);
  const asked = requestedNames(session, sources);
  const extras = new ReceivingExtras(session, filters);
  const lists = new ListReader(session, listReceiver(session, segments, filters, asked, extras), segments);
  const [, first] = await Promise.all([forwardNames(session, names, asked), lists.readFirst(ndxReader)]);
  if (first.used === 0 && !amServer) return tellHeap(session, session.who);
  const word = amServer ? (args[1] ?? null) : (args[0] ?? null);
  const total = receiving.generatorView.total;
  checkDestination(session, filters, word);
  const finder = new DestinationFinder(session, cwd);
  const destination = finder.find(word, { list: first, total, segments });
  receiving.destination = destination;
  if (session.explainer) lookUpDestination(session.explainer, destination, session.dryRun > 1);
  filters.setRoot(destination.root.rootPath);
  checkDirectories(session, filters);
  const side = new ReceivingSide(session, receiving, lists, ndxReader, filters, destination, extras);
  session.beginRoles();
  await side.run(first);
}

/** --explain wants to know what is there. `absent`: the destination itself is not. */
function lookUpDestination(explainer: Explainer, { root, soloName }: Destination, absent: boolean): void {
  if (soloName !== null) explainer.goesTo(soloName);
  explainer.lookUp("receiver", (name, stat) => (absent ? -1 : root.lstat(name, stat)));
}

/** A server's first argument is its directory. */
function workingDirectory(session: Session, args: readonly string[]): string {
  const { cwd } = session;
  const dir = session.amServer ? (args[0] ?? ".") : ".";
  return dir === "." || session.module ? cwd : joinPath(cwd, dir);
}

function listReceiver(
  session: Session, segments: Segments, filters: Filters, asked: RequestedNames | null, extras: ReceivingExtras,
): FlistReceiver {
  const { options, context, fs } = session;
  return new FlistReceiver({
    context, segments,
    fields: flistFields(options, context),
    options: {
      recurse: options.recurse > 0, relative: options.relative > 0, ignoreErrors: options.ignoreErrors,
      deleteMissingArgs: options.missingArgs === 2, pruneEmptyDirs: options.pruneEmptyDirs,
      keepsNumbers: options.iconv !== null,
      tweakMode: chmodOf(session),
      tweakLink: options.mungeLinks ? munged : session.module?.confined ? sanitized : undefined,
      isExcludedDir: (path) => filters.check(path, true) < 0,
      ...senderChecks(session, filters, asked),
    },
    ids: new ReceiverIds(session.module?.names ?? fs, {
      amRoot: session.amRoot !== 0, numericIds: options.numericIds || (session.module?.numericIds ?? false),
      ignoreNames: session.module?.numericIds, usermap: options.usermap,
      groupmap: options.groupmap, id0Names: context.id0Names, ownGroups: ownGroups(session),
      unknownName: (option, name) => session.log.error(`Unknown ${option} name on receiver: ${name}\n`),
      mapped: session.log.debug("OWN", 2)
        ? (kind, id, name, to) => session.log.infoLine(`${kind}id ${id}(${name}) maps to ${to}\n`)
        : undefined,
    }),
    inodes: context.version < 30 && options.preserveHardLinks > 0 ? new IdevTable() : null,
    extras: extras.reception(),
    names: nameConversion(session),
  });
}

/** The groups that a receiver may give files without being root. */
function ownGroups({ fs, log, amRoot }: Session): number[] {
  const groups = [...new Set([...fs.groups(), fs.egid])];
  if (!amRoot && log.debug("OWN", 2)) {
    const list = groups.map((id) => ` ${id}`).join("");
    log.infoLine(`process has ${groups.length} gid${groups.length === 1 ? "" : "s"}: ${list}\n`);
  }
  return groups;
}

/** The parts of the receiving side of one transfer. */
class ReceivingSide {
  private readonly session: Session;
  private readonly receiving: Receiving;
  private readonly generator: Generator;
  private readonly receiver: Receiver;
  private readonly incoming: Incoming;
  private readonly hardLinks: HardLinks | null;
  private readonly ndxWriter: NdxWriter;
  private readonly attributes: Attributes;
  private readonly remover: Remover;
  private readonly backups: Backups | null;
  private readonly partialDir: PartialDir | null;
  private readonly umask: number;
  private readonly copying: CopySettings;
  private readonly extras: ReceivingExtras;
  private readonly basisDirs: BasisDirs | null;
  private readonly dirPerms: DefaultPerms;
  private smallFiles: SmallFiles | null = null;

  constructor(
    session: Session, receiving: Receiving, lists: ListReader, ndxReader: NdxReader, filters: Filters,
    destination: Destination, extras: ReceivingExtras,
  ) {
    const { options, context, fs } = session;
    this.session = session;
    this.receiving = receiving;
    this.extras = extras;
    const { root } = destination;
    const reporter = fileReporter(session, "receiver");
    const generatorReporter = fileReporter(session, "generator");
    this.umask = fs.umask(0);
    fs.umask(this.umask);
    receiving.batchRequests = options.readBatch === null ? null : new BatchRequests(receiving);
    this.ndxWriter = receiving.batchRequests ?? new NdxWriter(context.version);
    this.attributes = this.attributesFor(destination, generatorReporter);
    const attributes = this.attributesFor(destination, reporter);
    const { fsync, preallocate, sparse } = options;
    this.copying = { fsync, preallocate, sparse, xattrs: attributes.xattrFiles };
    this.remover = new Remover(root, {
      amRoot: session.amRoot, maxDelete: options.maxDelete ?? -1, oneFileSystem: options.oneFileSystem > 0,
      filesFirst: context.version >= 29, wholeModes: tellsModes(session),
    }, deleteFilter(filters), generatorReporter);
    const named = options.backupDir ?? options.partialDir ?? options.tempDir ?? options.basisDirs[0];
    const operator = named === undefined ? root : boundedPlaces(session, root);
    if (operator !== root) root.sharesWith(operator);
    const [kept, replaced] = this.backupsFor(destination, operator, [generatorReporter, reporter]);
    this.backups = this.remover.backups = kept;
    const hidden = hiddenTest(session, filters);
    const partial = options.partialDir ? clientPath(session.module, destination.directory, options.partialDir) : null;
    this.partialDir = partial === null ? null : new PartialDir(partial, operator, root, hidden);
    this.basisDirs = options.basisDirs.length > 0 ? new BasisDirs(session, operator, destination) : null;
    const committer = new Committer(root, attributes, this.remover, replaced, {
      copying: this.copying, partialDir: this.partialDir,
    }, reporter);
    const tempDir = options.tempDir ? { root: operator, path: options.tempDir } : null;
    if (tempDir) checkTempDir(session, tempDir);
    this.dirPerms = this.dirPermsFor(destination, reporter);
    this.incoming = new Incoming({
      session, receiving, destination, committer, backups: replaced, partialDir: this.partialDir, tempDir,
      hidden, dirPerms: this.dirPerms, attributes, copying: this.copying, reporter,
      generatorReporter, basisDirs: this.basisDirs,
    });
    this.hardLinks = options.preserveHardLinks > 0 ? new HardLinks(receiving.generatorView, context.incRecurse) : null;
    if (this.hardLinks && session.log.debug("HLINK", 2)) {
      this.hardLinks.trace = (text) => session.log.infoLine(`${text}\n`);
    }
    const itemLog = this.makeItemLog();
    this.remover.onDeleted = (path, mode) => {
      this.syncDeleted();
      itemLog.deleted(path, mode);
    };
    this.generator = this.makeGenerator(destination, filters, itemLog, generatorReporter);
    const codec = new Compressors(session.host, session.memory).tokenReader(context);
    this.receiver = new Receiver({
      receiving, lists, incoming: this.incoming, itemLog, ndxReader, tokens: codec.tokens,
      patcher: new Patcher(fs, transferDigest(session.kernels, context)),
      hidden, localCopy: session.localLink ? new LocalCopy(session) : null,
      xattrs: options.preserveXattrs > 0 ? new XattrReception(session, extras.xattrs) : null,
      makeSmallFiles: allowsSmallFiles(session, destination, itemLog)
        ? (ordinary) => this.makeSmallFiles(ordinary, !itemLog.isSilent)
        : null,
    });
    attachMessages(session, {
      noSend: (ndx) => receiving.noSend(ndx),
      deleted: (path, mode) => itemLog.deleted(path, mode),
    });
  }

  private makeSmallFiles(ordinary: (file: SmallFile) => void, announced: boolean): SmallFiles {
    const { session, receiving, dirPerms } = this;
    const queue = session.fs.jobQueue!();
    this.smallFiles = session.own(new SmallFiles(session, receiving, dirPerms, queue, ordinary, announced));
    return this.smallFiles;
  }

  /** Runs both roles to the end; when one fails the other is stopped. */
  async run(first: FileList): Promise<void> {
    const { session, receiving, hardLinks } = this;
    if (hardLinks) for (let list: FileList | null = first; list; list = list.next) hardLinks.match(list);
    // At once: the generator may walk a segment as soon as anything is awaited.
    if (hardLinks) receiving.segments.onPublish = (list) => hardLinks.match(list);
    const halt = (error: unknown): void => {
      session.stop(error);
      receiving.events.fail(error);
    };
    if (this.smallFiles) this.smallFiles.onFailure = halt;
    await Promise.all([this.generate().catch(halt), this.receive().catch(halt)]);
    if (session.stopReason === null) return this.tellMissing();
    this.receiver.cutOff();
    throw session.stopReason;
  }

  private tellMissing(): void {
    for (const path of this.receiving.missing()) {
      this.session.log.errorXfer(`ERROR: ${path} failed verification and was not sent again.\n`);
    }
  }

  private async generate(): Promise<void> {
    const { session } = this;
    await this.generator.run();
    this.syncDeleted();
    tellHeap(session, "generator");
    session.shuttingDown = true;
    this.ndxWriter.write(session.output.writer, Ndx.done);
    await session.output.finish();
  }

  private async receive(): Promise<void> {
    const { session, receiver, receiving } = this;
    const { context, input } = session;
    await receiver.run();
    tellHeap(session, "receiver");
    if (!session.amServer) await this.readStats();
    receiving.phaseDone();
    if (context.version < 31) return;
    const ndx = await receiver.nextNdx();
    if (ndx !== Ndx.done) {
      const text = `Invalid packet at end of run (${ndx}) [${session.who}]`;
      throw new ProtocolError("goodbye", text, ExitCode.protocol, input.cursor.offset);
    }
    receiving.phaseDone();
  }

  private async readStats(): Promise<void> {
    const { input, stats, context } = this.session;
    const decode = (cursor: Cursor): EndStats => readEndStats(cursor, context.version);
    const end = input.poll(decode) ?? (await input.next(decode));
    // The sender's reading is our writing.
    stats.totalWritten = end.totalRead;
    stats.totalRead = end.totalWritten;
    stats.totalSize = end.totalSize;
    stats.flistBuildTime = end.flistBuildTimeMs;
    stats.flistTransferTime = end.flistXferTimeMs;
  }

  /** For the generator, which deletes, and the receiver, which replaces; null without --backup. */
  private backupsFor(
    { root }: Destination, operator: Confined, reporters: readonly FileReporter[],
  ): readonly (Backups | null)[] {
    const { session } = this;
    const { options, log, amRoot } = session;
    if (!options.backup) return [null, null];
    const dir = options.backupDir ? backupDir(session, operator, options.backupDir) : null;
    const settings: BackupSettings = {
      dir,
      suffix: options.suffix ?? (options.backupDir ? "" : "~"),
      amRoot,
      preserveLinks: options.preserveLinks, preserveDevices: options.preserveDevices,
      preserveSpecials: options.preserveSpecials, copying: this.copying,
      unsafeSymlink: options.safeLinks ? isUnsafeSymlink : null,
      tellBackups: log.info("BACKUP", 1), tellUnsafe: log.info("SYMSAFE", 1), tellSkipped: log.info("NONREG", 1),
    };
    return reporters.map((reporter) => new Backups(root, settings, this.attributes, this.remover, reporter));
  }

  private attributesFor({ root, soloName }: Destination, reporter: FileReporter): Attributes {
    const { session, extras } = this;
    const parts = { extras: extras.forRole(reporter), fake: session.fakeSuper, soloName };
    return new Attributes(root, attrSettings(session, this.umask), reporter, parts);
  }

  private dirPermsFor({ root }: Destination, reporter: FileReporter): DefaultPerms {
    const { fs, log, options } = this.session;
    const asked = !options.preservePerms && fs.capabilities.xattrs;
    const acls = asked ? new AclFiles(fs, false, reporter) : null;
    return new DefaultPerms(root, acls, this.umask, reporter, log.debug("ACL", 1));
  }

  private makeItemLog(): ItemLog {
    const { receiving } = this;
    const view = receiving.receiverView;
    return new ItemLog(this.session, {
      view,
      listComplete: () => receiving.segments.eof,
      directory: receiving.destination.root.rootPath,
    });
  }

  private makeGenerator(
    destination: Destination, filters: Filters, itemLog: ItemLog, reporter: FileReporter,
  ): Generator {
    const { session, receiving, attributes, extras, ndxWriter, remover } = this;
    const { options, context, fs } = session;
    const modern = context.version >= 29;
    const xattrs = options.preserveXattrs > 0 ? extras.xattrs : null;
    const shown = options.outFormatHasItemize > 0;
    const lister = new DirLister({
      fs, filters, dirs: receiving.segments.dirs, report: walkReport(session, "generator"), version: context.version,
      oneFileSystem: options.oneFileSystem, rootPath: destination.root.rootPath,
    });
    const deletion = new Deletion({
      session, destination, remover, filters, attributes, backups: this.backups, partialDir: this.partialDir, lister,
    });
    const itemizing = modern || (!session.amServer && shown);
    const scene = new Scene({
      session, receiving, destination, attributes, deletion, ndxWriter, reporter, hidden: hiddenTest(session, filters),
      itemizer: new Itemizer(session, attributes, ndxWriter, itemLog, xattrs),
      hardLinks: this.hardLinks,
      dirPerms: this.dirPermsFor(destination, reporter),
      copying: this.copying,
      itemizing,
      printsNames: !modern && !itemizing,
      basisDirs: this.basisDirs,
      copyIn: (from, { list, row }) => this.incoming.copyIn(from, list, row),
      fuzzy: options.fuzzy > 0 ? new FuzzyBasis(session, destination, this.basisDirs, lister) : null,
      ahead: looksAhead(session, destination) ? session.own(new DestinationAhead(session, destination)) : null,
      reportFlag: (modern || !session.amServer) && shown ? 0 : AttrFlag.report,
    });
    return new Generator(receiving, new Entries(scene), deletion, ndxWriter);
  }

  /** What the remover has counted, as statistics. */
  private syncDeleted(): void {
    const { stats } = this.session;
    const { counts } = this.remover;
    stats.deletedFiles = counts.files;
    stats.deletedDirs = counts.dirs;
    stats.deletedSymlinks = counts.symlinks;
    stats.deletedDevices = counts.devices;
    stats.deletedSpecials = counts.specials;
  }
}

/** Is the mode of what is deleted shown anywhere? */
function tellsModes({ options, log, amServer }: Session): boolean {
  if (log.debug("DEL", 2)) return true;
  return formatHas(options.logFormat, "B") || (!amServer && formatHas(options.outFormat, "B"));
}

function attrSettings(session: Session, umask: number): AttrSettings {
  const { options, log, fs, module } = session;
  return {
    amRoot: session.amRoot,
    preservePerms: options.preservePerms, preserveExecutability: options.preserveExecutability,
    preserveUid: options.preserveUid, preserveGid: options.preserveGid, preserveMtimes: options.preserveMtimes,
    preserveAtimes: options.preserveAtimes > 0, omitDirTimes: options.omitDirTimes,
    omitLinkTimes: options.omitLinkTimes || !fs.capabilities.symlinkTimes,
    modifyWindow: options.modifyWindow, keepDirlinks: options.keepDirlinks,
    tweakMode: module === null || module.chmod === "" ? null : modeChanger([module.chmod], umask),
    nameItems: log.info("NAME", 2),
  };
}

/** The rules as deletion sees them: what a rule keeps is not deleted with its directory. */
function deleteFilter(filters: Filters): ConstructorParameters<typeof Remover>[2] {
  return {
    enter: (dir) => {
      const saved = { token: filters.push(dir), perishable: filters.ignorePerishable };
      filters.ignorePerishable = true;
      return saved;
    },
    leave: (saved) => {
      const { token, perishable } = saved as { token: ReturnType<Filters["push"]>; perishable: boolean };
      filters.ignorePerishable = perishable;
      filters.pop(token);
    },
    isProtected: (path, isDir) => filters.isExcluded(path, isDir, "all"),
  };
}
