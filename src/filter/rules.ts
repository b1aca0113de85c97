/**
 * Filter rules and their syntax (upstream exclude.c: parse_rule_tok, get_rule_prefix, add_rule's flags).
 *
 * A rule is a set of flags and a pattern. Patterns and names are strings with one code unit per byte.
 */
import { UsageError } from "../errors.ts";
import type { RuleOrigin } from "./provenance.ts";

/** Flag bits of a rule (FILTRULE_*). */
export const RuleFlag = {
  /** The pattern has "*", "?" or "[". */
  wild: 1 << 0,
  /** It has "**". */
  wild2: 1 << 1,
  /** It starts with "**". */
  wild2Prefix: 1 << 2,
  /** It ends in "***". */
  wild3Suffix: 1 << 3,
  /** It is matched against the absolute path. */
  absolute: 1 << 4,
  include: 1 << 5,
  /** It matches directories only. */
  directory: 1 << 6,
  /** A merge file's rules are separated by white space. */
  wordSplit: 1 << 7,
  noInherit: 1 << 8,
  /** A merge file's lines are patterns without prefixes. */
  noPrefixes: 1 << 9,
  mergeFile: 1 << 10,
  perDirMerge: 1 << 11,
  excludeSelf: 1 << 12,
  finishSetup: 1 << 13,
  negate: 1 << 14,
  cvsIgnore: 1 << 15,
  senderSide: 1 << 16,
  receiverSide: 1 << 17,
  clearList: 1 << 18,
  perishable: 1 << 19,
  xattr: 1 << 20,
  /** The text came from a file: messages must not show it. */
  fromFile: 1 << 21,
} as const;

const F = RuleFlag;
const SIDES = F.senderSide | F.receiverSide;
/** What a rule takes over from the merge rule or option that contains it. */
const FROM_CONTAINER = F.absolute | F.include | F.directory | F.negate | F.perishable;

/** How rules are read (XFLG_*). */
export const ParseFlag = {
  /** A file that cannot be opened ends the run. */
  fatalErrors: 1 << 0,
  /** Only "+ ", "- " and "!" are prefixes: --exclude, --include and old peers. */
  oldPrefixes: 1 << 1,
  /** A leading slash anchors at the directory of the merge file. */
  anchoredToAbsolute: 1 << 2,
  /** Any slash makes the pattern absolute (daemon parameters). */
  absoluteIfSlash: 1 << 3,
  /** "dir/" excludes become "dir/***" (daemon parameters). */
  dirToWild3: 1 << 4,
} as const;

/** Whom a rule is for once rules have been shared: both sides, this one only, or the other one only. */
export const Elide = { none: 0, local: 1, remote: 2 } as const;

/** One rule. */
export interface FilterRule {
  flags: number;
  pattern: string;
  /** Slashes in the pattern. */
  slashCount: number;
  elide: number;
  /** Rules read per directory; only with RuleFlag.perDirMerge. */
  merge: FilterList | null;
  /** Kept when decisions are to be explained. */
  origin?: RuleOrigin;
}

/** An ordered list of rules; the first match decides. Inherited rules come after a directory's own. */
export class FilterList {
  /** For messages: " [per-dir .rules]" and the like. */
  readonly label: string;
  /** Tables that match.ts has made of `rules`; dropped with each change. */
  index: object | null = null;
  private own: FilterRule[] = [];
  private inherited: readonly FilterRule[] = [];
  private joined: readonly FilterRule[] | null = null;

  constructor(label = "") {
    this.label = label;
  }

  /** All rules in order. A new array after each change. */
  get rules(): readonly FilterRule[] {
    return (this.joined ??= this.inherited.length === 0 ? [...this.own] : [...this.own, ...this.inherited]);
  }

  get isEmpty(): boolean {
    return this.own.length === 0 && this.inherited.length === 0;
  }

  add(rule: FilterRule): void {
    this.own.push(rule);
    this.changed();
  }

