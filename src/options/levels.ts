/**
 * --info and --debug: the flag words, the level of each, and how -v, -q limits and the server's arguments follow.
 *
 * Upstream keeps two global arrays (options.c, info_words and debug_words); here they are one object that the options
 * record carries. Each word has a level (0 silent) and a priority: what the user named is never lowered by what -v
 * implies, and only named words are passed on to the server.
 */
import { UsageError } from "../errors.ts";

/** Where a word matters: the client, the server, the sending side, the receiving side (bits). */
export const Where = { client: 1, server: 2, sender: 4, receiver: 8 } as const;

/** Who set a level; a higher one is not overridden by a lower one. */
export const Priority = { implied: 0, help: 1, user: 2 } as const;

/** The largest N in flagN. */
const MAX_LEVEL = 4;

interface Word {
  readonly where: number;
  readonly help: string;
}

const SENDER_RECEIVER = Where.sender | Where.receiver;
const CLIENT_SERVER = Where.client | Where.server;

const INFO_WORDS = {
  BACKUP: { where: Where.receiver, help: "Files that were backed up" },
  COPY: { where: Where.receiver, help: "Files copied from another local file on the receiver" },
  DEL: { where: Where.receiver, help: "Deletions on the receiver" },
  FLIST: { where: Where.client, help: "Sending and receiving of the file list (levels 1-2)" },
  MISC: { where: SENDER_RECEIVER, help: "Miscellaneous facts (levels 1-2)" },
  MOUNT: { where: SENDER_RECEIVER, help: "Mount points found or passed over" },
  NAME: { where: SENDER_RECEIVER, help: "Names: 1) of what is updated, 2) of what is unchanged too" },
  NONREG: { where: Where.receiver, help: "Non-regular files passed over (on by default, 0 turns it off)" },
  PROGRESS: { where: Where.client, help: "Progress: 1) of each file, 2) of the whole transfer" },
  REMOVE: { where: Where.sender, help: "Files removed on the sender" },
  SKIP: { where: Where.receiver, help: "Files passed over because an option says so (levels 1-2)" },
  STATS: { where: CLIENT_SERVER, help: "Statistics at the end (levels 1-3)" },
  SYMSAFE: { where: SENDER_RECEIVER, help: "Symlinks that are unsafe" },
} as const satisfies Record<string, Word>;

const DEBUG_WORDS = {
  ACL: { where: SENDER_RECEIVER, help: "ACL details" },
  BACKUP: { where: Where.receiver, help: "Backup steps (levels 1-2)" },
  BIND: { where: Where.client, help: "Binding of sockets" },
  CHDIR: { where: CLIENT_SERVER, help: "Changes of the working directory" },
  CONNECT: { where: Where.client, help: "Connection events (levels 1-2)" },
  CMD: { where: Where.client, help: "Commands and options that are started (levels 1-2)" },
  DEL: { where: Where.receiver, help: "Deletion steps (levels 1-3)" },
  DELTASUM: { where: SENDER_RECEIVER, help: "Checksums of the delta transfer (levels 1-4)" },
  DUP: { where: Where.receiver, help: "Dropping of duplicate names" },
  EXIT: { where: CLIENT_SERVER, help: "Exit events (levels 1-3)" },
  FILTER: { where: SENDER_RECEIVER, help: "Filter decisions (levels 1-3)" },
  FLIST: { where: SENDER_RECEIVER, help: "File-list steps (levels 1-4)" },
  FUZZY: { where: Where.receiver, help: "Scores of fuzzy matching (levels 1-2)" },
  GENR: { where: Where.receiver, help: "The generator" },
  HASH: { where: SENDER_RECEIVER, help: "Hash tables" },
  HLINK: { where: SENDER_RECEIVER, help: "Hard-link steps (levels 1-3)" },
  ICONV: { where: CLIENT_SERVER, help: "Character-set conversions (levels 1-2)" },
  IO: { where: CLIENT_SERVER, help: "Input and output (levels 1-4)" },
  NSTR: { where: CLIENT_SERVER, help: "Negotiated strings" },
  OWN: { where: Where.receiver, help: "Changes of owner and group (levels 1-2)" },
  PROTO: { where: CLIENT_SERVER, help: "The protocol version" },
  RECV: { where: Where.receiver, help: "The receiver" },
  SEND: { where: Where.sender, help: "The sender" },
  TIME: { where: Where.receiver, help: "Setting of modification times (levels 1-2)" },
} as const satisfies Record<string, Word>;

