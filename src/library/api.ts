/**
 * The library's functions, as types: runtimes/library.*.ts and runtimes/browser.ts bind each to the runtime's kernels
 * and host. This is where they are documented.
 */
import { type DeltaOptions } from "./delta.ts";
import { type PatchOptions } from "./patch.ts";
import { type SignatureOptions } from "./signature.ts";
import { type Basis, type ByteSource } from "./sources.ts";
import { type Source, type Target } from "./station.ts";
import { type ServedModules } from "./servedmodules.ts";
import { type ServeOptions, type Serving } from "./serve.ts";
import { type SyncOptions, type SyncResult } from "./sync.ts";
import { type WatchOptions, type Watching } from "./watch.ts";

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

/**
 * Keeps targets up to date with a source, as `wsync --watch SOURCE... TARGET` does: everything is compared once, and
 * from then on what changes is brought over as it changes, with retries, audits and guards against a source that is
 * not really there. The options are those of `sync` and those of --watch (`watchDelay`, `watchAudit`, ...); `archive`
 * or `recursive` is needed.
 *
 * Throws UsageError for options that make no sense or sources that are not there. Without an event API of the system,
 * and in other file systems than the disk's, changes are looked for every `watchPoll` seconds.
 */
export type WatchFunction = (
  source: Source, target: string | readonly string[], options?: WatchOptions,
) => Watching;

/**
 * Offers modules to clients that speak rsync's daemon protocol: stock rsync, wsync, `sync` in another program. It
 * listens on a port, and takes connections that were made elsewhere; all are served in this thread.
 *
 * Clients reach what is below a module's path and nothing else; modules are read-only unless they say otherwise.
 * Rejects with UsageError for modules that make no sense, and with TransportError (10) when it cannot listen.
 */
export type ServeFunction = (modules: ServedModules, options?: ServeOptions) => Promise<Serving>;
