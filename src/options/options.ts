/**
 * The parsed command line: one plain record that every part reads its few settings from.
 *
 * Field names follow rsync's own variables (upstream options.c). Numbers keep rsync's encodings where the values are
 * ordered levels. options/parse fills it; `defaultOptions` is the state before any argument.
 */

import { Levels } from "./levels.ts";

/** One --filter/--exclude/--include style argument in command-line order; -F and --old-dirs arrive as "filter". */
export interface FilterArgument {
  readonly kind: "filter" | "exclude" | "include" | "exclude-from" | "include-from";
  /** The rule text or file name (a name: one code unit per byte). */
  readonly value: string;
  /** The option that stands for it, where it is not the kind. */
  readonly impliedBy?: string;
  /** --from0 stood before this argument: the lines of a file that it names end in NUL. */
  readonly from0?: boolean;
  /** The --protocol before this argument. */
  readonly protocol?: number;
  /** Level of --debug=filter at this point of the command line; absent for 0. */
  readonly traced?: number;
}

/** One directory of --compare-dest, --copy-dest or --link-dest. */
export interface BasisDir {
  readonly kind: "compare" | "copy" | "link";
  readonly path: string;
}

/** Everything the command line decides. */
export interface Options {
  // Who we are.
  server: boolean;
  sender: boolean;
  daemon: boolean;
  // Transfer shape. recurse: 0 no, 1 from --files-from, 2 -r. dirs: -1 unset, 0 no, 1 implied, 2 -d, 4 --old-dirs.
  recurse: number;
  dirs: number;
  relative: number;
  impliedDirs: boolean;
  allowIncRecurse: boolean;
  oneFileSystem: number;
  /** The local path, "-" for standard input, or the remote path when `filesFromHost` is not null. */
  filesFrom: string | null;
  /** The host of --files-from=HOST:FILE ("" in `:FILE`: the other side of the transfer); null for a local file. */
  filesFromHost: string | null;
  useQsort: boolean;
  from0: boolean;
  mkpath: boolean;
  missingArgs: number;
  pruneEmptyDirs: boolean;
  // What is kept.
  preserveLinks: boolean;
  copyLinks: boolean;
  copyUnsafeLinks: boolean;
  safeLinks: boolean;
  mungeLinks: boolean;
  insecureLinks: boolean;
  copyDirlinks: boolean;
  keepDirlinks: boolean;
  /** 0 no, 1 -H, 2 -HH. */
  preserveHardLinks: number;
  preservePerms: boolean;
  preserveExecutability: boolean;
  chmod: readonly string[];
  preserveAcls: number;
  preserveXattrs: number;
  preserveUid: boolean;
  preserveGid: boolean;
  preserveDevices: boolean;
  preserveSpecials: boolean;
  copyDevices: boolean;
  writeDevices: boolean;
  dropDevices: boolean;
  confineRoot: string | null;
  preserveMtimes: boolean;
  preserveAtimes: number;
  openNoatime: boolean;
  preserveCrtimes: boolean;
  omitDirTimes: boolean;
  /** omitDirTimes follows from --backup and is not passed on. */
  omitDirTimesImplied: boolean;
  omitLinkTimes: boolean;
  /** null: by uid; "super", "no-super", "fake-super". */
  superMode: "super" | "no-super" | "fake-super" | null;
  numericIds: boolean;
  usermap: string | null;
  groupmap: string | null;
  chown: string | null;
  copyAs: string | null;
  // Which files.
  ignoreTimes: boolean;
  sizeOnly: boolean;
  checksum: boolean;
  update: boolean;
  existing: boolean;
  ignoreExisting: boolean;
  /** -1: no limit. */
  maxSize: number;
  minSize: number;
  /** Seconds; -1 compares nanoseconds. */
  modifyWindow: number;
  modifyWindowSet: boolean;
  filters: FilterArgument[];
  cvsExclude: boolean;
  // Delta.
  /** -1: whole files when both ends are local. */
  wholeFile: number;
  /** 0: computed from the file's size. */
  blockSize: number;
  append: number;
  inplace: boolean;
  sparse: boolean;
  preallocate: boolean;
  fuzzy: number;
  basisDirs: BasisDir[];
  fsync: boolean;
  // Deletion.
  deleteMode: boolean;
  deleteBefore: boolean;
  /** 0 no, 1 during, 2 delay. */
  deleteDuring: number;
  deleteAfter: boolean;
  deleteExcluded: boolean;
  force: boolean;
  ignoreErrors: boolean;
  maxDelete: number | null;
  removeSourceFiles: number;
  // Keeping old and partial data.
  backup: boolean;
  backupDir: string | null;
  suffix: string | null;
  partial: boolean;
  partialDir: string | null;
  /** partialDir is the one that --delay-updates makes up. */
  partialDirImplied: boolean;
  delayUpdates: boolean;
  tempDir: string | null;
  // Wire.
  /** As typed ("xxh128", "md5,none"); null leaves the choice to the negotiation. */
  checksumChoice: string | null;
  /** The canonical name ("none" included); null leaves the choice to the negotiation. */
  compressChoice: string | null;
  /** compressChoice as typed, for the server. */
  compressWord: string | null;
  /** Compression is wanted; the negotiated name is in the protocol context. */
  compress: boolean;
  /** Compression follows from --compress-level alone: no -z stood on the command line. */
  compressByLevel: boolean;
  compressLevel: number | null;
  compressThreads: number;
  skipCompress: string | null;
  checksumSeed: number;
  protocol: number;
  iconv: string | null;
  /** KiB a second, 0 for no limit. */
  bwlimit: number;
  timeout: number;
  contimeout: number;
  /** Bytes; `maxAllocText` is the argument as typed, for the server. */
  maxAlloc: number;
  maxAllocText: string | null;
  stopAt: number | null;
  trustSender: boolean;
  /** -1 unset, 0 no, 1 yes. */
  secludedArgs: number;
  oldArgs: number;
  remoteOptions: string[];
  writeBatch: string | null;
  onlyWriteBatch: boolean;
  readBatch: string | null;
  earlyInput: string | null;
  // Connection.
  rsh: string | null;
  rsyncPath: string | null;
  blockingIo: number;
  port: number;
  address: string | null;
  family: 0 | 4 | 6;
  sockopts: string | null;
  passwordFile: string | null;
  motd: boolean;
  // Output.
  verbose: number;
  quiet: number;
  /** --info and --debug flags with -v and --progress worked in. */
  levels: Levels;
  /** null: not asked for; behaves as "errors". */
  stderrMode: "errors" | "all" | "client" | null;
  progress: number;
  stats: number;
  humanReadable: number;
  itemize: number;
  outFormat: string | null;
  /** The output format has %i: 1, or more when unchanged items are listed too (-ii, or %I sent by a client). */
  outFormatHasItemize: number;
  outFormatHasOperation: boolean;
  logFormatHasItemize: boolean;
  logFormatHasOperation: boolean;
  /** An item's line is printed before its transfer rather than after it. */
  logBeforeTransfer: boolean;
  logFile: string | null;
  logFormat: string | null;
  /** Bits: 1 implied by a single argument, 2 --list-only. */
  listOnly: number;
  dryRun: boolean;
  eightBitOutput: boolean;
  outbuf: string | null;
  /** Events as JSON in place of all other lines on standard output. */
  json: boolean;
  /** Paths whose fate is to be explained. */
  explain: string[];
  // Watching: times in seconds, as given; see watch/settings.ts.
  watch: boolean;
  watchTargets: string[];
  watchDelay: string | null;
  watchMaxDelay: string | null;
  watchAudit: string | null;
  watchRetry: string | null;
  watchPoll: string | null;
  watchBackend: string | null;
  watchAllowEmpty: boolean;
  // Daemon mode.
  configFile: string | null;
  dparams: string[];
  noDetach: boolean;
  /** --check-config: looks at the daemon's configuration, and serves nobody. */
  checkConfig: boolean;
  /** KiB a second; the daemon's own limit. */
  daemonBwlimit: number;
  /** client_info of `-e.LsfxCIvu`, on a server; "" otherwise. */
  clientInfo: string;
  /** Remaining words: paths and hosts. */
  args: string[];
}

