/**
 * The commands of a module: "early exec", "pre-xfer exec" and "name converter", all run with the daemon's rights and
 * root directory. Upstream clientserver.c: start_pre_exec, write_pre_exec_args, finish_pre_exec, namecvt_call.
 *
 * Two of them have to be started before the root directory changes, but are told of the request only later. They begin
 * as a shell that waits for the end of a script, which sets the variables and becomes the command.
 */
import { ExitCode, WsyncError } from "../errors.ts";
import { bytesOf, nameOfText } from "../memory.ts";
import { type IdDatabase } from "../flist/idmap.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { type System } from "../posix/system.ts";
import { type Config, type ModuleConfig } from "./config.ts";
import { type DaemonContext } from "./context.ts";
import { environmentNames, PART_VARIABLE } from "./handover.ts";
import { ModuleError } from "./moduleerror.ts";

const SHELL = "/bin/sh";
/** Runs the script of descriptor 3 once it is complete, which its last line tells. */
const SCRIPT_FD = 3;
const SCRIPT_END = "#end";
const WAIT_FOR_SCRIPT = `s=$(cat <&3) && exec 3<&- && case $s in *"${SCRIPT_END}") eval "$s";; *) exit 1;; esac`;
/** Waits in the same way for the lines that tell the exit status; without them the process has been killed. */
const KILLED = "export RSYNC_EXIT_STATUS=-1 RSYNC_RAW_STATUS=9";
const WAIT_FOR_STATUS = `s=$(cat <&3) && exec 3<&- && case $s in *"${SCRIPT_END}") eval "$s";; *) ${KILLED};; esac`;
/** The parameters that name commands. */
const COMMANDS = ["early exec", "pre-xfer exec", "post-xfer exec", "name converter"] as const;
/** What a failing "pre-xfer exec" may tell its client. */
const MESSAGE_BYTES = 5119;
const ANSWER_BYTES = 1024;

/** A request for the name converter, by what it converts. */
type Conversion = "uid" | "gid" | "usr" | "grp";

/** What the hooks are told of the client's request. */
export interface HookRequest {
  readonly text: string;
  readonly words: readonly string[];
}

/** The commands of one connection. */
export class Hooks {
  private readonly context: DaemonContext;
  private readonly system: System;
  private readonly fs: FileSystem;
  private readonly config: Config;
  private readonly commands: Readonly<Record<"early" | "before" | "names", string>>;
  private before: Waiting | null = null;
  private converter: Waiting | null = null;
  /** Where the status for "post-xfer exec" is written to, -1 without one. */
  private statusFd = -1;

  /** Throws WsyncError when a command cannot be made safe for a shell. */
  constructor(context: DaemonContext, config: Config, module: ModuleConfig, system: System) {
    this.context = context;
    this.system = system;
    this.fs = context.platform.fs;
    this.config = config;
    const refused = (text: string): void => context.log.info(text);
    this.commands = {
      early: module.command("early exec", refused), before: module.command("pre-xfer exec", refused),
      names: module.command("name converter", refused),
    };
  }

  /** Runs "early exec" and starts the others. Throws ModuleError. */
  start(earlyInput: Uint8Array): void {
    const { early, before, names } = this.commands;
    if (early !== "") this.runEarly(early, earlyInput);
    if (before !== "") this.before = this.startWaiting("pre-xfer exec", before, "null");
    if (names !== "") this.converter = this.startWaiting("name-converter exec", names, "pipe");
  }

  /**
   * Starts "post-xfer exec", which waits for this process's end. Where another process sees to that, which has more
   * rights than this one, it would run with those.
   */
  startAfter(command: string): void {
    const pipe = this.system.pipe();
    const failed = new ModuleError("post-xfer exec preparation failed", "post-xfer exec preparation failed");
    if (pipe === null) throw failed;
    const exec = `exec ${shellWords(this.context, command).map(quoted).join(" ")}`;
    const pid = this.system.spawn({
      argv: [SHELL, "-c", `${WAIT_FOR_STATUS}; ${exec}`], env: this.environment({}),
      fds: { 0: "null", 1: 1, 2: 2, [SCRIPT_FD]: pipe.read },
    });
    this.fs.close(pipe.read);
    if (pid < 0) throw failed;
    this.statusFd = pipe.write;
  }

