/** What a client tells of its run outside the conversation: events (output/events.ts), and the end of a failed one. */
import { exitCodeOf, WsyncError } from "../errors.ts";
import { type Host } from "../host.ts";
import { type Options } from "../options/options.ts";
import { WSYNC_VERSION } from "../options/version.ts";
import { type MessageEvent, type ModuleEvent, type StartEvent, type SummaryEvent } from "../output/events.ts";
import { exitCodeName, exitLine, totalsLine } from "../output/messages.ts";
import { type Log, LogCode } from "../session/log.ts";
import { type Endpoints } from "./hostspec.ts";

/** What is about to be done. */
export function startEvent(options: Options, ends: Endpoints, time: number): StartEvent {
  const { remote, amSender, localArgs, remoteArgs } = ends;
  const [sources, destination] = amSender ? [localArgs, remoteArgs] : [remoteArgs, localArgs];
  return {
    type: "start", version: WSYNC_VERSION, role: amSender ? "sender" : "receiver",
    connection: remote === null ? "local" : remote.daemon ? "daemon" : "shell",
    host: remote === null ? null : remote.host, sources,
    destination: options.listOnly > 0 ? null : (destination[0] ?? null), dryRun: options.dryRun, time,
  };
}

/** A line that a daemon sends before the transfer: a module with its comment behind a tab, or a greeting. */
export function daemonLineEvent(line: string): ModuleEvent | MessageEvent {
  const tab = line.indexOf("\t");
  if (tab < 0) return { type: "message", text: line };
  return { type: "module", name: line.slice(0, tab).trimEnd(), comment: line.slice(tab + 1) };
}

/** The end of a run that only listed a daemon's modules. */
export function listedEvent(host: Host, startedAt: number): SummaryEvent {
  return summary(0, secondsSince(host, startedAt), false);
}

/** The end of a run whose two sides never talked. */
export function failureEvent(host: Host, { dryRun }: Options, error: unknown, startedAt: number): SummaryEvent {
  return summary(exitCodeOf(error), secondsSince(host, startedAt), dryRun);
}

/** Tells of such an end. */
export function tellFailure(log: Log, error: unknown): void {
  const text = error instanceof WsyncError ? error.message : `internal error: ${String(error)}`;
  if (text !== "") log.error(text.endsWith("\n") ? text : `${text}\n`);
  if (!(error instanceof WsyncError)) return;
  log.advise(error.hint);
  if (error.who === "sender") log.write(LogCode.log, totalsLine(0, 0, 0));
  log.write(LogCode.error, exitLine(exitCodeOf(error), "main.ts(1)", error.who ?? "client"), true);
  error.told = true;
}

function secondsSince(host: Host, startedAt: number): number {
  return Math.floor((host.now() - startedAt) / 1000);
}

function summary(exitCode: number, elapsedSeconds: number, dryRun: boolean): SummaryEvent {
  return {
    type: "summary", exitCode, exitText: exitCode === 0 ? "" : exitCodeName(exitCode), dryRun, elapsedSeconds,
    protocol: null, sentBytes: null, receivedBytes: null, stats: null,
  };
}
