/**
 * The option table: one row an option, for the whole of rsync(1) 3.5.0 (upstream options.c, long_options).
 *
 * The parser, the help text, the check of what a server may be sent and (with the daemon) the refuse lists read it.
 * `available: false` marks what this version refuses by name; taking the flag away is all that switching it on needs
 * here. What a row cannot say is a named hook in hooks.ts.
 */
import { type HookName } from "./hooks.ts";
import { type Options } from "./options.ts";

/** Chapters of the help. */
export type Category =
  | "Output" | "Choosing files" | "Keeping attributes" | "Links and devices" | "Updating" | "Deleting" | "Filters"
  | "Compression and speed" | "Connection" | "Batches and limits" | "Watching" | "Other";

/** What is acted on where: by the client alone, by both ends, by the sending or by the receiving side. */
export type Side = "client" | "both" | "sender" | "receiver";

/** One option, with all its spellings. */
export interface OptionRow {
  /** Name without the dashes; null for the few that have a letter only. */
  readonly long: string | null;
  readonly short?: string;
  /** Other long names with the same meaning. */
  readonly aliases?: readonly string[];
  /** Kind of the argument; absent: none. */
  readonly argument?: "string" | "int";
  /** Fields set when the option is given. */
  readonly set?: Partial<Options>;
  /** Field that takes the argument. */
  readonly into?: keyof Options;
  /** Called with the argument after `set` and `into`. */
  readonly hook?: HookName;
  /** Negated spellings, and the fields or hook they stand for. */
  readonly no?: readonly string[];
  readonly unset?: Partial<Options>;
  readonly noHook?: HookName;
  /** How it travels to the server: one letter of the cluster, or a long form; absent: it does not. */
  readonly sent?: string;
  readonly side: Side;
  /** First protocol version that has it, where that matters. */
  readonly since?: number;
  /** Long names of options that this one switches on, or cannot stand beside (what finish.ts carries out). */
  readonly implies?: readonly string[];
  readonly conflicts?: readonly string[];
  readonly category: Category;
  /** Help text; null hides the row. `argumentName` is what the help calls the argument. */
  readonly help: string | null;
  readonly argumentName?: string;
  /** A daemon's refuse list must name it in full: wild cards pass it over. */
  readonly exactRefusal?: true;
  /** wsync's own: rsync has no such option, and no server is sent it or takes it. */
  readonly own?: true;
  /** False: refused by name with exit code 1 unless it asks for what holds anyway. */
  readonly available?: false;
  /** No system this runs on can do it: refused in rsync's words. */
  readonly unsupported?: true;
}

const OUTPUT: readonly OptionRow[] = [
  { long: "verbose", short: "v", hook: "verbose", no: ["no-verbose", "no-v"], unset: { verbose: 0 }, sent: "v",
    side: "both", category: "Output", help: "say more (repeat for still more)" },
  { long: "info", argument: "string", hook: "info", sent: "--info", side: "both", category: "Output",
    argumentName: "FLAGS", help: "choose informational messages one by one" },
  { long: "debug", argument: "string", hook: "debug", side: "both", category: "Output",
    argumentName: "FLAGS", help: "choose debugging messages one by one" },
  { long: "stderr", argument: "string", hook: "stderr", sent: "--msgs2stderr", side: "both", category: "Output",
    argumentName: "e|a|c", help: "what goes to standard error: errors, all, or by client" },
  { long: "msgs2stderr", set: { stderrMode: "all" }, no: ["no-msgs2stderr"], unset: { stderrMode: "client" },
    sent: "--msgs2stderr", side: "both", category: "Output", help: null },
  { long: "quiet", short: "q", hook: "quiet", sent: "q", side: "both", category: "Output",
    help: "print errors only" },
  { long: "motd", set: { motd: true }, no: ["no-motd"], unset: { motd: false }, side: "client", category: "Output",
    help: "print a daemon's message of the day (--no-motd: don't)" },
  { long: "stats", set: { stats: 1 }, sent: "--stats", side: "both", category: "Output",
    help: "print statistics of the transfer" },
  { long: "human-readable", short: "h", hook: "humanReadable", no: ["no-human-readable", "no-h"],
    unset: { humanReadable: 0 }, side: "client", category: "Output",
    help: "print sizes with units (twice: units of 1024)" },
  { long: "progress", set: { progress: 1 }, no: ["no-progress"], unset: { progress: 0 }, side: "client",
    category: "Output", help: "show how far each file has come" },
  { long: null, short: "P", hook: "partialProgress", side: "both", implies: ["partial", "progress"],
    category: "Output", help: "the same as --partial --progress" },
  { long: "itemize-changes", short: "i", hook: "itemize", no: ["no-itemize-changes", "no-i"], unset: { itemize: 0 },
    sent: "--log-format=%i", side: "both", category: "Output", help: "print what changes about each file" },
  { long: "out-format", aliases: ["log-format"], argument: "string", into: "outFormat", sent: "--log-format",
    side: "both", category: "Output", argumentName: "FORMAT", help: "print each update in this format",
    exactRefusal: true },
  { long: "log-file", argument: "string", into: "logFile", side: "client", category: "Output",
    argumentName: "FILE", help: "write a log into FILE" },
  { long: "log-file-format", argument: "string", into: "logFormat", side: "client", category: "Output",
    argumentName: "FORMAT", help: "format of the log's lines" },
  { long: "json", set: { json: true }, side: "client", category: "Output",
    help: "print events as lines of JSON, nothing else", own: true },
  { long: "explain", own: true, argument: "string", hook: "explain", side: "client", category: "Output",
    argumentName: "PATH", help: "say why PATH would be copied, left alone or deleted, change nothing" },
  { long: "list-only", set: { listOnly: 2 }, sent: "--list-only", side: "both", category: "Output",
    help: "list the files, copy nothing" },
  { long: "8-bit-output", short: "8", set: { eightBitOutput: true }, no: ["no-8-bit-output", "no-8"],
    unset: { eightBitOutput: false }, side: "client", category: "Output",
    help: "print bytes above 127 as they are" },
  { long: "outbuf", argument: "string", into: "outbuf", side: "client", category: "Output",
    argumentName: "N|L|B", help: "buffer output not at all, by line or by block" },
  { long: "dry-run", short: "n", set: { dryRun: true }, sent: "n", side: "both", category: "Output",
    help: "say what would be done, change nothing", exactRefusal: true },
];