/** Protocol versions that this program speaks. */
export const PROTOCOL_VERSION = 32;

/** Default of --max-alloc, bytes. */
export const DEFAULT_MAX_ALLOC = 1024 * 1024 * 1024;

/** The state before any argument (upstream options.c, initial values of its variables). */
export function defaultOptions(): Options {
  return {
    server: false, sender: false, daemon: false,
    recurse: 0, dirs: -1, relative: -1, impliedDirs: true, allowIncRecurse: true, oneFileSystem: 0, filesFrom: null,
    filesFromHost: null, useQsort: false, from0: false, mkpath: false, missingArgs: 0, pruneEmptyDirs: false,
    preserveLinks: false, copyLinks: false, copyUnsafeLinks: false, safeLinks: false, mungeLinks: false,
    insecureLinks: false, copyDirlinks: false, keepDirlinks: false, preserveHardLinks: 0, preservePerms: false,
    preserveExecutability: false, chmod: [], preserveAcls: 0, preserveXattrs: 0, preserveUid: false,
    preserveGid: false, preserveDevices: false, preserveSpecials: false, copyDevices: false, writeDevices: false,
    dropDevices: false, confineRoot: null, preserveMtimes: false, preserveAtimes: 0, openNoatime: false,
    preserveCrtimes: false, omitDirTimes: false, omitDirTimesImplied: false, omitLinkTimes: false, superMode: null,
    numericIds: false, usermap: null, groupmap: null, chown: null, copyAs: null,
    ignoreTimes: false, sizeOnly: false, checksum: false, update: false, existing: false, ignoreExisting: false,
    maxSize: -1, minSize: -1, modifyWindow: 0, modifyWindowSet: false, filters: [], cvsExclude: false,
    wholeFile: -1, blockSize: 0, append: 0, inplace: false, sparse: false, preallocate: false, fuzzy: 0,
    basisDirs: [], fsync: false,
    deleteMode: false, deleteBefore: false, deleteDuring: 0, deleteAfter: false, deleteExcluded: false, force: false,
    ignoreErrors: false, maxDelete: null, removeSourceFiles: 0,
    backup: false, backupDir: null, suffix: null, partial: false, partialDir: null, partialDirImplied: false,
    delayUpdates: false, tempDir: null,
    checksumChoice: null, compressChoice: null, compressWord: null, compress: false, compressByLevel: false,
    compressLevel: null, compressThreads: 0, skipCompress: null, checksumSeed: 0, protocol: PROTOCOL_VERSION,
    iconv: null, bwlimit: 0,
    timeout: 0, contimeout: 0, maxAlloc: DEFAULT_MAX_ALLOC, maxAllocText: null, stopAt: null, trustSender: false,
    secludedArgs: -1, oldArgs: -1, remoteOptions: [], writeBatch: null, onlyWriteBatch: false, readBatch: null,
    earlyInput: null,
    rsh: null, rsyncPath: null, blockingIo: -1, port: 0, address: null, family: 0, sockopts: null,
    passwordFile: null, motd: true,
    verbose: 0, quiet: 0, levels: new Levels(), stderrMode: null, progress: 0, stats: 0, humanReadable: 1, itemize: 0,
    outFormat: null, outFormatHasItemize: 0, outFormatHasOperation: false, logFormatHasItemize: false,
    logFormatHasOperation: false, logBeforeTransfer: false, logFile: null, logFormat: null, listOnly: 0,
    dryRun: false, eightBitOutput: false, outbuf: null, json: false, explain: [],
    watch: false, watchTargets: [], watchDelay: null, watchMaxDelay: null, watchAudit: null, watchRetry: null,
    watchPoll: null, watchBackend: null, watchAllowEmpty: false,
    configFile: null, dparams: [], noDetach: false, checkConfig: false, daemonBwlimit: 0, clientInfo: "", args: [],
  };
}
