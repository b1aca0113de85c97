/** The tools' --help and --version. */

/** The version of inotify-tools whose command line, formats and exit codes the tools follow. */
const FOLLOWS = "3.22";

const EVENTS: readonly (readonly [string, string])[] = [
  ["access", "something was read from a file or directory"],
  ["modify", "something was written to a file"],
  ["attrib", "attributes changed: times, permissions, owner, links, ..."],
  ["close_write", "closed after being opened for writing"],
  ["close_nowrite", "closed after being opened for reading only"],
  ["close", "either of the two"],
  ["open", "opened"],
  ["moved_to", "moved into a watched directory"],
  ["moved_from", "moved out of a watched directory"],
  ["move", "either of the two"],
  ["move_self", "the watched thing itself was moved"],
  ["create", "made in a watched directory"],
  ["delete", "removed from a watched directory"],
  ["delete_self", "the watched thing itself was removed"],
  ["unmount", "its file system was unmounted"],
];

const COMMON: readonly (readonly [string, string])[] = [
  ["@PATH", "leave this directory out of -r"],
  ["--fromfile FILE", "read paths to watch from FILE (-: standard input)"],
  ["--exclude PATTERN", "pass over events on paths matching this extended regular expression"],
  ["--excludei PATTERN", "the same, ignoring case"],
  ["--include PATTERN", "take only events on paths that match"],
  ["--includei PATTERN", "the same, ignoring case"],
  ["-r, --recursive", "watch directories with everything below them"],
  ["-P, --no-dereference", "watch symlinks themselves"],
  ["-e, --event EVENT[,...]", "listen for these events (default: all)"],
  ["-I, --inotify", "watch by inotify (the default)"],
  ["-F, --fanotify", "watch by fanotify (super-user)"],
  ["-S, --filesystem", "watch whole file systems by fanotify"],
];

const WAIT: readonly (readonly [string, string])[] = [
  ["-m, --monitor", "go on after the first event"],
  ["-d, --daemon", "the same in the background, with --outfile; implies --syslog"],
  ["-o, --outfile FILE", "append events to FILE instead of printing them"],
  ["-s, --syslog", "send messages to the system log"],
  ["-q, --quiet", "print events only (-qq: nothing)"],
  ["--format FORMAT", "%w watched path, %f name in it, %e events, %Xe events joined by X,"],
  ["", "%T time, %c cookie, %0 NUL, %n line end"],
  ["--no-newline", "do not end a formatted event with a line end"],
  ["--timefmt FORMAT", "strftime format for %T"],
  ["-c, --csv", "print events as comma-separated values"],
  ["--json", "print events as JSON, one a line, renames with old and new path"],
  ["-t, --timeout SECONDS", "give up after so long without an event"],
];

const WATCH: readonly (readonly [string, string])[] = [
  ["-v, --verbose", "say what is being done"],
  ["-z, --zero", "show rows and columns of zeros too"],
  ["-t, --timeout SECONDS", "stop after so long (default: at a signal)"],
  ["-a, --ascending EVENT", "sort by an event, or by `total'"],
  ["-d, --descending EVENT", "sort by an event, or by `total', largest first"],
  ["--json", "print the table as JSON"],
];

const ALWAYS: readonly (readonly [string, string])[] = [
  ["-h, --help", "show this text"],
  ["--version", "show the version"],
];

const WAIT_EXIT = ["0  an event that was asked for", "1  another event ended the watch, or an error",
  "2  nothing happened within --timeout"];
const WATCH_EXIT = ["0  ended as asked", "1  an error"];

/** The --version line. */
export function toolVersion(program: string, version: string): string {
  return `${program} ${version} (as of inotify-tools ${FOLLOWS})\n`;
}

/** The --help text of a tool. */
export function toolHelp(program: string, kind: "wait" | "watch"): string {
  const wait = kind === "wait";
  const head = wait ? "Waits for events on files and directories." : "Counts events on files and directories.";
  return [
    head, `Usage: ${program} [OPTION...] PATH...`, "", "Options:",
    ...table([...COMMON, ...(wait ? WAIT : WATCH), ...ALWAYS]), "", "Exit codes:",
    ...(wait ? WAIT_EXIT : WATCH_EXIT).map((line) => `  ${line}`), "", "Events:", ...table(EVENTS), "",
  ].join("\n");
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  return rows.map(([left, right]) => `  ${left.padEnd(24)} ${right}`);
}
