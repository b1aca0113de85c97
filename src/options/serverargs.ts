/**
 * The arguments that start the other side: `rsync --server [--sender] -vlogDtpre.iLsfxCIvu ... . PATH`.
 *
 * Order and spelling are upstream's (options.c:server_options), since any rsync back to 2.6 must understand them. The
 * words are not yet quoted for a shell: client/remoteshell does that, except where --secluded-args sends them inside
 * the connection.
 */
import { BACKUP_SUFFIX, hasDefaultMaxAlloc, incRecurseAllowed } from "./finish.ts";
import { Where } from "./levels.ts";
import { type Options } from "./options.ts";

/** Facts beside the options. */
export interface ServerSide {
  /** This side, the client, is the sender. */
  readonly sender: boolean;
  /** False where symlinks' times cannot be set here. */
  readonly symlinkTimes?: boolean;
}

/** When a letter or word goes out. */
type Rule = readonly [text: string, when: (options: Options, side: ServerSide) => boolean];

/** The cluster's letters in order. A letter may stand twice. */
const LETTERS: readonly Rule[] = [
  ["s", (o) => o.secludedArgs > 0],
  ...Array.from({ length: 9 }, (_, at): Rule => ["v", (o) => o.verbose > at]),
  ["q", (o) => o.quiet > 0 && o.stderrMode !== "client"],
  ["b", (o) => o.backup],
  ["u", (o) => o.update],
  ["n", (o) => o.dryRun],
  ["l", (o) => o.preserveLinks],
  ["d", sendsDirs],
  ["K", (o, { sender }) => sender && o.keepDirlinks],
  ["m", (o, { sender }) => sender && o.pruneEmptyDirs],
  ["O", (o, { sender }) => sender && o.omitDirTimes && !o.omitDirTimesImplied],
  ["J", (o, { sender }) => sender && o.omitLinkTimes],
  ["y", (o, { sender }) => sender && o.fuzzy > 0],
  ["y", (o, { sender }) => sender && o.fuzzy > 1],
  ["L", (o, { sender }) => !sender && o.copyLinks],
  ["k", (o, { sender }) => !sender && o.copyDirlinks],
  ["W", (o) => o.wholeFile > 0],
  ["H", (o) => o.preserveHardLinks > 0],
  ["H", (o) => o.preserveHardLinks > 1],
  ["o", (o) => o.preserveUid],
  ["g", (o) => o.preserveGid],
  ["D", (o) => o.preserveDevices],
  ["t", (o) => o.preserveMtimes],
  ["U", (o) => o.preserveAtimes > 0],
  ["U", (o) => o.preserveAtimes > 1],
  ["N", (o) => o.preserveCrtimes],
  ["p", (o) => o.preservePerms],
  ["E", (o, { sender }) => sender && !o.preservePerms && o.preserveExecutability],
  ["A", (o) => o.preserveAcls > 0],
  ["X", (o) => o.preserveXattrs > 0],
  ["X", (o) => o.preserveXattrs > 1],
  ["r", (o) => o.recurse > 0],
  ["c", (o) => o.checksum],
  ["C", (o) => o.cvsExclude],
  ["I", (o) => o.ignoreTimes],
  ["R", (o) => o.relative > 0],
  ["x", (o) => o.oneFileSystem > 0],
  ["x", (o) => o.oneFileSystem > 1],
  ["S", (o) => o.sparse],
  ["z", (o) => o.compress && (o.compressChoice === "zlib" || (o.compressChoice === null && !o.compressByLevel))],
];

function sendsDirs(o: Options, { sender }: ServerSide): boolean {
  if (o.dirs >= 2 && o.dirs < 4) return true;
  return o.dirs > 0 && o.recurse === 0 && (o.listOnly > 0 || (o.deleteMode && sender));
}

/**
 * What this side can do, for the -e of the cluster: "e.iLsfxCIvu", "" before protocol 30. i incremental recursion, L
 * symlink times, s symlink charset, f safe file list, x no xattr shortcut, C checksum seed order, I in-place partial
 * directory, v varint flags and negotiation, u names of id 0 (upstream maybe_add_e_option).
 */