const CHOICE: readonly OptionRow[] = [
  { long: "archive", short: "a", hook: "archive", side: "both", category: "Choosing files",
    implies: ["recursive", "links", "perms", "times", "group", "owner", "devices", "specials"],
    help: "archive: the same as -rlptgoD" },
  { long: "recursive", short: "r", set: { recurse: 2 }, no: ["no-recursive", "no-r"], unset: { recurse: 0 },
    sent: "r", side: "both", category: "Choosing files", help: "go into directories" },
  { long: "inc-recursive", aliases: ["i-r"], set: { allowIncRecurse: true }, no: ["no-inc-recursive", "no-i-r"],
    unset: { allowIncRecurse: false }, side: "both", since: 30, category: "Choosing files",
    help: "send the file list in pieces (--no-i-r: whole, before the transfer)" },
  { long: "dirs", short: "d", set: { dirs: 2 }, no: ["no-dirs", "no-d"], unset: { dirs: 0 }, sent: "d",
    side: "both", category: "Choosing files", help: "take directories without going into them" },
  { long: "old-dirs", aliases: ["old-d"], set: { dirs: 4 }, side: "both", category: "Choosing files",
    help: "--dirs in a way that very old rsyncs understand" },
  { long: "relative", short: "R", set: { relative: 1 }, no: ["no-relative", "no-R"], unset: { relative: 0 },
    sent: "R", side: "both", category: "Choosing files", help: "keep the path as it was given" },
  { long: "implied-dirs", aliases: ["i-d"], set: { impliedDirs: true }, no: ["no-implied-dirs", "no-i-d"],
    unset: { impliedDirs: false }, sent: "--no-implied-dirs", side: "both", category: "Choosing files",
    help: "send the directories above with --relative (on by default)" },
  { long: "one-file-system", short: "x", hook: "oneFileSystem", no: ["no-one-file-system", "no-x"],
    unset: { oneFileSystem: 0 }, sent: "x", side: "both", category: "Choosing files",
    help: "stay on one file system" },
  { long: "files-from", argument: "string", into: "filesFrom", sent: "--files-from", side: "both",
    category: "Choosing files", argumentName: "FILE", help: "read the names to copy from FILE" },
  { long: "from0", short: "0", set: { from0: true }, no: ["no-from0"], unset: { from0: false }, sent: "--from0",
    side: "both", category: "Choosing files", help: "names and rules in files end in a zero byte",
    exactRefusal: true },
  { long: "mkpath", set: { mkpath: true }, no: ["no-mkpath"], unset: { mkpath: false }, sent: "--mkpath",
    side: "receiver", category: "Choosing files", help: "make the destination's missing directories" },
  { long: "prune-empty-dirs", short: "m", set: { pruneEmptyDirs: true }, no: ["no-prune-empty-dirs", "no-m"],
    unset: { pruneEmptyDirs: false }, sent: "m", side: "receiver", category: "Choosing files",
    help: "leave out directories that would be empty" },
  { long: "ignore-missing-args", hook: "ignoreMissingArgs", sent: "--ignore-missing-args", side: "sender",
    category: "Choosing files", help: "pass over source arguments that do not exist" },
  { long: "delete-missing-args", hook: "deleteMissingArgs", sent: "--delete-missing-args", side: "both",
    category: "Choosing files", help: "delete what a missing source argument names" },
  { long: "existing", aliases: ["ignore-non-existing"], set: { existing: true }, sent: "--existing",
    side: "receiver", category: "Choosing files", help: "make no new files on the receiver" },
  { long: "ignore-existing", set: { ignoreExisting: true }, sent: "--ignore-existing", side: "receiver",
    category: "Choosing files", help: "leave files alone that the receiver has" },
  { long: "max-size", argument: "string", hook: "maxSize", sent: "--max-size", side: "both",
    category: "Choosing files", argumentName: "SIZE", help: "pass over files above SIZE" },
  { long: "min-size", argument: "string", hook: "minSize", sent: "--min-size", side: "both",
    category: "Choosing files", argumentName: "SIZE", help: "pass over files below SIZE" },
  { long: "ignore-times", short: "I", set: { ignoreTimes: true }, sent: "I", side: "receiver",
    category: "Choosing files", help: "update files even if size and time match" },
  { long: "size-only", set: { sizeOnly: true }, sent: "--size-only", side: "receiver",
    category: "Choosing files", help: "take files of the same size as unchanged" },
  { long: "modify-window", short: "@", argument: "int", into: "modifyWindow", hook: "modifyWindow",
    sent: "--modify-window", side: "receiver", category: "Choosing files", argumentName: "NUM",
    help: "times differ when NUM seconds apart (-1: compare nanoseconds)" },
  { long: "checksum", short: "c", set: { checksum: true }, no: ["no-checksum", "no-c"], unset: { checksum: false },
    sent: "c", side: "both", category: "Choosing files", help: "compare contents instead of time and size" },
  { long: "update", short: "u", set: { update: true }, sent: "u", side: "receiver", category: "Choosing files",
    help: "pass over files that are newer on the receiver" },
  { long: "compare-dest", argument: "string", hook: "compareDest", sent: "--compare-dest", side: "receiver",
    category: "Choosing files", argumentName: "DIR", conflicts: ["copy-dest", "link-dest"],
    help: "leave out files that are the same under DIR" },
  { long: "copy-dest", argument: "string", hook: "copyDest", sent: "--copy-dest", side: "receiver",
    category: "Choosing files", argumentName: "DIR", conflicts: ["compare-dest", "link-dest"],
    help: "copy files locally that are the same under DIR" },
  { long: "link-dest", argument: "string", hook: "linkDest", sent: "--link-dest", side: "receiver",
    category: "Choosing files", argumentName: "DIR", conflicts: ["compare-dest", "copy-dest"],
    help: "hard-link files that are the same under DIR" },
];

