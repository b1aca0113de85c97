/**
 * Options that users define for themselves, in popt's configuration: lines `rsync alias -Z --no-p --chmod=ugo=rwX` in
 * /etc/popt and ~/.popt. Upstream popt/poptconfig.c: poptReadConfigFile, poptConfigLine; popt/poptparse.c:
 * poptParseArgvString.
 */

/** What stands for what: names without dashes, and the words in their place. */
export interface Aliases {
  readonly long: ReadonlyMap<string, readonly string[]>;
  readonly short: ReadonlyMap<string, readonly string[]>;
}

/** None. */
export const NO_ALIASES: Aliases = { long: new Map(), short: new Map() };

/** Whose lines count: wsync takes the place of rsync. */
const PROGRAM = "rsync";

/** "PROGRAM alias OPTION WORDS". */
const LINE = /^\s*(\S+)\s+alias\s+(-\S+)\s+(.*)$/s;

/** Reads the texts of configuration files, in order; a later definition takes the place of an earlier one. */
export function readAliases(texts: readonly string[]): Aliases {
  const long = new Map<string, readonly string[]>();
  const short = new Map<string, readonly string[]>();
  for (const line of texts.flatMap(linesOf)) {
    const [, program, option, rest] = LINE.exec(line) ?? [];
    if (program === undefined || line.trimStart().startsWith("#") || !isForUs(program)) continue;
    const words = splitWords(rest).filter((word) => !/^--POPT(desc|args)=/.test(word));
    if (option.startsWith("--") && option.length > 2) long.set(option.slice(2), words);
    else if (option.length === 2) short.set(option[1], words);
  }
  return { long, short };
}

/** A backslash at the end joins two lines. */
function linesOf(text: string): string[] {
  return text.replace(/\\\n/g, "").split("\n");
}

/** popt takes a program's name for a shell pattern. */
function isForUs(pattern: string): boolean {
  const expression = pattern.replace(/[.+^${}()|\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  try {
    return new RegExp(`^${expression}$`, "s").test(PROGRAM);
  } catch {
    return false;
  }
}

/** Words between blanks. Quotes of either kind group; a backslash takes the next letter as it is. */
function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === "\\" && at + 1 < text.length) {
      const next = text[++at];
      word = (word ?? "") + (quote !== "" && next !== quote ? letter : "") + next;
    } else if (quote !== "") {
      if (letter === quote) quote = "";
      else word = (word ?? "") + letter;
    } else if (letter === '"' || letter === "'") {
      quote = letter;
      word ??= "";
    } else if (/\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? "") + letter;
    }
  }
  return word === null ? words : [...words, word];
}
