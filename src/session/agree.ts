/**
 * The handshake over a live connection: versions, compat flags, negotiated names and the checksum seed, in the order
 * of upstream compat.c:setup_protocol. The steps themselves are in protocol/handshake and protocol/negotiate.
 */
import { readBatchHeader } from "../protocol/batchheader.ts";
import { type ProtocolContext } from "../protocol/context.ts";
import { type CompressName } from "../protocol/context.ts";
import { type Cursor } from "../protocol/cursor.ts";
import {
  agreeVersion, checkVersionBounds, contextFrom, negotiatesNames, offerableVersion,
  readCompatFlags, readVersion, serverCompatFlags, writeCompatFlags, writeVersion,
} from "../protocol/handshake.ts";
import { readInt, writeInt } from "../protocol/integers.ts";
import {
  CHECKSUMS, checksumChoice, compressChoice, compressLevel, compressTable, makeOffer, oldStyleList, readNameList,
  settle, writeNameList, type NameTable,
} from "../protocol/negotiate.ts";
import { adoptBatchFlags } from "../options/batchflags.ts";
import { incRecurseAllowed } from "../options/finish.ts";
import { type Session } from "./session.ts";

/** What the caller knows before the handshake. */
export interface AgreeSettings {
  /** Set when a daemon greeting has already settled the version. */
  readonly version: number | null;
  /** Compressors this run has. */
  readonly compressors: readonly CompressName[];
}

/** Settles everything and sets `session.context`. Throws ProtocolError, UsageError or TransportError. */
export async function agree(session: Session, settings: AgreeSettings): Promise<void> {
  const { options, amServer, amSender } = session;
  if (options.readBatch !== null) return agreeWithBatch(session, settings);
  const { clientInfo } = options;
  const version = settings.version ?? (await exchangeVersions(session, clientInfo));
  session.log.protocolVersion = version;
  // Before protocol 30 the part that is there always counts in the digest. Upstream compat.c:setup_protocol.
  if (version < 30 && options.append === 1) options.append = 2;
  const allowed = incRecurseAllowed(options, amSender);
  const compatFlags = await exchangeCompatFlags(session, version, clientInfo, allowed);
  boundsOf(session, version, compatFlags, allowed);
  const names = await exchangeNames(session, settings, version, compatFlags);
  const checksumSeed = await exchangeSeed(session);
  session.input.countFromHere();
  session.output.countFromHere();
  session.context = contextFrom({
    version, compatFlags, amServer, amSender, clientInfo, checksumSeed, canSetSymlinkTimes: true, ...names,
  });
}

/** A batch file settles everything by itself: its head says what was agreed on when it was written. */
async function agreeWithBatch(session: Session, settings: AgreeSettings): Promise<void> {
  const { options, log } = session;
  const allowed = incRecurseAllowed(options, false);
  const header = await receive(session, (cursor) => readBatchHeader(cursor, options.protocol));
  const { version, compatFlags, checksumSeed } = header;
  log.protocolVersion = version;
  tellVersions(session, version, version);
  adoptBatchFlags(options, header.flags, version, (text) => {
    if (log.info("MISC", 1)) log.infoLine(text);
  });
  boundsOf(session, version, compatFlags, allowed);
  const names = await exchangeNames(session, settings, version, compatFlags);
  session.input.countFromHere();
  session.context = contextFrom({
    version, compatFlags, amServer: false, amSender: false, clientInfo: "", checksumSeed, canSetSymlinkTimes: true,
    ...names,
  });
}

async function receive<T>(session: Session, decode: (cursor: Cursor) => T): Promise<T> {
  return session.input.poll(decode) ?? (await session.input.next(decode));
}

async function exchangeVersions(session: Session, clientInfo: string): Promise<number> {
  const { options, output, amServer } = session;
  const ours = amServer && !session.localLink ? offerableVersion(options.protocol, clientInfo) : options.protocol;
  writeVersion(output.writer, ours);
  output.flush();
  const theirs = await receive(session, readVersion);
  const version = agreeVersion(ours, theirs, amServer);
  tellVersions(session, theirs, version);
  return version;
}

function tellVersions({ log, amServer }: Session, theirs: number, version: number): void {
  if (!log.debug("PROTO", 1)) return;
  log.infoLine(`(${sideOf(amServer)}) Protocol versions: remote=${theirs}, negotiated=${version}\n`);
}

async function exchangeCompatFlags(
  session: Session, version: number, clientInfo: string, allowed: boolean,
): Promise<number> {
  if (version < 30) return 0;
  if (!session.amServer) return receive(session, readCompatFlags);
  const flags = serverCompatFlags(clientInfo, { allowIncRecurse: allowed, canSetSymlinkTimes: true, iconv: true });
  writeCompatFlags(session.output.writer, flags, clientInfo);
  return flags;
}

