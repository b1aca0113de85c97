/** What the page and its worker say to each other. */
import { type DeltaStats } from "../../src/index.ts";

/** Checksums that rsync knows for blocks, its favourite first. */
export const CHECKSUMS = ["xxh128", "xxh3", "xxh64", "md5", "md4", "sha1"] as const;
export type Checksum = (typeof CHECKSUMS)[number];

/** Compare two versions as rsync would. */
export interface CompareTask {
  readonly kind: "compare";
  readonly old: Blob;
  readonly now: Blob;
  /** Bytes of a block; null for rsync's choice. */
  readonly blockLength: number | null;
  readonly checksum: Checksum;
  /** The regions are wanted too, not the figures alone. */
  readonly regions: boolean;
}

/** Make rdiff's delta of two versions. */
export interface DeltaTask {
  readonly kind: "delta-of";
  readonly old: Blob;
  readonly now: Blob;
  readonly hash: "blake2" | "md4";
  readonly rollsum: "rabinkarp" | "rollsum";
}

/** Sign a file. */
export interface SignTask {
  readonly kind: "sign";
  readonly file: Blob;
  readonly format: "rdiff" | "rsync";
}

/** Make a delta of a signature and new data; its format is the signature's. */
export interface SignedDeltaTask {
  readonly kind: "delta";
  readonly signature: Blob;
  readonly file: Blob;
}

/** Apply a delta. */
export interface PatchTask {
  readonly kind: "patch";
  readonly basis: Blob;
  readonly delta: Blob;
}

/** Record the transfer that turns the old version into the new one, as rsync --only-write-batch does. */
export interface BatchTask {
  readonly kind: "batch";
  readonly old: Blob;
  readonly now: Blob;
  /** The file's name, in the batch too. */
  readonly name: string;
}

/** A daemon's WebSocket door, and who asks. */
export interface Door {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** List a daemon's modules ("" for the path), or a directory of one. */
export interface LookTask {
  readonly kind: "look";
  readonly door: Door;
  readonly path: string;
}

/** List all that is in a directory of this browser. */
export interface HereTask {
  readonly kind: "here";
  readonly place: FileSystemDirectoryHandle;
}

/** Bring a directory of this browser up to date with one of a daemon's module, or the other way round. */
export interface MoveTask {
  readonly kind: "pull" | "push";
  readonly door: Door;
  /** Module and path. */
  readonly path: string;
  readonly place: FileSystemDirectoryHandle;
  readonly delete: boolean;
  readonly dryRun: boolean;
}

/** What the worker for transfers does. */
export type TransferTask = BatchTask | LookTask | HereTask | MoveTask;
export type Task = CompareTask | DeltaTask | SignTask | SignedDeltaTask | PatchTask | TransferTask;

/** A module, or an entry of a directory. */
export interface Listed {
  /** Its name; of a listing of all that is in a directory, the path. */
  readonly name: string;
  readonly kind: "module" | "directory" | "file" | "symlink" | "other";
  /** Of a module. */
  readonly comment: string;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
}

/** What a transfer has done, or would do. */
export interface Moved {
  readonly dryRun: boolean;
  /** Names and what becomes of them, the first of many. */
  readonly items: readonly { readonly name: string; readonly what: string }[];
  readonly itemCount: number;
  readonly files: number;
  readonly deleted: number;
  readonly totalBytes: number;
  readonly literalBytes: number;
  readonly matchedBytes: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly seconds: number;
  readonly protocol: number;
  /** What went wrong with single files. */
  readonly trouble: readonly string[];
}

/** Where in the new file bytes come from: parallel arrays, in order, without gaps. */
export interface Regions {
  readonly offset: Float64Array;
  readonly byteLength: Float64Array;
  /** -1 for new bytes. */
  readonly basisOffset: Float64Array;
  /** Neighbours were joined because there were too many regions: kinds are those of most of their bytes. */
  readonly coarse: boolean;
}

/** What a comparison found. */
export interface Comparison {
  readonly blockLength: number;
  /** Bytes of a strong sum that rsync sends with each block. */
  readonly sumLength: number;
  readonly blocks: number;
  /** Bytes from the receiver to the sender, and back. */
  readonly signatureBytes: number;
  readonly deltaBytes: number;
  readonly stats: DeltaStats;
  /** Milliseconds, reading included. */
  readonly signMs: number;
  readonly searchMs: number;
  readonly regions: Regions | null;
}

/** What a task is at. */
export type Phase = "sign" | "search" | "patch" | "record" | "transfer";

/** From the page. */
export type Request = { readonly id: number; readonly task: Task } | { readonly id: number; readonly abort: true };

/** From the worker. */
export type Answer =
  | {
    readonly id: number; readonly phase: Phase; readonly done: number; readonly total: number; readonly name?: string;
  }
  | { readonly id: number; readonly comparison: Comparison }
  | { readonly id: number; readonly listed: readonly Listed[] }
  | { readonly id: number; readonly moved: Moved }
  | { readonly id: number; readonly file: Blob; readonly stats: DeltaStats | null }
  | { readonly id: number; readonly error: string; readonly aborted: boolean };
