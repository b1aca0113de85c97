/** --help, drawn from the option table. Upstream: usage.c:usage and daemon_usage. */
import { type Category, DAEMON_ROWS, OPTION_ROWS, type OptionRow } from "./table.ts";
import { type Capabilities, versionText } from "./version.ts";

const COLUMN = 27;

/** Chapters of the help, in order. */
export const CATEGORIES: readonly Category[] = [
  "Choosing files", "Keeping attributes", "Links and devices", "Updating", "Deleting", "Filters",
  "Compression and speed", "Connection", "Output", "Batches and limits", "Watching",
  "Other",
];

/** What may follow the options. */
export const FORMS: readonly string[] = [
  "SRC... DEST",
  "SRC... [USER@]HOST:DEST",
  "SRC... [USER@]HOST::MODULE/DEST",
  "SRC... rsync://[USER@]HOST[:PORT]/MODULE/DEST",
  "[USER@]HOST:SRC... [DEST]",
  "[USER@]HOST::MODULE/SRC... [DEST]",
  "rsync://[USER@]HOST[:PORT]/MODULE/SRC... [DEST]",
];

/** The text of --help: version, usage, and every option this version has, by category. */
export function helpText(able: Capabilities): string {
  const forms = FORMS.map((form, at) => `${at === 0 ? "Usage:" : "   or "} wsync [OPTION]... ${form}\n`);
  return [
    versionText(able),
    "\nwsync copies files and trees, here or between machines, and sends only what differs. It takes rsync's\n",
    "options and talks to any rsync.\n\n",
    ...forms,
    "\nHOST: goes through a remote shell; HOST:: and rsync:// go to an rsync daemon, rsyncs:// to\none behind TLS, "
    + "ws:// and wss:// to one within a WebSocket. One argument alone is listed.\n",
    ...CATEGORIES.map(categoryText),
    "\n--no-OPTION turns an option off again.\n",
    missingText(),
    "\nwsync --daemon --help tells of daemon mode. The manual pages rsync(1) and rsyncd.conf(5) describe all of it.\n",
  ].join("");
}

/** The text of --daemon --help. */
export function daemonHelpText(able: Capabilities): string {
  const rows = DAEMON_ROWS.filter((row) => row.help !== null).map(rowText);
  return [
    versionText(able),
    "\nUsage: wsync --daemon [OPTION]...   (as rsync --daemon; --no-detach keeps it in the foreground)\n\n",
    ...rows,
    "\nThese options belong to the daemon alone. See rsyncd.conf(5).\n",
  ].join("");
}

function categoryText(category: Category): string {
  const rows = OPTION_ROWS.filter((row) => row.category === category && row.help !== null && row.available !== false);
  return rows.length === 0 ? "" : `\n${category}\n${rows.map(rowText).join("")}`;
}

function rowText(row: OptionRow): string {
  const spelled = spelling(row);
  const gap = spelled.length < COLUMN - 2 ? "".padEnd(COLUMN - 2 - spelled.length) : `\n${"".padEnd(COLUMN)}`;
  return `  ${spelled}${gap}${row.help}\n`;
}

/** "--block-size=SIZE, -B". */
function spelling({ long, short, argumentName }: OptionRow): string {
  const name = long === null ? [] : [`--${long}${argumentName === undefined ? "" : `=${argumentName}`}`];
  return [...name, ...(short === undefined ? [] : [`-${short}`])].join(", ");
}

/** Names of the options that are refused, in lines of bearable length. */
function missingText(): string {
  const names = OPTION_ROWS.filter((row) => row.available === false && row.help !== null).map(shortName);
  if (names.length === 0) return "";
  const lines = [""];
  for (const name of names) {
    if (lines[lines.length - 1].length + name.length > 96) lines.push("");
    lines[lines.length - 1] += `${lines[lines.length - 1] === "" ? "  " : " "}${name}`;
  }
  return ["Not in this version:", ...lines].map((text) => `${text}\n`).join("");
}

function shortName({ long, short }: OptionRow): string {
  return long === null ? `-${short}` : `--${long}`;
}
