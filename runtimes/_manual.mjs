/**
 * What the manual says beyond the help, by option (the long name, else the letter). An option without an entry has its
 * help alone. Paragraphs are strings of plain text; --options in them are set in bold.
 */
export const DETAILS = {
  "archive": "Recursion, and everything kept that does not cost much to keep: -rlptgoD. ACLs (-A), extended "
    + "attributes (-X), access times (-U) and hard links (-H) are not part of it. An option that -a stands for "
    + "can be turned off behind it: -a --no-p.",
  "recursive": "Without -r and without -d directories are passed over with a message. With protocol 30 and later the "
    + "list is made and sent in pieces while files are already under way, unless --no-i-r or an option forbids it "
    + "that needs the whole list first (--delete-before, --delete-after, --prune-empty-dirs, --delay-updates).",
  "dirs": "Takes a directory itself, and with a trailing slash or \".\" its entries, but does not go deeper. A "
    + "listing without -r behaves so.",
  "relative": "Of src/a/b the whole path src/a/b is made below the destination, not only b. A /./ in the path says "
    + "where the part begins that is made: src/./a/b makes a/b.",
  "implied-dirs": "With --relative the directories on the way are sent too, with their attributes. --no-implied-dirs "
    + "leaves them to the destination: what is missing is made plainly.",
  "files-from": "One name a line, relative to the source argument; blank lines and lines that begin with # or ; are "
    + "passed over. \"-\" is standard input; HOST:FILE or :FILE is a file on the other side. It implies "
    + "--relative and --dirs, and takes -r out of -a. Names are taken as they are: there are no wild cards.",
  "from0": "In files of --files-from, --exclude-from, --include-from and merge files lines end in a zero byte, and no "
    + "line is a comment.",
  "checksum": "Files of equal size are read on both sides and compared by checksum, which costs much reading. Files "
    + "that are sent are always checked against a checksum of the whole file, with or without this option.",
  "update": "A file whose time on the receiver is later than the sender's is left alone. Differences of kind (a "
    + "directory where a file should be) are still put right.",
  "inplace": "Blocks of a changed file are written into the file itself. Nothing but the changed blocks is written, "
    + "but the file is in disorder while that lasts, stays so after an interruption, and programs that have it "
    + "open see it.",
  "append": "Takes what a shorter file holds for right and sends the rest. Use it for files that only grow. With "
    + "--append-verify the old part counts in the file's checksum, and a mismatch sends the file again.",
  "sparse": "Runs of zeros become holes, so that the file takes less room. With --inplace too, where the system can.",
  "fuzzy": "For a file that is missing a similar one is looked for in the same directory, by size and time or by "
    + "name, to send a delta against. Twice: in the directories of --link-dest and its kin too.",
  "compare-dest": "A file that is the same under DIR is not copied at all. DIR is relative to the destination. May be "
    + "given up to twenty times; the first that has the file decides.",
  "copy-dest": "A file that is the same under DIR is copied from there on the receiver; one that differs is sent as a "
    + "delta against it.",
  "link-dest": "A file that is the same under DIR, in contents and in all attributes that are kept, becomes a hard "
    + "link to it. The way to make snapshots that share what did not change.",
  "partial": "An interrupted transfer leaves what has come of a file, under its name, and the next run goes on from "
    + "it. Without it the piece is removed.",
  "partial-dir": "Keeps the pieces in DIR, away from the finished files, and looks there for them. A relative DIR is "
    + "one directory in every directory that needs it; it is excluded from the transfer. RSYNC_PARTIAL_DIR names "
    + "it for --partial.",
  "delay-updates": "Every new file waits in a directory beside its place (.~tmp~ or --partial-dir) until all have "
    + "come; then they are renamed one after the other. The tree is in between for a moment only.",
  "temp-dir": "New files are built in DIR instead of beside their place. On another file system they are then copied "
    + "rather than renamed, which nobody should watch.",
  "backup": "What would be replaced or deleted is renamed, by adding ~ (--suffix) or into --backup-dir. With --delete "
    + "and without --backup-dir the backups are protected from deletion.",
  "delete": "Removes from the destination's directories what the sender does not have in them. Only directories that "
    + "are sent whole count: src/ or src, not src/*. After a read error on the sender nothing is deleted, unless "
    + "--ignore-errors. Excluded files stay, unless --delete-excluded. Try it with -n first.",
  "delete-before": "Deletes before anything is sent, which makes room but needs the whole list first.",
  "delete-during": "Deletes in each directory before files are sent into it. What --delete stands for.",
  "delete-delay": "Looks as --delete-during does, and deletes after the transfer.",
  "delete-excluded": "Rules no longer protect what they hide on the receiver. Rules marked r (or \"protect\") still "
    + "do.",
  "max-delete": "After NUM deletions the others are only counted, and the exit code is 25. 0 deletes nothing.",
  "remove-source-files": "Each file that has arrived, or was up to date, is removed from the sender. Directories stay.",
  "exclude": "The same as --filter='- PATTERN'. The first rule that matches a name decides. See FILTER RULES.",
  "include": "The same as --filter='+ PATTERN'. It has to come before the rule that would leave the name out.",
  "filter": "Adds a rule as described under FILTER RULES. Rules from the command line, from files and from -F stand "
    + "in the order in which they are given.",
  "F": "The first -F is --filter='dir-merge /.rsync-filter': rules are read from a file of that name in every "
    + "directory. The second one adds --filter='- .rsync-filter', which keeps these files from being copied.",
  "cvs-exclude": "Leaves out what version control and compilers leave behind (RCS, *.o, *~, .git/ and so on), what "
    + "$HOME/.cvsignore and CVSIGNORE name, and per directory what .cvsignore names.",
  "compress": "Compresses what is sent, by the best method that both sides have; lz4, zlib, zlibx and zstd are known. "
    + "--compress-choice names one, --compress-level says how hard to try. Worth it on slow links.",
  "skip-compress": "A list of endings, separated by slashes. Accepted and passed on; as with rsync 3.5.0 no method "
    + "changes its level from file to file, so that it has no effect.",
  "rsh": "The program that reaches the other machine, with its own options: -e 'ssh -p 2222'. RSYNC_RSH is the "
    + "default, else ssh.",
  "rsync-path": "What is started on the other machine; the remote shell splits it, so that it may be several words: "
    + "--rsync-path='sudo rsync'.",
  "secluded-args": "File names and options travel inside the connection rather than on the remote command line, where "
    + "no shell can touch them. RSYNC_PROTECT_ARGS=1 makes it the default.",
  "old-args": "Leaves file names to the remote shell, which splits and expands them, as rsync before 3.2.4 did. "
    + "Twice: options too. RSYNC_OLD_ARGS=1 makes it the default.",
  "password-file": "Only for daemons. The file must not be readable by others; the first line is the password. \"-\" "
    + "is standard input. RSYNC_PASSWORD may hold it too.",
  "timeout": "When nothing comes for so long the run ends with exit code 30. 0, the default, waits for ever.",
  "iconv": "LOCAL is the charset of names here, REMOTE on the other side; \".\" stands for the locale's.",
  "usermap": "FROM:TO pairs with commas between them: a name, a number, a range, * or an empty FROM for ids without a "
    + "name. The first that fits decides. Implies -o.",
  "chmod": "Changes like chmod's, with commas between them: Dg+s,ug+w,Fo-w,+X. D is for directories alone, F for "
    + "files alone.",
  "super": "Tries what only the super-user may (owners, devices) even when the receiver is none; --no-super leaves "
    + "it, even when it is one.",
  "fake-super": "Owners, devices and special permissions are kept in the extended attribute user.rsync.%stat of "
    + "ordinary files, and taken from there. For backups that do not run as root. -M--fake-super does it on the "
    + "other side alone.",
  "hard-links": "Names of one file on the sender become names of one file on the receiver, within one run.",
  "copy-links": "What a symlink leads to is copied in its place. One that leads nowhere is an error.",
  "safe-links": "Symlinks that are absolute, or lead above the top of the transfer, are left out.",
  "insecure-links": "A symlink in a path of the command line (destination, --backup-dir, --link-dest, lists) is "
    + "followed only when root or you own it. This follows all of them.",
  "verbose": "Once: names of what is updated, and a summary. Twice: unchanged files and filter decisions. More is for "
    + "finding errors. Shorthand for sets of --info and --debug flags.",
  "itemize-changes": "A line a change: <, >, c, h, . or * for what happens (sent, received, made, hard-linked, "
    + "attributes only, a message), f, d, L, D or S for the kind, and a letter for each attribute that differs: c "
    + "checksum, s size, t time, p permissions, o owner, g group, u, n or b access and creation time, a ACL, x "
    + "extended attributes. A new file shows plus signs. Twice: unchanged files too.",
  "out-format": "A line an update, with escapes: %n name, %f long name, %L \" -> target\", %l length, %b bytes sent, "
    + "%c checksum bytes, %C checksum, %i the itemized change, %o operation, %M time, %B permissions, %U and %G "
    + "owner, %t now, %p process. %10n pads, %-10n to the left, %'l groups digits.",
  "progress": "Bytes, percent, rate and time left of each file. --info=progress2 is for the whole transfer, and "
    + "SIGVTALRM or SIGINFO ask once.",
  "stats": "Numbers of files, bytes and times at the end. -vv with it adds memory use.",
  "human-readable": "Numbers have separators by default; -h gives K, M and G of 1000, -hh of 1024, --no-h bare "
    + "digits. Alone on the command line -h is --help.",
  "dry-run": "Everything is worked out, nothing changed. Output is what a real run would say.",
  "list-only": "A listing like ls -l: what a command line with one argument does anyway.",
  "write-batch": "Records what is sent to the receiver in FILE, with a script FILE.sh that replays it elsewhere by "
    + "--read-batch. rsync reads wsync's batches and the other way round.",
  "max-alloc": "No single allocation is larger (1g by default); a peer that asks for more ends the run. "
    + "RSYNC_MAX_ALLOC is the default.",
  "stop-at": "Any leading part of year-month-dayThour:minute may be left out: 14:30 is the next half past two.",
  "block-size": "Else chosen by the file's size.",
  "checksum-choice": "One name, or two with a comma: for the transfer, and for --checksum. xxh128, xxh3, xxh64, md5, "
    + "md4, sha1, none. RSYNC_CHECKSUM_LIST says which may be agreed on.",
  "remote-option": "For options that only one side should have: -M--log-file=/tmp/there. Repeat it for several.",
  "json": "src/output/JSON.md describes the events.",
  "explain": "May be repeated. Names the rule that decided, with its file and line.",
  "watch": "WATCH.md tells what it promises.",
  "copy-devices": "Device files are read like ordinary ones, as long as they say they are.",
  "modify-window": "For file systems that keep times coarsely: -@1 or -@2.",
  "one-file-system": "Directories on other file systems are sent empty. Twice: left out.",
  "prune-empty-dirs": "Directories that have no files left after filtering are not made.",
  "mkpath": "Makes all of the destination's directories that are missing, not only the last one.",
  "outbuf": "For output that other programs read: N none, L by line, B by block.",
  "stderr": "errors (the default): errors there, the rest on standard output. all: everything there, on the side that "
    + "says it. client: messages of the other side come through the protocol.",
};

