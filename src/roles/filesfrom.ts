/**
 * --files-from: the names to send come from a file of one side. The sender reads its own file; a receiver that has the
 * file forwards it to the sender while the list is already coming back, so that neither waits for the other. Upstream
 * flist.c:send_file_list, io.c: start_filesfrom_forwarding, forward_filesfrom_data, read_line.
 */
import { type Charset } from "../charset/charset.ts";
import { ExitCode, UsageError, WsyncError } from "../errors.ts";
import { cleanName, sanitizeName } from "../filter/paths.ts";
import { type RequestedNames } from "../filter/requested.ts";
import { bytesOf, latin1 } from "../memory.ts";
import { WireLimit } from "../protocol/constants.ts";
import { type Cursor } from "../protocol/cursor.ts";
import { insideModule } from "../session/module.ts";
import { type Session } from "../session/session.ts";
import { readFile } from "./filters.ts";
import { boundedFiles, ruleFiles } from "./operatorpaths.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { type Options } from "../options/options.ts";
import { type Log } from "../session/log.ts";

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** Bytes of names written before the output gets its turn. */
const PART_BYTES = 16 * 1024;

/** Before protocol 31 the names travel outside the frames that carry everything else. */
function travelsRaw(session: Session): boolean {
  return session.context.version < 31;
}

/** This side has the names to send from the other side's file. */
function awaitsNames(session: Session): boolean {
  const { filesFrom, filesFromHost } = session.options;
  return session.amSender && filesFrom !== null && filesFromHost !== null;
}

/** With --secluded-args names are converted as arguments are (--iconv); without, they go as they are. */
function namesCharset({ options, charset }: Session): Charset | null {
  return options.secludedArgs > 0 ? charset : null;
}

/** The names come unframed, so the frames must be taken apart no further than to where the names begin. */
export function awaitsRawNames(session: Session): boolean {
  return awaitsNames(session) && travelsRaw(session);
}

/** On the sender: the names to send, from its own file or from the receiver. */
export async function sourceNames(session: Session): Promise<string[]> {
  const keepDots = session.options.relative > 0;
  const names = awaitsNames(session) ? await receiveNames(session) : ownNames(session);
  return names.map((name) => sanitizeName(name, keepDots));
}

/** The directory that the names are relative to. Throws WsyncError (3) when it is none. */
export function namesDirectory(session: Session, cwd: string, word: string | undefined): string {
  const { fs, who, module } = session;
  const { O, AT } = fs.constants;
  if (word === undefined || word === ".") return cwd;
  const path = cleanName(word.startsWith("/") ? word : `${cwd}/${word}`, { dropTrailingDotDir: true })!;
  const fd = module ? module.root.openDirectory(insideModule(module, path))
    : fs.openat(AT.FDCWD, fs.cstr(path), (O.PATH || O.RDONLY) | O.DIRECTORY | O.CLOEXEC, 0);
  if (fd < 0) {
    const text = `rsync: [${who}] change_dir "${path}" failed: ${fs.strerror(-fd)} (${-fd})`;
    throw new WsyncError(text, ExitCode.fileSelect);
  }
  fs.close(fd);
  return path;
}

/** On the receiver: the bytes of its file of names, if it has one. */
export function namesToForward(session: Session): Uint8Array | null {
  const { filesFrom, filesFromHost } = session.options;
  return filesFrom === null || filesFromHost !== null || session.localLink ? null : fileBytes(session);
}

/**
 * On the receiver: sends the names of its file to the sender. Runs beside the reading of the list, which may then hold
 * what `asked` was told of.
 */
export async function forwardNames(
  session: Session, bytes: Uint8Array | null, asked: RequestedNames | null,
): Promise<void> {
  const { options, output } = session;
  if (bytes === null) return;
  const raw = travelsRaw(session) && output.isMultiplexed;
  if (asked) for (const name of splitNames(bytes, options.from0)) asked.add(latin1(name, 0, name.length));
  if (raw) output.endMultiplex();
  const { writer } = output;
  const converted = namesCharset(session);
  for (const name of splitNames(bytes, options.from0)) {
    writer.put(converted ? bytesOf(converted.send.lenient(latin1(name, 0, name.length))) : name);
    writer.u8(0);
    if (output.pending < PART_BYTES) continue;
    output.spill();
    if (output.congested) await output.drain();
  }
  writer.u8(0);
  output.flush();
  if (raw) output.startMultiplex();
}

/** Names of this side's file; lines that begin in "#" or ";" are comments. */
function ownNames(session: Session): string[] {
  const most = WireLimit.path - 1;
  const names: string[] = [];
  for (const name of splitNames(fileBytes(session), session.options.from0)) {
    const nul = name.indexOf(0);
    const text = latin1(name, 0, Math.min(nul < 0 ? name.length : nul, most));
    if (!text.startsWith("#") && !text.startsWith(";")) names.push(text);
  }
  return names;
}

/** Names from the other side: each ends in a NUL, an empty one ends them all. */
async function receiveNames(session: Session): Promise<string[]> {
  const { input } = session;
  const names: string[] = [];
  const converted = namesCharset(session);
  const raw = awaitsRawNames(session) && input.isMultiplexed;
  if (raw) input.endMultiplex();
  for (;;) {
    const name = input.poll(readName) ?? (await input.next(readName));
    if (name === "") break;
    names.push(converted ? converted.receive.lenient(name) : name);
  }
  if (awaitsRawNames(session) && (raw || !session.amServer)) input.startMultiplex(session.amServer);
  return names;
}

function readName(cursor: Cursor): string {
  const bytes: number[] = [];
  for (;;) {
    const byte = cursor.u8();
    if (byte === 0) return String.fromCharCode(...bytes);
    if (bytes.length < WireLimit.path - 1) bytes.push(byte);
  }
}

/** Throws UsageError (1) when a local --files-from file is not there, before anything is started for it. */
export function checkNamesFile({ host, fs }: Pick<Session, "host" | "fs">, options: Options, log: Log): void {
  const { filesFrom, filesFromHost } = options;
  if (filesFrom === null || filesFrom === "-" || filesFromHost !== null) return;
  const files = ruleFiles(fs, host.cwd(), options, log);
  // Not opened to be read: a pipe may be at its end when it is read again.
  const fd = files.openFollowing(filesFrom, fs.constants.O.PATH, 0);
  files.close();
  if (fd < 0) throw noNamesFile(fs, filesFrom, fd);
  fs.close(fd);
}

function noNamesFile(fs: FileSystem, path: string, result: number): UsageError {
  return new UsageError(`rsync: failed to open files-from file ${path}: ${fs.strerror(-result)}`);
}

function fileBytes(session: Session): Uint8Array {
  const { fs, options } = session;
  const path = options.filesFrom!;
  const bytes = readFile(boundedFiles(session, session.cwd), path, Infinity);
  if (typeof bytes !== "number") return bytes;
  throw noNamesFile(fs, path, bytes);
}

/** The parts between line ends (NULs with --from0) that are not empty. */
function* splitNames(bytes: Uint8Array, from0: boolean): Generator<Uint8Array> {
  let start = 0;
  for (let at = 0; at <= bytes.length; at++) {
    const byte = at < bytes.length ? bytes[at] : 0;
    const ends = byte === 0 ? from0 || at === bytes.length : !from0 && (byte === LINE_FEED || byte === CARRIAGE_RETURN);
    if (!ends) continue;
    if (at > start) yield bytes.subarray(start, at);
    start = at + 1;
  }
}