const ATTRIBUTES: readonly OptionRow[] = [
  { long: "perms", short: "p", set: { preservePerms: true }, no: ["no-perms", "no-p"],
    unset: { preservePerms: false }, sent: "p", side: "both", category: "Keeping attributes",
    help: "keep permissions" },
  { long: "executability", short: "E", set: { preserveExecutability: true }, sent: "E", side: "receiver",
    category: "Keeping attributes", help: "keep whether a file can be run" },
  { long: "chmod", argument: "string", hook: "chmod", side: "client", category: "Keeping attributes",
    argumentName: "CHANGES", help: "change permissions on the way" },
  { long: "acls", short: "A", set: { preserveAcls: 1, preservePerms: true }, no: ["no-acls", "no-A"],
    unset: { preserveAcls: 0 }, sent: "A", side: "both", since: 30, implies: ["perms"],
    category: "Keeping attributes", help: "keep ACLs (and permissions)" },
  { long: "xattrs", short: "X", hook: "xattrs", no: ["no-xattrs", "no-X"], unset: { preserveXattrs: 0 }, sent: "X",
    side: "both", since: 30, category: "Keeping attributes", help: "keep extended attributes" },
  { long: "times", short: "t", set: { preserveMtimes: true }, no: ["no-times", "no-t"],
    unset: { preserveMtimes: false }, sent: "t", side: "both", category: "Keeping attributes",
    help: "keep modification times" },
  { long: "atimes", short: "U", hook: "atimes", no: ["no-atimes", "no-U"], unset: { preserveAtimes: 0 }, sent: "U",
    side: "both", since: 30, category: "Keeping attributes", help: "keep access times" },
  { long: "open-noatime", set: { openNoatime: true }, no: ["no-open-noatime"], unset: { openNoatime: false },
    sent: "--open-noatime", side: "both", category: "Keeping attributes",
    help: "read files without changing their access time" },
  { long: "crtimes", short: "N", set: { preserveCrtimes: true }, no: ["no-crtimes", "no-N"],
    unset: { preserveCrtimes: false }, sent: "N", side: "both", since: 30, category: "Keeping attributes",
    help: null, unsupported: true },
  { long: "omit-dir-times", short: "O", set: { omitDirTimes: true }, no: ["no-omit-dir-times", "no-O"],
    unset: { omitDirTimes: false }, sent: "O", side: "receiver", category: "Keeping attributes",
    help: "leave directories' times alone" },
  { long: "omit-link-times", short: "J", set: { omitLinkTimes: true }, no: ["no-omit-link-times", "no-J"],
    unset: { omitLinkTimes: false }, sent: "J", side: "receiver", category: "Keeping attributes",
    help: "leave symlinks' times alone" },
  { long: "owner", short: "o", set: { preserveUid: true }, no: ["no-owner", "no-o"], unset: { preserveUid: false },
    sent: "o", side: "both", category: "Keeping attributes", help: "keep the owner (super-user only)" },
  { long: "group", short: "g", set: { preserveGid: true }, no: ["no-group", "no-g"], unset: { preserveGid: false },
    sent: "g", side: "both", category: "Keeping attributes", help: "keep the group" },
  { long: "super", set: { superMode: "super" }, no: ["no-super"], unset: { superMode: "no-super" },
    sent: "--super", side: "receiver", category: "Keeping attributes", help: "try what only a super-user may" },
  { long: "fake-super", set: { superMode: "fake-super" }, side: "both", category: "Keeping attributes",
    conflicts: ["xattrs"], help: "keep in extended attributes what only a super-user may set" },
  { long: "numeric-ids", set: { numericIds: true }, no: ["no-numeric-ids"], unset: { numericIds: false },
    sent: "--numeric-ids", side: "both", category: "Keeping attributes",
    help: "keep user and group numbers, whatever their names" },
  { long: "usermap", argument: "string", hook: "usermap", sent: "--usermap", side: "receiver", since: 30,
    category: "Keeping attributes", argumentName: "MAP", conflicts: ["chown"], help: "give files other owners" },
  { long: "groupmap", argument: "string", hook: "groupmap", sent: "--groupmap", side: "receiver", since: 30,
    category: "Keeping attributes", argumentName: "MAP", conflicts: ["chown"], help: "give files other groups" },
  { long: "chown", argument: "string", hook: "chown", side: "receiver", category: "Keeping attributes",
    argumentName: "USER:GROUP", conflicts: ["usermap", "groupmap"], help: "give all files one owner and group" },
  { long: "copy-as", argument: "string", into: "copyAs", side: "client", category: "Keeping attributes",
    argumentName: "USER[:GROUP]", help: "copy as this user (and group)" },
];

