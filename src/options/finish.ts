/**
 * What follows from all options together: implied values, conflicts, defaults from the environment.
 *
 * The steps run in upstream's order (options.c:parse_arguments behind its loop), since the first error is the one
 * that is printed.
 */
import { ExitCode, UsageError } from "../errors.ts";
import { cleanPath } from "./cleanpath.ts";
import { formatHas } from "./formathas.ts";
import { refuse } from "./hooks.ts";
import { Priority } from "./levels.ts";
import { type RefusalCheck } from "./refusals.ts";
import { DEFAULT_MAX_ALLOC, type Options } from "./options.ts";
import { parseSize } from "./size.ts";

/** What the steps need besides the options. */
export interface FinishContext {
  env(name: string): string | undefined;
  /** Names that --compress-choice and --checksum-choice may take here. */
  compressors(): readonly string[];
  checksums(): readonly string[];
  splitHost(text: string): { readonly host: string; readonly path: string } | null;
  /** Number of -z options. */
  readonly compressCount: number;
  readonly fromClient: boolean;
  /** What a daemon refuses its client. */
  readonly refusals?: RefusalCheck;
  /** Second parse of a server, of the arguments that came over the connection. */
  readonly secluded: boolean;
}

type Step = (options: Options, context: FinishContext) => void;

const MAX_PATH = 4096;
const MAX_BATCH_NAME = 256;

/** The directory that --delay-updates uses unless told otherwise. */
const DELAY_DIR = ".~tmp~";

/** The default --suffix where there is no --backup-dir. */
export const BACKUP_SUFFIX = "~";

/** Completes the record. True when a server has yet to be given its secluded arguments, and must parse them. */
export function finishOptions(options: Options, context: FinishContext): boolean {
  for (const step of BEFORE_ARGUMENTS) step(options, context);
  if (options.secludedArgs === 1 && options.server && !context.secluded) return true;
  for (const step of WITH_ARGUMENTS) step(options, context);
  return false;
}

function maxAlloc(options: Options, { env }: FinishContext): void {
  options.maxAllocText ??= env("RSYNC_MAX_ALLOC") || null;
  if (options.maxAllocText === null) return;
  const limits = { defaultUnit: "B", least: 1024 * 1024, most: -1, zeroUnlimited: true };
  const bytes = parseSize(options.maxAllocText, "max-alloc", limits);
  if (bytes === 0) refuse("max-alloc must be greater than zero");
  // Not before: a daemon still has to tell of the refusal.
  options.maxAlloc = bytes;
}

/** --old-args, --secluded-args and their two environment variables. */
function argumentProtection(options: Options, { env }: FinishContext): void {
  if (options.oldArgs < 0) {
    const old = options.server || options.secludedArgs > 0 ? undefined : env("RSYNC_OLD_ARGS");
    if (old) options.secludedArgs = 0;
    options.oldArgs = old ? leadingInteger(old) : 0;
  } else if (options.oldArgs > 0) {
    if (options.secludedArgs > 0) refuse("--secluded-args conflicts with --old-args.");
    options.secludedArgs = 0;
  }
  if (options.secludedArgs >= 0) return;
  const wanted = options.server ? undefined : env("RSYNC_PROTECT_ARGS");
  options.secludedArgs = wanted && leadingInteger(wanted) !== 0 ? 1 : 0;
}

/** C's atoi. */
function leadingInteger(text: string): number {
  return Number.parseInt(text, 10) || 0;
}

/** Upstream checksum.c:parse_checksum_choice in its early call: names are checked, "none" means whole files. */
function checksumChoice(options: Options, { checksums }: FinishContext): void {
  const text = options.checksumChoice?.toLowerCase();
  if (text === undefined) return;
  if (text === "auto" || text === "auto,auto") {
    options.checksumChoice = null;
    return;
  }
  const known = checksums();
  const parts = text.includes(",") ? [text.slice(0, text.indexOf(",")), text.slice(text.indexOf(",") + 1)] : [text];
  for (const name of parts) {
    if (name === "auto" || name === "xxhash" || known.includes(name)) continue;
    const shown = name === parts[0] ? options.checksumChoice! : options.checksumChoice!.slice(parts[0].length + 1);
    throw new UsageError(`unknown checksum name: ${shown}`, ExitCode.unsupported);
  }
  if (parts[0] === "none") options.wholeFile = 1;
}

