/**
 * What the files layer needs of the flat file list: a structural view, so that this folder does not import src/flist.
 * FileList of src/flist/filelist.ts satisfies it.
 */

/** The interned directory names of a session; ids are stable and never reused. */
export interface DirTable {
  readonly names: readonly string[];
}

type Column = Float64Array | Uint32Array | Int32Array;

/** The columns of a file list segment that file operations read. */
export interface FileRows {
  readonly dirs: DirTable;
  /** Address of the NUL-terminated basename. */
  readonly namePtr: Uint32Array;
  readonly dir: Int32Array;
  readonly mode: Uint32Array;
  readonly size: Float64Array;
  readonly mtime: Float64Array;
  readonly mtimeNsec: Uint32Array;
  readonly uid: Uint32Array;
  readonly gid: Uint32Array;
  readonly flags: Uint32Array;
  readonly extra: {
    readonly atime?: Column;
    readonly rdevMajor?: Column;
    readonly rdevMinor?: Column;
    readonly linkTarget?: Column;
    readonly linkLength?: Column;
    readonly checksum?: Column;
    /** Indexes of ACLs and of the set of xattrs in the stores of the session, -1 for none. */
    readonly aclNdx?: Column;
    readonly defAclNdx?: Column;
    readonly xattrNdx?: Column;
  };
  path(row: number): string;
}
