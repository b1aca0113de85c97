/**
 * Lines of a log file, as --log-file and a daemon's "log file" have them: time, process id, text. Upstream log.c:logit.
 */
import { type FileSystem } from "../posix/filesystem.ts";
import { escapeLog } from "./escape.ts";
import { timeString } from "./time.ts";

/** Upstream cuts a line here (log.c:rwrite, its `msg`). */
const LINE_BYTES = 2047;

/** Where log lines go: a file, or syslog, which sorts by `warning`. Texts are names and carry their own line end. */
export interface LogSink {
  write(text: string, warning: boolean): void;
  close(): void;
}

/** Facts that every line shows. */
export interface LogFileClock {
  readonly pid: number;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** A sink over an open descriptor (append mode), which it owns: texts as they come. */
export class PlainLogFile implements LogSink {
  private readonly fs: FileSystem;
  private readonly fd: number;

  constructor(fs: FileSystem, fd: number) {
    this.fs = fs;
    this.fd = fd;
  }

  /** A line that cannot be written is lost. */
  write(line: string): void {
    const { fs } = this;
    const ptr = fs.memory.alloc(line.length);
    fs.memory.writeLatin1(ptr, line);
    fs.write(this.fd, ptr, line.length);
    fs.memory.release(ptr);
  }

  close(): void {
    this.fs.close(this.fd);
  }
}

/** The same with time and process id in front of each line, and what is not to be printed escaped. */
export class LogFile implements LogSink {
  private readonly file: PlainLogFile;
  private readonly clock: LogFileClock;

  constructor(fs: FileSystem, fd: number, clock: LogFileClock) {
    this.file = new PlainLogFile(fs, fd);
    this.clock = clock;
  }

  write(text: string): void {
    const { clock } = this;
    const time = timeString(Math.floor(clock.now() / 1000));
    const whole = text.length <= LINE_BYTES ? text : `${text.slice(0, LINE_BYTES)}\n`;
    this.file.write(`${time} [${clock.pid}] ${escapeLog(whole)}`);
  }

  close(): void {
    this.file.close();
  }
}