/** -z, -zz, --zc and --zl (upstream compat.c:parse_compress_choice in its early call). */
function compression(options: Options, { compressors, compressCount, refusals }: FinishContext): void {
  if (options.compressChoice === null && compressCount > 1) options.compressChoice = "zlibx";
  const text = options.compressChoice?.toLowerCase();
  options.compress = compressCount > 0;
  options.compressWord = options.compressChoice;
  options.compressChoice = null;
  if (text !== undefined && text !== "auto") {
    if (!compressors().includes(text)) throw new UsageError(`unknown compress name: ${text}`, ExitCode.unsupported);
    options.compress = text !== "none";
    options.compressChoice = text;
  }
  if (!options.compress && options.compressLevel !== null) options.compress = options.compressByLevel = true;
  if (options.compress) refusals?.check("compress");
  options.compressThreads = Math.max(options.compressThreads, 0);
}

function outputBuffer(options: Options): void {
  if (options.outbuf === null || options.server) return;
  if (!/^[nulbf]/i.test(options.outbuf)) refuse("Invalid --outbuf setting -- specify N, L, or B.");
}

/** --explain goes by what a dry run tells when it tells all. */
function explaining(options: Options): void {
  if (options.explain.length === 0) return;
  if (options.watch) refuse("--explain cannot be used with --watch");
  const batch = options.readBatch ?? options.writeBatch;
  if (batch !== null) refuse("--explain cannot be used with a batch file");
  options.dryRun = true;
  options.quiet = 0;
  options.progress = 0;
  options.verbose = Math.max(options.verbose, 2);
  options.itemize = 2;
}

function verbosity(options: Options): void {
  options.levels.setVerbosity(options.verbose);
  if (options.stats > 0) options.levels.parse("info", options.verbose > 1 ? "stats3" : "stats2", Priority.implied);
}

function charset(options: Options, { refusals }: FinishContext): void {
  if (!options.server && options.iconv === "-") options.iconv = null;
  if (options.iconv === null) refusals?.check("no-iconv");
}

/** -yy looks into the alternate directories too. */
function fuzzyLevel(options: Options): void {
  if (options.fuzzy > 1) options.fuzzy = options.basisDirs.length + 1;
}

function fakeSuper(options: Options): void {
  if (options.superMode === "fake-super" && options.preserveXattrs > 1) refuse("--fake-super conflicts with -XX");
}

function batches(options: Options): void {
  if (options.writeBatch !== null && options.readBatch !== null) {
    refuse("--write-batch and --read-batch can not be used together");
  }
  if (options.server && !options.onlyWriteBatch) options.readBatch = options.writeBatch = null;
  if (options.readBatch !== null) {
    if (options.filesFrom !== null) refuse("--read-batch cannot be used with --files-from");
    const removed = options.removeSourceFiles === 1 ? "source" : "sent";
    if (options.removeSourceFiles > 0) refuse(`--read-batch cannot be used with --remove-${removed}-files`);
  }
  const name = options.writeBatch ?? options.readBatch ?? "";
  if (name.length > MAX_BATCH_NAME) refuse(`the batch-file name must be ${MAX_BATCH_NAME} characters or less.`);
  if (options.dryRun) {
    options.writeBatch = null;
    options.onlyWriteBatch = false;
  }
}

/** A negative --timeout is none (upstream io.c:set_io_timeout). */
function timeLimit(options: Options): void {
  options.timeout = Math.max(options.timeout, 0);
}

function tempDirLength({ tempDir }: Options): void {
  if (tempDir !== null && tempDir.length >= MAX_PATH - 10) refuse("the --temp-dir path is WAY too long.");
}

/** -r, -d, --files-from and a lone argument decide whether directories are sent. */
function recursion(options: Options): void {
  if (options.maxDelete !== null && options.maxDelete < 0) options.maxDelete = 0;
  if (options.filesFrom !== null) {
    if (options.recurse === 1) options.recurse = 0;
    if (options.dirs < 0) options.dirs = 1;
  }
  if (options.args.length < 2 && options.readBatch === null && !options.server) options.listOnly |= 1;
  if (options.dirs >= 4) {
    options.filters.push({ kind: "filter", value: "- /*/*", impliedBy: "--old-dirs" });
    options.recurse = options.dirs = 1;
  } else if (options.recurse > 0) {
    options.dirs = 1;
  } else if (options.dirs < 0) {
    options.dirs = options.listOnly > 0 ? 1 : 0;
  }
  if (options.relative < 0) options.relative = options.filesFrom === null ? 0 : 1;
  if (options.relative === 0) options.impliedDirs = false;
}

