/**
 * Entering a module: its filters, root directory, user and groups. What happens here changes the process for good.
 * Upstream clientserver.c:rsync_module, from the check of "uid" to the "@RSYNCD: OK".
 */
import { ExitCode, WsyncError } from "../errors.ts";
import { Confined } from "../files/confine.ts";
import { Filters } from "../filter/mergefiles.ts";
import { cleanName, joinPath } from "../filter/paths.ts";
import { FilterList, ParseFlag, RuleFlag } from "../filter/rules.ts";
import { type FileSystem, newStat } from "../posix/filesystem.ts";
import { openFileSystem } from "../posix/open.ts";
import { type ModuleScope } from "../session/module.ts";
import { type Config, type ModuleConfig } from "./config.ts";
import { type DaemonContext } from "./context.ts";
import { readOperatorFile } from "./files.ts";
import { type Admission } from "./greet.ts";
import { identityOf, type Identity } from "./identity.ts";
import { ModuleError } from "./moduleerror.ts";

const TYPE_MASK = 0o170000;
const DIRECTORY = 0o040000;
/** A directory of this name would make a munged symlink lead somewhere. */
const MUNGE_DIR = "/rsyncd-munged";

/** A module that has been entered. */
export interface Entered {
  readonly scope: ModuleScope;
  /** The file system as the transfer's user has it. */
  readonly fs: FileSystem;
  readonly mungeLinks: boolean;
}

/** Where a module is. */
interface Place {
  /** Directory to make the root directory; null for none. */
  readonly chroot: string | null;
  /** The module's directory in the root directory it will have. */
  readonly dir: string;
  /** The module's directory as it is now. */
  readonly path: string;
}

/**
 * Enters a module. `beforeChroot` runs with everything still as the daemon has it, once the paths and rules are known;
 * it is told whether this process gives anything up: root directory, user or groups. Throws ModuleError.
 */
export function enterModule(
  context: DaemonContext, config: Config, admission: Admission, beforeChroot: (givesUp: boolean) => void,
): Entered {
  const { module } = admission;
  const { log } = context;
  const identity = identityFor(context, module);
  const place = placeFor(context, module);
  config.env.set("RSYNC_MODULE_PATH", place.path);
  const filters = daemonFilters(context, module, place.dir);
  log.use(module);
  const givesUp = place.chroot !== null || changesIdentity(context, identity);
  beforeChroot(givesUp);
  const rootFd = goTo(context, place);
  const inner = place.dir !== "/";
  const chrooted = place.chroot !== null;
  const mungeLinks = module.flag3("munge symlinks") ?? (!chrooted || inner);
  if (mungeLinks) checkMunging(context);
  if (givesUp) takeOn(context, identity);
  // The C library may have to be asked anew as another user; where there is none, this process stays who it is.
  const { host, fs: own } = context.platform;
  const fs = context.system === null || !givesUp ? own : openFileSystem(host, own.memory);
  const dir = inner ? place.dir : "";
  const insecureLinks = module.flag("insecure links");
  const root = new Confined(fs, rootFd, place.dir, { links: insecureLinks ? "insecure" : "beneath" });
  return {
    fs, mungeLinks,
    scope: {
      name: module.name, path: place.path, dir, root, confined: inner, chrooted, insecureLinks, filters,
      numericIds: numericIds(module, chrooted), readOnly: admission.readOnly, writeOnly: module.flag("write only"),
      ignoreNonreadable: module.flag("ignore nonreadable"), chmod: "", host: admission.name,
      address: admission.address, user: admission.user,
      logFormat: module.flag("transfer logging") ? module.text("log format") : null, timeout: module.number("timeout"),
      names: null, tempDir: module.text("temp dir") || null,
    },
  };
}

/** Names are not looked up behind a chroot, where there is nothing to look them up in, unless told to. */
function numericIds(module: ModuleConfig, chrooted: boolean): boolean {
  const wanted = module.flag3("numeric ids");
  return chrooted ? wanted !== false && module.raw("name converter") === "" : wanted === true;
}

function identityFor({ platform, system }: DaemonContext, module: ModuleConfig): Identity {
  const identity = identityOf(platform.fs, system, module.text("uid"), module.text("gid"));
  if ("answer" in identity) throw new ModuleError(identity.answer, identity.log);
  return identity;
}

function placeFor(context: DaemonContext, module: ModuleConfig): Place {
  const text = module.text("path");
  if (text === "") throw new ModuleError("no path setting.", `No path specified for module ${module.name}`);
  const clean = (path: string): string => cleanName(path, { collapseDotDot: true })!;
  const absolute = joinPath(context.platform.host.cwd(), text);
  const path = clean(absolute).replace(/(?<=.)\/\.$/, "");
  if (!wantsChroot(context, module, text)) return { chroot: null, dir: path, path };
  const mark = absolute.indexOf("/./");
  if (mark < 0) return { chroot: path, dir: "/", path };
  return { chroot: clean(absolute.slice(0, mark) || "/"), dir: clean(absolute.slice(mark + 2)), path };
}

