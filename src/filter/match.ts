/**
 * Does a list of rules include or exclude a name (upstream exclude.c: check_filter, rule_matches)?
 *
 * The first matching rule decides. Long lists are compiled: rules whose last element is a plain name, anchored paths,
 * "*suffix" and "prefix*" patterns are found by table, so ten thousand of them cost no more than a few; the rest is
 * tried in order.
 */
import { Elide, RuleFlag, type FilterList, type FilterRule } from "./rules.ts";
import { trailingElements, wildmatchAt } from "./wildmatch.ts";

const F = RuleFlag;

/** What matching depends on besides rule and name. */
export interface MatchContext {
  /** Absolute path of the transfer root without its leading slash (and, in a daemon, without the module's). */
  rootPrefix: string;
  /** Perishable rules do not count. */
  ignorePerishable: boolean;
  /** Rules with this Elide value do not count. */
  elided: number;
  /** Rules of -C, which stand wherever a cvsIgnore rule stands. */
  readonly cvs: FilterList;
  /** Told of each decision, for --debug=filter; null when nobody listens. */
  trace: ((name: string, isDir: boolean, rule: FilterRule, label: string) => void) | null;
}

/** A name to be matched. */
interface MatchName {
  readonly name: string;
  readonly isDir: boolean;
  readonly isXattr: boolean;
}

/** -1: excluded, 1: included, 0: no rule matches. */
export function checkFilter(
  list: FilterList, name: string, isDir: boolean, context: MatchContext, isXattr = false,
): -1 | 0 | 1 {
  const { rules } = list;
  if (rules.length === 0) return 0;
  const target = { name, isDir, isXattr };
  return rules.length > SCAN_LIMIT ? lookUp(list, indexOf(list), target, context) : scan(list, rules, target, context);
}

/** Lists up to this length are scanned. */
const SCAN_LIMIT = 12;

function scan(list: FilterList, rules: readonly FilterRule[], target: MatchName, context: MatchContext): -1 | 0 | 1 {
  for (const rule of rules) {
    const result = applyRule(list, rule, target, context);
    if (result !== 0) return result;
  }
  return 0;
}

/** One rule's verdict; a per-directory merge rule or a cvsIgnore rule stands for a list of its own. */
function applyRule(list: FilterList, rule: FilterRule, target: MatchName, context: MatchContext): -1 | 0 | 1 {
  if (context.ignorePerishable && (rule.flags & F.perishable) !== 0) return 0;
  const { name, isDir, isXattr } = target;
  if ((rule.flags & F.perDirMerge) !== 0) return checkFilter(rule.merge!, name, isDir, context, isXattr);
  if ((rule.flags & F.cvsIgnore) !== 0) return checkFilter(context.cvs, name, isDir, context, isXattr);
  if (!ruleMatches(rule, target, context)) return 0;
  context.trace?.(target.name, target.isDir, rule, list.label);
  return (rule.flags & F.include) !== 0 ? 1 : -1;
}

/** Does one plain rule match the name? */
function ruleMatches(rule: FilterRule, target: MatchName, context: MatchContext): boolean {
  const { flags, slashCount } = rule;
  const name = target.name.startsWith("/") ? target.name.slice(1) : target.name;
  if (name === "" || (rule.elide !== Elide.none && rule.elide === context.elided)) return false;
  if (target.isXattr !== ((flags & F.xattr) !== 0)) return false;
  const wanted = (flags & F.negate) === 0;
  if ((flags & F.directory) !== 0 && !target.isDir) return !wanted;
  let text = name;
  let joined = false;
  if (slashCount === 0 && (flags & F.wild2) === 0) {
    text = name.slice(name.lastIndexOf("/") + 1);
  } else if ((flags & F.absolute) !== 0 && !target.name.startsWith("/") && context.rootPrefix !== "") {
    text = `${context.rootPrefix}/${name}`;
    joined = true;
  } else if ((flags & F.wild2Prefix) !== 0 && !target.name.startsWith("/")) {
    text = "/" + name;
    joined = true;
  }
  if (target.isDir && (flags & F.wild3Suffix) !== 0) {
    text += "/";
    joined = true;
  }
  return matchesText(rule, text, joined) === wanted;
}

/** Matches the pattern against the text that its form calls for. */
function matchesText(rule: FilterRule, text: string, joined: boolean): boolean {
  const { flags, slashCount } = rule;
  const anchored = rule.pattern.startsWith("/");
  const pattern = anchored ? rule.pattern.slice(1) : rule.pattern;
  const free = !anchored && (flags & F.wild2) === 0 && slashCount > 0;
  // A free pattern with slashes covers the last elements; one with an inner "**" is tried behind every slash.
  const everywhere = !anchored && (flags & (F.wild2 | F.wild2Prefix)) === F.wild2;
  const where = free ? slashCount + 1 : everywhere ? -1 : 0;
  if ((flags & F.wild) !== 0) return wildmatchAt(pattern, text, where);
  if (joined) {
    const start = where > 0 ? trailingElements(text, where) : 0;
    return start >= 0 && text.slice(start) === pattern;
  }
  if (anchored) return text === pattern;
  return text.endsWith(pattern) && (text.length === pattern.length || text[text.length - pattern.length - 1] === "/");
}