const LINKS: readonly OptionRow[] = [
  { long: "links", short: "l", set: { preserveLinks: true }, no: ["no-links", "no-l"],
    unset: { preserveLinks: false }, sent: "l", side: "both", category: "Links and devices",
    help: "copy symlinks as symlinks" },
  { long: "copy-links", short: "L", set: { copyLinks: true }, sent: "L", side: "sender",
    category: "Links and devices", help: "copy what symlinks point to" },
  { long: "copy-unsafe-links", set: { copyUnsafeLinks: true }, sent: "--copy-unsafe-links", side: "both",
    category: "Links and devices", help: "copy what symlinks out of the tree point to" },
  { long: "safe-links", set: { safeLinks: true }, sent: "--safe-links", side: "both",
    category: "Links and devices", help: "leave out symlinks that lead out of the tree" },
  { long: "insecure-links", set: { insecureLinks: true }, no: ["no-insecure-links"],
    unset: { insecureLinks: false }, side: "client", category: "Links and devices", conflicts: ["confine-root"],
    help: "follow symlinks of others in paths you name" },
  { long: "confine-root", argument: "string", into: "confineRoot", side: "client", category: "Links and devices",
    argumentName: "DIR", conflicts: ["insecure-links"], help: "refuse paths you name that lead out of DIR" },
  { long: "munge-links", set: { mungeLinks: true }, no: ["no-munge-links"], unset: { mungeLinks: false },
    side: "client", category: "Links and devices", help: "store symlinks so that they cannot be followed" },
  { long: "copy-dirlinks", short: "k", set: { copyDirlinks: true }, sent: "k", side: "sender",
    category: "Links and devices", help: "take a symlink to a directory as a directory" },
  { long: "keep-dirlinks", short: "K", set: { keepDirlinks: true }, sent: "K", side: "receiver",
    category: "Links and devices", help: "use the receiver's symlink to a directory as a directory" },
  { long: "hard-links", short: "H", hook: "hardLinks", no: ["no-hard-links", "no-H"],
    unset: { preserveHardLinks: 0 }, sent: "H", side: "both", category: "Links and devices",
    help: "keep hard links" },
  { long: null, short: "D", set: { preserveDevices: true, preserveSpecials: true }, no: ["no-D"],
    unset: { preserveDevices: false, preserveSpecials: false }, sent: "D", side: "both",
    implies: ["devices", "specials"], category: "Links and devices", help: "the same as --devices --specials" },
  { long: "devices", set: { preserveDevices: true }, no: ["no-devices"], unset: { preserveDevices: false },
    sent: "D", side: "both", category: "Links and devices", help: "copy device files (super-user only)" },
  { long: "specials", set: { preserveSpecials: true }, no: ["no-specials"], unset: { preserveSpecials: false },
    sent: "--specials", side: "both", category: "Links and devices", help: "copy sockets and named pipes" },
  { long: "copy-devices", set: { copyDevices: true }, sent: "--copy-devices", side: "sender",
    category: "Links and devices", help: "copy a device's contents as a file", exactRefusal: true },
  { long: "write-devices", set: { writeDevices: true }, no: ["no-write-devices"], unset: { writeDevices: false },
    sent: "--write-devices", side: "receiver", implies: ["inplace"], category: "Links and devices",
    help: "write into devices as into files", exactRefusal: true },
  { long: "drop-D", set: { dropDevices: true }, no: ["no-drop-D"], unset: { dropDevices: false },
    side: "receiver", category: "Links and devices", help: "make no devices or special files" },
];