/** "use chroot", which unset means: if it can be done. */
function wantsChroot({ system, log, platform }: DaemonContext, module: ModuleConfig, path: string): boolean {
  const wanted = module.flag3("use chroot");
  if (wanted !== null) return wanted;
  if (path.includes("/./")) return true;
  const { E } = platform.fs.constants;
  const tried = system?.chroot("/") ?? -E.ENOSYS;
  if (tried >= 0) return true;
  log.info(`chroot test failed: ${platform.fs.strerror(-tried)}. Switching 'use chroot' from unset to false.`);
  return false;
}

/** The daemon's own rules, in the order in which they count. */
function daemonFilters(context: DaemonContext, module: ModuleConfig, dir: string): FilterList {
  const { platform, operator } = context;
  const { fs } = platform;
  const list = new FilterList(" [daemon]");
  const filters = new Filters({
    amSender: false, amServer: true, localServer: false, deleteMode: false, deleteExcluded: false,
    pruneEmptyDirs: false, cvsExclude: false, from0: false, cwd: dir, home: null, cvsIgnore: null, who: "Receiver",
    moduleDir: dir === "/" ? "" : dir,
    readFile: (path) => {
      const file = readOperatorFile(operator, path);
      return typeof file === "number" ? file : file.bytes;
    },
    strerror: (errno) => fs.strerror(errno),
    error: (text) => context.log.warning(text),
    debug: null,
  });
  const flags = ParseFlag.absoluteIfSlash | ParseFlag.dirToWild3;
  const old = flags | ParseFlag.oldPrefixes;
  const { include, wordSplit } = RuleFlag;
  try {
    filters.parse(module.text("filter"), wordSplit, flags, list);
    filters.addFile(module.text("include from"), include, old, list);
    filters.parse(module.text("include"), include | wordSplit, old, list);
    filters.addFile(module.text("exclude from"), 0, old, list);
    filters.parse(module.text("exclude"), wordSplit, old, list);
  } catch (error) {
    if (!(error instanceof WsyncError)) throw error;
    throw new ModuleError("daemon filter error -- contact admin", error.message, error.exitCode);
  }
  return list;
}

/** Changes the root directory if need be, and opens the module's directory. */
function goTo({ platform, system, operator, log }: DaemonContext, { chroot, dir }: Place): number {
  const { fs } = platform;
  const { O, E, AT } = fs.constants;
  const flags = O.RDONLY | O.DIRECTORY | O.CLOEXEC;
  const failed = (what: string, answer: string, result: number): ModuleError =>
    new ModuleError(answer, `rsync: [Receiver] ${what} failed: ${fs.strerror(-result)} (${-result})`);
  if (chroot === null) {
    const fd = operator.openFollowing(dir, flags, 0);
    if (fd < 0) throw failed(`chdir ${dir}`, "chdir failed", fd);
    return fd;
  }
  log.settle();
  const done = system?.chroot(chroot) ?? -E.ENOSYS;
  if (done < 0) throw failed(`chroot("${chroot}")`, "chroot failed", done);
  fs.chdir(fs.cstr("/"));
  const fd = fs.openat(AT.FDCWD, fs.cstr(dir), flags, 0);
  if (fd < 0) throw failed(`chdir ${dir}`, "chdir failed", fd);
  return fd;
}

function checkMunging({ platform }: DaemonContext): void {
  const { fs } = platform;
  const stat = newStat();
  const found = fs.fstatat(fs.constants.AT.FDCWD, fs.cstr(MUNGE_DIR), stat, true);
  if (found < 0 || (stat.mode & TYPE_MASK) !== DIRECTORY) return;
  const text = `Symlink munging is unsafe when a ${MUNGE_DIR} directory exists.`;
  throw new ModuleError("daemon security issue -- contact admin", text, ExitCode.unsupported);
}

/** Is it somebody else than this process? */
function changesIdentity({ platform: { fs }, system }: DaemonContext, { uid, gids }: Identity): boolean {
  if (uid !== null && (uid !== fs.euid || uid !== (system?.uid() ?? uid))) return true;
  if (gids.length === 0) return false;
  // Only root may say so; for others it is tried, and fails.
  if (fs.euid !== 0) return true;
  const own = new Set([fs.egid, ...fs.groups()]);
  return gids[0] !== fs.egid || own.size !== new Set(gids).size || gids.some((gid) => !own.has(gid));
}

/** Groups first: a user without rights cannot change them any more. */
function takeOn({ platform, system }: DaemonContext, { uid, gids }: Identity): void {
  const { fs } = platform;
  const check = (what: string, id: string, result: number): void => {
    if (result >= 0) return;
    const text = `rsync: [Receiver] ${what}${id} failed: ${fs.strerror(-result)} (${-result})`;
    throw new ModuleError(`${what} failed`, text);
  };
  if (system === null) {
    if ((uid !== null && uid !== fs.euid) || gids.some((gid) => gid !== fs.egid)) {
      check("setuid", "", -fs.constants.E.ENOSYS);
    }
    return;
  }
  if (gids.length > 0) {
    check("setgid", ` ${gids[0]}`, system.setgid(gids[0]));
    check("setgroups", "", system.setgroups(gids));
  }
  if (uid !== null) check("setuid", ` ${uid}`, system.setuid(uid));
}