export function clientInfoWord(options: Options, side: ServerSide): string {
  if (options.protocol < 30) return "";
  const recursion = incRecurseAllowed(options, side.sender) ? "i" : "";
  return `e.${recursion}${side.symlinkTimes === false ? "" : "L"}sfxCIvu`;
}

/** The words that are always in plain sight: --server, --sender, the cluster and --iconv. */
export function openServerArguments(options: Options, side: ServerSide): string[] {
  const letters = LETTERS.filter(([, when]) => when(options, side)).map(([letter]) => letter);
  const cluster = `-${letters.join("")}${clientInfoWord(options, side)}`;
  const charset = options.iconv?.slice(options.iconv.indexOf(",") + 1);
  return [
    "--server",
    ...(side.sender ? [] : ["--sender"]),
    ...(cluster === "-" ? [] : [cluster]),
    ...(charset === undefined ? [] : [`--iconv=${charset}`]),
  ];
}

/** Every option word for the server, in order. The last `options.remoteOptions.length` words are the user's own. */
export function serverArguments(options: Options, side: ServerSide): string[] {
  return [...openServerArguments(options, side), ...secludedServerArguments(options, side)];
}

/** The words that --secluded-args keeps from the remote shell. */
export function secludedServerArguments(options: Options, side: ServerSide): string[] {
  return [...WORDS.flatMap((words) => words(options, side)), ...options.remoteOptions];
}

type Words = (options: Options, side: ServerSide) => string[];

const when = (condition: boolean, ...words: string[]): string[] => (condition ? words : []);
const given = (value: string | null, ...name: string[]): string[] =>
  value === null ? [] : name.length > 1 ? [name[0], value] : [`${name[0]}=${value}`];

function transferWords(o: Options, { sender }: ServerSide): string[] {
  return [
    ...when(o.listOnly > 1, "--list-only"),
    ...when(o.dirs > 0 && o.recurse === 0 && o.deleteMode && sender, "--no-r"),
    ...when(o.compress && o.compressLevel !== null, `--compress-level=${o.compressLevel}`),
    ...when(o.preserveDevices && !o.preserveSpecials, "--no-specials"),
    ...when(!o.preserveDevices && o.preserveSpecials, "--specials"),
    ...when(o.outFormat !== null && sender, ...logFormatWord(o)),
    ...when(o.stderrMode === "all", "--msgs2stderr"),
    ...when(o.stderrMode === "client", "--no-msgs2stderr"),
    ...when(o.blockSize > 0, `-B${o.blockSize}`),
    ...when(o.timeout !== 0, `--timeout=${o.timeout}`),
    ...when(o.bwlimit !== 0, `--bwlimit=${o.bwlimit}`),
    ...given(o.backupDir, "--backup-dir", ""),
    ...when(o.suffix !== (o.backupDir === null ? BACKUP_SUFFIX : ""), `--suffix=${o.suffix}`),
    ...given(o.checksumChoice, "--checksum-choice"),
    ...compressWord(o),
  ];
}

/** The server prints nothing itself, but must know what will be printed. */
function logFormatWord(o: Options): string[] {
  if (o.outFormatHasItemize > 1) return ["--log-format=%i%I"];
  if (o.outFormatHasItemize > 0) return ["--log-format=%i"];
  if (o.outFormatHasOperation) return ["--log-format=%o"];
  return when(o.verbose === 0, "--log-format=X");
}

function compressWord({ compressChoice, compressWord: typed }: Options): string[] {
  if (compressChoice === "zlibx") return ["--new-compress"];
  if (compressChoice === "zlib") return ["--old-compress"];
  return given(compressChoice === null ? null : typed, "--compress-choice");
}

function receiverWords(o: Options, { sender }: ServerSide): string[] {
  if (!sender) return given(o.skipCompress, "--skip-compress");
  return [
    ...when(o.maxDelete !== null, `--max-delete=${o.maxDelete === 0 ? -1 : o.maxDelete}`),
    ...when(o.minSize >= 0, `--min-size=${BigInt(Math.max(o.minSize, 0))}`),
    ...when(o.maxSize >= 0, `--max-size=${BigInt(Math.max(o.maxSize, 0))}`),
    ...deleteWord(o),
    ...when(o.deleteExcluded, "--delete-excluded"),
    ...when(o.force, "--force"),
    ...when(o.onlyWriteBatch, "--only-write-batch=X"),
    ...when(o.superMode === "super", "--super"),
    ...when(o.sizeOnly, "--size-only"),
    ...when(o.stats > 0, "--stats"),
  ];
}

