/** The filter rules of a session: made from the options, exchanged with the other side. */
import { type Confined } from "../files/confine.ts";
import { Filters } from "../filter/mergefiles.ts";
import { type FileSystem, newStat } from "../posix/filesystem.ts";
import { readFilterRule, writeFilterEnd, writeFilterRule } from "../protocol/filterlist.ts";
import { type FilterArgument, type Options } from "../options/options.ts";
import { type Log } from "../session/log.ts";
import { type Session } from "../session/session.ts";
import { boundedFiles, ruleFiles } from "./operatorpaths.ts";

/** The largest merge file read, bytes. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Builds the rules of this side. `args` are the filter options that apply here. */
export function makeFilters(session: Session, args: FilterArguments | null): Filters {
  const { options, host, fs, log, module, cwd, explainer } = session;
  const side = session.amSender ? "sender" : "receiver";
  let told = true;
  const filters = new Filters({
    amSender: session.amSender,
    amServer: session.amServer,
    localServer: session.localLink !== null,
    deleteMode: options.deleteMode,
    deleteExcluded: options.deleteExcluded,
    pruneEmptyDirs: options.pruneEmptyDirs,
    cvsExclude: options.cvsExclude,
    from0: options.from0,
    cwd,
    daemon: module?.filters,
    moduleDir: module?.dir,
    confined: module?.confined,
    // The daemon's own home is none of a client's business, and out of its reach.
    home: module?.chrooted ? "/" : module?.confined ? null : (host.env("HOME") ?? null),
    cvsIgnore: host.env("CVSIGNORE") ?? null,
    readFile: fileReader(session, args?.reads ?? []),
    strerror: (errno) => fs.strerror(errno),
    error: (text) => {
      if (!told) log.errorXfer(`${text}\n`);
    },
    judged: explainer ? (name, _isDir, rule) => explainer.judged(side, name.replace(/^\/+/, ""), rule) : null,
    debugLevel: log.levels.debug.FILTER,
    debug: log.debug("FILTER", 1) ? (text) => log.infoLine(`${text}\n`) : null,
    get who() {
      return session.who === "receiver" ? "generator" : session.who;
    },
  });
  filters.version = session.context.version;
  explainer?.useFilters(filters);
  if (args) filters.addArguments(args.options);
  told = false;
  const { partialDir } = options;
  const ours = !session.amServer || session.localLink !== null;
  if (partialDir !== null && !partialDir.startsWith("/") && ours) filters.addPartialDir(partialDir);
  return filters;
}

/** What the files that filter options name have said, in the order in which they were read. */
export type FilterReads = readonly (Uint8Array | number)[];

/** Filter options of a client, and what was read for them: both sides of a local transfer go by the same. */
export interface FilterArguments {
  readonly options: readonly FilterArgument[];
  readonly reads: FilterReads;
}

/**
 * Reads a client's filter options before it connects, so that what is wrong with them is told at once, and that once.
 * Throws UsageError, or WsyncError (11) for a file that cannot be read.
 */
export function readFilterArguments(
  { host, fs }: Pick<Session, "host" | "fs">, options: Options, log: Log,
): FilterArguments {
  if (options.filters.length === 0) return { options: [], reads: [] };
  const reads: (Uint8Array | number)[] = [];
  const cwd = host.cwd();
  const files = ruleFiles(fs, cwd, options, log);
  const filters = new Filters({
    amSender: false, amServer: false, localServer: false, deleteMode: options.deleteMode,
    deleteExcluded: options.deleteExcluded, pruneEmptyDirs: options.pruneEmptyDirs, cvsExclude: options.cvsExclude,
    from0: options.from0, cwd, home: host.env("HOME") ?? null, cvsIgnore: host.env("CVSIGNORE") ?? null,
    readFile: (path) => {
      reads.push(readFile(files, path));
      return reads[reads.length - 1];
    },
    strerror: (errno) => fs.strerror(errno),
    error: (text) => log.errorXfer(`${text}\n`),
    debug: (text) => log.infoLine(`${text}\n`),
    who: "client",
  });
  filters.version = options.protocol;
  try {
    filters.addArguments(options.filters);
  } finally {
    files.close();
  }
  return { options: options.filters.map((one) => ({ ...one, traced: 0 })), reads };
}

/** On a client: sends the rules the server needs. */
export function sendFilters(session: Session, filters: Filters): void {
  const rules = filters.sendList();
  if (rules === null) return;
  for (const rule of rules) writeFilterRule(session.output.writer, rule);
  writeFilterEnd(session.output.writer);
}

/** On a server: takes the client's rules. */
export async function receiveFilters(session: Session, filters: Filters): Promise<void> {
  if (filters.expectsList) {
    // A rule is wrapped, because the end of the list is null and "not there yet" is undefined.
    const decode = (cursor: Parameters<typeof readFilterRule>[0]): { rule: string | null } => ({
      rule: readFilterRule(cursor),
    });
    for (;;) {
      const { rule } = session.input.poll(decode) ?? (await session.input.next(decode));
      if (rule === null) break;
      filters.receive(rule);
    }
  }
  filters.finishReceive();
}

/** Reads merge files: first what was read before, then the files of the trees. */
function fileReader(session: Session, reads: FilterReads): (path: string) => Uint8Array | number {
  let at = 0;
  let files: Confined | null = null;
  return (path) => {
    if (at < reads.length) return reads[at++];
    files ??= boundedFiles(session, session.cwd);
    return readFile(files, path);
  };
}

/** A whole file's bytes, or -errno; "-" is standard input. `operator` resolves the path. */
export function readFile(operator: Confined, path: string, most: number = MAX_FILE_BYTES): Uint8Array | number {
  const { fs } = operator;
  const { O, E } = fs.constants;
  const fd = path === "-" ? 0 : operator.openFollowing(path, O.RDONLY, 0);
  if (fd < 0) return fd;
  const stat = newStat();
  const known = fs.fstat(fd, stat) >= 0 ? stat.size : 0;
  const bytes = known > most ? -E.EFBIG : readAll(fs, fd);
  if (fd !== 0) fs.close(fd);
  // Upstream's stdio takes the failed read of a directory for its end.
  return bytes === -E.EISDIR ? new Uint8Array(0) : bytes;
}

/** The bytes of an open file up to its end, or until `most` are there; or -errno. */
export function readAll(fs: FileSystem, fd: number, most: number = Infinity): Uint8Array | number {
  const { memory } = fs;
  const chunk = 64 * 1024;
  const buffer = memory.alloc(chunk);
  const parts: Uint8Array[] = [];
  let total = 0;
  let count = 0;
  while (total < most && (count = fs.read(fd, buffer, chunk)) > 0) {
    parts.push(memory.bytes(buffer, count).slice());
    total += count;
    memory.checkAlloc(total);
  }
  memory.release(buffer);
  if (count < 0) return count;
  const all = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
