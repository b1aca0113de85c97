/**
 * --out-format and log formats: a format is taken apart once and then filled in for each item.
 *
 * Escapes are those of "log format" in rsyncd.conf(5). Between % and the letter may stand quotes (human-readable
 * numbers: one for separators, two or three for units), a minus and a width. An escape without a value here, such as
 * %h outside a daemon, stays as it is written. Upstream: log.c:log_formatted.
 */
import { cleanPath } from "../options/cleanpath.ts";
import { ESCAPE } from "../options/formathas.ts";
import { formatNumber } from "../options/size.ts";
import { ItemFlag } from "../protocol/constants.ts";
import { type ItemizeSettings, itemize } from "./itemize.ts";
import { FileType, fileType, permissionString } from "./mode.ts";
import { timeString } from "./time.ts";

/** One item to be reported. */
export interface LogItem {
  readonly operation: "send" | "recv" | "del.";
  /** Path in the list, without a trailing slash. */
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly uid: number;
  /** null: the group is not carried over. */
  readonly gid: number | null;
  /** What a symlink points to; null for others and for deletions. */
  readonly linkTarget: string | null;
  /** The other name of a hard link or local copy, "" for none. */
  readonly xname: string;
  /** The sender's directory that `name` starts from, null for the working directory. */
  readonly root: string | null;
  readonly iflags: number;
  /** Digest of the contents in hex, null when there is none. */
  readonly checksum: string | null;
}

/** The run around the items. */
export interface LogRun {
  readonly itemize: ItemizeSettings;
  readonly sender: boolean;
  readonly pid: number;
  /** Hex digits of a digest, the width of a %C without one. */
  readonly checksumWidth: number;
  /** Seconds since the epoch. */
  now(): number;
  /** Bytes written to and read from the connection for the current item. */
  itemBytes(): { readonly written: number; readonly read: number };
  /** Present in a daemon. */
  readonly daemon?: {
    readonly host: string;
    readonly address: string;
    readonly module: string;
    readonly path: string;
    readonly user: string;
    /** The directory below the module that names start from. */
    readonly directory: string;
  };
}

/** How an escape was written: its letter, level of human-readable numbers, and width. */
interface Escape {
  readonly letter: string;
  readonly human: number;
  readonly left: boolean;
  readonly width: number;
  readonly zeros: boolean;
}

type Value = (item: LogItem, run: LogRun, escape: Escape) => string | null;
type Segment = string | { readonly source: string; readonly escape: Escape; readonly value: Value };

/** Values that printf pads with zeros when the width starts with 0. */
const NUMERIC = new Set(["U", "G", "p"]);

const VALUES: Readonly<Record<string, Value>> = {
  h: (_, { daemon }) => daemon?.host ?? null,
  a: (_, { daemon }) => daemon?.address ?? null,
  m: (_, { daemon }) => daemon?.module ?? "",
  P: (_, { daemon }) => daemon?.path ?? null,
  u: (_, { daemon }) => daemon?.user ?? null,
  l: ({ size }, _, { human }) => formatNumber(size, human),
  U: ({ uid }) => String(uid),
  G: ({ gid }) => (gid === null ? "DEFAULT" : String(gid)),
  p: (_, { pid }) => String(pid),
  M: ({ mtime }) => timeString(mtime).replaceAll(" ", "-"),
  B: ({ mode }) => permissionString(mode).slice(1),
  o: ({ operation }) => operation,
  f: fullName,
  n: ({ name, mode }) => (fileType(mode) === FileType.directory ? `${name}/` : name),
  L: linkText,
  t: (_, run) => timeString(run.now()),
  b: (item, run, escape) => byteCount(item, run, escape, run.sender),
  c: (item, run, escape) => byteCount(item, run, escape, !run.sender),
  C: ({ checksum }, { checksumWidth }) => checksum ?? "".padEnd(checksumWidth),
  i: ({ iflags, mode, operation }, run) => itemize(iflags, mode, operation === "send", run.itemize),
  "%": () => "%",
};

/** A format ready for use. */
export class LogFormat {
  private readonly segments: readonly Segment[];

  constructor(format: string) {
    this.segments = takeApart(format);
  }

  /** The line for one item, with its end. */
  line(item: LogItem, run: LogRun): string {
    let out = "";
    for (const segment of this.segments) {
      if (typeof segment === "string") out += segment;
      else out += pad(segment.value(item, run, segment.escape), segment.escape) ?? segment.source;
    }
    return `${out}\n`;
  }
}

function takeApart(format: string): Segment[] {
  const segments: Segment[] = [];
  let end = 0;
  for (const match of format.matchAll(ESCAPE)) {
    const [source, before, minus, digits, after, letter] = match;
    const value = VALUES[letter];
    if (value === undefined) continue;
    segments.push(format.slice(end, match.index));
    end = match.index + source.length;
    const escape: Escape = {
      letter,
      human: before.length + after.length,
      left: minus !== "",
      width: Number(digits),
      zeros: digits.startsWith("0") && minus === "",
    };
    segments.push({ source, escape, value });
  }
  return [...segments, format.slice(end)];
}

/** %L pads its target alone, so it comes padded; everything else is padded here. */
function pad(text: string | null, { letter, left, width, zeros }: Escape): string | null {
  if (text === null || width === 0 || letter === "L") return text;
  if (left) return text.padEnd(width);
  return text.padStart(width, zeros && NUMERIC.has(letter) && text !== "DEFAULT" ? "0" : " ");
}

/** %f: the sender's whole path, or the path below a daemon's module; never with a leading slash. */
function fullName({ name, root }: LogItem, { sender, daemon }: LogRun): string {
  let path = name;
  if (sender && root !== null) path = `${root}/${name}`;
  else if (daemon !== undefined && !name.startsWith("/")) path = `${daemon.directory}/${name}`;
  // A top directory keeps its dot.
  const dot = path.endsWith("/.") ? "/." : "";
  return `${cleanPath(path, false)}${dot}`.replace(/^\//, "");
}

function linkText({ xname, linkTarget }: LogItem, _: LogRun, { left, width }: Escape): string {
  const target = xname !== "" ? xname : (linkTarget ?? "");
  const padded = left ? target.padEnd(width) : target.padStart(width);
  if (xname !== "") return ` => ${padded}`;
  if (linkTarget !== null) return ` -> ${padded}`;
  return width === 0 ? "" : `    ${padded}`;
}

function byteCount({ iflags }: LogItem, run: LogRun, { human }: Escape, written: boolean): string {
  if ((iflags & ItemFlag.transfer) === 0) return "0";
  const bytes = run.itemBytes();
  return formatNumber(written ? bytes.written : bytes.read, human);
}
