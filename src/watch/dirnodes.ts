/** The directories under watch of one source: a tree by name and a map by watch descriptor. */

/** One watched directory. */
export interface DirNode {
  name: string;
  parent: DirNode | null;
  readonly children: Map<string, DirNode>;
  /** -1: not watched (any more). */
  wd: number;
}

/** See the file's head. */
export class DirNodes {
  root: DirNode = newNode("", null);
  private readonly byWd = new Map<number, DirNode>();

  /** Watched directories. */
  get size(): number {
    return this.byWd.size;
  }

  of(wd: number): DirNode | undefined {
    return this.byWd.get(wd);
  }

  /** The path below the source, "" for the source itself; null for a node that was cut off. */
  pathOf(node: DirNode): string | null {
    let path = "";
    for (let at: DirNode = node; at !== this.root; at = at.parent) {
      if (at.parent === null) return null;
      path = path === "" ? at.name : `${at.name}/${path}`;
    }
    return path;
  }

  /** The child of that name, made when it is not there. */
  child(parent: DirNode, name: string): DirNode {
    let node = parent.children.get(name);
    if (node === undefined) parent.children.set(name, (node = newNode(name, parent)));
    return node;
  }

  /** Notes a node's descriptor. One that stands for another node already moves here: it is the same directory. */
  setWd(node: DirNode, wd: number): void {
    if (node.wd === wd) return;
    if (node.wd >= 0) this.byWd.delete(node.wd);
    const other = this.byWd.get(wd);
    if (other !== undefined) other.wd = -1;
    node.wd = wd;
    this.byWd.set(wd, node);
  }

  /** The kernel has ended a watch. */
  dropWd(wd: number): DirNode | undefined {
    const node = this.byWd.get(wd);
    if (node !== undefined) {
      node.wd = -1;
      this.byWd.delete(wd);
    }
    return node;
  }

  /** Takes a node out of the tree; its watches stay until they are removed. */
  cut(node: DirNode): void {
    if (node.parent?.children.get(node.name) === node) node.parent.children.delete(node.name);
    node.parent = null;
  }

  /** Puts a node that was cut off elsewhere. A node in its place is returned, cut off. */
  graft(node: DirNode, parent: DirNode, name: string): DirNode | null {
    const old = parent.children.get(name) ?? null;
    if (old !== null) old.parent = null;
    node.name = name;
    node.parent = parent;
    parent.children.set(name, node);
    return old;
  }

  /** Every descriptor of a node and below; they are forgotten. */
  takeWds(node: DirNode): number[] {
    const wds: number[] = [];
    const go = (at: DirNode): void => {
      if (at.wd >= 0) {
        wds.push(at.wd);
        this.byWd.delete(at.wd);
        at.wd = -1;
      }
      for (const child of at.children.values()) go(child);
    };
    go(node);
    return wds;
  }

  /** Starts again with nothing. */
  reset(): void {
    this.byWd.clear();
    this.root = newNode("", null);
  }
}

function newNode(name: string, parent: DirNode | null): DirNode {
  return { name, parent, children: new Map(), wd: -1 };
}
