/** The page's side of the worker: one promise a task, with progress, and an end on demand. */
import { type Answer, type Comparison, type Listed, type Moved, type Phase, type Task } from "./messages.ts";
import { type DeltaStats } from "../../src/index.ts";

/** How far a task has come. */
export interface Progress {
  readonly phase: Phase;
  readonly done: number;
  readonly total: number;
  /** The file that is being transferred. */
  readonly name?: string;
}

/** A file that a task has made. */
export interface MadeFile {
  readonly file: Blob;
  readonly stats: DeltaStats | null;
}

/** The task was called off. */
export class Aborted extends Error {
  override name = "Aborted";
}

interface Pending {
  resolve(value: never): void;
  reject(error: Error): void;
  readonly onProgress: (progress: Progress) => void;
}

type ResultOf<T extends Task> = T extends { kind: "compare" } ? Comparison
  : T extends { kind: "look" | "here" } ? readonly Listed[]
  : T extends { kind: "pull" | "push" } ? Moved : MadeFile;

/** Speaks to one worker. */
export class Engine {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;

  constructor(url: URL) {
    this.worker = new Worker(url, { type: "module" });
    this.worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => this.take(data));
    this.worker.addEventListener("error", (event) => {
      this.failAll(new Error(event.message || "the worker could not be started"));
    });
  }

  /** Does a task. `signal` calls it off: the promise then rejects with Aborted. */
  run<T extends Task>(task: T, onProgress: (progress: Progress) => void, signal?: AbortSignal): Promise<ResultOf<T>> {
    const id = this.nextId++;
    signal?.addEventListener("abort", () => this.worker.postMessage({ id, abort: true }, []), { once: true });
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject, onProgress });
      this.worker.postMessage({ id, task }, []);
    });
  }

  private take(answer: Answer): void {
    const pending = this.pending.get(answer.id);
    if (pending === undefined) return;
    if ("phase" in answer) {
      pending.onProgress(answer);
      return;
    }
    this.pending.delete(answer.id);
    if ("error" in answer) pending.reject(answer.aborted ? new Aborted(answer.error) : new Error(answer.error));
    else if ("comparison" in answer) pending.resolve(answer.comparison as never);
    else if ("listed" in answer) pending.resolve(answer.listed as never);
    else if ("moved" in answer) pending.resolve(answer.moved as never);
    else pending.resolve({ file: answer.file, stats: answer.stats } as never);
  }

  private failAll(error: Error): void {
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}