  /** Makes the present rules inherited ones, or drops them. */
  descend(inherit: boolean): void {
    this.inherited = inherit ? this.rules : [];
    this.own = [];
    this.changed();
  }

  /** Drops the directory's own rules and returns them. */
  dropOwn(): FilterRule[] {
    const dropped = this.own;
    this.own = [];
    this.changed();
    return dropped;
  }

  /** Drops everything and returns the own rules. */
  clear(): FilterRule[] {
    this.inherited = [];
    return this.dropOwn();
  }

  private changed(): void {
    this.joined = null;
    this.index = null;
  }

  /** The present state, for `restore`. */
  save(): { own: FilterRule[]; inherited: readonly FilterRule[] } {
    return { own: this.own, inherited: this.inherited };
  }

  restore(state: { own: FilterRule[]; inherited: readonly FilterRule[] }): void {
    this.own = state.own;
    this.inherited = state.inherited;
    this.changed();
  }
}

/** A rule as read: its flags, its pattern's text, and where the next one starts. */
export interface ParsedRule {
  flags: number;
  readonly pattern: string;
  readonly next: number;
}

/** What parsing depends on besides the text. */
export interface ParseContext {
  /** Flags of the containing merge rule or option. */
  readonly template: number;
  /** ParseFlag bits. */
  readonly xflags: number;
  readonly deleteExcluded: boolean;
  /** "FILE line N" while a file is read, else null. */
  readonly source: string | null;
}

const WORDS: Readonly<Record<string, string>> = {
  clear: "!", "dir-merge": ":", exclude: "-", hide: "H", include: "+", merge: ".", protect: "P", risk: "R", show: "S",
};

/** Flags that a prefix letter stands for. */
const KINDS: Readonly<Record<string, number>> = {
  ":": F.perDirMerge | F.finishSetup | F.mergeFile,
  ".": F.mergeFile,
  "+": F.include,
  "-": 0,
  S: F.include | F.senderSide,
  H: F.senderSide,
  R: F.include | F.receiverSide,
  P: F.receiverSide,
  "!": F.clearList,
};

/** Reads the rule at text[at]; null when there is none left. Throws UsageError for bad syntax. */
export function parseRule(text: string, at: number, context: ParseContext): ParsedRule | null {
  const { template, xflags } = context;
  let pos = at;
  if ((template & F.wordSplit) !== 0) while (isSpace(text[pos])) pos++;
  if (pos >= text.length) return null;
  const start = pos;
  let flags = (template & FROM_CONTAINER) | (context.source === null ? 0 : F.fromFile);
  if ((template & F.noPrefixes) !== 0) {
    if (text[pos] === "!" && (template & F.cvsIgnore) !== 0) flags |= F.clearList;
  } else if ((xflags & ParseFlag.oldPrefixes) !== 0) {
    if (text[pos] === "!") flags |= F.clearList;
    else if (/^[-+] /.test(text.slice(pos, pos + 2))) {
      flags = text[pos] === "+" ? flags | F.include : flags & ~F.include;
      pos += 2;
    }
  } else {
    const prefix = parsePrefix(text, pos, flags, context);
    flags = prefix.flags;
    pos = prefix.at;
  }
  flags = addSides(flags, text.slice(start), context);
  const end = (template & F.wordSplit) !== 0 ? wordEnd(text, pos) : text.length;
  flags = checkLength(flags, end - pos, text.slice(start), context);
  return { flags, pattern: text.slice(pos, end), next: end };
}

