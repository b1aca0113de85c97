/**
 * The shell script beside a batch file: the command line that wrote the batch, turned into one that reads it.
 *
 * It keeps what the user typed but the paths, the filters and the batch option itself; the rules follow as a here
 * document, and the destination may be given as the script's argument. Upstream batch.c:write_batch_shell_file.
 */
import { UsageError } from "../errors.ts";

/** What the script is made of. All strings are names. */
export interface ScriptParts {
  /** The words that start this program. */
  readonly program: readonly string[];
  /** The command line's words, and those among them that were paths. */
  readonly words: readonly string[];
  readonly paths: readonly string[];
  /** The destination, without its host. */
  readonly destination: string;
  /** Filter rules, with their prefixes. */
  readonly rules: readonly string[];
  /** --from0: rules end in NUL. */
  readonly from0: boolean;
  readonly version: number;
}

/** Ends the here document that holds the rules. */
const END_MARK = "#E#";

/** The script's text. Throws UsageError for a rule that could not stand in it. */
export function batchScript(parts: ScriptParts): string {
  const { program, rules, from0, version, destination } = parts;
  const filter = version >= 29 ? "--filter='._-'" : "--exclude-from='-'";
  const words = [...program.map(quoted), ...(rules.length > 0 ? [filter] : []), ...replayWords(parts)];
  const command = `${words.join(" ")} \${1:-${quoted(destination)}}`;
  if (rules.length === 0) return `${command}\n`;
  for (const rule of rules) if (rule.includes("\n")) refuseRule();
  const lines = rules.map((rule) => rule + (from0 ? "\0" : "\n")).join("");
  return `${command} <<'${END_MARK}'\n${lines}${from0 ? ";\n" : ""}${END_MARK}\n`;
}

/** A line break could end the here document early and make a command of what follows. */
function refuseRule(): never {
  throw new UsageError("cannot write a filter rule containing a newline to the batch replay script");
}

/** The options that stay, the batch option renamed. */
function replayWords({ words, paths }: ScriptParts): string[] {
  const rest = withoutPaths(words, paths);
  const kept: string[] = [];
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at];
    if (word === null) continue;
    if (/^--(?:files-from|filter|include|exclude)/.test(word)) {
      if (!word.includes("=")) at++;
    } else if (word === "-f") {
      at++;
    } else {
      const batch = /^--(?:only-)?write-batch(=?)/.exec(word);
      const file = word.slice(batch?.[0].length);
      kept.push(batch === null ? quoted(word) : `--read-batch${batch[1] === "" ? "" : `=${quoted(file)}`}`);
    }
  }
  return kept;
}

/** The words with null in place of each path, looked for from the end, as a path may equal an option's argument. */
function withoutPaths(words: readonly string[], paths: readonly string[]): (string | null)[] {
  const rest: (string | null)[] = [...words];
  let left = paths.length - 1;
  for (let at = rest.length - 1; at >= 0 && left >= 0; at--) {
    if (rest[at] !== paths[left]) continue;
    rest[at] = null;
    left--;
  }
  return rest;
}

/** A word for sh: all of it in quotes, but for a plain "--option=" in front. */
function quoted(word: string): string {
  const option = /^-[\w-]*=/.exec(word)?.[0] ?? "";
  return `${option}'${word.slice(option.length).replaceAll("'", `'\\''`)}'`;
}
