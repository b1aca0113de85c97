/**
 * The library's functions, as types: runtimes/library.*.ts and runtimes/browser.ts bind each to the runtime's kernels
 * and host. This is where they are documented.
 */
import { type DeltaOptions } from "./delta.ts";
import { type PatchOptions } from "./patch.ts";
import { type SignatureOptions } from "./signature.ts";
import { type Basis, type ByteSource } from "./sources.ts";
import { type Source, type Target } from "./station.ts";
import { type SyncOptions, type SyncResult } from "./sync.ts";

/**
 * Signs a file: weak and strong sums of its blocks, from which somebody who has a newer version can work out a delta.
 *
 * The work is done as the stream is read; about two megabytes are held, whatever the file's length. Throws UsageError
 * for options that make no sense; what fails later makes the stream fail.
 */
export type SignatureFunction = (basis: ByteSource, options?: SignatureOptions) => ReadableStream<Uint8Array>;

/**
 * Works out what turns the signed file into `data`: the bytes that it does not have, and where the others are. The
 * format is the signature's: rsync's tokens with a checksum of the whole file, or an rdiff delta.
 *
 * The signature and its tables are held in memory (about 40 bytes a block more), of `data` about a megabyte. The
 * stream fails with ProtocolError (exit code 2) when the signature is none.
 */
export type DeltaFunction = (
  signature: ByteSource, data: ByteSource, options?: DeltaOptions,
) => ReadableStream<Uint8Array>;

/**
 * Applies a delta to the file it was made for. The basis is read at the places that the delta names.
 *
 * The stream fails with ProtocolError when the delta is none, is cut short, or names what the basis does not have; and
 * at its very end when the result does not have the checksum that rsync's format carries (rdiff's has none), so a
 * file written from it must not be used before the stream has ended well.
 */
export type PatchFunction = (basis: Basis, delta: ByteSource, options?: PatchOptions) => ReadableStream<Uint8Array>;

/**
 * Brings `target` up to date with `source`, as `wsync [OPTION...] SOURCE... TARGET` does: local paths, HOST:PATH over
 * a remote shell, HOST::MODULE/PATH and rsync:// URLs, or places in other file systems (memory, an archive). At most
 * one of the two is remote.
 *
 * Resolves when everything is done. Rejects with UsageError (exit code 1 to 4), TransportError (5, 10, 12, 30, 35, or
 * the other side's own), ProtocolError (2, 12), LimitError (22, 25), or PartialError (23, 24, 25), which names the
 * files that failed while the rest was done. Nothing is printed.
 */
export type SyncFunction = (source: Source, target: Target, options?: SyncOptions) => Promise<SyncResult>;