/** Reads a rule's name or letter and its modifiers, up to the pattern. */
function parsePrefix(text: string, at: number, base: number, context: ParseContext): { flags: number; at: number } {
  let letter = text[at];
  let pos = at;
  if (/[cdehimprs]/.test(letter)) {
    const word = /^[a-z-]+/.exec(text.slice(at))![0];
    const after = text[at + word.length];
    const ended = after === undefined || after === "_" || after === "," || isSpace(after);
    const known = ended && WORDS[word] !== undefined;
    letter = known ? WORDS[word] : "";
    pos = at + word.length - (after === "," ? 0 : 1);
  } else if (text[at + 1] === ",") {
    pos++;
  }
  const kind = letter === "" ? undefined : KINDS[letter];
  if (kind === undefined) throw ruleError("Unknown filter rule", text.slice(at), context);
  let flags = base | kind;
  if (letter === "!") return { flags, at: pos + 1 };
  const hasSide = (kind & SIDES) !== 0;
  for (pos++; pos < text.length && text[pos] !== " " && text[pos] !== "_"; pos++) {
    if ((context.template & F.wordSplit) !== 0 && isSpace(text[pos])) {
      pos--;
      break;
    }
    const bits = modifierBits(text[pos], flags, hasSide);
    if (bits < 0) throw modifierError(text, at, pos, context);
    flags |= bits;
  }
  return { flags, at: pos < text.length ? pos + 1 : pos };
}

/** Flags of one modifier, -1 where it is not allowed. */
function modifierBits(letter: string, flags: number, hasSide: boolean): number {
  const merge = (flags & F.mergeFile) !== 0;
  const plain = (flags & F.noPrefixes) !== 0;
  switch (letter) {
    case "-": return merge && !plain ? F.noPrefixes : -1;
    case "+": return merge && !plain ? F.noPrefixes | F.include : -1;
    case "/": return F.absolute;
    case "!": return merge ? -1 : F.negate;
    case "C": return plain || hasSide ? -1 : F.noPrefixes | F.wordSplit | F.noInherit | F.cvsIgnore;
    case "e": return merge ? F.excludeSelf : -1;
    case "n": return merge ? F.noInherit : -1;
    case "p": return F.perishable;
    case "r": return hasSide ? -1 : F.receiverSide;
    case "s": return hasSide ? -1 : F.senderSide;
    case "w": return merge ? F.wordSplit : -1;
    case "x": return F.xattr;
    default: return -1;
  }
}

/** A side given by the containing merge rule; a rule inside may not name one too. */
function addSides(flags: number, text: string, context: ParseContext): number {
  const sides = context.template & SIDES;
  if (sides !== 0 && (flags & SIDES) !== 0) {
    throw ruleError("specified-side merge file contains specified-side filter", text, context);
  }
  return flags | sides;
}

/** Last checks, and the side that --delete-excluded gives to plain rules. */
function checkLength(flags: number, length: number, text: string, context: ParseContext): number {
  if ((flags & F.clearList) !== 0) {
    const prefixed = (context.template & F.noPrefixes) === 0 && (context.xflags & ParseFlag.oldPrefixes) === 0;
    if (prefixed && length > 0) throw ruleError("'!' rule has trailing characters", text, context);
    if (length > 1) flags &= ~F.clearList;
  } else if (length === 0 && (flags & F.cvsIgnore) === 0) {
    throw ruleError("unexpected end of filter rule", text, context);
  }
  if (context.deleteExcluded && (flags & (SIDES | F.mergeFile | F.perDirMerge)) === 0) flags |= F.senderSide;
  return flags;
}

/** Names the bad rule, or only its place when it came from a file: a peer may have chosen the file. */
function ruleError(message: string, text: string, context: ParseContext): UsageError {
  return new UsageError(`${message}: ${context.source === null ? text : `<rule from ${context.source}>`}`);
}

function modifierError(text: string, at: number, pos: number, context: ParseContext): UsageError {
  if (context.source !== null) return ruleError("invalid modifier in filter rule", "", context);
  return new UsageError(`invalid modifier '${text[pos]}' at position ${pos - at} in filter rule: ${text.slice(at)}`);
}

function wordEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && !isSpace(text[end])) end++;
  return end;
}

/** White space as the C locale has it. */
function isSpace(c: string | undefined): boolean {
  return c !== undefined && c !== "" && " \t\n\v\f\r".includes(c);
}

