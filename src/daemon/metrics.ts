/** What a daemon counts, as OpenMetrics text. Only the listening process counts. */
import { WSYNC_VERSION } from "../options/version.ts";

/** The content type of the text. */
export const METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

interface Family {
  readonly type: "counter" | "gauge" | "info";
  readonly help: string;
  /** The name of the one label; "" for none. */
  readonly label: string;
}

const FAMILIES = {
  connections: { type: "counter", help: "Connections that have come in.", label: "door" },
  visitors: { type: "gauge", help: "Clients that have yet to get a module.", label: "" },
  admissions: { type: "counter", help: "Clients that were given a module.", label: "module" },
  sessions: { type: "gauge", help: "Clients that have a module now.", label: "module" },
  sessions_ended: { type: "counter", help: "Clients whose connection has ended, by exit code.", label: "code" },
  failures: { type: "counter", help: "Connections that ended with an error before a module was given.", label: "door" },
} as const satisfies Record<string, Family>;

type FamilyName = keyof typeof FAMILIES;

/** Facts that are not counted. */
export interface ProcessFacts {
  readonly runtime: string;
  /** Seconds since the epoch. */
  readonly startTime: number;
  readonly residentBytes: number;
}

/** The counts of one daemon. */
export class Metrics {
  private readonly values = new Map<FamilyName, Map<string, number>>();

  /** Adds to a count. `label`: the value of its label. */
  add(name: FamilyName, label = "", by = 1): void {
    const family = this.values.get(name) ?? new Map<string, number>();
    this.values.set(name, family);
    family.set(label, (family.get(label) ?? 0) + by);
  }

  /** All of it as text. */
  text(facts: ProcessFacts): string {
    const lines = [
      ...head("wsync_daemon", { type: "info", help: "The daemon.", label: "" }),
      `wsync_daemon_info{version=${quoted(WSYNC_VERSION)},runtime=${quoted(facts.runtime)}} 1`,
      ...head("process_start_time_seconds", { type: "gauge", help: "When the daemon began.", label: "" }),
      `process_start_time_seconds ${facts.startTime}`,
      ...head("process_resident_memory_bytes", { type: "gauge", help: "Memory of the process.", label: "" }),
      `process_resident_memory_bytes ${facts.residentBytes}`,
    ];
    for (const [name, family] of Object.entries(FAMILIES)) lines.push(...this.family(name as FamilyName, family));
    return [...lines, "# EOF", ""].join("\n");
  }

  private family(name: FamilyName, family: Family): string[] {
    const full = `wsync_daemon_${name}`;
    const suffix = family.type === "counter" ? "_total" : "";
    const values = this.values.get(name) ?? new Map<string, number>(family.label === "" ? [["", 0]] : []);
    return [...head(full, family), ...[...values].map(([label, value]) => {
      const labels = family.label === "" ? "" : `{${family.label}=${quoted(label)}}`;
      return `${full}${suffix}${labels} ${value}`;
    })];
  }
}

function head(name: string, { type, help }: Family): string[] {
  return [`# TYPE ${name} ${type}`, `# HELP ${name} ${help}`];
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
