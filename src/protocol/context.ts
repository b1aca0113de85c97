/**
 * What a conversation has agreed on: handed to every codec as one frozen value, never kept as module state.
 * Filled by session/handshake from versions, compat flags and negotiated names (upstream compat.c:setup_protocol).
 */

/** Bits of the compat-flags varint (wire label `compat-flags`; upstream compat.c, CF_*). */
export const CompatFlag = {
  incRecurse: 1 << 0,
  symlinkTimes: 1 << 1,
  symlinkIconv: 1 << 2,
  safeFlist: 1 << 3,
  avoidXattrOptim: 1 << 4,
  checksumSeedFix: 1 << 5,
  inplacePartialDir: 1 << 6,
  varintFlistFlags: 1 << 7,
  id0Names: 1 << 8,
} as const;

/** Transfer checksum names in rsync's order of preference, plus the historical MD4 variants chosen by version. */
export type ChecksumName =
  | "xxh128" | "xxh3" | "xxh64" | "md5" | "md4" | "sha1" | "none"
  | "md4-old" | "md4-busted" | "md4-archaic";

export type CompressName = "zstd" | "lz4" | "zlibx" | "zlib" | "none";

/** Agreed features of one conversation. */
export interface ProtocolContext {
  /** Negotiated protocol version, 27 to 32. */
  readonly version: number;
  /** CompatFlag bits; 0 before protocol 30. */
  readonly compatFlags: number;
  readonly incRecurse: boolean;
  /** XMIT flags travel as a varint ('v'). */
  readonly varintFlistFlags: boolean;
  /** The list end may carry an io_error (safe file list). */
  readonly safeFlist: boolean;
  /** Names for id 0 are sent too ('u'). */
  readonly id0Names: boolean;
  /** Whole-file digests put the seed first ('C'). */
  readonly properSeedOrder: boolean;
  readonly inplacePartialDir: boolean;
  readonly xattrOptim: boolean;
  /** The receiver can set a symlink's time. */
  readonly receiverSymlinkTimes: boolean;
  readonly checksumSeed: number;
  /** Digest of blocks and whole files during transfer. */
  readonly transferChecksum: ChecksumName;
  /** Digest in the file list for --checksum. */
  readonly fileChecksum: ChecksumName;
  readonly compress: CompressName;
  readonly compressLevel: number;
}

/** Which optional fields a file-list entry has on the wire; both sides derive it from the same options. */
export interface FlistFields {
  readonly preserveUid: boolean;
  readonly preserveGid: boolean;
  readonly preserveDevices: boolean;
  readonly preserveSpecials: boolean;
  readonly preserveLinks: boolean;
  readonly preserveHardLinks: boolean;
  readonly preserveAtimes: boolean;
  readonly preserveCrtimes: boolean;
  readonly preserveAcls: boolean;
  readonly preserveXattrs: boolean;
  /** Length in bytes of the file checksum in each entry, 0 without --checksum. */
  readonly checksumLength: number;
  readonly numericIds: boolean;
  readonly relativePaths: boolean;
}