/** The rules' chapter: paragraphs, and pairs of a form and what it does. */
export const FILTER_RULES = [
  "Names are checked against the rules in order, directories before what is in them, and the first rule that matches "
    + "decides. No match means the name takes part. A rule is a word, or its letter, with modifiers and a pattern:",
  ["exclude, -", "leaves the name out, and on the receiver protects it from deletion"],
  ["include, +", "takes it"],
  ["hide, H; show, S", "the same for the sender alone"],
  ["protect, P; risk, R", "the same for deletion on the receiver alone"],
  ["merge, .", "reads rules from a file, now"],
  ["dir-merge, :", "reads rules from a file of this name in every directory, for it and what is below"],
  ["clear, !", "forgets all rules so far"],
  "A pattern with a leading slash is anchored at the top of the transfer (or the merge file's directory); one with a "
    + "slash inside is matched against the end of the path; one with a trailing slash matches directories alone. "
    + "* matches within a name, ** across slashes, ? one letter, [a-z] one of these; dir/*** is dir/ and all "
    + "below it. To take a file the directories above it have to be taken too.",
  "Modifiers: / anchors at the root of the file system, ! turns the match around, C stands for the CVS rules, s and r "
    + "are for the sending and the receiving side, p lets a rule go with a directory that is deleted, x is for "
    + "names of extended attributes. For merge files also e (leave the file itself out), n (not inherited), w "
    + "(words, not lines), + and - (patterns only).",
];

