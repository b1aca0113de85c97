/**
 * The daemon's log: a file or syslog, another one for a module that says so. Upstream log.c: log_init, logfile_open,
 * syslog_init.
 */
import { type Host } from "../host.ts";
import { type Confined } from "../files/confine.ts";
import { LogFile, type LogSink } from "../output/logfile.ts";
import { timeString } from "../output/time.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { type Sockets } from "../posix/sockets.ts";
import { type ModuleConfig } from "./config.ts";
import { SyslogSink } from "./syslog.ts";

const LOG_MODE = 0o644;
const LOG_UMASK = 0o022;

/** Where lines go. */
interface Target {
  /** "": to syslog. */
  readonly file: string;
  readonly facility: number;
  readonly tag: string;
}

/** What a log is made with. */
export interface DaemonLogParts {
  readonly host: Host;
  readonly fs: FileSystem;
  /** Null where there is no syslog to reach. */
  readonly sockets: Sockets | null;
  /** Opens paths that the configuration names. */
  readonly operator: Confined;
  /** --log-file, which goes before every "log file". */
  readonly file: string | null;
  /** Takes every line, whatever a configuration says. */
  readonly only?: LogSink;
}

/** See the head of this file. Texts come without line end. */
export class DaemonLog {
  private readonly p: DaemonLogParts;
  private target: Target | null = null;
  private sink: LogSink | null = null;

  constructor(parts: DaemonLogParts) {
    this.p = parts;
    this.sink = parts.only ?? null;
  }

  /** Opens what a configuration asks for, unless it is open already. */
  use(config: ModuleConfig): void {
    if (this.p.only !== undefined) return;
    const target = {
      file: this.p.file ?? config.text("log file"), facility: config.number("syslog facility"),
      tag: config.text("syslog tag"),
    };
    const old = this.target;
    if (old !== null && old.file === target.file
      && (target.file !== "" || (old.facility === target.facility && old.tag === target.tag))) return;
    this.sink?.close();
    this.target = target;
    this.open(target);
  }

  /** Closes and opens the file again, which may have been moved away. */
  reopen(): void {
    if (this.target === null) return;
    this.sink?.close();
    this.open(this.target);
  }

  /** To be called before the root directory changes: what a line needs from the disk is read now. */
  settle(): void {
    timeString(this.p.host.now() / 1000);
  }

  info(text: string): void {
    this.write(`${text}\n`, false);
  }

  warning(text: string): void {
    this.write(`${text}\n`, true);
  }

  /** For a session's log, whose texts carry their line ends. */
  readonly write = (text: string, warning: boolean): void => {
    this.sink?.write(text, warning);
  };

  private open(target: Target): void {
    const fd = target.file === "" ? -1 : this.openFile(target.file);
    const { host, fs } = this.p;
    if (fd >= 0) {
      this.sink = new LogFile(fs, fd, host);
      return;
    }
    const { sockets } = this.p;
    const name = { facility: target.facility, tag: target.tag, pid: host.pid, now: () => host.now() };
    this.sink = sockets === null ? null : new SyslogSink(fs, sockets, name);
    if (target.file === "") return;
    this.warning(`failed to open log-file ${target.file}: ${fs.strerror(-fd)} (${-fd})`);
    this.info('Ignoring "log file" setting.');
  }

  private openFile(path: string): number {
    const { fs, operator } = this.p;
    const { O } = fs.constants;
    const umask = fs.umask(LOG_UMASK);
    fs.umask(umask | LOG_UMASK);
    const fd = operator.openFollowing(path, O.WRONLY | O.APPEND | O.CREAT, LOG_MODE);
    fs.umask(umask);
    return fd;
  }
}