const UPDATING: readonly OptionRow[] = [
  { long: "whole-file", short: "W", set: { wholeFile: 1 }, no: ["no-whole-file", "no-W"], unset: { wholeFile: 0 },
    sent: "W", side: "both", category: "Updating", help: "send whole files (--no-W: deltas, locally too)" },
  { long: "block-size", short: "B", argument: "string", hook: "blockSize", sent: "-B", side: "both",
    category: "Updating", argumentName: "SIZE", help: "size of the blocks that are compared" },
  { long: "checksum-choice", aliases: ["cc"], argument: "string", into: "checksumChoice",
    sent: "--checksum-choice", side: "both", category: "Updating", argumentName: "NAME",
    help: "checksum to use (also --cc)" },
  { long: "checksum-seed", argument: "int", into: "checksumSeed", sent: "--checksum-seed", side: "both",
    category: "Updating", argumentName: "NUM", help: "seed of the checksums", exactRefusal: true },
  { long: "inplace", set: { inplace: true }, no: ["no-inplace"], unset: { inplace: false }, sent: "--inplace",
    side: "both", category: "Updating", conflicts: ["partial-dir", "delay-updates"],
    help: "change files where they are" },
  { long: "append", hook: "append", no: ["no-append"], unset: { append: 0 }, sent: "--append", side: "both",
    implies: ["inplace"], conflicts: ["whole-file"], category: "Updating",
    help: "add what shorter files lack at their end" },
  { long: "append-verify", set: { append: 2 }, sent: "--append", side: "both", since: 30, implies: ["inplace"],
    conflicts: ["whole-file"], category: "Updating", help: "--append, then check the old part too" },
  { long: "sparse", short: "S", set: { sparse: true }, no: ["no-sparse", "no-S"], unset: { sparse: false },
    sent: "S", side: "receiver", category: "Updating", help: "leave holes where there are only zeros" },
  { long: "preallocate", set: { preallocate: true }, sent: "--preallocate", side: "receiver", category: "Updating",
    help: "reserve a file's space before writing it" },
  { long: "fuzzy", short: "y", hook: "fuzzy", no: ["no-fuzzy", "no-y"], unset: { fuzzy: 0 }, sent: "y",
    side: "receiver", category: "Updating", help: "build new files from similar ones" },
  { long: "fsync", set: { fsync: true }, sent: "--fsync", side: "receiver", category: "Updating",
    help: "make sure every file is on the disk" },
  { long: "backup", short: "b", set: { backup: true }, no: ["no-backup"], unset: { backup: false }, sent: "b",
    side: "receiver", category: "Updating", help: "keep what is replaced or deleted" },
  { long: "backup-dir", argument: "string", into: "backupDir", sent: "--backup-dir", side: "receiver",
    implies: ["backup"], category: "Updating", argumentName: "DIR", help: "keep backups in DIR" },
  { long: "suffix", argument: "string", into: "suffix", sent: "--suffix", side: "receiver", category: "Updating",
    argumentName: "SUFFIX", help: "ending of a backup's name (~ unless --backup-dir)" },
  { long: "partial", set: { partial: true }, no: ["no-partial"], unset: { partial: false }, sent: "--partial",
    side: "receiver", category: "Updating", help: "keep files that came only in part" },
  { long: "partial-dir", argument: "string", into: "partialDir", sent: "--partial-dir", side: "receiver",
    implies: ["partial"], category: "Updating", argumentName: "DIR", help: "keep partial files in DIR" },
  { long: "delay-updates", set: { delayUpdates: true }, no: ["no-delay-updates"], unset: { delayUpdates: false },
    sent: "--delay-updates", side: "receiver", category: "Updating", help: "put all files in place at the end" },
  { long: "temp-dir", short: "T", argument: "string", into: "tempDir", sent: "--temp-dir", side: "receiver",
    category: "Updating", argumentName: "DIR", help: "build new files in DIR" },
];