  /** The connection is over; nothing but this process's end comes now. */
  ended(code: number): void {
    if (this.statusFd < 0) return;
    const script = `export RSYNC_EXIT_STATUS=${code} RSYNC_RAW_STATUS=${code << 8}\n${SCRIPT_END}`;
    writeBytes(this.fs, this.statusFd, bytesOf(script));
    this.fs.close(this.statusFd);
  }

  /** Runs "pre-xfer exec" to its end. Returns what the client is told if it fails, or null. */
  beforeTransfer(request: HookRequest): string | null {
    if (this.before === null) return null;
    this.before.tell(requestVariables(request));
    return this.before.outcome();
  }

  /** User and group names by way of the name converter; null without one. */
  names(request: HookRequest): IdDatabase | null {
    if (this.converter === null) return null;
    this.converter.tell(requestVariables(request));
    return new NameConverter(this.converter, this.context);
  }

  private runEarly(command: string, input: Uint8Array): void {
    const pipe = this.system.pipe();
    const failed = (told: string): ModuleError => new ModuleError(told, `rsync: [Receiver] ${told}`);
    if (pipe === null) throw failed("early exec preparation failed");
    const pid = this.system.spawn({
      argv: shellWords(this.context, command), env: this.environment({ RSYNC_REQUEST: "(NONE)" }),
      fds: { 0: pipe.read, 1: 1, 2: 2 },
    });
    this.fs.close(pipe.read);
    if (pid >= 0) writeBytes(this.fs, pipe.write, input);
    this.fs.close(pipe.write);
    if (pid < 0) throw failed("early exec preparation failed");
    if (this.system.waitFor(pid, true)!.raw !== 0) throw failed("early exec failed");
  }

  private environment(more: Readonly<Record<string, string>>): string[] {
    const { host } = this.context.platform;
    return environmentNames(host.environment(), { ...this.config.env.variables(), ...more, [PART_VARIABLE]: null });
  }

  private startWaiting(what: string, command: string, input: "null" | "pipe"): Waiting {
    const { system, fs } = this;
    const script = system.pipe();
    const output = system.pipe();
    const requests = input === "pipe" ? system.pipe() : null;
    const pid = script === null || output === null || (input === "pipe" && requests === null) ? -1 : system.spawn({
      argv: [SHELL, "-c", WAIT_FOR_SCRIPT], env: this.environment({}),
      fds: { 0: requests?.read ?? "null", 1: output.write, 2: 2, [SCRIPT_FD]: script.read },
    });
    for (const fd of [script?.read, output?.write, requests?.read]) if (fd !== undefined) fs.close(fd);
    if (pid < 0) throw new ModuleError(`${what} preparation failed`, `rsync: [Receiver] ${what} preparation failed`);
    const words = shellWords(this.context, command);
    return new Waiting(system, fs, { what, pid, words, script: script!.write, output: output!.read,
      requests: requests?.write ?? -1 });
  }
}

/** The words that run a command, by the shell that RSYNC_SHELL names. */
export function shellWords({ platform }: DaemonContext, command: string): string[] {
  const shell = platform.host.env("RSYNC_SHELL");
  return [shell === undefined || shell === "" ? SHELL : nameOfText(shell), "-c", command];
}

/** Does a module have commands of its own? */
export function hasHooks(module: ModuleConfig): boolean {
  return COMMANDS.some((name) => module.raw(name) !== "");
}

/** Do hooks run at all? */
export function hooksEnabled({ platform }: DaemonContext): boolean {
  return platform.host.env("RSYNC_NO_XFER_EXEC") === undefined;
}

function requestVariables({ text, words }: HookRequest): Readonly<Record<string, string>> {
  const numbered = words.map((word, at) => [`RSYNC_ARG${at}`, word]);
  return { RSYNC_REQUEST: text === "" ? "(NONE)" : text, ...Object.fromEntries(numbered) };
}

interface WaitingParts {
  readonly what: string;
  readonly pid: number;
  /** The command it becomes. */
  readonly words: readonly string[];
  readonly script: number;
  readonly output: number;
  /** Its standard input, -1 without one. */
  readonly requests: number;
}

