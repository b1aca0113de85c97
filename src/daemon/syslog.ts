/** Lines to the system's log, over its local socket (RFC 3164 as syslog(3) sends it). */
import { type LogSink } from "../output/logfile.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { type Sockets } from "../posix/sockets.ts";

const SOCKET_PATH = "/dev/log";
const Severity = { warning: 4, info: 6 } as const;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Who writes. */
export interface SyslogName {
  readonly facility: number;
  readonly tag: string;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** A sink over /dev/log, opened now, so that it works behind a chroot; without a system log lines are lost. */
export class SyslogSink implements LogSink {
  private readonly fs: FileSystem;
  private readonly sockets: Sockets;
  private readonly name: SyslogName;
  private readonly fd: number;
  /** Datagrams end by themselves; on a stream a NUL ends a line. */
  private readonly end: string;

  constructor(fs: FileSystem, sockets: Sockets, name: SyslogName, path: string = SOCKET_PATH) {
    this.fs = fs;
    this.sockets = sockets;
    this.name = name;
    const datagrams = sockets.connectLocal(path, "dgram");
    this.fd = datagrams >= 0 ? datagrams : sockets.connectLocal(path, "stream");
    this.end = datagrams >= 0 ? "" : "\0";
  }

  write(text: string, warning: boolean): void {
    if (this.fd < 0) return;
    const line = syslogLine(this.name, warning, text) + this.end;
    const { memory } = this.fs;
    const ptr = memory.alloc(line.length);
    memory.writeLatin1(ptr, line);
    this.sockets.send(this.fd, ptr, line.length);
    memory.release(ptr);
  }

  close(): void {
    if (this.fd >= 0) this.fs.close(this.fd);
  }
}

/** One line as it goes to the socket: "<30>Feb  3 04:05:06 rsyncd[123]: TEXT". */
export function syslogLine({ facility, tag, pid, now }: SyslogName, warning: boolean, text: string): string {
  const date = new Date(now());
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${MONTHS[date.getMonth()]} ${String(date.getDate()).padStart(2)}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const priority = facility * 8 + (warning ? Severity.warning : Severity.info);
  return `<${priority}>${day} ${time} ${tag}[${pid}]: ${text.replace(/[\r\n]+$/, "")}`;
}
