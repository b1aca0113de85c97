/**
 * Text services of the C library that no runtime has: POSIX extended regular expressions over bytes, strftime, syslog.
 * Null, as a whole, where libc cannot be called.
 */
import { type FfiFunction, type Host } from "../host.ts";
import { type FileSystem } from "./filesystem.ts";
import { bindNotify } from "./notifytable.ts";
import { writeInt64 } from "./structs.ts";

const CALLS = ["regcomp", "regexec", "localtime_r", "strftime", "openlog", "syslog"] as const;

const REG_EXTENDED = 1;
const REG_ICASE = 2;
const REG_NOSUB = 8;
/** glibc's regex_t has 64 bytes, musl's fewer. */
const REGEX_BYTES = 256;
const TM_BYTES = 64;
const TIME_TEXT_BYTES = 4096;
const LOG_CONS_PID_NDELAY = 0x0b;
const LOG_DAEMON = 3 << 3;
const LOG_INFO = 6;

/** See the file's head. */
export class CText {
  private readonly calls: Record<(typeof CALLS)[number], FfiFunction>;
  private readonly fs: FileSystem;

  /** Binds the functions; null without libc. */
  static open(host: Host, fs: FileSystem): CText | null {
    const calls = fs.memory.base === 0 ? null : bindNotify(host.ffi, CALLS);
    return calls === null ? null : new CText(calls, fs);
  }

  private constructor(calls: Record<(typeof CALLS)[number], FfiFunction>, fs: FileSystem) {
    this.calls = calls;
    this.fs = fs;
  }

  /** Compiles a POSIX extended expression to a test of a name; null when it is malformed. Lives with the process. */
  pattern(expression: string, ignoreCase: boolean): ((name: string) => boolean) | null {
    const { memory } = this.fs;
    const compiled = memory.base + memory.alloc(REGEX_BYTES);
    const text = this.keep(expression);
    const flags = REG_EXTENDED | REG_NOSUB | (ignoreCase ? REG_ICASE : 0);
    if (this.calls.regcomp(compiled, text, flags) !== 0) return null;
    return (name) => this.calls.regexec(compiled, memory.base + this.fs.cstr(name), 0, 0, 0) === 0;
  }

  /** The local time of a second in a strftime format, "" when there is nothing to show. */
  time(format: string, second: number): string {
    const { memory } = this.fs;
    const room = memory.alloc(TM_BYTES + 8 + TIME_TEXT_BYTES);
    const tm = room + 8;
    const out = tm + TM_BYTES;
    writeInt64(memory, room, second);
    this.calls.localtime_r(memory.base + room, memory.base + tm);
    const length = this.calls.strftime(
      memory.base + out, TIME_TEXT_BYTES - 1, memory.base + this.fs.cstr(format), memory.base + tm,
    );
    const text = memory.readLatin1(out, length);
    memory.release(room);
    return text;
  }

  /** Opens the system log under a name, which must stay: the C library keeps its address. */
  openLog(name: string): void {
    this.calls.openlog(this.keep(name), LOG_CONS_PID_NDELAY, LOG_DAEMON);
  }

  /** Writes a line of level "info". */
  log(line: string): void {
    const { base } = this.fs.memory;
    this.calls.syslog(LOG_INFO, base + this.fs.cstr("%s"), base + this.fs.cstr(line));
  }

  /** A C string that stays; its native address. */
  private keep(text: string): number {
    const { memory } = this.fs;
    const ptr = memory.alloc(text.length + 1);
    memory.writeCString(ptr, text);
    return memory.base + ptr;
  }
}