function deletion(options: Options, { refusals }: FinishContext): void {
  const { deleteBefore, deleteDuring, deleteAfter } = options;
  const whens = Number(deleteBefore) + Number(deleteDuring > 0) + Number(deleteAfter);
  if (whens > 1) refuse("You may not combine multiple --delete-WHEN options.");
  if (whens === 0 && (options.deleteMode || options.deleteExcluded) && refusals) chooseDeletion(options, refusals);
  if (whens === 1 || options.deleteExcluded) options.deleteMode = true;
  if (options.dirs === 0 && options.deleteMode) {
    refuse("--delete does not work without --recursive (-r) or --dirs (-d).");
  }
  if (options.missingArgs === 3) options.missingArgs = 2;
  if (options.deleteMode || options.missingArgs === 2) refusals?.check("delete");
  if (options.removeSourceFiles > 0 && options.sender) refusals?.check("delete");
}

/** --delete alone leaves open when; a daemon that refuses one way takes the other. */
function chooseDeletion(options: Options, refusals: RefusalCheck): void {
  if (refusals.isRefused("delete-before")) {
    if (refusals.isRefused("delete-during")) refusals.check("delete-before");
    options.deleteDuring = 1;
  } else if (refusals.isRefused("delete-during")) {
    options.deleteBefore = true;
  }
}

function confinement(options: Options, { fromClient }: FinishContext): void {
  if (options.confineRoot === null) return;
  if (fromClient) options.confineRoot = null;
  else if (!options.confineRoot.startsWith("/")) refuse("--confine-root must be an absolute path");
  else if (options.insecureLinks) refuse("--insecure-links cannot be combined with --confine-root");
}

function backups(options: Options): void {
  options.suffix ??= options.backupDir === null ? BACKUP_SUFFIX : "";
  if (options.suffix.includes("/")) refuse(`--suffix cannot contain slashes: ${options.suffix}`);
  const sameDir = options.backupDir !== null && backupDir(options, options.backupDir);
  if (options.backupDir === null) {
    if (options.suffix === "" && !(options.server && options.sender)) {
      refuse(`--suffix cannot be empty ${
        sameDir ? "when --backup-dir is the same as the dest dir" : "without a --backup-dir"}`);
    }
    if (options.backup && options.deleteMode && !options.deleteExcluded && !options.server) {
      options.filters.push({ kind: "filter", value: `P *${options.suffix}`, impliedBy: "--backup" });
    }
    if (options.backup) options.omitDirTimes = options.omitDirTimesImplied = true;
  }
}

/** --backup-dir implies --backup. True when it is the destination itself. */
function backupDir(options: Options, path: string): boolean {
  options.backup = true;
  const clean = path.replace(/^(?:\.\/)+/, "").replace(/^\.$/, "");
  if (clean.length > MAX_PATH - 128) refuse("the --backup-dir path is WAY too long.");
  options.backupDir = clean === "" ? null : clean;
  return clean === "";
}

/** The lines that tell of each item: --out-format, or what -i, -v and --progress imply. */
function itemLines(options: Options): void {
  const client = !options.server;
  const format = options.outFormat;
  if (options.json || options.explain.length > 0) {
    // Events tell what a line with %i would, so the other side must know as much.
    options.outFormat = "%i %n%L";
    options.outFormatHasItemize = Math.max(options.itemize, 1);
  } else if (format !== null) {
    if (options.server && formatHas(format, "I")) options.outFormatHasItemize = 2;
    else if (formatHas(format, "i")) options.outFormatHasItemize = options.itemize | 1;
    if (!["b", "c", "C"].some((escape) => formatHas(format, escape))) options.logBeforeTransfer = client;
  } else if (options.itemize > 0) {
    options.outFormat = "%i %n%L";
    options.outFormatHasItemize = options.itemize;
    options.logBeforeTransfer = client;
  }
  if (options.progress > 0 && client) {
    const { levels } = options;
    if (!options.logBeforeTransfer && levels.info.NAME === 0) levels.parse("info", "name", Priority.implied);
    levels.parse("info", "FLIST2,PROGRESS", Priority.implied);
  }
  if (options.levels.info.NAME >= 1 && options.outFormat === null) {
    options.outFormat = "%n%L";
    options.logBeforeTransfer = client;
  }
  options.outFormatHasOperation = options.outFormatHasItemize > 0 || formatHas(options.outFormat, "o");
}

