/**
 * The daemon's log: a file or syslog, another one for a module that says so. Upstream log.c: log_init, logfile_open,
 * syslog_init.
 */
import { type Host } from "../host.ts";
import { type Confined } from "../files/confine.ts";
import { latin1 } from "../memory.ts";
import { jsonLine } from "../output/jsonlines.ts";
import { LogFile, type LogSink, PlainLogFile } from "../output/logfile.ts";
import { timeString } from "../output/time.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { type Sockets } from "../posix/sockets.ts";
import { type Config, type ModuleConfig } from "./config.ts";
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

/** What all of a process's logs have in common. */
interface LogState {
  target: Target | null;
  sink: LogSink | null;
  json: boolean;
}

/** See the head of this file. Texts come without line end. */
export class DaemonLog {
  private readonly p: DaemonLogParts;
  private readonly state: LogState;
  private readonly session: string;

  constructor(parts: DaemonLogParts, state?: LogState, session = "") {
    this.p = parts;
    this.state = state ?? { target: null, sink: parts.only ?? null, json: false };
    this.session = session;
  }

  /** The same log for one connection: lines of JSON show its id. */
  forSession(session: string): DaemonLog {
    return new DaemonLog(this.p, this.state, session);
  }

  /** Opens what a configuration asks for outside of its modules. */
  useConfig({ globals, defaults }: Config): void {
    const json = globals.flag("json log");
    if (json !== this.state.json) {
      this.state.json = json;
      this.reopen();
    }
    this.use(defaults);
  }

  /** Opens what a module asks for, unless it is open already. */
  use(config: ModuleConfig): void {
    if (this.p.only !== undefined) return;
    const target = {
      file: this.p.file ?? config.text("log file"), facility: config.number("syslog facility"),
      tag: config.text("syslog tag"),
    };
    const old = this.state.target;
    if (old !== null && old.file === target.file
      && (target.file !== "" || (old.facility === target.facility && old.tag === target.tag))) return;
    this.state.sink?.close();
    this.state.target = target;
    this.open(target);
  }

  /** Closes and opens the file again, which may have been moved away. */
  reopen(): void {
    const { target } = this.state;
    if (target === null) return;
    this.state.sink?.close();
    this.open(target);
  }

  /** Closes what is open; `useConfig` opens it anew. */
  close(): void {
    if (this.p.only !== undefined) return;
    this.state.sink?.close();
    this.state.sink = this.state.target = null;
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
    const { json, sink } = this.state;
    if (this.p.only !== undefined || !json) sink?.write(text, warning);
    else sink?.write(this.jsonOf(text, warning), warning);
  };

  private jsonOf(text: string, warning: boolean): string {
    const { now, pid } = this.p.host;
    const bytes = jsonLine({
      time: new Date(now()).toISOString(), pid, ...(this.session === "" ? {} : { session: this.session }),
      level: warning ? "warning" : "info", text: text.trimEnd(),
    });
    return latin1(bytes, 0, bytes.length);
  }

  private open(target: Target): void {
    const fd = target.file === "" ? -1 : this.openFile(target.file);
    const { host, fs } = this.p;
    if (fd >= 0) {
      this.state.sink = this.state.json ? new PlainLogFile(fs, fd) : new LogFile(fs, fd, host);
      return;
    }
    const { sockets } = this.p;
    const name = { facility: target.facility, tag: target.tag, pid: host.pid, now: () => host.now() };
    this.state.sink = sockets === null ? null : new SyslogSink(fs, sockets, name);
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