function boundsOf(session: Session, version: number, compatFlags: number, allowIncRecurse: boolean): void {
  const { options } = session;
  checkVersionBounds(version, compatFlags, {
    acls: options.preserveAcls > 0,
    xattrs: options.preserveXattrs > 0,
    crtimes: options.preserveCrtimes,
    fuzzy: options.fuzzy > 0,
    inplace: options.inplace,
    pruneEmptyDirs: options.pruneEmptyDirs,
    basisDirCount: options.basisDirs.length,
    basisDirOption: `--${options.basisDirs[0]?.kind ?? "compare"}-dest`,
    localServer: session.localLink !== null || options.readBatch !== null,
    allowIncRecurse,
    readBatch: options.readBatch !== null,
  });
}

type Names = Pick<ProtocolContext, "transferChecksum" | "fileChecksum" | "compress" | "compressLevel">;

async function exchangeNames(
  session: Session, settings: AgreeSettings, version: number, compatFlags: number,
): Promise<Names> {
  const { options, amServer, host } = session;
  const compressors = compressTable(settings.compressors);
  const crossed = negotiatesNames({
    amServer, version, clientInfo: options.clientInfo, compatFlags, readBatch: options.readBatch !== null,
  });
  const environments = [host.env("RSYNC_CHECKSUM_LIST"), host.env("RSYNC_COMPRESS_LIST")];
  const wanted = [options.checksumChoice === null, options.compress && options.compressChoice === null];
  const tables = [CHECKSUMS, compressors];
  const [checksum, compress] = await settleNames(session, tables, wanted, environments, version, crossed);
  const common = { amServer, version };
  const digests = checksumChoice({
    ...common, negotiated: checksum, forced: options.checksumChoice, environment: environments[0],
  });
  const chosen = compressChoice(compressors, options.compress, {
    ...common, negotiated: compress, forced: options.compressChoice, environment: environments[1],
  });
  const { name, level } = compressLevel(chosen, options.compressLevel);
  tellChoice(session, "checksum", checksum, options.checksumChoice ?? digests.transfer.replace("md4-old", "md4"));
  if (name !== "none" || options.compressLevel !== null) {
    tellChoice(session, "compress", compress, `${chosen} (level ${level})`);
  }
  return { transferChecksum: digests.transfer, fileChecksum: digests.file, compress: name, compressLevel: level };
}

/** --debug=nstr: what was settled, and whether both sides' lists had a part in it. */
function tellChoice(session: Session, type: string, negotiated: string | null, choice: string): void {
  const { amServer, log } = session;
  if (!log.debug("NSTR", amServer ? 3 : 1)) return;
  log.infoLine(`${sideOf(amServer)}${negotiated === null ? "" : " negotiated"} ${type}: ${choice}\n`);
}

/** --debug=nstr2: the list of one side; `here` when it is ours. */
function tellList(session: Session, type: string, list: string, here: boolean): void {
  const { amServer, log } = session;
  if (!log.debug("NSTR", amServer ? 3 : 2)) return;
  const owner = sideOf(here ? amServer : !amServer);
  log.infoLine(`${owner} ${type} list (on ${sideOf(amServer).toLowerCase()}): ${list}\n`);
}

function sideOf(server: boolean): string {
  return server ? "Server" : "Client";
}

/** Sends the wanted lists before reading any, to save a round trip; null where nothing was negotiated. */
async function settleNames(
  session: Session, tables: readonly NameTable[], wanted: readonly boolean[],
  environments: readonly (string | undefined)[], version: number, crossed: boolean,
): Promise<(string | null)[]> {
  const { amServer, options, output } = session;
  const writeBatch = options.writeBatch !== null;
  const offers = tables.map((table, i) => {
    if (!wanted[i]) return null;
    const offer = makeOffer(table, { amServer, environment: environments[i], writeBatch, version });
    tellList(session, table.type, offer.text, true);
    if (crossed) writeNameList(output.writer, offer);
    return offer;
  });
  output.flush();
  const names: (string | null)[] = [];
  for (const offer of offers) {
    if (offer === null) {
      names.push(null);
      continue;
    }
    const theirs = crossed
      ? await receive(session, (cursor) => readNameList(cursor, offer.table))
      : oldStyleList(offer.table, version);
    tellList(session, offer.table.type, theirs, false);
    const name = settle(offer, theirs, { amServer, negotiated: crossed });
    names.push(crossed ? name : null);
  }
  return names;
}

async function exchangeSeed(session: Session): Promise<number> {
  if (!session.amServer) return receive(session, readInt);
  const { host, options } = session;
  const seed = options.checksumSeed || (Math.floor(host.now() / 1000) ^ (host.pid << 6)) | 0;
  writeInt(session.output.writer, seed);
  session.output.flush();
  return seed;
}

