/** Watch events as lines for a person, and a line on a terminal that tells how things stand. */
import { type TargetStatus, type WatchEvent } from "./events.ts";

/** A line and where it goes. */
export interface ReportLine {
  readonly fd: 1 | 2;
  readonly text: string;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  vanished: "is not there: nothing is sent until it is back",
  emptied: "is empty: nothing is deleted until something is in it (--watch-allow-empty says that is meant)",
  device: "lies on another device than before: nothing is deleted until it is back, or wsync is started anew",
};

/** Makes lines. Remembers which targets have been in sync, so that without --verbose only news are told. */
export class Reporter {
  private readonly verbose: number;
  private readonly quiet: boolean;
  private readonly troubled = new Set<string>();
  private readonly greeted = new Set<string>();

  constructor(verbose: number, quiet: boolean) {
    this.verbose = verbose;
    this.quiet = quiet;
  }

  /** The lines of an event. */
  lines(event: WatchEvent): ReportLine[] {
    const texts = this.texts(event).map((text) => ({ fd: isTrouble(event) ? 2 : 1, text }) as const);
    return this.quiet && !isTrouble(event) ? [] : texts;
  }

  private texts(event: WatchEvent): string[] {
    switch (event.type) {
      case "watch": {
        const many = event.directories > 0 ? `, ${event.directories} directories` : "";
        const lines = [`watching ${event.sources.join(" ")} by ${event.backend}${many}`];
        return event.degraded === null ? lines : [...lines, `degraded: ${event.degraded}`];
      }
      case "round":
        return this.round(event);
      case "retry": {
        this.troubled.add(event.target);
        const seconds = (event.delayMs / 1000).toFixed(1);
        // The session itself has said why.
        return [`${event.target}: ${event.outcome} failure, exit code ${event.exitCode}, next try in ${seconds} s`];
      }
      case "lost":
        return [`changes may have been lost: ${event.reason}; comparing again`];
      case "guard":
        return [`${event.source} ${event.problem === null ? "is back" : PROBLEMS[event.problem]}`];
      case "audit":
        return event.drift === 0 && this.verbose === 0 ? [] : [`${event.target}: audit: ${event.drift} names differ`];
      case "warning":
        return [event.text];
      case "status":
        return statusLines(event);
      case "end":
        return this.verbose > 0 ? event.targets.map(targetLine) : [];
    }
  }

  private round(event: Extract<WatchEvent, { type: "round" }>): string[] {
    const { target, outcome } = event;
    if (outcome !== "done" && outcome !== "vanished") return [];
    const isNews = !this.greeted.has(target) || this.troubled.has(target);
    this.greeted.add(target);
    this.troubled.delete(target);
    if (!isNews && this.verbose === 0) return [];
    const parts = [
      event.inSync ? "in sync" : "more to come", `${event.updated} updated`, `${event.deleted} deleted`,
      ...(event.renamed > 0 ? [`${event.renamed} renamed`] : []), `${event.sentBytes} bytes sent`,
      `${(event.elapsedMs / 1000).toFixed(2)} s`,
    ];
    return [`${target}: ${parts.join(", ")}`];
  }
}

function isTrouble({ type }: WatchEvent): boolean {
  return type === "retry" || type === "lost" || type === "guard" || type === "warning" || type === "status";
}

function statusLines(event: Extract<WatchEvent, { type: "status" }>): string[] {
  return [
    `${event.backend}: ${event.directories} directories, ${event.changes} changes, lost track ${event.lostTimes} times`
      + (event.guard === null ? "" : `, a source ${PROBLEMS[event.guard]}`),
    ...event.targets.map(targetLine),
  ];
}

function targetLine(one: TargetStatus): string {
  const parts = [
    one.state, `${one.dirty} dirty`, `${one.rounds} rounds`,
    `last in sync ${one.lastSync === 0 ? "never" : new Date(one.lastSync).toISOString()}`,
    `drift ${one.drift ?? "unknown"}`,
    ...(one.lastError === "" ? [] : [`last error: ${one.lastError}`]),
  ];
  return `${one.target}: ${parts.join(", ")}`;
}

/** The line on a terminal. */
export function liveText(targets: readonly TargetStatus[], changes: number, now: number): string {
  const time = new Date(now).toISOString().slice(11, 19);
  const states = targets.map(({ target, state, dirty }) =>
    `${target}: ${state}${dirty > 0 ? ` (${dirty} dirty)` : ""}`);
  return `${time}Z  ${changes} ${changes === 1 ? "change" : "changes"}  ${states.join("  ")}`;
}
