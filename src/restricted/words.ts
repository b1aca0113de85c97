/** Words of a command that ssh hands over: split and expanded as a login shell would, and nothing else run. */
import { UsageError } from "../errors.ts";

/** More words than this from one brace expression are refused. */
const MAX_EXPANSIONS = 1000;

/** Splits at white space that no backslash precedes. Backslashes stay. */
export function splitWords(command: string): string[] {
  return command.match(/(?:[^\s\\]|\\[^])+/g) ?? [];
}

/** Takes the backslashes away. */
export function unescapeWord(word: string): string {
  return word.replaceAll(/\\([^])/g, "$1");
}

/** Is there a wild card that no backslash precedes? */
export function hasWildcard(word: string): boolean {
  return /[*?[]/.test(word.replaceAll(/\\[^]/g, ""));
}

/** The words that {a,b} expressions stand for. Backslashes stay; one without a comma or end is itself. */
export function expandBraces(word: string): string[] {
  let words = [""];
  let rest = word;
  while (rest !== "") {
    const choice = rest.startsWith("{") ? readChoice(rest) : null;
    const piece = choice === null ? /^(?:\\[^]|[^])/.exec(rest)![0] : rest.slice(0, choice.length);
    const options = choice === null ? [piece] : choice.parts.flatMap(expandBraces);
    if (words.length * options.length > MAX_EXPANSIONS) throw new UsageError("too many words in braces");
    words = words.flatMap((head) => options.map((option) => head + option));
    rest = rest.slice(piece.length);
  }
  return words;
}

/** A brace expression at the start of a text: its parts and its length; null when it is none. */
function readChoice(text: string): { readonly parts: string[]; readonly length: number } | null {
  const parts: string[] = [];
  let depth = 0;
  let start = 1;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "{") depth++;
    else if (text[i] === "," && depth === 1) {
      parts.push(text.slice(start, i));
      start = i + 1;
    } else if (text[i] === "}" && --depth === 0) {
      return parts.length === 0 ? null : { parts: [...parts, text.slice(start, i)], length: i + 1 };
    }
  }
  return null;
}
