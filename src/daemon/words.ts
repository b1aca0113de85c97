/**
 * A client's words: read, with their wild cards expanded, parsed, and bent to what the module allows. Upstream
 * io.c:read_args, clientserver.c:rsync_module behind the "@RSYNCD: OK".
 */
import { type Charset } from "../charset/charset.ts";
import { UsageError, WsyncError } from "../errors.ts";
import { type GlobTree } from "../files/glob.ts";
import { Filters } from "../filter/mergefiles.ts";
import { sanitizePath } from "../filter/paths.ts";
import { type Options } from "../options/options.ts";
import { parseClientWords, type ParseContext } from "../options/parse.ts";
import { newStat } from "../posix/filesystem.ts";
import { readDaemonArg } from "../protocol/greeting.ts";
import { type LineStream } from "../session/linestream.ts";
import { hiddenOption } from "../roles/hidden.ts";
import { insideModule, type ModuleScope } from "../session/module.ts";
import { type ModuleConfig } from "./config.ts";
import { type Deadline } from "./deadline.ts";
import { expandWord } from "./glob.ts";

/** How much of the paths the log and the hooks are told. */
const REQUEST_CHARS = 1024;
const MAX_WORDS = 15_999;
/** Upstream has no limit but memory. */
const MAX_BYTES = 16 * 1024 * 1024;
const TYPE_MASK = 0o170000;
const DIRECTORY = 0o040000;

/** What a client asks for. */
export interface Request {
  readonly options: Options;
  /** Why it is refused, or null. The options hold what had been parsed by then. */
  readonly fault: WsyncError | null;
  /** The paths as the client gave them. */
  readonly text: string;
  /** Words as hooks see them: "rsyncd", the options, ".", the paths. */
  readonly words: readonly string[];
}

/** What reading depends on. */
export interface WordSettings {
  readonly stream: LineStream;
  readonly deadline: Deadline;
  readonly version: number;
  readonly scope: ModuleScope;
  readonly parseContext: ParseContext;
  /** The module's charset, to which secluded words are converted. */
  readonly charset: Charset | null;
}

/** Reads and parses a client's words. */
export async function readRequest(settings: WordSettings): Promise<Request> {
  const first = await readWords(settings, settings.version >= 30, false);
  const parsed = parseClientWords(parseable(first), settings.parseContext);
  if (parsed.action !== "secluded") {
    return allowed({ ...parsed, text: first.text, words: ["rsyncd", ...first.all] }, settings.scope);
  }
  const second = await readWords(settings, true, true);
  // The first of these words is a program's name.
  const resumed = parsed.resume(parseable({ ...second, options: second.options.slice(1) }));
  if (resumed.action === "secluded") throw new UsageError("unexpected secluded arguments");
  const words = ["rsyncd", ...first.all, ...second.all.slice(1)];
  return allowed({ ...resumed, text: second.text, words }, settings.scope);
}

/** The request with its paths in the module, refused if it names what is hidden. */
function allowed(request: Request, scope: ModuleScope): Request {
  const { options, fault } = request;
  options.tempDir ??= scope.tempDir;
  if (scope.confined) confinePaths(options, scope);
  const filters = daemonFilters(scope);
  const hidden = (path: string, isDir: boolean): boolean => filters.isExcluded(path, isDir, "server");
  return { ...request, fault: fault ?? (scope.filters.isEmpty ? null : hiddenOption(options, scope, hidden)) };
}

interface Words {
  readonly options: readonly string[];
  readonly paths: readonly string[];
  readonly all: readonly string[];
  readonly text: string;
}

/** Behind the "." no word is an option, whatever a file may be called. */
function parseable({ options, paths }: Words): string[] {
  return [...options, "--", ".", ...paths];
}