const DELETING: readonly OptionRow[] = [
  { long: "delete", set: { deleteMode: true }, sent: "--delete", side: "receiver", category: "Deleting",
    help: "delete what the sender does not have" },
  { long: "delete-before", set: { deleteBefore: true }, sent: "--delete-before", side: "receiver",
    implies: ["delete"], conflicts: ["delete-during", "delete-delay", "delete-after"], category: "Deleting",
    help: "delete before the transfer" },
  { long: "delete-during", aliases: ["del"], set: { deleteDuring: 1 }, sent: "--delete-during", side: "receiver",
    implies: ["delete"], conflicts: ["delete-before", "delete-after"], category: "Deleting",
    help: "delete directory by directory (also --del)" },
  { long: "delete-delay", set: { deleteDuring: 2 }, sent: "--delete-delay", side: "receiver",
    implies: ["delete"], conflicts: ["delete-before", "delete-after"], category: "Deleting",
    help: "look during the transfer, delete after it" },
  { long: "delete-after", set: { deleteAfter: true }, sent: "--delete-after", side: "receiver",
    implies: ["delete"], conflicts: ["delete-before", "delete-during", "delete-delay"], category: "Deleting",
    help: "delete after the transfer" },
  { long: "delete-excluded", set: { deleteExcluded: true }, sent: "--delete-excluded", side: "receiver",
    implies: ["delete"], category: "Deleting", help: "delete excluded files too" },
  { long: "remove-source-files", set: { removeSourceFiles: 1 }, sent: "--remove-source-files", side: "both",
    category: "Deleting", help: "remove files from the sender once they are in step" },
  { long: "remove-sent-files", set: { removeSourceFiles: 2 }, sent: "--remove-sent-files", side: "both",
    category: "Deleting", help: null },
  { long: "force", set: { force: true }, no: ["no-force"], unset: { force: false }, sent: "--force",
    side: "receiver", category: "Deleting", help: "delete full directories that are in the way" },
  { long: "ignore-errors", set: { ignoreErrors: true }, no: ["no-ignore-errors"], unset: { ignoreErrors: false },
    sent: "--ignore-errors", side: "both", category: "Deleting", help: "delete even after read errors" },
  { long: "max-delete", argument: "int", into: "maxDelete", sent: "--max-delete", side: "receiver",
    category: "Deleting", argumentName: "NUM", help: "delete NUM files at most" },
];

const FILTERS: readonly OptionRow[] = [
  { long: "filter", short: "f", argument: "string", hook: "filter", side: "both", category: "Filters",
    argumentName: "RULE", help: "add a filter rule" },
  { long: null, short: "F", hook: "filterFile", side: "both", category: "Filters",
    help: "use .rsync-filter files (twice: and leave them out)" },
  { long: "exclude", argument: "string", hook: "exclude", side: "both", category: "Filters",
    argumentName: "PATTERN", help: "leave out what matches" },
  { long: "include", argument: "string", hook: "include", side: "both", category: "Filters",
    argumentName: "PATTERN", help: "take what matches after all" },
  { long: "exclude-from", argument: "string", hook: "excludeFrom", side: "both", category: "Filters",
    argumentName: "FILE", help: "read patterns to leave out from FILE" },
  { long: "include-from", argument: "string", hook: "includeFrom", side: "both", category: "Filters",
    argumentName: "FILE", help: "read patterns to take from FILE" },
  { long: "cvs-exclude", short: "C", set: { cvsExclude: true }, sent: "C", side: "both", category: "Filters",
    help: "leave out what CVS would" },
  { long: "trust-sender", set: { trustSender: true }, side: "client", category: "Filters",
    help: "skip the checks of names that the sender sends" },
];

const SPEED: readonly OptionRow[] = [
  { long: "compress", short: "z", hook: "compress", no: ["no-compress", "no-z"], noHook: "noCompress", sent: "z",
    side: "both", category: "Compression and speed", help: "compress data on the way" },
  { long: "old-compress", set: { compressChoice: "zlib" }, sent: "--old-compress", side: "both",
    category: "Compression and speed", help: null },
  { long: "new-compress", set: { compressChoice: "zlibx" }, sent: "--new-compress", side: "both",
    category: "Compression and speed", help: null },
  { long: "compress-choice", aliases: ["zc"], argument: "string", into: "compressChoice",
    sent: "--compress-choice", side: "both", category: "Compression and speed", argumentName: "NAME",
    help: "compression to use (also --zc)" },
  { long: "compress-level", aliases: ["zl"], argument: "int", into: "compressLevel", sent: "--compress-level",
    side: "both", category: "Compression and speed", argumentName: "NUM", help: "how hard to compress (also --zl)" },
  { long: "compress-threads", aliases: ["zt"], argument: "int", into: "compressThreads", side: "client",
    category: "Compression and speed", argumentName: "NUM", help: "threads that compress (also --zt)" },
  // As with rsync 3.5.0 the list changes nothing: no compressor changes its level within a stream.
  { long: "skip-compress", argument: "string", into: "skipCompress", sent: "--skip-compress", side: "sender",
    category: "Compression and speed", argumentName: "LIST", help: "endings of files to send uncompressed" },
  { long: "bwlimit", argument: "string", hook: "bwlimit", no: ["no-bwlimit"], unset: { bwlimit: 0 },
    sent: "--bwlimit", side: "both", category: "Compression and speed", argumentName: "RATE",
    help: "bytes a second at most (in KiB, or with a unit)" },
];

