/** The page's worker: all reading, signing, searching and patching is done here, with the command's kernels. */
import { delta, type DeltaStats, patch, signature, type WorkOptions } from "../browser.ts";
import { send, serveTasks } from "./_workerscope.ts";
import {
  type CompareTask, type Comparison, type DeltaTask, type PatchTask, type Phase, type SignedDeltaTask, type SignTask,
  type Task,
} from "./messages.ts";
import { RegionList } from "./regions.ts";

/** Bytes that a library's file has in front of what would be on the wire: magic, checksum and seed. */
const FILE_HEAD = 12;
/** Bytes of the sum head. */
const SUM_HEAD = 16;
/** Bytes of a result gathered before they become part of a Blob, which the browser may keep on disk. */
const BLOB_PIECE = 8 << 20;
/** Progress is told at most this often, milliseconds. */
const TELL_MS = 60;

/** The work of one request. */
class Work {
  private readonly id: number;
  private readonly signal: AbortSignal;
  private toldAt = 0;

  constructor(id: number, signal: AbortSignal) {
    this.id = id;
    this.signal = signal;
  }

  async run(task: Task): Promise<void> {
    switch (task.kind) {
      case "compare": return this.compare(task);
      case "delta-of": return this.deltaOf(task);
      case "sign": return this.sign(task);
      case "delta": return this.delta(task);
      case "patch": return this.patch(task);
      default: throw new Error(`${task.kind} is another worker's task`);
    }
  }

  private async compare(task: CompareTask): Promise<void> {
    const { old, now, checksum, blockLength } = task;
    const regions = task.regions ? new RegionList() : null;
    const started = performance.now();
    const sums = await gather(signature(old, {
      checksum, sumLength: "short", blockLength: blockLength ?? undefined, ...this.watch("sign", old.size),
    }));
    const signed = performance.now();
    const stats = await drain((onStats) => delta(sums, now, {
      onStats, onRange: regions ? (range) => regions.add(range) : undefined, ...this.watch("search", now.size),
    }));
    const comparison: Comparison = {
      ...(await headOf(sums)), stats, regions: regions?.take() ?? null,
      signatureBytes: sums.size - FILE_HEAD, deltaBytes: stats.deltaBytes - FILE_HEAD,
      signMs: signed - started, searchMs: performance.now() - signed,
    };
    send({ id: this.id, comparison });
  }

  private async deltaOf({ old, now, hash, rollsum }: DeltaTask): Promise<void> {
    const sums = await gather(signature(old, { format: "rdiff", hash, rollsum, ...this.watch("sign", old.size) }));
    await this.answerDelta(sums, now);
  }

  private async delta({ signature: sums, file }: SignedDeltaTask): Promise<void> {
    await this.answerDelta(sums, file);
  }

  private async answerDelta(sums: Blob, file: Blob): Promise<void> {
    let stats: DeltaStats | null = null;
    const onStats = (all: DeltaStats): void => void (stats = all);
    const made = await gather(delta(sums, file, { onStats, ...this.watch("search", file.size) }));
    send({ id: this.id, file: made, stats });
  }

  private async sign({ file, format }: SignTask): Promise<void> {
    const made = await gather(signature(file, { format, ...this.watch("sign", file.size) }));
    send({ id: this.id, file: made, stats: null });
  }

  private async patch({ basis, delta: change }: PatchTask): Promise<void> {
    const made = await gather(patch(basis, change, this.watch("patch", change.size)));
    send({ id: this.id, file: made, stats: null });
  }

  /** Progress and abortion of one phase. */
  private watch(phase: Phase, total: number): WorkOptions {
    const onProgress = (done: number): void => {
      const at = performance.now();
      if (done < total && at - this.toldAt < TELL_MS) return;
      this.toldAt = at;
      send({ id: this.id, phase, done, total });
    };
    return { signal: this.signal, onProgress };
  }
}

/** A stream as a Blob, which does not stay in memory. */
async function gather(stream: ReadableStream<Uint8Array>): Promise<Blob> {
  let blob = new Blob([]);
  let parts: BlobPart[] = [];
  let byteLength = 0;
  await consume(stream, (chunk) => {
    parts.push(chunk as Uint8Array<ArrayBuffer>);
    byteLength += chunk.length;
    if (byteLength < BLOB_PIECE) return;
    blob = new Blob([blob, ...parts]);
    parts = [];
    byteLength = 0;
  });
  return new Blob([blob, ...parts]);
}

/** Runs a delta for its statistics alone. */
async function drain(start: (onStats: (stats: DeltaStats) => void) => ReadableStream<Uint8Array>): Promise<DeltaStats> {
  let stats: DeltaStats | undefined;
  await consume(start((all) => (stats = all)), () => {});
  return stats!;
}

async function consume(stream: ReadableStream<Uint8Array>, take: (chunk: Uint8Array) => void): Promise<void> {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    take(value);
  }
}

/** The sum head of a signature file of rsync's format. */
async function headOf(sums: Blob): Promise<Pick<Comparison, "blocks" | "blockLength" | "sumLength">> {
  const head = new DataView(await sums.slice(FILE_HEAD, FILE_HEAD + SUM_HEAD).arrayBuffer());
  return { blocks: head.getInt32(0, true), blockLength: head.getInt32(4, true), sumLength: head.getInt32(8, true) };
}

serveTasks((id, task, signal) => new Work(id, signal).run(task));
