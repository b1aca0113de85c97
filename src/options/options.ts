/**
 * The parsed command line: one plain record that every part reads its few settings from.
 *
 * Field names follow rsync's own variables (upstream options.c). Numbers keep rsync's encodings where the values are
 * ordered levels. options/parse fills it; `defaultOptions` is the state before any argument.
 */

/** One --filter/--exclude/--include style argument in command-line order. */
export interface FilterArgument {
  readonly kind: "filter" | "exclude" | "include" | "exclude-from" | "include-from" | "cvs-exclude" | "F";
  /** The rule text or file name (a name: one code unit per byte). */
  readonly value: string;
}

export interface BasisDir {
  readonly kind: "compare" | "copy" | "link";
  readonly path: string;
}

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
  filesFrom: string | null;
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
  delayUpdates: boolean;
  tempDir: string | null;
  // Wire.
  checksumChoice: string | null;
  compressChoice: string | null;
  /** -z was given (or implied): 0 no, 1 yes, 2 --new-compress, ... as parsed; the negotiated name is in the context. */
  compress: boolean;
  compressLevel: number | null;
  compressThreads: number;
  skipCompress: string | null;
  checksumSeed: number;
  protocol: number;
  iconv: string | null;
  bwlimit: number;
  timeout: number;
  contimeout: number;
  maxAlloc: number;
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
  info: string[];
  debug: string[];
  stderrMode: "errors" | "all" | "client" | null;
  progress: number;
  stats: number;
  humanReadable: number;
  itemize: number;
  outFormat: string | null;
  logFile: string | null;
  logFormat: string | null;
  /** 0 no, 1 implied by a single argument, 2 --list-only. */
  listOnly: number;
  dryRun: number;
  eightBitOutput: boolean;
  outbuf: string | null;
  // Daemon mode.
  configFile: string | null;
  dparams: string[];
  noDetach: boolean;
  /** client_info of `-e.LsfxCIvu`, on a server; "" otherwise. */
  clientInfo: string;
  /** Remaining words: paths and hosts. */
  args: string[];
}