function logFile(options: Options, { fromClient }: FinishContext): void {
  if (fromClient) return;
  if (options.logFile === null) {
    options.logFormat = null;
    return;
  }
  options.logFormat ??= "%i %n%L";
  options.logFormatHasItemize = formatHas(options.logFormat, "i");
  options.logFormatHasOperation = options.logFormatHasItemize || formatHas(options.logFormat, "o");
}

function inPlace(options: Options, { refusals }: FinishContext): void {
  if (options.append > 0 && options.wholeFile > 0) refuse("--append cannot be used with --whole-file");
  if (options.append === 0 && !options.writeDevices) return;
  refusals?.check("inplace");
  options.inplace = true;
}

function partialFiles(options: Options, { env, refusals }: FinishContext): void {
  if (options.delayUpdates && options.partialDir === null) {
    options.partialDir = DELAY_DIR;
    options.partialDirImplied = true;
  }
  if (options.inplace) {
    const other = options.delayUpdates ? "delay-updates" : "partial-dir";
    if (options.partialDir !== null) {
      refuse(`--${options.append > 0 ? "append" : "inplace"} cannot be used with --${other}`);
    }
    refusals?.check("partial");
    options.partial = false;
    return;
  }
  if (options.partial && options.partialDir === null && !options.server) {
    options.partialDir = env("RSYNC_PARTIAL_DIR") || null;
  }
  if (options.partialDir === null) return;
  const clean = options.partialDir === "" ? "" : cleanPath(options.partialDir, true);
  options.partialDir = clean === "" || clean === "." ? null : clean;
  if (options.partialDir === null) refusals?.check("partial");
  options.partial = true;
}

function filesFrom(options: Options, { splitHost, fromClient }: FinishContext): void {
  if (options.filesFrom === null) return;
  const { args, server } = options;
  if (args.length > 2 || (!fromClient && !server && args.length === 1)) {
    refuse("--files-from takes one source and one destination");
  }
  if (options.filesFrom === "-") {
    if (server) options.filesFromHost = "";
    return;
  }
  const remote = splitHost(options.filesFrom);
  if (remote === null) return;
  if (server) refuse("The --files-from sent to the server cannot specify a host.");
  if (remote.path === "-") refuse("Invalid --files-from remote filename");
  options.filesFrom = remote.path;
  options.filesFromHost = remote.host;
}

/** On a server the argument of -e is not a shell: it tells what the client can do. */
function clientInfo(options: Options): void {
  if (options.server) options.clientInfo = options.rsh ?? "";
}

/** Steps that a server takes before its secluded arguments are there. */
const BEFORE_ARGUMENTS: readonly Step[] = [
  maxAlloc, argumentProtection, checksumChoice, compression, outputBuffer, explaining, verbosity, charset, fuzzyLevel,
  clientInfo,
];

const WITH_ARGUMENTS: readonly Step[] = [
  fakeSuper, batches, timeLimit, tempDirLength, recursion, deletion, confinement, backups, itemLines, logFile, inPlace,
  partialFiles, filesFrom,
];

/**
 * Whether this side may receive or send the list in pieces (upstream compat.c:set_allow_inc_recurse). `sender` tells
 * this side's role; a server also needs the client's consent.
 */
export function incRecurseAllowed(options: Options, sender: boolean): boolean {
  if (!options.allowIncRecurse || options.recurse === 0 || options.useQsort) return false;
  const late = options.deleteBefore || options.deleteAfter || options.delayUpdates || options.pruneEmptyDirs;
  if (!sender && late) return false;
  return !options.server || options.clientInfo.includes("i");
}

/** The value of --max-alloc that goes without saying. */
export function hasDefaultMaxAlloc(options: Options): boolean {
  return options.maxAllocText === null || options.maxAlloc === DEFAULT_MAX_ALLOC;
}
