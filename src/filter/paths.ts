/**
 * Cleaning of path names as text, without looking at the disk (upstream util1.c: clean_fname).
 */

/** What `cleanName` does beyond dropping doubled slashes and inner "." elements. */
export interface CleanNameOptions {
  readonly keepDotDirs?: boolean;
  readonly keepTrailingSlash?: boolean;
  readonly dropTrailingDotDir?: boolean;
  /** Resolve ".." against the element before it. */
  readonly collapseDotDot?: boolean;
  /** Return null when there is a ".." element. */
  readonly refuseDotDot?: boolean;
}

/** The cleaned name; "." when nothing is left; null when `refuseDotDot` found a "..". */
export function cleanName(name: string, o: CleanNameOptions = {}): string | null {
  const anchored = name.startsWith("/");
  const elements = name.split("/");
  const kept: string[] = [];
  const last = elements.length - 1;
  for (let i = 0; i <= last; i++) {
    const element = elements[i];
    if (element === "") continue;
    if (element === "." && dropsDot(o, i, last, kept.length, anchored)) continue;
    if (element === "..") {
      if (o.refuseDotDot) return null;
      if (o.collapseDotDot && collapses(kept, anchored)) continue;
    }
    kept.push(element);
  }
  const slash = o.keepTrailingSlash && kept.length > 0 && endsOpen(elements, o) ? "/" : "";
  const text = (anchored ? "/" : "") + kept.join("/") + slash;
  return text === "" ? "." : text;
}

/** Is this "." element dropped? A last one stays unless asked otherwise, since it names the directory's contents. */
function dropsDot(o: CleanNameOptions, i: number, last: number, kept: number, anchored: boolean): boolean {
  if (i === last) return o.dropTrailingDotDir === true;
  return !(o.keepDotDirs === true && (i > 0 || (kept === 0 && !anchored)));
}

/** Did the name end in a slash once a dropped "." element is gone? */
function endsOpen(elements: readonly string[], o: CleanNameOptions): boolean {
  const last = elements[elements.length - 1];
  return last === "" || (last === "." && o.dropTrailingDotDir === true);
}

/** Takes one element back for a ".."; true when it was absorbed. */
function collapses(kept: string[], anchored: boolean): boolean {
  if (kept.length > 0 && kept[kept.length - 1] !== "..") {
    kept.pop();
    return true;
  }
  return anchored && kept.length === 0;
}

/** How `sanitizePath` treats a name. */
export interface SanitizeOptions {
  /** What stands for the leading slash of an absolute name; "" drops it. */
  readonly root: string;
  /** How many ".." a relative name may begin with: the depth of the directory it starts from. */
  readonly depth?: number;
  readonly keepDots?: boolean;
}

/**
 * The name as if its root were the top of everything: ".." elements are resolved, and none leads out. "" becomes ".".
 * Upstream util1.c:sanitize_path.
 */
export function sanitizePath(name: string, { root, depth = 0, keepDots = false }: SanitizeOptions): string {
  const anchored = name.startsWith("/");
  const elements = name.split("/");
  const kept: string[] = [];
  let climbs = anchored ? 0 : depth;
  let start = 0;
  elements.forEach((element, at) => {
    if (element === "" || (element === "." && !keepDots)) return;
    const whole = at < elements.length - 1 ? `${element}/` : element;
    if (element === ".." && (climbs <= 0 || kept.length > start)) {
      if (kept.length > start) kept.pop();
      return;
    }
    kept.push(whole);
    if (element !== "..") return;
    climbs--;
    start = kept.length;
  });
  const prefix = !anchored || root === "" ? "" : root === "/" ? "/" : `${root}/`;
  return prefix + kept.join("") || ".";
}

/** `sanitizePath` for a name that the other side gives: relative at the end. */
export function sanitizeName(name: string, keepDots: boolean): string {
  return sanitizePath(name, { root: "", keepDots });
}

/** `dir` and `name` as one path; an absolute name stands alone. */
export function joinPath(dir: string, name: string): string {
  if (dir === "" || name.startsWith("/")) return name;
  return dir.endsWith("/") ? dir + name : dir + "/" + name;
}

/** What stands behind the last slash. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The path with a closing slash. */
export function withSlash(path: string): string {
  return path.endsWith("/") ? path : path + "/";
}
