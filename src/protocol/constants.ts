/**
 * The numbers of the wire: flags, special indexes, message tags and limits. Source: upstream rsync.h.
 *
 * Two bits of one word may share a value where file types or protocol versions keep them apart; the comment beside
 * each says when it holds.
 */

/** Oldest and newest protocol versions spoken, and the range a peer's number must lie in to be rsync at all. */
export const ProtocolVersion = {
  /** Oldest version this program speaks (rsync 2.6.0). */
  oldest: 27,
  newest: 32,
  /** Versions outside [leastSane, mostSane] are noise from a shell, not rsync. */
  leastSane: 20,
  mostSane: 40,
  /** Sub-version of a pre-release; 0 for a released protocol. */
  sub: 0,
} as const;

/** Flags of one file-list entry on the wire (label `flist-xflags`). */
export const XmitFlag = {
  topDir: 1 << 0,
  sameMode: 1 << 1,
  /** Protocol 27. */
  sameRdevPre28: 1 << 2,
  /** Protocol 28 on: a second flag byte follows. */
  extendedFlags: 1 << 2,
  sameUid: 1 << 3,
  sameGid: 1 << 4,
  sameName: 1 << 5,
  longName: 1 << 6,
  sameTime: 1 << 7,
  /** Protocol 28 on, devices only. */
  sameRdevMajor: 1 << 8,
  /** Protocol 30 on, directories only. */
  noContentDir: 1 << 8,
  /** Protocol 28 on, not for directories. */
  hlinked: 1 << 9,
  /** Protocols 28 and 29. */
  sameDevPre30: 1 << 10,
  /** Protocol 30 on. */
  userNameFollows: 1 << 10,
  /** Protocols 28 and 29. */
  rdevMinor8Pre30: 1 << 11,
  /** Protocol 30 on. */
  groupNameFollows: 1 << 11,
  /** Protocol 30 on, with `hlinked`. */
  hlinkFirst: 1 << 12,
  /** Safe file list: with `extendedFlags` alone it ends the list and an io_error follows. */
  ioErrorEndList: 1 << 12,
  /** Protocol 31 on. */
  modNsec: 1 << 13,
  /** With --atimes. */
  sameAtime: 1 << 14,
  /** With --crtimes; needs varint flags. */
  crtimeEqMtime: 1 << 17,
} as const;

/** Flags of a file-list row in memory (FileList.flags); never sent. */
export const FileFlag = {
  topDir: 1 << 0,
  /** On lists a generator makes for itself. */
  ownedByUs: 1 << 0,
  fileSent: 1 << 1,
  /** Generator. */
  dirCreated: 1 << 1,
  contentDir: 1 << 2,
  /** Directories, sender and generator. */
  mountDir: 1 << 3,
  /** With `hlinked`, receiving side. */
  skipHlink: 1 << 3,
  /** Sender. */
  duplicate: 1 << 4,
  /** Generator. */
  missingDir: 1 << 4,
  hlinked: 1 << 5,
  /** With `hlinked`. */
  hlinkFirst: 1 << 6,
  /** Directories. */
  impliedDir: 1 << 6,
  hlinkLast: 1 << 7,
  hlinkDone: 1 << 8,
  length64: 1 << 9,
  skipGroup: 1 << 10,
  timeFailed: 1 << 11,
  modNsec: 1 << 12,
  /** Directory list only: this directory's segment has been received. */
  gotDirFlist: 1 << 13,
  /** Receiver: the file arrived damaged and was asked for again. The generator uses `fileSent` in the same list. */
  damaged: 1 << 14,
  /** Receiver: a directory whose xattrs were set was opened to its owner again, until the generator's last look. */
  reopened: 1 << 15,
  /** Generator: it has had its last look at this directory. */
  touchedUp: 1 << 16,
} as const;

/** Per-item change bits (label `iflags`). Bits 16 and up stay in memory. */
export const ItemFlag = {
  reportAtime: 1 << 0,
  reportChange: 1 << 1,
  /** Regular files. */
  reportSize: 1 << 2,
  /** Symlinks. */
  reportTimeFail: 1 << 2,
  reportTime: 1 << 3,
  reportPerms: 1 << 4,
  reportOwner: 1 << 5,
  reportGroup: 1 << 6,
  reportAcl: 1 << 7,
  reportXattr: 1 << 8,
  reportCrtime: 1 << 10,
  basisTypeFollows: 1 << 11,
  xnameFollows: 1 << 12,
  isNew: 1 << 13,
  localChange: 1 << 14,
  transfer: 1 << 15,
  missingData: 1 << 16,
  deleted: 1 << 17,
  matched: 1 << 18,
} as const;

/** Bits of `iflags` that make an item worth reporting: all but the three that only describe the message. */
export const SIGNIFICANT_ITEM_FLAGS =
  ~(ItemFlag.basisTypeFollows | ItemFlag.xnameFollows | ItemFlag.localChange);

/** io_error bits; a peer's value is masked with `validMask`. */
export const IoError = {
  general: 1 << 0,
  vanished: 1 << 1,
  deleteLimit: 1 << 2,
  validMask: 7,
} as const;

/** Special values of a file index. `flistOffset - n` announces the list segment of directory n. */
export const Ndx = {
  done: -1,
  flistEof: -2,
  delStats: -3,
  flistOffset: -101,
} as const;

/** Which file served as basis. 0..127 index the --compare-dest list; fuzzy + n is a fuzzy match in basis dir n - 1. */
export const FnamecmpType = {
  basisDirLow: 0x00,
  basisDirHigh: 0x7f,
  fname: 0x80,
  partialDir: 0x81,
  backup: 0x82,
  fuzzy: 0x83,
} as const;

/** Tags of multiplexed messages, before the base of 7 is added. */
export const MessageTag = {
  data: 0,
  errorXfer: 1,
  info: 2,
  error: 3,
  warning: 4,
  /** Between upstream's own processes, as are errorUtf8, log, client, redo and stats. */
  errorSocket: 5,
  log: 6,
  client: 7,
  errorUtf8: 8,
  redo: 9,
  stats: 10,
  ioError: 22,
  ioTimeout: 33,
  noop: 42,
  errorExit: 86,
  success: 100,
  deleted: 101,
  noSend: 102,
} as const;

/** Ceilings on values from the wire. Above them upstream (and this program) ends the connection. */
export const WireLimit = {
  /** MAXPATHLEN, the byte after the last of a path included. */
  path: 4096,
  /** BIGPATHBUFLEN: a text message must be shorter. */
  message: 4096 + 1024,
  /** Largest payload a frame header can state. */
  framePayload: 0xffffff,
  /** MAX_BLOCK_SIZE, protocol 30 on. */
  blockLength: 1 << 17,
  /** OLD_MAX_BLOCK_SIZE, before protocol 30. */
  oldBlockLength: 1 << 29,
  /** CHUNK_SIZE: longest literal token. */
  literal: 32 * 1024,
  /** MAX_DIGEST_LEN: longest digest of any algorithm. */
  digest: 64,
  nsec: 999999999,
  deleteCount: 1 << 28,
  xattrCount: 65536,
  xattrName: 4096,
  xattrValue: 0x7fffffff,
  aclCount: 65536,
  /** MAX_NSTR_STRLEN: a list of negotiated names must be shorter. */
  nameList: 256,
  /** MAX_ARGS of a daemon request. */
  args: 1000,
  /** Longest vstring the length prefix can express. */
  vstring: 0x7fff,
  /** Longest filter rule accepted: BIGPATHBUFLEN. */
  filterRule: 4096 + 1024,
} as const;