const CONNECTION: readonly OptionRow[] = [
  { long: "rsh", short: "e", argument: "string", into: "rsh", sent: "e", side: "client", category: "Connection",
    argumentName: "COMMAND", help: "remote shell to use", exactRefusal: true },
  { long: "rsync-path", argument: "string", into: "rsyncPath", side: "client", category: "Connection",
    argumentName: "PROGRAM", help: "program to start on the other machine" },
  { long: "blocking-io", set: { blockingIo: 1 }, no: ["no-blocking-io"], unset: { blockingIo: 0 }, side: "client",
    category: "Connection", help: "give the remote shell blocking pipes" },
  { long: "remote-option", short: "M", argument: "string", hook: "remoteOption", side: "client",
    category: "Connection", argumentName: "OPTION", help: "pass OPTION to the other side only" },
  { long: "secluded-args", aliases: ["protect-args"], short: "s", set: { secludedArgs: 1 },
    no: ["no-secluded-args", "no-protect-args", "no-s"], unset: { secludedArgs: 0 }, sent: "s", side: "both",
    since: 30, conflicts: ["old-args"], category: "Connection",
    help: "send the arguments inside the protocol", exactRefusal: true },
  { long: "old-args", hook: "oldArgs", no: ["no-old-args"], unset: { oldArgs: 0 }, side: "client",
    conflicts: ["secluded-args"], category: "Connection", help: "let the remote shell split the arguments" },
  { long: "port", argument: "int", into: "port", side: "client", category: "Connection", argumentName: "PORT",
    help: "the daemon's port" },
  { long: "address", argument: "string", into: "address", side: "client", category: "Connection",
    argumentName: "ADDRESS", help: "local address to connect from" },
  { long: "sockopts", argument: "string", into: "sockopts", side: "client", category: "Connection",
    argumentName: "OPTIONS", help: "TCP options" },
  { long: "ipv4", short: "4", set: { family: 4 }, side: "client", category: "Connection", help: "prefer IPv4" },
  { long: "ipv6", short: "6", set: { family: 6 }, side: "client", category: "Connection", help: "prefer IPv6" },
  { long: "password-file", argument: "string", into: "passwordFile", side: "client", category: "Connection",
    argumentName: "FILE", help: "read the daemon's password from FILE" },
  { long: "early-input", argument: "string", into: "earlyInput", side: "client", category: "Connection",
    argumentName: "FILE", help: "input for the daemon's early exec" },
  { long: "timeout", argument: "int", into: "timeout", no: ["no-timeout"], unset: { timeout: 0 },
    sent: "--timeout", side: "both", category: "Connection", argumentName: "SECONDS",
    help: "give up after so long without data" },
  { long: "contimeout", argument: "int", into: "contimeout", no: ["no-contimeout"], unset: { contimeout: 0 },
    side: "client", category: "Connection", argumentName: "SECONDS", help: "give up connecting after so long" },
  { long: "protocol", argument: "int", into: "protocol", side: "client", category: "Connection",
    argumentName: "NUM", help: "speak an older protocol" },
  { long: "iconv", argument: "string", into: "iconv", no: ["no-iconv"], unset: { iconv: null }, sent: "--iconv",
    side: "both", category: "Connection", argumentName: "LOCAL,REMOTE", help: "convert names between charsets",
    exactRefusal: true },
];

const BATCHES: readonly OptionRow[] = [
  { long: "write-batch", argument: "string", into: "writeBatch", side: "client", conflicts: ["read-batch"],
    category: "Batches and limits", argumentName: "FILE", help: "record the update in FILE" },
  { long: "only-write-batch", argument: "string", into: "writeBatch", hook: "onlyWriteBatch",
    sent: "--only-write-batch=X", side: "both", conflicts: ["read-batch"], category: "Batches and limits",
    argumentName: "FILE", help: "record the update, change nothing" },
  { long: "read-batch", argument: "string", into: "readBatch", side: "client",
    conflicts: ["write-batch", "files-from", "remove-source-files"], category: "Batches and limits",
    argumentName: "FILE", help: "carry out a recorded update" },
  { long: "max-alloc", argument: "string", into: "maxAllocText", sent: "--max-alloc", side: "both",
    category: "Batches and limits", argumentName: "SIZE", help: "most memory to take at once" },
  { long: "stop-after", aliases: ["time-limit"], argument: "string", hook: "stopAfter", side: "client",
    category: "Batches and limits", argumentName: "MINUTES", help: "stop after so many minutes" },
  { long: "stop-at", argument: "string", hook: "stopAt", side: "client", category: "Batches and limits",
    argumentName: "y-m-dTh:m", help: "stop at this time" },
  { long: "qsort", set: { useQsort: true }, sent: "--use-qsort", side: "both", category: "Batches and limits",
    help: null },
];

