/** What every part of the daemon works with: the process, its configuration file, its log. */
import { type Platform } from "../conversation/conversation.ts";
import { type WsyncError } from "../errors.ts";
import { Confined } from "../files/confine.ts";
import { type Options } from "../options/options.ts";
import { type ParseContext } from "../options/parse.ts";
import { Sockets } from "../posix/sockets.ts";
import { type DirectOutput } from "../session/output.ts";
import { System } from "../posix/system.ts";
import { Config, type ConfigProblem, loadConfig } from "./config.ts";
import { Environment } from "./expand.ts";
import { configFiles } from "./files.ts";
import { type WorkerMessage } from "./handover.ts";
import { DaemonLog } from "./logger.ts";

/** The configuration of a daemon that root has started, and of one in a user's remote shell. */
const SYSTEM_CONFIG = "/etc/rsyncd.conf";
const USER_CONFIG = "rsyncd.conf";
const SESSION_BYTES = 6;

/** One daemon process. */
export interface DaemonContext {
  readonly platform: Platform;
  /** The daemon's own command line. */
  readonly options: Options;
  readonly parseContext: ParseContext;
  /** Null where the C library cannot be called; much is refused then. */
  readonly system: System | null;
  readonly sockets: Sockets | null;
  /** Opens what the configuration names. */
  readonly operator: Confined;
  readonly log: DaemonLog;
  /** Started inside a remote shell, with the rights of whoever logged in. Upstream am_daemon < 0. */
  readonly viaShell: boolean;
  /** "daemon chroot", "daemon uid" or "daemon gid" have been taken on: commands run with no more than those. */
  readonly jailed: boolean;
  /** Sends to the client past the runtime, in a process that has one client; else null. */
  readonly direct: DirectOutput | null;
  /** Tells the process that waits for the end of this one; null when there is none. */
  readonly tell: ((message: WorkerMessage) => void) | null;
}

/** Makes the context of this process. */
export function daemonContext(
  platform: Platform, options: Options, parseContext: ParseContext, viaShell: boolean,
): DaemonContext {
  const { host, fs } = platform;
  const sockets = Sockets.open(host, fs.memory);
  const operator = new Confined(fs, fs.constants.AT.FDCWD, host.cwd(), { links: "trusted" });
  return {
    platform, options, parseContext, sockets, operator, viaShell, jailed: false, direct: null, tell: null,
    system: System.open(host, fs.memory),
    log: new DaemonLog({ host, fs, sockets, operator, file: options.logFile }),
  };
}

/** The configuration file's path. */
export function configPath({ options, viaShell, platform }: DaemonContext): string {
  return options.configFile ?? (viaShell && platform.fs.euid !== 0 ? USER_CONFIG : SYSTEM_CONFIG);
}

/** Reads the configuration anew; null with the problems when the daemon cannot go by it. */
export function readConfig(
  context: DaemonContext, globalsOnly = false,
): { readonly config: Config | null; readonly problems: readonly ConfigProblem[] } {
  const { platform, options, operator } = context;
  const env = new Environment((name) => platform.host.env(name));
  const loaded = loadConfig(configPath(context), configFiles(operator), { dparams: options.dparams, globalsOnly, env });
  return { config: loaded.data === null ? null : new Config(loaded.data, env), problems: loaded.problems };
}

/** An id for a connection, for its lines in a log. */
export function newSession({ platform: { host } }: DaemonContext): string {
  const bytes = new Uint8Array(SESSION_BYTES);
  host.random(bytes);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The text of an error that ends a connection, for the log. */
export function errorText(error: unknown): string {
  return (error as Partial<WsyncError>)?.message?.trimEnd() ?? String(error);
}
