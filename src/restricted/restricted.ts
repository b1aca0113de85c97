/**
 * A login that may do nothing but rsync, inside one directory: `wsync --rrsync DIR`, or wsync-rrsync, as the forced
 * command of an ssh key. The client's own command is in SSH_ORIGINAL_COMMAND. Upstream: support/rrsync.
 */
import { ExitCode, UsageError, WsyncError } from "../errors.ts";
import { bytesOf, nameOfText } from "../memory.ts";
import { type Platform } from "../conversation/conversation.ts";
import { newStat } from "../posix/filesystem.ts";
import { System } from "../posix/system.ts";
import { serverWords } from "./command.ts";
import { Root } from "./root.ts";
import { parseSettings, RESTRICTED_HELP, type RestrictedSettings } from "./settings.ts";

/** The first word of a command line that asks for the restricted shell. */
export const RESTRICTED_WORD = "--rrsync";
/** A line about each run is added to this file, if it exists where the login begins. */
const LOG_NAME = "rrsync.log";
const TYPE = 0o170000;
const REGULAR = 0o100000;

/** What comes of it: words for a server in this process, or the exit code when there is nothing left to do. */
export type Verdict = { readonly serve: readonly string[] } | { readonly exitCode: number };

/** Checks what the login asks for. Prints the reason of a refusal. Descriptors that the server needs stay open. */
export function restrict(platform: Platform, words: readonly string[]): Verdict {
  const { host } = platform;
  try {
    const settings = parseSettings(words);
    if (settings !== null) return decide(platform, settings);
    host.print(1, bytesOf(RESTRICTED_HELP));
    return { exitCode: 0 };
  } catch (error) {
    if (!(error instanceof WsyncError)) throw error;
    host.print(2, bytesOf(nameOfText(`wsync-rrsync error: ${error.message}\n`)));
    if (host.isTerminal(0)) host.print(2, bytesOf(RESTRICTED_HELP));
    return { exitCode: ExitCode.syntax };
  }
}

function decide({ host, fs }: Platform, settings: RestrictedSettings): Verdict {
  const system = System.open(host, fs.memory);
  if (system === null) throw new UsageError(`this needs Linux and calls of libc (${host.ffiMissing})`);
  const root = new Root(fs, settings.dir);
  if (!settings.noLock) lock(root, system);
  const command = host.env("SSH_ORIGINAL_COMMAND") ?? "";
  if (command === "") throw new UsageError("Not invoked via sshd");
  // "ssh HOST true" asks whether the login works.
  if (command === "true") return { exitCode: 0 };
  const log = openLog(root);
  const moved = fs.chdir(fs.cstr(root.path));
  if (moved < 0) throw new UsageError(`unable to chdir to restricted dir: ${fs.strerror(-moved)}`);
  // A runtime that remembers its working directory has to hear of it, too.
  host.files.chdir?.(".");
  if (host.cwd() !== root.path) throw new UsageError("unable to chdir to restricted dir: it has moved");
  const words = serverWords(root, settings, nameOfText(command), host.pid);
  if (log >= 0) writeLog(root, log, host, [settings.rsync || "rsync", ...words]);
  return settings.rsync === "" ? { serve: words } : { exitCode: runOther(root, system, host, settings.rsync, words) };
}

/** One run at a time: two that know of each other could exchange what the other has checked. */
function lock(root: Root, system: System): void {
  const { fs } = root;
  const { O, E } = fs.constants;
  const fd = root.open(root.path, O.RDONLY | O.DIRECTORY);
  const result = fd < 0 ? fd : system.lockWhole(fd);
  if (result === -E.EAGAIN || result === -E.EACCES) {
    throw new UsageError("Another instance of rrsync is already accessing this directory.");
  }
}

/** The log file, if there is one and it is a plain file; else a negative number. */
function openLog(root: Root): number {
  const { fs } = root;
  const { O } = fs.constants;
  const fd = root.open(LOG_NAME, O.WRONLY | O.APPEND | O.NOFOLLOW | O.NONBLOCK);
  if (fd < 0) return fd;
  const stat = newStat();
  fs.fstat(fd, stat);
  if ((stat.mode & TYPE) === REGULAR) return fd;
  fs.close(fd);
  return -1;
}

function writeLog({ fs }: Root, fd: number, host: Platform["host"], words: readonly string[]): void {
  const two = (value: number): string => String(value).padStart(2, "0");
  const now = new Date(host.now());
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(":");
  const client = (host.env("SSH_CONNECTION") ?? "unknown").split(" ")[0].replace(/^::ffff:/, "");
  const quoted = words.map((word) => `'${word.replaceAll(/[\\']/g, "\\$&").replaceAll("\n", "\\n")}'`).join(", ");
  const line = `${time} ${client.padEnd(16)} (${quoted})\n`;
  const ptr = fs.memory.alloc(line.length);
  fs.memory.writeLatin1(ptr, line);
  fs.write(fd, ptr, line.length);
  fs.memory.release(ptr);
  fs.close(fd);
}

/** Has another rsync serve, with the descriptors that its paths stand on; its exit code. */
function runOther(
  root: Root, system: System, host: Platform["host"], rsync: string, words: readonly string[],
): number {
  const fds = Object.fromEntries([0, 1, 2, ...root.held].map((fd) => [fd, fd]));
  const env = Object.entries(host.environment()).map(([name, value]) => nameOfText(`${name}=${value}`));
  const pid = system.spawn({ argv: [rsync, ...words], env, fds });
  if (pid < 0) throw new UsageError(`cannot run ${rsync}: ${root.fs.strerror(-pid)}`);
  const { code } = system.waitFor(pid, true)!;
  return code < 0 ? ExitCode.crashed : code;
}
