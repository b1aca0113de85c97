/** What a Confined allows. */
import { type Boundary } from "./boundary.ts";
import { type Confined } from "./confine.ts";
import { type LinkRule, type Refusal } from "./walk.ts";

/** Directories below a root that the operator names: symlinks of trusted owners may lead to them. */
export interface NamedDirs {
  /** So may symlinks of anybody that stay below the root. */
  readonly inTree: boolean;
  /** Where they have to end. */
  readonly within: Boundary | null;
  has(dir: string): boolean;
}

/** A directory above a root, by descriptor, and the root's path below it. */
export interface Above {
  readonly fd: number;
  readonly path: string;
}

/** How a root treats symlinks and changes. */
export interface ConfinePolicy {
  /** "beneath" for what a peer names, "trusted" for what the operator names, "insecure" with --insecure-links. */
  readonly links: LinkRule;
  /** Calls that would change something return 0 and do nothing, as upstream's do_* under --dry-run. */
  readonly dryRun?: boolean;
  /** --open-noatime: reading a file leaves its access time alone. */
  readonly noatime?: boolean;
  /** Directories held open; 128 unless told. */
  readonly maxHeld?: number;
  /** Resolve by the component walk alone, for tests and odd kernels. */
  readonly walkOnly?: boolean;
  /** With "trusted": where paths have to end (--confine-root, a daemon's module). */
  readonly within?: Boundary | null;
  /** With "beneath": symlinks may lead out of the root as far as here. */
  readonly above?: Above | null;
  /** Directories with a rule of their own; below them no symlink is followed at all. */
  readonly named?: NamedDirs | null;
  /** How messages show a whole path; in quotes unless told. */
  readonly quote?: (path: string, rootPath: string) => string;
  /** Hears of each refusal. */
  readonly refused?: (refusal: Refusal, root: Confined) => void;
}
