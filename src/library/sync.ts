/**
 * `sync`: a client's run for programs. It takes what the command line takes, and calls back instead of printing.
 */
import { runClient } from "../client/run.ts";
import { type Host } from "../host.ts";
import { type Observer, type RunEvent, type SummaryEvent } from "../output/events.ts";
import { readable } from "../output/jsonlines.ts";
import { AbortHub } from "./aborthub.ts";
import { type TransferOptions } from "./options.ts";
import { Outcome } from "./outcome.ts";
import { isPlace, type Source, Station, type Surroundings, type Target } from "./station.ts";

/** An event whose names are text; where a name's bytes are none, a field with "Bytes" behind its name has them. */
export type SyncEvent = RunEvent;

/** What `sync` takes besides rsync's options. */
export interface SyncSettings extends Surroundings {
  /** Called with all that happens, in order, from within the run. It is waited for. */
  readonly onEvent?: (event: SyncEvent) => void;
  /** Ends the run in order, as an interrupt does: nothing half-written stays. `sync` then fails with exit code 20. */
  readonly signal?: AbortSignal;
}

/** How `sync` works: rsync's options by name, and what programs need. */
export type SyncOptions = SyncSettings & TransferOptions;

/** What a run that went well has to tell. */
export interface SyncResult {
  readonly dryRun: boolean;
  /** Protocol version; null for a mere list of modules. */
  readonly protocol: number | null;
  /** Bytes over the connection. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly elapsedSeconds: number;
  /** rsync's --stats; null for a mere list of modules. */
  readonly stats: SummaryEvent["stats"];
}

/** See the public function of this name in runtimes/. `host` is the runtime's. */
export async function runSync(
  host: Host, source: Source, target: Target, options: SyncOptions = {},
): Promise<SyncResult> {
  const { onEvent, signal, password, env, connect, ...transfer } = options;
  const abort = new AbortHub(signal);
  const outcome = new Outcome();
  const observer: Observer = {
    mutes: "all",
    event: (event) => {
      outcome.event(event);
      onEvent?.(readable(event) as unknown as SyncEvent);
    },
    failure: (error) => outcome.failure(error),
  };
  const station = new Station(host, { password, env, connect }, abort, (text) => {
    observer.event({ type: "message", text });
  });
  try {
    signal?.throwIfAborted();
    const run = station.prepare(source, target, transfer);
    const code = await abort.race(runClient({ ...run, observer }));
    await settleAll(source, target);
    return outcome.result(code);
  } catch (error) {
    throw outcome.error(abort.explain(error));
  } finally {
    abort.close();
  }
}

async function settleAll(source: Source, target: Target): Promise<void> {
  for (const place of [source, target]) if (isPlace(place)) await place.files.settle?.();
}