/** Variables of the environment. */
export const ENVIRONMENT = [
  ["RSYNC_RSH", "the remote shell, as --rsh"],
  ["RSYNC_PROXY", "HOST:PORT of a web proxy for daemon connections"],
  ["RSYNC_CONNECT_PROG", "a program whose input and output are the connection to a daemon; %H is the host"],
  ["RSYNC_PASSWORD", "the password for a daemon"],
  ["USER, LOGNAME", "the user name for a daemon"],
  ["RSYNC_PARTIAL_DIR", "the directory for --partial, as --partial-dir"],
  ["RSYNC_PROTECT_ARGS, RSYNC_OLD_ARGS", "defaults of --secluded-args and --old-args"],
  ["RSYNC_ICONV", "default of --iconv"],
  ["RSYNC_MAX_ALLOC", "default of --max-alloc"],
  ["RSYNC_CHECKSUM_LIST, RSYNC_COMPRESS_LIST", "names to agree on, in order of preference; a list for a server may "
    + "stand behind &"],
  ["CVSIGNORE", "more patterns for --cvs-exclude"],
  ["HOME", "where .cvsignore and .popt are looked for"],
  ["POSIXLY_CORRECT", "the first word that is no option ends the options"],
  ["WSYNC_NO_FFI", "when set, libc is not called: files go through the runtime's own functions"],
];