function deleteWord(o: Options): string[] {
  if (o.deleteBefore) return ["--delete-before"];
  if (o.deleteDuring > 0) return [o.deleteDuring === 2 ? "--delete-delay" : "--delete-during"];
  if (o.deleteAfter) return ["--delete-after"];
  return when(o.deleteMode && !o.deleteExcluded, "--delete");
}

function sharedWords(o: Options, { sender }: ServerSide): string[] {
  return [
    ...when(!hasDefaultMaxAlloc(o), `--max-alloc=${o.maxAllocText}`),
    ...when(o.missingArgs === 2, "--delete-missing-args"),
    ...when(o.missingArgs === 1 && !sender, "--ignore-missing-args"),
    ...when(o.modifyWindowSet && sender, `${o.modifyWindow < 0 ? "-@" : "--modify-window="}${o.modifyWindow}`),
    ...when(o.checksumSeed !== 0, `--checksum-seed=${o.checksumSeed}`),
    ...when(sender, ...partialWords(o)),
    ...when(o.ignoreErrors, "--ignore-errors"),
    ...when(o.copyUnsafeLinks, "--copy-unsafe-links"),
    ...when(o.safeLinks, "--safe-links"),
    ...when(o.numericIds, "--numeric-ids"),
    ...when(o.useQsort, "--use-qsort"),
  ];
}

function partialWords(o: Options): string[] {
  if (o.partialDir === null) return when(o.partial, "--partial");
  return [...when(!o.partialDirImplied, "--partial-dir", o.partialDir), ...when(o.delayUpdates, "--delay-updates")];
}

function toReceiver(o: Options, { sender }: ServerSide): string[] {
  if (!sender) return [];
  return [
    ...given(o.usermap, "--usermap"),
    ...given(o.groupmap, "--groupmap"),
    ...when(o.ignoreExisting, "--ignore-existing"),
    ...when(o.existing, "--existing"),
    ...given(o.tempDir, "--temp-dir", ""),
    ...when(o.fsync, "--fsync"),
    ...o.basisDirs.flatMap(({ kind, path }) => [`--${kind}-dest`, path]),
  ];
}

function lastWords(o: Options, { sender }: ServerSide): string[] {
  const where = Where.server | (sender ? Where.receiver : Where.sender);
  const info = o.levels.serverOption("info", where);
  return [
    ...(info === null ? [] : [info]),
    ...inplaceWords(o, sender),
    ...filesFromWords(o, sender),
    ...when(o.relative > 0 && !o.impliedDirs && (!sender || o.protocol >= 30), "--no-implied-dirs"),
    ...when(o.writeDevices && sender, "--write-devices"),
    ...when(o.removeSourceFiles === 1, "--remove-source-files"),
    ...when(o.removeSourceFiles > 1, "--remove-sent-files"),
    ...when(o.copyDevices && !sender, "--copy-devices"),
    ...when(o.preallocate && sender, "--preallocate"),
    ...when(o.openNoatime && o.preserveAtimes <= 1, "--open-noatime"),
    ...when(o.mkpath && sender, "--mkpath"),
  ];
}

/** Upstream tests whole_file here, whose -1 ("unset") counts as set. */
function inplaceWords(o: Options, sender: boolean): string[] {
  if (o.append > 0) return o.append > 1 ? ["--append", "--append"] : ["--append"];
  if (!o.inplace) return [];
  return ["--inplace", ...when(o.sparse && o.wholeFile === 0 && sender, "--no-W")];
}

function filesFromWords(o: Options, sender: boolean): string[] {
  if (o.filesFrom === null || (sender && o.filesFromHost === null)) return [];
  const source = o.filesFromHost === null
    ? ["--files-from=-", "--from0"]
    : ["--files-from", o.filesFrom, ...when(o.from0, "--from0")];
  return [...source, ...when(o.relative === 0, "--no-relative")];
}

const WORDS: readonly Words[] = [transferWords, receiverWords, sharedWords, toReceiver, lastWords];