const WATCHING: readonly OptionRow[] = [
  { long: "watch", own: true, set: { watch: true }, no: ["no-watch"], unset: { watch: false }, side: "client",
    category: "Watching", help: "keep the destination up to date until stopped" },
  { long: "watch-target", own: true, argument: "string", hook: "watchTarget", side: "client", category: "Watching",
    argumentName: "DEST", help: "one more destination (repeat for still more)" },
  { long: "watch-delay", own: true, argument: "string", into: "watchDelay", side: "client", category: "Watching",
    argumentName: "SEC", help: "wait until nothing changed for SEC seconds (1)" },
  { long: "watch-max-delay", own: true, argument: "string", into: "watchMaxDelay", side: "client",
    category: "Watching", argumentName: "SEC", help: "but send after SEC seconds of changes at the latest (10)" },
  { long: "watch-audit", own: true, argument: "string", into: "watchAudit", side: "client", category: "Watching",
    argumentName: "SEC", help: "compare everything every SEC seconds (3600; 0: never)" },
  { long: "watch-retry", own: true, argument: "string", into: "watchRetry", side: "client", category: "Watching",
    argumentName: "SEC", help: "longest pause before a failed destination is tried again (60)" },
  { long: "watch-backend", own: true, argument: "string", into: "watchBackend", side: "client",
    category: "Watching", argumentName: "NAME", help: "inotify, fanotify, poll or events (default: the best)" },
  { long: "watch-poll", own: true, argument: "string", into: "watchPoll", side: "client", category: "Watching",
    argumentName: "SEC", help: "look for changes every SEC seconds when polling (10)" },
  { long: "watch-allow-empty", own: true, set: { watchAllowEmpty: true }, side: "client", category: "Watching",
    help: "carry out deletions even when a source is empty" },
];

const OTHER: readonly OptionRow[] = [
  { long: "version", short: "V", hook: "version", side: "client", category: "Other",
    help: "print version and abilities (-VV: as JSON)" },
  { long: "help", hook: "help", side: "client", category: "Other", help: "print this text (also -h on its own)" },
  { long: "server", hook: "server", side: "both", category: "Other", help: null, exactRefusal: true },
  { long: "sender", hook: "sender", side: "both", category: "Other", help: null, exactRefusal: true },
  { long: "daemon", hook: "daemonMode", side: "client", category: "Other", help: null },
  { long: "config", argument: "string", hook: "daemonMode", side: "client", category: "Other", help: null },
  { long: "dparam", argument: "string", hook: "daemonMode", side: "client", category: "Other", help: null },
  { long: "detach", hook: "daemonMode", no: ["no-detach"], noHook: "daemonMode", side: "client", category: "Other",
    help: null },
];

/** Every option of the command line. Order within a category is the order of the help. */
export const OPTION_ROWS: readonly OptionRow[] = [
  ...OUTPUT, ...CHOICE, ...ATTRIBUTES, ...LINKS, ...UPDATING, ...DELETING, ...FILTERS, ...SPEED, ...CONNECTION,
  ...BATCHES, ...WATCHING, ...OTHER,
];

/** The options of `--daemon` (upstream long_daemon_options). */
export const DAEMON_ROWS: readonly OptionRow[] = [
  { long: "daemon", set: { daemon: true }, side: "client", category: "Other", help: "run as a daemon" },
  { long: "address", argument: "string", into: "address", side: "client", category: "Other",
    argumentName: "ADDRESS", help: "address to listen on" },
  { long: "bwlimit", argument: "int", into: "daemonBwlimit", side: "client", category: "Other",
    argumentName: "RATE", help: "KiB a second at most" },
  { long: "config", argument: "string", into: "configFile", side: "client", category: "Other",
    argumentName: "FILE", help: "configuration file to use" },
  { long: "check-config", set: { checkConfig: true }, side: "client", category: "Other", own: true,
    help: "say what is wrong with the configuration, and what it names, and end" },
  { long: "dparam", short: "M", argument: "string", hook: "dparam", side: "client", category: "Other",
    argumentName: "NAME=VALUE", help: "set a global parameter" },
  { long: "detach", set: { noDetach: false }, no: ["no-detach"], unset: { noDetach: true }, side: "client",
    category: "Other", help: "go into the background (--no-detach: stay)" },
  { long: "port", argument: "int", into: "port", side: "client", category: "Other", argumentName: "PORT",
    help: "port to listen on" },
  { long: "log-file", argument: "string", into: "logFile", side: "client", category: "Other",
    argumentName: "FILE", help: "log file to write" },
  { long: "log-file-format", argument: "string", into: "logFormat", side: "client", category: "Other",
    argumentName: "FORMAT", help: "format of the log's lines" },
  { long: "sockopts", argument: "string", into: "sockopts", side: "client", category: "Other",
    argumentName: "OPTIONS", help: "TCP options" },
  { long: "verbose", short: "v", hook: "verbose", no: ["no-verbose", "no-v"], unset: { verbose: 0 },
    side: "client", category: "Other", help: "say more" },
  { long: "ipv4", short: "4", set: { family: 4 }, side: "client", category: "Other", help: "prefer IPv4" },
  { long: "ipv6", short: "6", set: { family: 6 }, side: "client", category: "Other", help: "prefer IPv6" },
  { long: "protocol", argument: "int", into: "protocol", side: "client", category: "Other", help: null },
  { long: "server", set: { server: true }, side: "client", category: "Other", help: null },
  { long: "temp-dir", short: "T", argument: "string", into: "tempDir", side: "client", category: "Other",
    help: null },
  { long: "help", short: "h", hook: "daemonHelp", side: "client", category: "Other",
    help: "print this text (with --daemon)" },
];