export type InfoWord = keyof typeof INFO_WORDS;
export type DebugWord = keyof typeof DEBUG_WORDS;
/** The two options that take flag words. */
export type LevelKind = "info" | "debug";

const WORDS: Record<LevelKind, Readonly<Record<string, Word>>> = { info: INFO_WORDS, debug: DEBUG_WORDS };

/** Words that each -v adds; the index is the verbosity. */
const VERBOSITY: Record<LevelKind, readonly string[]> = {
  info: ["NONREG", "COPY,DEL,FLIST,MISC,NAME,STATS,SYMSAFE", "BACKUP,MISC2,MOUNT,NAME2,REMOVE,SKIP"],
  debug: [
    "",
    "",
    "BIND,CMD,CONNECT,DEL,DELTASUM,DUP,FILTER,FLIST,ICONV",
    "ACL,BACKUP,CONNECT2,DELTASUM2,DEL2,EXIT,FILTER2,FLIST2,FUZZY,GENR,OWN,RECV,SEND,TIME",
    "CMD2,DELTASUM3,DEL3,EXIT2,FLIST3,ICONV2,OWN2,PROTO,TIME2",
    "CHDIR,DELTASUM4,FLIST4,FUZZY2,HASH,HLINK",
  ],
};

/** Verbosity beyond this adds nothing. */
const MAX_VERBOSITY = 5;

/** One item of an --info or --debug list: "" stands for all words. */
interface Item {
  readonly word: string;
  readonly level: number;
}

/** The levels of one run. `info.NAME` and the like are read often and are plain numbers. */
export class Levels {
  readonly info: Record<InfoWord, number> = zeros("info") as Record<InfoWord, number>;
  readonly debug: Record<DebugWord, number> = zeros("debug") as Record<DebugWord, number>;
  private readonly priorities: Record<LevelKind, Record<string, number>> = {
    info: zeros("info"),
    debug: zeros("debug"),
  };

  /**
   * Takes an --info or --debug argument (upstream parse_output_words). Returns "help" when the list asks for help.
   * `lenient` (on a server) passes over unknown words; otherwise they are a UsageError.
   */
  parse(kind: LevelKind, text: string, priority: number = Priority.user, lenient = false): "help" | "ok" {
    for (const part of text.split(",")) {
      if (part === "") continue;
      const item = parseItem(part);
      if (item.word === "HELP") return "help";
      if (!this.assign(kind, item, priority) && !lenient) {
        throw new UsageError(`Unknown --${kind} item: "${part.slice(0, item.word.length)}"`);
      }
    }
    return "ok";
  }

  /** Adds what a count of -v options implies (upstream set_output_verbosity). */
  setVerbosity(verbose: number): void {
    for (const kind of ["info", "debug"] as const) {
      for (const text of VERBOSITY[kind].slice(0, verbose + 1)) this.parse(kind, text, Priority.implied);
    }
  }

  /** Caps every level at what `verbose` allows: a daemon's "max verbosity" (upstream limit_output_verbosity). */
  limitVerbosity(verbose: number): void {
    if (verbose > MAX_VERBOSITY) return;
    const limit = new Levels();
    limit.setVerbosity(verbose);
    for (const kind of ["info", "debug"] as const) {
      const mine = this.table(kind);
      const most = limit.table(kind);
      for (const word of Object.keys(mine)) mine[word] = Math.min(mine[word], most[word]);
    }
  }

  /** Silences everything, or undoes that, for a role that must not speak (upstream negate_output_levels). */
  negate(): void {
    for (const kind of ["info", "debug"] as const) {
      const table = this.table(kind);
      for (const word of Object.keys(table)) table[word] = -table[word] || 0;
    }
  }

  /** A copy that changes on its own. */
  clone(): Levels {
    const copy = new Levels();
    for (const kind of ["info", "debug"] as const) {
      Object.assign(copy.table(kind), this.table(kind));
      Object.assign(copy.priorities[kind], this.priorities[kind]);
    }
    return copy;
  }

