/**
 * Shell-style matching of ?, *, **, [...] and \ as rsync does it (upstream lib/wildmatch.c).
 *
 * "*" and "?" stop at slashes, "**" does not. Names are strings with one code unit per byte. Upstream matches against
 * a virtually joined array of strings; here callers join, so `text` is one string and `at` a position in it.
 */

const MATCH = 1;
const FAIL = 0;
/** The text ended: no later start can match either. */
const ABORT_ALL = -1;
/** A "*" met a slash: only an enclosing "**" can go on. */
const ABORT_TO_STARSTAR = -2;

const ASTERISK = 42;
const SLASH = 47;
const QUESTION = 63;
const BACKSLASH = 92;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const CARET = 94;
const BANG = 33;
const DASH = 45;
const COLON = 58;

/** True when the whole text matches the pattern. */
export function wildmatch(pattern: string, text: string): boolean {
  return match(pattern, 0, text, 0, false) === MATCH;
}

/** As `wildmatch`, ignoring the case of ASCII letters. */
export function iwildmatch(pattern: string, text: string): boolean {
  return match(pattern, 0, text, 0, true) === MATCH;
}

/**
 * Matches a pattern against the last `where` slash-separated elements (where > 0), against the text from its start or
 * from behind any slash (where < 0), or against the whole text (0). Upstream wildmatch_array.
 */
export function wildmatchAt(pattern: string, text: string, where: number): boolean {
  if (where > 0) {
    const start = trailingElements(text, where);
    return start >= 0 && match(pattern, 0, text, start, false) === MATCH;
  }
  let result = match(pattern, 0, text, 0, false);
  if (where === 0) return result === MATCH;
  let slash = text.indexOf("/");
  while (result !== MATCH && result !== ABORT_ALL && slash >= 0) {
    result = match(pattern, 0, text, slash + 1, false);
    slash = text.indexOf("/", slash + 1);
  }
  return result === MATCH;
}

/** Start of the last `count` slash-separated elements, -1 when there are fewer. Upstream trailing_N_elements. */
export function trailingElements(text: string, count: number): number {
  let at = text.length;
  for (let left = count; left > 0; left--) {
    if (at < 0) return -1;
    at = at === 0 ? -1 : text.lastIndexOf("/", at - 1);
    if (at < 0) return left === 1 ? 0 : -1;
  }
  return at + 1;
}

/** The recursive heart. Returns MATCH, FAIL or one of the aborts, which cut hopeless retries short. */
function match(pattern: string, p: number, text: string, t: number, fold: boolean): number {
  for (; p < pattern.length; p++, t++) {
    let wanted = pattern.charCodeAt(p);
    if (t >= text.length && wanted !== ASTERISK) return ABORT_ALL;
    const got = lower(text.charCodeAt(t), fold);
    switch (wanted) {
      case QUESTION:
        if (got === SLASH) return FAIL;
        continue;
      case ASTERISK:
        return matchStar(pattern, p, text, t, fold);
      case OPEN_BRACKET: {
        const end = matchClass(pattern, p + 1, got, fold);
        if (end === ABORT_ALL) return ABORT_ALL;
        if (end < 0 || got === SLASH) return FAIL;
        p = end;
        continue;
      }
      case BACKSLASH:
        // A trailing backslash stands for the end of the pattern, which no character equals.
        wanted = ++p < pattern.length ? pattern.charCodeAt(p) : -1;
    }
    if (lower(wanted, fold) !== got) return FAIL;
  }
  return t >= text.length ? MATCH : FAIL;
}

/** Matches from a run of asterisks at pattern[p] on. */
function matchStar(pattern: string, p: number, text: string, t: number, fold: boolean): number {
  const first = p;
  while (pattern.charCodeAt(p) === ASTERISK) p++;
  const crosses = p - first > 1;
  if (p >= pattern.length) return crosses || text.indexOf("/", t) < 0 ? MATCH : FAIL;
  for (; t < text.length; t++) {
    const result = match(pattern, p, text, t, fold);
    if (result !== FAIL) {
      if (!crosses || result !== ABORT_TO_STARSTAR) return result;
    } else if (!crosses && text.charCodeAt(t) === SLASH) {
      return ABORT_TO_STARSTAR;
    }
  }
  return ABORT_ALL;
}

/** FAIL of a class, apart from ABORT_ALL and from every position. */
const NOT_IN_CLASS = -3;

/**
 * Matches one character against the class that starts behind its bracket at pattern[p]. Returns the position of the
 * closing bracket, NOT_IN_CLASS, or ABORT_ALL when the class is malformed.
 */
function matchClass(pattern: string, p: number, got: number, fold: boolean): number {
  let inverted = false;
  if (pattern.charCodeAt(p) === BANG || pattern.charCodeAt(p) === CARET) {
    inverted = true;
    p++;
  }
  let matched = false;
  let previous = 0;
  do {
    if (p >= pattern.length) return ABORT_ALL;
    let wanted = pattern.charCodeAt(p);
    if (wanted === BACKSLASH) {
      if (++p >= pattern.length) return ABORT_ALL;
      wanted = pattern.charCodeAt(p);
      matched ||= got === lower(wanted, fold);
    } else if (wanted === DASH && previous !== 0 && startsRange(pattern, p + 1)) {
      if (pattern.charCodeAt(++p) === BACKSLASH && ++p >= pattern.length) return ABORT_ALL;
      matched ||= got >= previous && got <= lower(pattern.charCodeAt(p), fold);
      wanted = 0;
    } else if (wanted === OPEN_BRACKET && pattern.charCodeAt(p + 1) === COLON) {
      const close = pattern.indexOf("]", p + 2);
      if (close < 0) return ABORT_ALL;
      if (close - p - 3 >= 0 && pattern.charCodeAt(close - 1) === COLON) {
        const member = inNamedClass(pattern.slice(p + 2, close - 1), got);
        if (member === null) return ABORT_ALL;
        matched ||= member;
        p = close;
        wanted = 0;
      } else {
        matched ||= got === OPEN_BRACKET;
      }
    } else {
      matched ||= got === lower(wanted, fold);
    }
    previous = lower(wanted, fold);
    p++;
  } while (pattern.charCodeAt(p) !== CLOSE_BRACKET);
  return matched === inverted ? NOT_IN_CLASS : p;
}

/** Does the "-" before pattern[p] have an upper end, or is it the last member of its class? */
function startsRange(pattern: string, p: number): boolean {
  return p < pattern.length && pattern.charCodeAt(p) !== CLOSE_BRACKET;
}

/** Membership of a byte in a POSIX class of the C locale, or null for an unknown class name. */
function inNamedClass(name: string, c: number): boolean | null {
  const digit = c >= 48 && c <= 57;
  const upper = c >= 65 && c <= 90;
  const small = c >= 97 && c <= 122;
  const graph = c > 32 && c < 127;
  switch (name) {
    case "alnum": return digit || upper || small;
    case "alpha": return upper || small;
    case "blank": return c === 32 || c === 9;
    case "cntrl": return c < 32 || c === 127;
    case "digit": return digit;
    case "graph": return graph;
    case "lower": return small;
    case "print": return graph || c === 32;
    case "punct": return graph && !digit && !upper && !small;
    case "space": return c === 32 || (c >= 9 && c <= 13);
    case "upper": return upper;
    case "xdigit": return digit || (c >= 65 && c <= 70) || (c >= 97 && c <= 102);
    default: return null;
  }
}

function lower(c: number, fold: boolean): number {
  return fold && c >= 65 && c <= 90 ? c + 32 : c;
}
