/** The options of --watch, checked and in milliseconds. */
import { parseHostSpec } from "../client/hostspec.ts";
import { refuseDaemonOptions } from "../client/run.ts";
import { UsageError } from "../errors.ts";
import { type Options } from "../options/options.ts";

/** How changes are noticed. */
export type BackendName = "inotify" | "fanotify" | "poll" | "events";

/** What --watch was told. */
export interface WatchSettings {
  readonly delayMs: number;
  readonly maxDelayMs: number;
  /** 0: never. */
  readonly auditMs: number;
  readonly retryMs: number;
  readonly pollMs: number;
  /** null: the best there is. */
  readonly backend: BackendName | null;
  readonly allowEmpty: boolean;
  /** Destinations, at least one. */
  readonly targets: readonly string[];
  readonly sources: readonly string[];
}

const BACKENDS: readonly BackendName[] = ["inotify", "fanotify", "poll", "events"];
const MS = 1000;

/** Refuses options of --watch without it. */
export function checkWithoutWatch(options: Options): void {
  const { watchTargets, watchDelay, watchMaxDelay, watchAudit, watchRetry, watchPoll, watchBackend } = options;
  const given = [watchDelay, watchMaxDelay, watchAudit, watchRetry, watchPoll, watchBackend]
    .some((value) => value !== null) || watchTargets.length > 0 || options.watchAllowEmpty;
  if (given) throw new UsageError("The --watch-* options need --watch.");
}

/** Reads and checks the options. Throws UsageError. */
export function watchSettings(options: Options): WatchSettings {
  const { args } = options;
  if (args.length < 2) throw new UsageError("--watch needs a source and a destination.");
  refuseUnfit(options);
  const targets = [args[args.length - 1], ...options.watchTargets];
  if (!targets.some(isDaemon)) refuseDaemonOptions(options);
  const { watchBackend } = options;
  const backend = BACKENDS.find((name) => name === watchBackend) ?? null;
  if (watchBackend !== null && backend === null) {
    throw new UsageError(`--watch-backend is one of ${BACKENDS.join(", ")}, not "${watchBackend}".`);
  }
  const delayMs = seconds("watch-delay", options.watchDelay, 1);
  return {
    delayMs,
    maxDelayMs: Math.max(delayMs, seconds("watch-max-delay", options.watchMaxDelay, 10)),
    auditMs: seconds("watch-audit", options.watchAudit, 3600),
    retryMs: Math.max(MS / 10, seconds("watch-retry", options.watchRetry, 60)),
    pollMs: Math.max(MS / 10, seconds("watch-poll", options.watchPoll, 10)),
    backend, allowEmpty: options.watchAllowEmpty,
    sources: args.slice(0, -1), targets,
  };
}

/** Is this destination a daemon's? A password and a deadline for connecting are for these alone. */
export function isDaemon(target: string): boolean {
  const remote = parseHostSpec(target, 0);
  return remote !== null && remote.port !== 0;
}

function seconds(name: string, text: string | null, fallback: number): number {
  if (text === null) return fallback * MS;
  if (!/^\d+(\.\d*)?$|^\.\d+$/.test(text) || Number(text) > MOST_SECONDS) {
    throw new UsageError(`--${name} takes a number of seconds, not "${text}".`);
  }
  return Number(text) * MS;
}

/** Longest time that a timer can be set to, about 24 days. */
const MOST_SECONDS = 2_000_000;

/** Options that make no sense for a destination that is kept up to date, or whose effect cannot be watched. */
function refuseUnfit(options: Options): void {
  const unfit: readonly (readonly [boolean, string])[] = [
    [options.recurse === 0, "--watch needs --recursive (-r or -a)"],
    [options.filesFrom !== null, "--watch cannot be used with --files-from"],
    [options.listOnly > 0, "--watch cannot be used with --list-only"],
    [options.dryRun, "--watch cannot be used with --dry-run"],
    [options.removeSourceFiles > 0, "--watch cannot be used with --remove-source-files"],
    [options.readBatch !== null || options.writeBatch !== null, "--watch cannot be used with batch files"],
    [options.stopAt !== null, "--watch cannot be used with --stop-at or --stop-after"],
    [options.copyLinks || options.copyDirlinks || options.copyUnsafeLinks,
      "--watch cannot see changes behind symlinks: leave out --copy-links, --copy-dirlinks and --copy-unsafe-links"],
    [options.filters.some(({ kind, value }) => value === "-" && kind.endsWith("-from")),
      "--watch reads rules again and again: they cannot come from standard input"],
  ];
  const found = unfit.find(([applies]) => applies);
  if (found !== undefined) throw new UsageError(`${found[1]}.`);
}
