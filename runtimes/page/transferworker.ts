/** The page's second worker: whole transfers, with rsync's protocol from end to end. */
import { BlobFiles, sync } from "../browser.ts";
import { send, serveTasks } from "./_workerscope.ts";
import { type BatchTask, type Task } from "./messages.ts";

const BATCH = "/batch";

async function run(id: number, task: Task, signal: AbortSignal): Promise<void> {
  if (task.kind !== "batch") throw new Error(`${task.kind} is another worker's task`);
  await recordBatch(id, task, signal);
}

/** A transfer between two trees of one file each, which writes nothing but its record. */
async function recordBatch(id: number, { old, now, name }: BatchTask, signal: AbortSignal): Promise<void> {
  const source = new BlobFiles();
  const target = new BlobFiles();
  source.add(`new/${name}`, now);
  target.add(name, old, { mtime: 0 });
  await sync({ files: source, path: `new/${name}` }, { files: target, path: "/" }, {
    times: true, ignoreTimes: true, wholeFile: false, onlyWriteBatch: BATCH, info: "progress", signal,
    onEvent: (event) => {
      if (event.type === "progress") send({ id, phase: "record", done: event.offset, total: event.size });
    },
  });
  send({ id, file: source.blob(BATCH), stats: null });
}

serveTasks(run);