async function readWords(settings: WordSettings, nulEnded: boolean, secluded: boolean): Promise<Words> {
  const { stream, deadline, scope, charset } = settings;
  const glob = { module: scope.name, sanitize: scope.confined, whole: secluded };
  const tree = globTree(scope);
  const options: string[] = [];
  const paths: string[] = [];
  let text = "";
  let dotSeen = false;
  for (let count = 0, bytes = 0; ; count++) {
    const sent = await deadline.limit(stream.next((cursor) => readDaemonArg(cursor, nulEnded)));
    const word = secluded && charset ? charset.receive.lenient(sent) : sent;
    if (word === "") break;
    bytes += word.length;
    if (count >= MAX_WORDS || bytes > MAX_BYTES) throw new UsageError("too many daemon arguments", 2);
    if (dotSeen) {
      if (text.length < REQUEST_CHARS) text += (text === "" ? "" : " ") + word;
      paths.push(...expandWord(word, tree, glob));
      continue;
    }
    const plain = secluded ? word : unescaped(word);
    if (plain === ".") dotSeen = true;
    else options.push(plain);
  }
  return { options, paths, all: [...options, ...(dotSeen ? ["."] : []), ...paths], text };
}

/** Options come as for a shell, which there is none of here. */
function unescaped(word: string): string {
  return word.replace(/\\([^])/g, "$1");
}

/** The module's tree as its client sees it. */
function globTree(scope: ModuleScope): GlobTree {
  const { root } = scope;
  const { fs } = root;
  const stat = newStat();
  const filters = daemonFilters(scope);
  const inside = (path: string): string => insideModule(scope, path.replace(/^(?:\.\/)+/, "").replace(/\/+$/, ""));
  return {
    look(path) {
      if (root.stat(inside(path), stat) < 0) return null;
      return (stat.mode & TYPE_MASK) === DIRECTORY ? "directory" : "other";
    },
    list(path) {
      const fd = root.openDirectory(inside(path));
      if (fd < 0) return [];
      const names: string[] = [];
      fs.readDir(fd, (ptr, length) => void names.push(fs.memory.readLatin1(ptr, length)));
      fs.close(fd);
      return names;
    },
    isHidden: (path, isDir) => filters.isExcluded(path, isDir, "server"),
  };
}

/** The daemon's rules alone. */
function daemonFilters(scope: ModuleScope): Filters {
  return new Filters({
    amSender: false, amServer: true, localServer: false, deleteMode: false, deleteExcluded: false,
    pruneEmptyDirs: false, cvsExclude: false, from0: false, cwd: scope.dir || "/", home: null, cvsIgnore: null,
    who: "Receiver", daemon: scope.filters, moduleDir: scope.dir, readFile: () => -2, strerror: () => "",
    error: () => {}, debug: null,
  });
}

/** What the module's parameters and the daemon make of a client's options. `viaShell`: see DaemonContext. */
export function applyModule(options: Options, module: ModuleConfig, scope: ModuleScope, viaShell: boolean): void {
  options.server = true;
  options.quiet = 0;
  options.confineRoot = null;
  options.openNoatime = module.flag3("open noatime") ?? options.openNoatime;
  if (module.flag("ignore errors")) options.ignoreErrors = true;
  if (module.flag("fake super")) {
    options.preserveXattrs = Math.min(options.preserveXattrs, 1);
    options.superMode = "fake-super";
  } else if (options.superMode === "fake-super") {
    options.superMode = "super";
  }
  // A daemon has nowhere of its own to print to.
  if (!viaShell) options.stderrMode = "client";
  options.levels.limitVerbosity(module.number("max verbosity"));
  const { timeout } = scope;
  if (timeout > 0 && (options.timeout === 0 || timeout < options.timeout)) options.timeout = timeout;
}

/** Paths in options are the client's, so they too lead from the module's directory. */
function confinePaths(options: Options, scope: ModuleScope): void {
  const keepDots = options.relative > 0;
  options.args = options.args.map((arg) => sanitizePath(arg, { root: "", keepDots }));
  const inside = (path: string | null): string | null => path === null ? null : sanitizePath(path, { root: scope.dir });
  options.tempDir = inside(options.tempDir);
  options.backupDir = inside(options.backupDir);
  if (options.filesFrom !== null && options.filesFrom !== "-") options.filesFrom = inside(options.filesFrom);
  options.filters = options.filters.map((filter) => {
    return filter.kind.endsWith("-from") ? { ...filter, value: inside(filter.value)! } : filter;
  });
}