/** A command that waits to be told of the request. */
class Waiting {
  private readonly system: System;
  private readonly fs: FileSystem;
  private readonly p: WaitingParts;

  constructor(system: System, fs: FileSystem, parts: WaitingParts) {
    this.system = system;
    this.fs = fs;
    this.p = parts;
  }

  /** Lets it run, with these variables. */
  tell(variables: Readonly<Record<string, string>>): void {
    const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
    const exec = `exec ${this.p.words.map(quoted).join(" ")}\n`;
    writeBytes(this.fs, this.p.script, bytesOf([...exports, exec, SCRIPT_END].join("")));
    this.fs.close(this.p.script);
  }

  /** Waits for its end; null when it went well, else what to tell the client. */
  outcome(): string | null {
    const { output, pid, what } = this.p;
    const text = readAll(this.fs, output, MESSAGE_BYTES).replaceAll("\r\n", "\n");
    this.fs.close(output);
    const { raw } = this.system.waitFor(pid, true)!;
    return raw === 0 ? null : `${what} returned failure (${raw})${text === "" ? "" : ":"}\n${text}`;
  }

  /** Sends a line and reads the one that answers it; null when there is none. */
  ask(line: string): string | null {
    const { requests, output } = this.p;
    if (!writeBytes(this.fs, requests, bytesOf(`${line}\n`))) {
      throw new WsyncError("Connection to name-converter failed.", ExitCode.socketIo);
    }
    return readLine(this.fs, output, ANSWER_BYTES);
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** False when not all could be written. */
function writeBytes(fs: FileSystem, fd: number, bytes: Uint8Array): boolean {
  if (bytes.length === 0) return true;
  const ptr = fs.memory.alloc(bytes.length);
  fs.memory.u8.set(bytes, ptr);
  const written = fs.write(fd, ptr, bytes.length);
  fs.memory.release(ptr);
  return written === bytes.length;
}

/** All that comes up to the end, or the first `most` bytes of it. */
function readAll(fs: FileSystem, fd: number, most: number): string {
  const ptr = fs.memory.alloc(most);
  let text = "";
  for (let count = 1; count > 0 && text.length < most; ) {
    count = fs.read(fd, ptr, most - text.length);
    if (count > 0) text += fs.memory.readLatin1(ptr, count);
  }
  fs.memory.release(ptr);
  return text;
}

/** A line without its end, read byte by byte since more than it must stay; null at the end or past `most` bytes. */
function readLine(fs: FileSystem, fd: number, most: number): string | null {
  const ptr = fs.memory.alloc(1);
  let line = "";
  let byte = -1;
  while (line.length < most) {
    byte = fs.read(fd, ptr, 1) === 1 ? fs.memory.u8[ptr] : -1;
    if (byte < 0 || byte === 10) break;
    if (byte !== 13) line += String.fromCharCode(byte);
  }
  fs.memory.release(ptr);
  return byte === 10 ? line : null;
}

/** Names and ids by a program that reads requests and writes answers, a line each. */
class NameConverter implements IdDatabase {
  private readonly program: Waiting;
  private readonly context: DaemonContext;

  constructor(program: Waiting, context: DaemonContext) {
    this.program = program;
    this.context = context;
  }

  userName(uid: number): string | null {
    return this.convert("uid", String(uid));
  }

  groupName(gid: number): string | null {
    return this.convert("gid", String(gid));
  }

  userId(name: string): number {
    return this.idFrom(this.convert("usr", name));
  }

  groupId(name: string): number {
    return this.idFrom(this.convert("grp", name));
  }

  /** Null for an answer that is missing; the request of a name that could be two is not made. */
  private convert(what: Conversion, value: string): string | null {
    if ([...value].some((char) => char < " " || char === "\x7f")) {
      this.context.log.warning(`invalid name-converter token: ${value}`);
      return null;
    }
    const line = `${what} ${value}`;
    if (line.length + 1 >= ANSWER_BYTES) {
      throw new WsyncError("namecvt_call() request was too large.", ExitCode.unsupported);
    }
    return this.program.ask(line);
  }

  /** An answer that is no number is none: an empty one must not become root. */
  private idFrom(answer: string | null): number {
    return answer !== null && /^\d{1,10}$/.test(answer) && Number(answer) <= 0xffffffff ? Number(answer) : -1;
  }
}