  /**
   * The --info= or --debug= argument that tells another process what the user asked for, null when nothing was
   * (upstream make_output_option). `where` selects the words which matter there.
   */
  serverOption(kind: LevelKind, where: number): string | null {
    const list = this.named(kind, where);
    if (list.length === 0) return null;
    const common = this.commonLevel(kind, where, list);
    const head = common < 0 ? [] : [common === 0 ? "NONE" : common === 1 ? "ALL" : `ALL${common}`];
    const table = this.table(kind);
    const words = list.filter((word) => table[word] !== common).map((word) => spell(word, table[word]));
    return `--${kind}=${[...head, ...words].join(",")}`;
  }

  private table(kind: LevelKind): Record<string, number> {
    return this[kind];
  }

  /** False when the list's word is unknown. */
  private assign(kind: LevelKind, item: Item, priority: number): boolean {
    const table = this.table(kind);
    const priorities = this.priorities[kind];
    const words = item.word === "" ? Object.keys(table) : item.word in table ? [item.word] : [];
    for (const word of words) {
      if (priority < priorities[word]) continue;
      priorities[word] = priority;
      table[word] = item.level;
    }
    return words.length > 0;
  }

  /** Words of `where` that were named rather than implied, in table order. */
  private named(kind: LevelKind, where: number): string[] {
    return Object.keys(WORDS[kind]).filter(
      (word) => (WORDS[kind][word].where & where) !== 0 && this.priorities[kind][word] !== Priority.implied,
    );
  }

  /** The level that ALL can stand for, or -1: every word of `where` is named and at least five share the level. */
  private commonLevel(kind: LevelKind, where: number, list: readonly string[]): number {
    const total = Object.values(WORDS[kind]).filter((word) => (word.where & where) !== 0).length;
    if (list.length < total) return -1;
    const counts = new Array<number>(MAX_LEVEL + 1).fill(0);
    let most = 0;
    let level = -1;
    for (const word of list) {
      const count = ++counts[this.table(kind)[word]];
      if (count > most) [most, level] = [count, this.table(kind)[word]];
    }
    return most < 5 ? -1 : level;
  }
}

/** The flags of --info or --debug, in small letters. */
export function levelWords(kind: LevelKind): string[] {
  return [...Object.keys(WORDS[kind]), "all", "none", "help"].map((word) => word.toLowerCase());
}

/** The text of --info=help or --debug=help (upstream output_item_help). */
export function levelsHelp(kind: LevelKind): string {
  const line = (name: string, text: string): string => `${name.padEnd(10)} ${text}\n`;
  const words = Object.entries(WORDS[kind]).map(([name, word]) => line(name, word.help));
  return [
    "Write FLAG or FLAG1 for level 1, FLAG2 for level 2 and so on; FLAG0 turns it off.\n\n",
    ...words,
    "\n",
    line("ALL", `Every --${kind} flag (e.g. all${MAX_LEVEL})`),
    line("NONE", `No --${kind} flag (same as all0)`),
    line("HELP", "This list"),
    "\nFlags that each level of verbosity adds:\n",
    ...VERBOSITY[kind].map((text, level) => verbosityLine(kind, text, level)),
  ].join("");
}

function verbosityLine(kind: LevelKind, text: string, level: number): string {
  if (text === "") return "";
  const levels = new Levels();
  levels.parse(kind, text, Priority.help);
  return `${level}) ${levels.serverOption(kind, ~0)!.split("=")[1]}\n`;
}

function zeros(kind: LevelKind): Record<string, number> {
  return Object.fromEntries(Object.keys(WORDS[kind]).map((word) => [word, 0]));
}

function spell(word: string, level: number): string {
  return level === 1 ? word : word + level;
}

/** Splits "NAME2" into word and level; a word that is all digits keeps them. */
function parseItem(part: string): Item {
  const split = /^[0-9]/.test(part) ? part.length : part.search(/[0-9]*$/);
  const digits = part.slice(split);
  const word = part.slice(0, split).toUpperCase();
  if (word === "NONE") return { word: "", level: 0 };
  return { word: word === "ALL" ? "" : word, level: digits === "" ? 1 : Math.min(Number(digits), MAX_LEVEL) };
}
