/**
 * A daemon's "refuse options": which spellings of which options its clients may not use. Upstream options.c:
 * set_refuse_options, parse_one_refuse_match, create_refuse_error.
 */
import { UsageError } from "../errors.ts";
import { type OptionRow } from "./table.ts";

/** Refused unless a list accepts them by name; never accepted; and what goes with an unset "charset". */
const REFUSED_AT_FIRST = ["copy-devices", "write-devices"];
const REFUSED_IN_THE_END = ["log-file", "log-file-format", "insecure-links"];
/** The options that "a" and "archive" stand for in a list. */
const ARCHIVE = "[ardlptgoD]";
/** A name's match, with wild cards. */
type Matcher = (pattern: string, name: string) => boolean;

interface Spelling {
  readonly row: OptionRow;
  readonly negated: boolean;
  readonly long: string;
  readonly short: string;
  refused: boolean;
}

/** What decides about an option that follows from others. */
export interface RefusalCheck {
  /** Throws UsageError when the option (long name or letter) is refused. */
  check(name: string): void;
  isRefused(name: string): boolean;
}

/** Made for one client from a module's list. */
export class Refusals implements RefusalCheck {
  private readonly spellings: Spelling[];
  private readonly wildmatch: Matcher;

  /** `unmatched` is told of items of the list that match no option. */
  constructor(
    rows: readonly OptionRow[], list: string, hasCharset: boolean, wildmatch: Matcher,
    unmatched: (item: string) => void,
  ) {
    this.spellings = rows.flatMap(spellingsOf);
    this.wildmatch = wildmatch;
    for (const name of REFUSED_AT_FIRST) this.apply(name, true);
    for (const word of list.split(" ").filter((one) => one !== "")) {
      const accepts = word.startsWith("!") && word.length > 1;
      const item = accepts ? word.slice(1) : word;
      if (!this.apply(item, !accepts)) unmatched(item);
    }
    if (!hasCharset) this.apply("iconv", true);
    for (const name of REFUSED_IN_THE_END) this.apply(name, true);
  }

  /** Throws UsageError when this spelling of an option is refused. */
  checkSpelling(negated: boolean, name: string): void {
    const found = this.spellings.find((one) => one.negated === negated && (one.long === name || one.short === name));
    if (found?.refused) throw refusal(found);
  }

  check(name: string): void {
    const found = this.find(name);
    if (found?.refused) throw refusal(found);
  }

  isRefused(name: string): boolean {
    return this.find(name)?.refused ?? false;
  }

  private find(name: string): Spelling | undefined {
    return this.spellings.find((one) => one.long === name || (one.short === name && name.length === 1));
  }

  /** Marks what an item of the list matches; false when that is nothing. */
  private apply(item: string, refused: boolean): boolean {
    const archive = item === "a" || item === "archive";
    const pattern = archive ? ARCHIVE : item;
    const wild = /[*?[]/.test(pattern);
    const matching = this.spellings.filter(({ long, short }) =>
      (long !== "" && this.wildmatch(pattern, long)) || (short !== "" && this.wildmatch(pattern, short)));
    if (matching.length === 0) return false;
    // A name stands for the option in all its spellings.
    const [{ row, negated }] = matching;
    const chosen = wild ? matching.filter((one) => !one.row.exactRefusal)
      : this.spellings.filter((one) => one.row === row && one.negated === negated);
    for (const one of chosen) one.refused = refused;
    return true;
  }
}

function spellingsOf(row: OptionRow): Spelling[] {
  const longs = row.long === null ? [""] : [row.long, ...(row.aliases ?? [])];
  return [
    ...longs.map((long, i) => ({ row, negated: false, long, short: i === 0 ? (row.short ?? "") : "", refused: false })),
    ...(row.no ?? []).map((long) => ({ row, negated: true, long, short: "", refused: false })),
  ];
}

function refusal({ long, short }: Spelling): UsageError {
  const letter = short === "" ? "" : ` (-${short})`;
  return new UsageError(`rsync: The server is configured to refuse --${long}${letter}`);
}