/** The rule for a pattern, its wildcard flags and slash count set. `pattern` has no closing slash. */
export function makeRule(flags: number, pattern: string, label: string): FilterRule {
  let bits = flags;
  if (/[*[?]/.test(pattern)) {
    bits |= F.wild;
    const at = pattern.indexOf("**");
    if (at >= 0) {
      bits |= F.wild2;
      if (at === 0) bits |= F.wild2Prefix;
      if (pattern.endsWith("***")) bits |= F.wild3Suffix;
    }
  }
  let slashCount = 0;
  for (let i = pattern.indexOf("/"); i >= 0; i = pattern.indexOf("/", i + 1)) slashCount++;
  const merge = (bits & F.perDirMerge) !== 0 ? new FilterList(label) : null;
  return { flags: bits, pattern, slashCount, elide: Elide.none, merge };
}

/** A rule's prefix in full, with its closing space. */
export function rulePrefix(rule: FilterRule): string {
  return wirePrefix(rule, { version: PREFIXES_COMPLETE, amSender: true, deleteExcluded: false })!;
}

/** From this protocol version on every rule can be sent. */
const PREFIXES_COMPLETE = 30;

/** Settings that decide how a rule is spelled for the other side. */
export interface WireSettings {
  readonly version: number;
  readonly amSender: boolean;
  readonly deleteExcluded: boolean;
}

/**
 * A rule's prefix as sent to the other side, with its closing space; null when the protocol version cannot express
 * the rule (get_rule_prefix with for_xfer).
 */
export function wirePrefix(rule: FilterRule, o: WireSettings): string | null {
  const old = o.version < 29;
  const { flags, pattern } = rule;
  let legal = old ? 1 : 15;
  let text = "";
  if ((flags & F.perDirMerge) !== 0) {
    if (old) return null;
    text = ":";
  } else if ((flags & F.include) !== 0) text = "+";
  else if (!old || /^[-+] /.test(pattern)) text = "-";
  else legal = 0;
  text += wireModifiers(flags, o, old);
  if ((flags & F.perishable) !== 0) {
    if (o.version >= 30) text += "p";
    else if (o.amSender) return null;
  }
  if (text.length > legal) return null;
  return legal > 0 ? text + " " : text;
}

function wireModifiers(flags: number, o: WireSettings, old: boolean): string {
  let text = "";
  if ((flags & F.absolute) !== 0) text += "/";
  if ((flags & F.negate) !== 0) text += "!";
  if ((flags & F.cvsIgnore) !== 0) text += "C";
  else {
    if ((flags & F.noInherit) !== 0) text += "n";
    if ((flags & F.wordSplit) !== 0) text += "w";
    if ((flags & F.noPrefixes) !== 0) text += (flags & F.include) !== 0 ? "+" : "-";
  }
  if ((flags & F.excludeSelf) !== 0) text += "e";
  if ((flags & F.xattr) !== 0) text += "x";
  if ((flags & F.senderSide) !== 0 && !old) text += "s";
  if ((flags & F.receiverSide) !== 0 && (!old || (o.deleteExcluded && o.amSender))) text += "r";
  return text;
}

/** Which side a rule is not for. With --delete-excluded a plain rule is for the sender alone. */
export function elideOf(flags: number, amSender: boolean, deleteExcluded: boolean): number {
  const senderOnly = amSender ? Elide.local : Elide.remote;
  const receiverOnly = amSender ? Elide.remote : Elide.local;
  const forSender = (flags & F.senderSide) !== 0;
  if ((flags & F.receiverSide) !== 0) return forSender ? Elide.none : receiverOnly;
  if (forSender) return senderOnly;
  const plain = (flags & F.perDirMerge) === 0 || (flags & F.noPrefixes) !== 0;
  return deleteExcluded && plain ? senderOnly : Elide.none;
}

/** What a rule for directories ends in. */
export function closingSlash({ flags }: FilterRule): string {
  return (flags & F.directory) !== 0 ? "/" : "";
}
