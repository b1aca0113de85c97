/** --chmod arguments: their syntax, and what they do to a mode. Upstream: chmod.c:parse_chmod, tweak_mode. */

const PERMISSION_BITS = 0o7777;
const FILE_TYPE = 0o170000;
const DIRECTORY = 0o040000;
const EXECUTE = 0o111;
/** Bits of each class, as a factor for rwx; and the set-id bits that "s" means for it. */
const WHERE: Readonly<Record<string, number>> = { u: 0o100, g: 0o010, o: 0o001, a: 0o111 };
const SET_ID: Readonly<Record<string, number>> = { u: 0o4000, g: 0o2000, a: 0o6000 };
const WHAT: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1, X: 1 };

const CLAUSE = /^(?:[DFugoa]*[-+=](?:[rwxXst]*|[ugo])|[DF]*[0-7]+)$/;

/** True when every clause of a comma-separated --chmod argument is well formed. */
export function isChmodText(text: string): boolean {
  return text.split(",").every((clause) => {
    if (!CLAUSE.test(clause)) return false;
    const who = clause.slice(0, clause.search(/[-+=0-9]/));
    if (who.includes("D") && who.includes("F")) return false;
    const octal = /[0-7]+$/.exec(clause);
    return octal === null || Number.parseInt(octal[0], 8) <= 0o7777;
  });
}

/** One clause: what stays of a mode, what is set, and which class's bits are copied to others. */
interface ModeChange {
  readonly kind: "files" | "directories" | "both";
  readonly and: number;
  readonly or: number;
  /** "X": no execute bits for a file that has none. */
  readonly keepsExecute: boolean;
  readonly removes: boolean;
  readonly copyFrom: number;
  readonly copyTo: number;
  readonly copyMask: number;
}

/**
 * The change of modes that --chmod arguments ask for, applied in order; null without any. Modes keep their file type.
 * `umask` limits clauses that name no class.
 */
export function modeChanger(texts: readonly string[], umask: number): ((mode: number) => number) | null {
  if (texts.length === 0) return null;
  const changes = texts.flatMap((text) => text.split(",")).map((clause) => changeOf(clause, umask));
  return (mode) => {
    const isDirectory = (mode & FILE_TYPE) === DIRECTORY;
    const runs = isDirectory || (mode & EXECUTE) !== 0;
    let result = mode & PERMISSION_BITS;
    for (const change of changes) {
      if (change.kind === "both" || (change.kind === "directories") === isDirectory) {
        result = apply(change, result, runs);
      }
    }
    return result | (mode & ~PERMISSION_BITS);
  };
}

function apply(change: ModeChange, mode: number, runs: boolean): number {
  const { copyFrom } = change;
  let copied = 0;
  if (copyFrom & WHERE.u) copied |= mode >> 6;
  if (copyFrom & WHERE.g) copied |= mode >> 3;
  if (copyFrom & WHERE.o) copied |= mode;
  const copy = (change.copyTo * (copied & 7)) & change.copyMask;
  const changed = (mode & change.and) | (change.keepsExecute && !runs ? change.or & ~EXECUTE : change.or);
  return change.removes ? changed & ~copy : changed | copy;
}

function changeOf(clause: string, umask: number): ModeChange {
  const at = clause.search(/[-+=0-7]/);
  const who = clause.slice(0, at);
  const kind = who.includes("D") ? "directories" : who.includes("F") ? "files" : "both";
  const operator = clause[at];
  if (/[0-7]/.test(operator)) {
    const or = Number.parseInt(clause.slice(at), 8);
    return { kind, and: 0, or, keepsExecute: false, removes: false, copyFrom: 0, copyTo: 0, copyMask: PERMISSION_BITS };
  }
  const named = bitsOf(who, WHERE);
  const where = named || WHERE.a;
  const what = clause.slice(at + 1);
  const limit = named ? PERMISSION_BITS : ~umask;
  const copyFrom = bitsOf(what, WHERE);
  const special = specialBits(who, what);
  const bits = ((where * bitsOf(what, WHAT)) & limit) | special;
  let and = PERMISSION_BITS;
  if (operator === "-") and &= ~bits;
  if (operator === "=") {
    and &= ~(where * 7);
    if (special) and &= ~bitsOf(who, SET_ID);
    if (copyFrom) and &= ~classSpecials(where);
  }
  return {
    kind, and, or: operator === "-" ? 0 : bits, keepsExecute: what.includes("X"), removes: operator === "-",
    copyFrom, copyTo: where, copyMask: limit,
  };
}

function bitsOf(letters: string, table: Readonly<Record<string, number>>): number {
  let bits = 0;
  for (const letter of letters) bits |= table[letter] ?? 0;
  return bits;
}

/** "s" for the classes named, set-user-id when none is; "t" is the sticky bit. */
function specialBits(who: string, what: string): number {
  let bits = 0;
  for (const letter of what) {
    if (letter === "t") bits |= 0o1000;
    if (letter === "s") bits = bitsOf(who, SET_ID) ? bits | bitsOf(who, SET_ID) : 0o4000;
  }
  return bits;
}

/** The special bits that go with classes when "=" copies one class to them. */
function classSpecials(where: number): number {
  return (where & WHERE.u ? 0o4000 : 0) | (where & WHERE.g ? 0o2000 : 0) | (where & WHERE.o ? 0o1000 : 0);
}
