/**
 * Options of the command line as properties of an object: `{ archive: true, delete: true, exclude: ["*.o"] }` means
 * `--archive --delete --exclude=*.o`. The names come from the option table, so what the command line takes, this takes.
 */
import { UsageError } from "../errors.ts";
import { nameOfText } from "../memory.ts";
import { OPTION_ROWS, type OptionRow } from "../options/table.ts";

/** A value of an option without an argument: on, off (its --no- form, if there is one), or how often it is given. */
export type Switch = boolean | number;
/** A value of an option with an argument; a list gives the option once for each. */
export type Argument = string | number | readonly (string | number)[];

/**
 * rsync's options by their long names in camel case. The published types list each by name, with the words of --help;
 * in the sources the option table is the list.
 */
export interface TransferOptions {
  readonly [option: string]: unknown;
}

/** Options that are the program's rather than a transfer's. */
const NOT_FOR_CALLERS: readonly string[] = [
  "server", "sender", "daemon", "help", "version", "json", "progress", "outFormat", "config", "dparam", "detach",
  "8BitOutput",
];

/** The property that stands for an option, or null where there is none. */
export function propertyOf(row: OptionRow): string | null {
  if (row.long === null) return null;
  const name = row.long.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return NOT_FOR_CALLERS.includes(name) ? null : name;
}

/** The words of a command line that say the same. Throws UsageError for what is no option or has no such value. */
export function optionWords(options: TransferOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const row = OPTION_ROWS.find((one) => propertyOf(one) === name);
    if (row === undefined) throw new UsageError(`unknown option: ${name}`);
    return wordsOf(row, name, value as Switch | Argument);
  });
}

function wordsOf(row: OptionRow, name: string, value: Switch | Argument): string[] {
  if (typeof value === "boolean") {
    if (row.argument !== undefined) throw new UsageError(`option ${name} takes a value, not ${value}`);
    return value ? [`--${row.long}`] : negated(row);
  }
  if (row.argument !== undefined) {
    const values = Array.isArray(value) ? (value as readonly (string | number)[]) : [value as string | number];
    return values.map((one) => `--${row.long}=${nameOfText(String(one))}`);
  }
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 10) {
    return Array.from({ length: value }, () => `--${row.long}`);
  }
  throw new UsageError(`option ${name} is true, false or how many times it is given, not ${String(value)}`);
}

/** What has no --no- form is off unless it is given. */
function negated(row: OptionRow): string[] {
  const word = row.no?.[0];
  return word === undefined ? [] : [`--${word}`];
}
