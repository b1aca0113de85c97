/**
 * The C library's getopt_long, as the inotify tools use it: words and options may mix, long names may be shortened,
 * errors are worded as glibc words them.
 */

/** One long option. `value` is the letter it stands for; `argument` tells that it takes one. */
export interface LongOption {
  readonly name: string;
  readonly value: string;
  readonly argument?: true;
}

/** An option as found, or the message of an error, after which nothing more is read. */
export type Found =
  | { readonly kind: "option"; readonly value: string; readonly argument: string }
  | { readonly kind: "error"; readonly message: string };

/** What to look for. `letters` as in getopt(3): a colon behind a letter says that it takes an argument. */
export interface OptionSpec {
  readonly program: string;
  readonly letters: string;
  readonly long: readonly LongOption[];
  /** POSIXLY_CORRECT: the first word that is no option ends them. */
  readonly posix: boolean;
}

/** Yields options in order and pushes the other words to `rest`. */
export function* getopt(words: readonly string[], spec: OptionSpec, rest: string[]): Generator<Found, void> {
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (word === "--") {
      rest.push(...words.slice(at + 1));
      return;
    }
    if (!word.startsWith("-") || word === "-") {
      if (spec.posix) {
        rest.push(...words.slice(at));
        return;
      }
      rest.push(word);
      continue;
    }
    const found = word.startsWith("--") ? longOption(word, words[at + 1], spec) : null;
    const all = found === null ? shortOptions(word, words[at + 1], spec) : [found];
    for (const { tookNext, ...one } of all) {
      yield one;
      if (one.kind === "error") return;
      if (tookNext) at++;
    }
  }
}

type Step = Found & { readonly tookNext?: boolean };

function longOption(word: string, next: string | undefined, spec: OptionSpec): Step {
  const error = (text: string): Step => ({ kind: "error", message: `${spec.program}: ${text}` });
  const equals = word.indexOf("=");
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const candidates = spec.long.filter((one) => one.name.startsWith(name));
  const option = candidates.find((one) => one.name === name) ?? candidates[0];
  if (option === undefined) return error(`unrecognized option '${word}'`);
  const same = candidates.every((one) => one.value === option.value && one.argument === option.argument);
  if (option.name !== name && !same) {
    const names = candidates.map((one) => ` '--${one.name}'`).join("");
    return error(`option '${word}' is ambiguous; possibilities:${names}`);
  }
  const attached = equals < 0 ? null : word.slice(equals + 1);
  if (!option.argument) {
    if (attached !== null) return error(`option '--${option.name}' doesn't allow an argument`);
    return { kind: "option", value: option.value, argument: "" };
  }
  if (attached !== null) return { kind: "option", value: option.value, argument: attached };
  if (next === undefined) return error(`option '--${option.name}' requires an argument`);
  return { kind: "option", value: option.value, argument: next, tookNext: true };
}

function shortOptions(word: string, next: string | undefined, spec: OptionSpec): Step[] {
  const error = (text: string): Step => ({ kind: "error", message: `${spec.program}: ${text}` });
  const steps: Step[] = [];
  for (let at = 1; at < word.length; at++) {
    const letter = word[at];
    const place = letter === ":" ? -1 : spec.letters.indexOf(letter);
    if (place < 0) return [...steps, error(`invalid option -- '${letter}'`)];
    if (spec.letters[place + 1] !== ":") {
      steps.push({ kind: "option", value: letter, argument: "" });
      continue;
    }
    const tail = word.slice(at + 1);
    if (tail === "" && next === undefined) return [...steps, error(`option requires an argument -- '${letter}'`)];
    const argument = tail === "" ? next! : tail;
    return [...steps, { kind: "option", value: letter, argument, tookNext: tail === "" }];
  }
  return steps;
}