/** Tables over a long list. Values are positions in the list, ascending. */
interface RuleIndex {
  readonly rules: readonly FilterRule[];
  /** Rules whose last element has no wildcards, by that. */
  readonly byName: Map<string, number[]>;
  /** Anchored rules without wildcards, by path. */
  readonly byPath: Map<string, number[]>;
  /** "*suffix" rules, by suffix, and the suffix lengths there are. */
  readonly bySuffix: Map<string, number[]>;
  readonly suffixLengths: number[];
  /** Rules for a last element that begins without wildcards, by what it begins with, and the lengths of that. */
  readonly byPrefix: Map<string, number[]>;
  readonly prefixLengths: number[];
  /** All others. */
  readonly others: number[];
}

function indexOf(list: FilterList): RuleIndex {
  return (list.index ??= buildIndex(list.rules)) as RuleIndex;
}

function buildIndex(rules: readonly FilterRule[]): RuleIndex {
  const index: RuleIndex = {
    rules, byName: new Map(), byPath: new Map(), bySuffix: new Map(), suffixLengths: [], byPrefix: new Map(),
    prefixLengths: [], others: [],
  };
  rules.forEach((rule, at) => addToIndex(index, rule, at));
  return index;
}

/** Rules whose text is not simply the name or its path. */
const SPECIAL = F.absolute | F.negate | F.perDirMerge | F.cvsIgnore | F.xattr | F.wild2;

function addToIndex(index: RuleIndex, { flags, pattern, slashCount }: FilterRule, at: number): void {
  const last = pattern.slice(pattern.lastIndexOf("/") + 1);
  const literal = /^[^*?[\\]*/.exec(last)![0];
  const suffix = /^\*[^*?[\\/]+$/.test(pattern) ? pattern.slice(1) : "";
  if ((flags & SPECIAL) !== 0) {
    index.others.push(at);
  } else if ((flags & F.wild) === 0 && pattern.startsWith("/")) {
    append(index.byPath, pattern.slice(1), at);
  } else if (literal === last && last !== "") {
    append(index.byName, last, at);
  } else if (suffix !== "") {
    append(index.bySuffix, suffix, at);
    if (!index.suffixLengths.includes(suffix.length)) index.suffixLengths.push(suffix.length);
  } else if (literal !== "" && slashCount === 0) {
    append(index.byPrefix, literal, at);
    if (!index.prefixLengths.includes(literal.length)) index.prefixLengths.push(literal.length);
  } else {
    index.others.push(at);
  }
}

function append(table: Map<string, number[]>, key: string, at: number): void {
  const known = table.get(key);
  if (known === undefined) table.set(key, [at]);
  else known.push(at);
}

/** As `scan`, over the tables: the earliest match of a table bounds how far the others are tried. */
function lookUp(list: FilterList, index: RuleIndex, target: MatchName, context: MatchContext): -1 | 0 | 1 {
  const { rules } = index;
  const path = target.name.startsWith("/") ? target.name.slice(1) : target.name;
  const base = path.slice(path.lastIndexOf("/") + 1);
  let best = firstMatch(rules, index.byName.get(base), target, context, rules.length);
  best = firstMatch(rules, index.byPath.get(path), target, context, best);
  for (const length of index.suffixLengths) {
    if (length > base.length) continue;
    best = firstMatch(rules, index.bySuffix.get(base.slice(base.length - length)), target, context, best);
  }
  for (const length of index.prefixLengths) {
    if (length > base.length) continue;
    best = firstMatch(rules, index.byPrefix.get(base.slice(0, length)), target, context, best);
  }
  for (const at of index.others) {
    if (at >= best) break;
    const result = applyRule(list, rules[at], target, context);
    if (result !== 0) return result;
  }
  return best < rules.length ? applyRule(list, rules[best], target, context) : 0;
}

/** The first of `candidates` that matches, or `best` when that comes first. */
function firstMatch(
  rules: readonly FilterRule[], candidates: readonly number[] | undefined, target: MatchName, context: MatchContext,
  best: number,
): number {
  if (candidates === undefined) return best;
  for (const at of candidates) {
    if (at >= best) return best;
    const perished = context.ignorePerishable && (rules[at].flags & F.perishable) !== 0;
    if (!perished && ruleMatches(rules[at], target, context)) return at;
  }
  return best;
}
