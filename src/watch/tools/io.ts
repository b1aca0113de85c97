/** What both inotify tools stand on: linear memory without kernels, libc's text services, output. */
import { type Host } from "../../host.ts";
import { bytesOf, latin1, LinearMemory } from "../../memory.ts";
import { CText } from "../../posix/ctext.ts";
import { type FileSystem, newStat } from "../../posix/filesystem.ts";
import { openFileSystem } from "../../posix/open.ts";

const INITIAL_PAGES = 64;
const MAX_PAGES = 16384;
/** Below it nothing is given out, so that no address is 0. */
const HEAP_START = 1024;
const MODE_TYPE = 0o170000;
const MODE_DIRECTORY = 0o040000;
const STDOUT = 1;

/** The exit code of a program that died of SIGPIPE, as a shell sees it. */
const DIED_OF_PIPE = 141;

/** Exit codes of the tools. */
export const ToolExit = { success: 0, failure: 1, timeout: 2 } as const;

/** See the file's head. */
export class ToolIo {
  readonly host: Host;
  readonly fs: FileSystem;
  readonly text: CText | null;
  readonly program: string;
  /** Where events go; --outfile changes it. */
  outFd = STDOUT;
  /** Messages go to the system log. */
  toSyslog = false;
  private pending: string[] = [];
  private readonly stat = newStat();

  constructor(host: Host, program: string) {
    this.host = host;
    this.program = program;
    const wasm = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAX_PAGES, shared: true });
    this.fs = openFileSystem(host, new LinearMemory(wasm, HEAP_START, MAX_PAGES));
    this.text = CText.open(host, this.fs);
  }

  /** Keeps a text for standard output (or --outfile) until `flush`. */
  put(text: string): void {
    this.pending.push(text);
  }

  /** Writes what was put. A reader that has gone ends the program, as it would any. */
  flush(): void {
    const text = this.pending.join("");
    this.pending = [];
    if (text === "") return;
    const { fs, host } = this;
    const ptr = fs.memory.alloc(text.length);
    fs.memory.writeLatin1(ptr, text);
    const written = fs.write(this.outFd, ptr, text.length);
    fs.memory.release(ptr);
    if (written === -fs.constants.E.EPIPE) host.exit(DIED_OF_PIPE);
    // A pipe that another program made non-blocking: the runtime waits for room.
    if (written === -fs.constants.E.EAGAIN && this.outFd === STDOUT) host.print(STDOUT, bytesOf(text));
  }

  /** A line on standard error, whatever --syslog says. */
  error(line: string): void {
    this.host.print(2, bytesOf(`${line}\n`));
  }

  /** A line on standard error, or in the system log with --syslog. */
  message(line: string): void {
    if (this.toSyslog && this.text) this.text.log(`${line}\n`);
    else this.error(line);
  }

  /** Is the path a directory, and no symlink to one? A failure other than ENOENT is told. */
  isDir(path: string): boolean {
    const { fs } = this;
    const result = fs.fstatat(fs.constants.AT.FDCWD, fs.cstr(path), this.stat, false);
    if (result < 0 && result !== -fs.constants.E.ENOENT) {
      this.error(`Stat failed on ${path}: ${fs.strerror(-result)}`);
    }
    return result >= 0 && (this.stat.mode & MODE_TYPE) === MODE_DIRECTORY;
  }

  /** The whole of a file ("-": standard input) as a name, or -errno. */
  readText(path: string): string | number {
    const { fs } = this;
    const { O, AT } = fs.constants;
    const fd = path === "-" ? 0 : fs.openat(AT.FDCWD, fs.cstr(path), O.RDONLY | O.CLOEXEC, 0);
    if (fd < 0) return fd;
    const room = 65536;
    const ptr = fs.memory.alloc(room);
    const parts: string[] = [];
    for (let got = fs.read(fd, ptr, room); got > 0; got = fs.read(fd, ptr, room)) {
      parts.push(latin1(fs.memory.u8, ptr, ptr + got));
    }
    fs.memory.release(ptr);
    if (fd !== 0) fs.close(fd);
    return parts.join("");
  }
}
