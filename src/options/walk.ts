/**
 * Words of a command line taken apart as popt does it (poptGetNextOpt): bundled letters (-avz), an argument behind a
 * letter (-B700, -B=700, -B 700), --name=value and --name value, no abbreviations, aliases, `--` ends the options,
 * words and options may mix unless POSIXLY_CORRECT is set.
 */
import { UsageError } from "../errors.ts";
import { type Aliases } from "./aliases.ts";
import { DAEMON_HINT, type EarlyOutcome, refuse } from "./hooks.ts";
import { type Options } from "./options.ts";
import { type OptionRow } from "./table.ts";

/** One spelling of an option. */
export interface Match {
  readonly row: OptionRow;
  readonly negated: boolean;
  /** The long name as spelled, or the letter. */
  readonly name: string;
}

/** The spellings of a table's options. */
export interface Index {
  readonly long: ReadonlyMap<string, Match>;
  readonly short: ReadonlyMap<string, Match>;
}

/** Finds options by their spellings. */
export function makeIndex(rows: readonly OptionRow[]): Index {
  const long = new Map<string, Match>();
  const short = new Map<string, Match>();
  for (const row of rows) {
    if (row.short !== undefined) short.set(row.short, { row, negated: false, name: row.short });
    const names = row.long === null ? [] : [row.long, ...(row.aliases ?? [])];
    for (const name of names) long.set(name, { row, negated: false, name });
    for (const name of row.no ?? []) long.set(name, { row, negated: true, name });
  }
  return { long, short };
}

/** What a walk goes over, and who is told of the options. */
export interface WalkSettings {
  readonly argv: readonly string[];
  readonly index: Index;
  readonly options: Options;
  readonly aliases: Aliases;
  /** The first word that is no option ends them. */
  readonly strict: boolean;
  /** The words are a daemon's, which has words of its own for errors. */
  readonly daemon: boolean;
  /** Takes an option with its argument, "" for none. An outcome ends the walk. */
  take(match: Match, argument: string): EarlyOutcome | void;
}

/** popt's POPT_OPTION_DEPTH. */
const MAX_DEPTH = 10;

/** Walks the words; the ones that are no options become `options.args`. Null when the walk came to its end. */
export function eachOption(settings: WalkSettings): EarlyOutcome | null {
  const walk = new Walk(settings);
  const early = walk.run(0);
  if (early) return early;
  settings.options.args = walk.rest;
  return null;
}

/** What the far side's errors begin with. */
export function remotePrefix(options: Options): string {
  return options.server ? "on remote machine: " : "";
}

/** Words that are being read: those typed, or those an alias stands for. */
interface Frame {
  readonly words: readonly string[];
  at: number;
  /** The alias, which has its usual meaning among its own words; "" for the words typed. */
  readonly alias: string;
}

class Walk {
  /** The words that are no options. */
  readonly rest: string[] = [];
  private readonly settings: WalkSettings;
  private readonly frames: Frame[];
  private isOver = false;

  constructor(settings: WalkSettings) {
    this.settings = settings;
    this.frames = [{ words: settings.argv, at: 0, alias: "" }];
  }

  /** Reads words until the frames above `depth` are done with. */
  run(depth: number): EarlyOutcome | void {
    for (let word = this.next(depth); word !== null; word = this.next(depth)) {
      const early = this.isOver || !word.startsWith("-") || word === "-" ? this.takeWord(word)
        : word === "--" ? void (this.isOver = true)
          : word.startsWith("--") ? this.longOption(word) : this.shortOptions(word);
      if (early) return early;
    }
  }

  /** The next word of the innermost frame that has one, the outermost `depth` of them excepted; null without one. */
  private next(depth: number): string | null {
    const { frames } = this;
    while (frames.length > depth) {
      const frame = frames[frames.length - 1];
      if (frame.at < frame.words.length) return frame.words[frame.at++];
      if (frames.length === 1) return null;
      frames.pop();
    }
    return null;
  }

  private takeWord(word: string): void {
    this.rest.push(word);
    if (this.settings.strict) this.isOver = true;
  }

  private longOption(word: string): EarlyOutcome | void {
    const { index, aliases, options, take } = this.settings;
    const equals = word.indexOf("=");
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const attached = equals < 0 ? null : word.slice(equals + 1);
    const alias = this.aliasOf(aliases.long, name, `--${name}`);
    if (alias) return this.expand(attached ? [...alias, attached] : alias, `--${name}`);
    const match = index.long.get(name);
    if (match === undefined || (match.row.own && options.server)) return this.fail("unknown option");
    return take(match, this.argumentOf(match, attached));
  }

  private shortOptions(word: string): EarlyOutcome | void {
    const { index, aliases, take } = this.settings;
    for (let at = 1; at < word.length; at++) {
      const letter = word[at];
      const alias = this.aliasOf(aliases.short, letter, `-${letter}`);
      const match = index.short.get(letter);
      let early: EarlyOutcome | void;
      let takesRest = false;
      if (alias) {
        early = this.expand(alias, `-${letter}`);
      } else if (match === undefined) {
        return this.fail("unknown option");
      } else {
        takesRest = match.row.argument !== undefined;
        const tail = word.slice(at + 1);
        const attached = tail.startsWith("=") ? tail.slice(1) : takesRest && tail !== "" ? tail : null;
        early = take(match, this.argumentOf(match, attached));
      }
      if (early || takesRest) return early;
    }
  }

  /** What an alias stands for, unless it stands among its own words. */
  private aliasOf(
    aliases: ReadonlyMap<string, readonly string[]>, name: string, spelled: string,
  ): readonly string[] | undefined {
    return this.frames[this.frames.length - 1].alias === spelled ? undefined : aliases.get(name);
  }

  private expand(words: readonly string[], alias: string): EarlyOutcome | void {
    const { frames } = this;
    const depth = frames.length;
    if (depth >= MAX_DEPTH) return this.fail("aliases nested too deeply");
    frames.push({ words, at: 0, alias });
    return this.run(depth);
  }

  /** The option's argument, "" for one without. `attached` stood behind "=" or in the same word. */
  private argumentOf(match: Match, attached: string | null): string {
    const kind = match.negated ? undefined : match.row.argument;
    if (kind === undefined) return attached === null ? "" : this.fail("option does not take an argument");
    const text = attached ?? this.next(0) ?? this.fail("missing argument");
    return kind === "int" ? this.checkInteger(text) : text;
  }

  /** popt's errors are about the word typed last, also where an alias stands for it. */
  private fail(what: string): never {
    const { options, daemon } = this.settings;
    const [{ words, at }] = this.frames;
    const word = words[at - 1];
    if (daemon) throw new UsageError(`rsync: ${word}: ${what} (in daemon mode)\n${DAEMON_HINT}`);
    return refuse(`${remotePrefix(options)}${word}: ${what}`);
  }

  /** The text of a C int in any of strtoll's notations, as decimal digits. */
  private checkInteger(text: string): string {
    const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]*)$/.exec(text);
    if (match === null) return this.fail("invalid numeric value");
    const [, sign, digits] = match;
    const octal = /^0[0-9]/.test(digits);
    if (octal && /[89]/.test(digits)) return this.fail("invalid numeric value");
    const value = octal ? Number.parseInt(digits, 8) : Number(digits || 0);
    const signed = sign === "-" ? -value : value;
    if (signed > 0x7fffffff || signed < -0x80000000) return this.fail("number too large or too small");
    return String(signed);
  }
}

