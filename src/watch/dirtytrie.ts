/**
 * What is dirty, as a state and not as a log: a trie of destination paths, each with the number (seq) of its latest
 * change. A target that is up to date with every change up to its own watermark asks for what came later, so one trie
 * serves any number of targets and a dead one costs nothing but the nodes of what changed since.
 *
 * Invariants: a path that is dirty as a whole tree swallows what is below it, unless some target has (or is about to
 * have) that tree behind it. The tree of a renamed directory swallows nothing, because a target that can carry the
 * rename over needs to know what changed inside. Paths are names without leading or trailing slashes; "" is the root.
 */

/** A rename that a target may carry out by itself instead of receiving the new tree. */
export interface Rename {
  readonly seq: number;
  readonly from: string;
  readonly to: string;
  readonly isDir: boolean;
}

/** A path to bring up to date. */
export interface DirtyPath {
  readonly path: string;
  /** With everything below it. */
  readonly tree: boolean;
  /** What it was when it changed; null when that is not known. */
  readonly isDir: boolean | null;
}

interface Node {
  readonly children: Map<string, Node>;
  selfSeq: number;
  treeSeq: number;
  isDir: boolean | null;
  /** The rename that made this tree dirty; null for any other reason. */
  cause: Rename | null;
}

/** A directory with more dirty entries than this is taken as a whole, which bounds what vanished names can cost. */
const MOST_CHILDREN = 10_000;
/** A trie this small is not worth pruning. */
const FEW_NODES = 1024;

/** See the file's head. */
export class DirtyTrie {
  /** Number of the latest change. */
  seq = 0;
  private root: Node = newNode();
  private nodes = 1;
  private prunedNodes = 1;
  /** No change up to this number may be swallowed by an older tree: some target has, or will have, them behind it. */
  private horizon = 0;

  /** Nodes in memory. */
  get size(): number {
    return this.nodes;
  }

  /** A target has begun to fetch, or has, all changes up to `seq`. */
  raiseHorizon(seq: number): void {
    this.horizon = Math.max(this.horizon, seq);
  }

  /** Notes that a path changed. */
  touch(path: string, isDir: boolean | null): void {
    const seq = ++this.seq;
    const node = this.reach(path);
    if (node === null) return;
    node.selfSeq = seq;
    node.isDir = isDir;
  }

  /** Notes that a path and anything below it may have changed. */
  touchTree(path: string): void {
    const seq = ++this.seq;
    const node = this.reach(path);
    if (node === null) return;
    this.nodes -= countOf(node) - 1;
    node.children.clear();
    node.treeSeq = seq;
    node.cause = null;
  }

  /** Notes that a path has got a new name; what is known below it moves along. */
  rename(from: string, to: string, isDir: boolean): Rename {
    const seq = ++this.seq;
    const rename = { seq, from, to, isDir };
    const moved = this.detach(from);
    this.touch(from, isDir);
    this.seq = seq;
    if (this.swallowed(to)) return rename;
    const node = moved ?? newNode();
    if (moved === null) this.nodes++;
    // fanotify names what happened before a rename by the new name: then what is dirty there belongs to this tree.
    const mixed = (this.find(to)?.children.size ?? 0) > 0;
    const unknown = mixed || (node.treeSeq > 0 && node.cause === null);
    node.selfSeq = seq;
    node.isDir = isDir;
    if (isDir) {
      node.treeSeq = seq;
      node.cause = unknown ? null : rename;
    }
    this.attach(to, node);
    return rename;
  }

  /** Everything that changed after `since`; trees that `carried` renames brought along are not asked for again. */
  collect(since: number, carried: ReadonlySet<Rename> = new Set()): DirtyPath[] {
    const found: DirtyPath[] = [];
    visit(this.root, "", (node, path) => {
      const isTree = node.treeSeq > since && !(node.cause !== null && carried.has(node.cause));
      if (isTree) found.push({ path, tree: true, isDir: true });
      else if (Math.max(node.selfSeq, node.treeSeq) > since) found.push({ path, tree: false, isDir: node.isDir });
      return !isTree;
    });
    return found;
  }

