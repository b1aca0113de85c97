/**
 * What a receiver asked for, to check a sender's list against: the arguments and --files-from names become the names
 * that may come, the directories above them (--relative) and what lies below them. Upstream exclude.c:
 * add_implied_include, is_implied_parent_dir.
 *
 * Names without wildcards are found by table, so a --files-from of any length costs a lookup a name.
 */
import { wildmatch } from "./wildmatch.ts";

/** The options that decide what an argument stands for. */
export interface RequestSettings {
  readonly relative: boolean;
  readonly recurse: boolean;
  /** Directories are listed without recursion: one level of contents comes too. */
  readonly dirs: boolean;
}

/** What a rule lets through. */
const Kind = { leaf: 1, parent: 2, below: 4 } as const;

interface WildName {
  readonly pattern: string;
  readonly kind: number;
}

/** The names one run asked for. Paths are as in the list, with or without a leading slash. */
export class RequestedNames {
  private readonly s: RequestSettings;
  /** Kind bits of names without wildcards; "" is the transfer root. */
  private readonly names = new Map<string, number>();
  private readonly wild: WildName[] = [];

  constructor(settings: RequestSettings) {
    this.s = settings;
  }

  /** Adds an argument as the sender gets it, or a --files-from name; `skipModule`: it starts with a module's name. */
  add(arg: string, skipModule = false): void {
    const { relative, recurse, dirs } = this.s;
    const elements = sentElements(skipModule ? behindModule(arg) : arg, relative);
    const isWild = elements.some((element) => /[*?[]/.test(element));
    const name = isWild ? elements.map(escapeForWild).join("/") : elements.map(dropEscape).join("/");
    this.put(name, isWild, (name === "" ? 0 : Kind.leaf) | (recurse || dirs ? Kind.below : 0));
    if (!relative) return;
    for (let slash = name.lastIndexOf("/"); slash > 0; slash = name.lastIndexOf("/", slash - 1)) {
      const parent = name.slice(0, slash);
      const parentWild = isWild && /[*?[\\]/.test(parent);
      if (!parentWild && ((this.names.get(parent) ?? 0) & Kind.parent) !== 0) return;
      this.put(parent, parentWild, Kind.parent);
    }
  }

  /** May the sender list this name? */
  accepts(path: string, isDir: boolean): boolean {
    if (this.namesNothing) return true;
    const name = bare(path);
    const wanted = isDir ? Kind.leaf | Kind.parent : Kind.leaf;
    if (((this.names.get(name) ?? 0) & wanted) !== 0 || this.liesBelow(name)) return true;
    return this.wild.some(({ pattern, kind }) => ((kind & wanted) !== 0 && wildmatch(pattern, name))
      || ((kind & Kind.below) !== 0 && this.belowWild(pattern, name)));
  }

  /** True when everything in directory `dir` ("" for the root) may come: its names need not be looked up one by one. */
  acceptsAllIn(dir: string): boolean {
    if (this.namesNothing) return true;
    const name = bare(dir);
    return this.hasBelow(name) || (this.s.recurse && this.liesBelow(name));
  }

  /** Is this directory wanted only as the parent of something? Its contents are not, so nothing in it is deleted. */
  isParentOnly(path: string): boolean {
    if (this.namesNothing) return false;
    const name = bare(path);
    if (name === ".") return !this.hasBelow("");
    if (((this.names.get(name) ?? 0) & Kind.leaf) !== 0 || this.liesBelow(name)) return false;
    let parent = ((this.names.get(name) ?? 0) & Kind.parent) !== 0;
    for (const { pattern, kind } of this.wild) {
      if ((kind & Kind.below) !== 0 && this.belowWild(pattern, name)) return false;
      if (!wildmatch(pattern, name)) continue;
      if ((kind & Kind.leaf) !== 0) return false;
      parent = true;
    }
    return parent;
  }

  /** --relative and nothing named, without recursion: like rsync we have nothing to compare with then. */
  private get namesNothing(): boolean {
    return this.s.relative && this.names.size === 0 && this.wild.length === 0;
  }

  private put(name: string, isWild: boolean, kind: number): void {
    if (kind === 0) return;
    if (!isWild) {
      this.names.set(name, (this.names.get(name) ?? 0) | kind);
      return;
    }
    this.wild.push({ pattern: name, kind });
    // A shell that finds no match hands over the text itself, brackets and all.
    const literal = name.replace(/\\.|\[/g, (found) => (found === "[" ? "\\[" : found));
    if (literal !== name) this.wild.push({ pattern: literal, kind });
  }

  private hasBelow(dir: string): boolean {
    return ((this.names.get(dir) ?? 0) & Kind.below) !== 0;
  }

  /** Is the name in a directory whose contents were asked for; with recursion, anywhere below one? */
  private liesBelow(name: string): boolean {
    for (let slash = name.lastIndexOf("/"); slash > 0; slash = name.lastIndexOf("/", slash - 1)) {
      if (this.hasBelow(name.slice(0, slash))) return true;
      if (!this.s.recurse) return false;
    }
    return this.hasBelow("");
  }

  private belowWild(pattern: string, name: string): boolean {
    return wildmatch(`${pattern}/${this.s.recurse ? "**" : "*"}`, name);
  }
}

/** A daemon takes the module's name off its arguments. */
function behindModule(arg: string): string {
  const slash = arg.indexOf("/");
  return slash < 0 ? "" : arg.slice(slash + 1);
}

/** The elements of the part that is sent: behind "/./" or all of it with --relative, else the last one. */
function sentElements(arg: string, relative: boolean): string[] {
  const mark = relative ? arg.indexOf("/./") : arg.lastIndexOf("/");
  const text = mark < 0 ? arg : arg.slice(mark + (relative ? 3 : 1));
  const kept: string[] = [];
  for (const element of text.split("/")) {
    if (element === "..") kept.pop();
    else if (element !== "" && element !== ".") kept.push(element);
  }
  return kept;
}

/** Doubles the backslashes that escape nothing, as the other side will have them in names. */
function escapeForWild(element: string): string {
  return element.replace(/\\(?:[*?[\]])?/g, (found) => (found.length > 1 ? found : "\\\\"));
}

/** Without wildcards only "\]" is an escape. */
function dropEscape(element: string): string {
  return element.replaceAll("\\]", "]");
}

function bare(path: string): string {
  return path.startsWith("/") ? path.slice(1) : path;
}