  /** Is a path among what changed after `since`? */
  covers(path: string, since: number): boolean {
    let node: Node | undefined = this.root;
    if (node.treeSeq > since) return true;
    if (path === "") return node.selfSeq > since;
    for (const name of path.split("/")) {
      node = node.children.get(name);
      if (node === undefined) return false;
      if (node.treeSeq > since) return true;
    }
    return node.selfSeq > since;
  }

  /** Forgets what every target has, given all their watermarks. Cheap when there is little to forget. */
  prune(watermarks: readonly number[]): void {
    if (watermarks.every((mark) => mark >= this.seq)) {
      this.root = newNode();
      this.nodes = this.prunedNodes = 1;
      return;
    }
    if (this.nodes < Math.max(FEW_NODES, this.prunedNodes * 2)) return;
    pruneBelow(this.root, watermarks);
    this.nodes = this.prunedNodes = countOf(this.root);
  }

  /** The node of a path, made if need be; null when a dirty tree above swallows it. */
  private reach(path: string): Node | null {
    let node = this.root;
    if (path === "") return node;
    for (const name of path.split("/")) {
      if (this.swallows(node)) return null;
      let next = node.children.get(name);
      if (next === undefined) {
        if (node.children.size >= MOST_CHILDREN) return this.takeWhole(node);
        next = newNode();
        node.children.set(name, next);
        this.nodes++;
      }
      node = next;
    }
    return node;
  }

  /** A directory whose entries are too many to note one by one. Returns null, as for what is swallowed. */
  private takeWhole(node: Node): null {
    this.nodes -= countOf(node) - 1;
    node.children.clear();
    node.treeSeq = this.seq;
    node.cause = null;
    return null;
  }

  private swallows(node: Node): boolean {
    return node.cause === null && node.treeSeq > this.horizon;
  }

  private swallowed(path: string): boolean {
    let node: Node | undefined = this.root;
    for (const name of path.split("/")) {
      if (node === undefined) return false;
      if (this.swallows(node)) return true;
      node = node.children.get(name);
    }
    return false;
  }

  private detach(path: string): Node | null {
    const parent = this.find(path.slice(0, Math.max(0, path.lastIndexOf("/"))));
    const name = path.slice(path.lastIndexOf("/") + 1);
    const node = parent?.children.get(name) ?? null;
    if (node !== null) parent!.children.delete(name);
    return node;
  }

  private attach(path: string, node: Node): void {
    const slash = path.lastIndexOf("/");
    const parent = this.reach(path.slice(0, Math.max(0, slash)));
    if (parent === null) {
      this.nodes -= countOf(node);
      return;
    }
    const name = path.slice(slash + 1);
    const old = parent.children.get(name);
    if (old !== undefined) this.nodes -= countOf(old);
    parent.children.set(name, node);
  }

  private find(path: string): Node | null {
    let node: Node | undefined = this.root;
    if (path === "") return node;
    for (const name of path.split("/")) node = node?.children.get(name);
    return node ?? null;
  }
}

function newNode(): Node {
  return { children: new Map(), selfSeq: 0, treeSeq: 0, isDir: null, cause: null };
}

/** Visits parents before children; `see` tells whether to go on below. */
function visit(node: Node, path: string, see: (node: Node, path: string) => boolean): void {
  if (!see(node, path)) return;
  const prefix = path === "" ? "" : `${path}/`;
  for (const [name, child] of node.children) visit(child, prefix + name, see);
}

function countOf(node: Node): number {
  let count = 1;
  for (const child of node.children.values()) count += countOf(child);
  return count;
}

/** Drops nodes that none of the targets needs. A target that a dirty tree serves needs nothing below that tree. */
function pruneBelow(node: Node, watermarks: readonly number[]): void {
  const needy = node.cause === null ? watermarks.filter((mark) => node.treeSeq <= mark) : watermarks;
  for (const [name, child] of node.children) {
    if (needy.length > 0) pruneBelow(child, needy);
    const isNeeded = needy.some((mark) => Math.max(child.selfSeq, child.treeSeq) > mark);
    if (needy.length === 0 || (!isNeeded && child.children.size === 0)) node.children.delete(name);
  }
}
