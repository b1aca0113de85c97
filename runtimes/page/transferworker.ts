/** The page's second worker: whole transfers, with rsync's protocol from end to end. */
import {
  BlobFiles, connectWebSocket, DirectoryFiles, type FileEvent, PartialError, sync, type SyncEvent, type SyncOptions,
  type SyncResult,
} from "../browser.ts";
import { send, serveTasks } from "./_workerscope.ts";
import {
  type BatchTask, type Door, type HereTask, type Listed, type LookTask, type Moved, type MoveTask, type Task,
} from "./messages.ts";

const BATCH = "/batch";
/** Items told by name. */
const MOST_ITEMS = 500;
/** Failures told by name. */
const MOST_FAILURES = 5;
/** Progress is told at most this often, milliseconds. */
const TELL_MS = 60;
/** The attributes that travel: what a browser's storage can hold, with a note beside the files. */
const ATTRIBUTES = { recursive: true, links: true, times: true, perms: true } as const;

async function run(id: number, task: Task, signal: AbortSignal): Promise<void> {
  switch (task.kind) {
    case "batch": return recordBatch(id, task, signal);
    case "look": return look(id, task, signal);
    case "here": return listHere(id, task);
    case "pull":
    case "push": return move(id, task, signal);
    default: throw new Error(`${task.kind} is another worker's task`);
  }
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

/** The daemon's URL as rsync writes it. The connection itself is a WebSocket's, wherever that goes. */
function remote({ url, user }: Door, path: string): string {
  const { hostname } = new URL(url);
  return `rsync://${user === "" ? "" : `${user}@`}${hostname}/${path}`;
}

function reach({ url, password }: Door): Pick<SyncOptions, "connect" | "password"> {
  return { connect: () => connectWebSocket(url), ...(password === "" ? {} : { password }) };
}

async function look(id: number, { door, path }: LookTask, signal: AbortSignal): Promise<void> {
  const listed: Listed[] = [];
  await sync(remote(door, path === "" ? "" : `${path}/`), null, {
    ...reach(door), ...(path === "" ? {} : { dirs: true }), signal,
    onEvent: (event) => {
      if (event.type === "module") {
        listed.push({ name: event.name, kind: "module", comment: event.comment, size: 0, mtime: 0 });
      } else if (event.type === "list" && event.path !== ".") {
        const kind = event.kind === "device" || event.kind === "special" ? "other" : event.kind;
        listed.push({ name: event.path, kind, comment: "", size: event.size, mtime: event.mtime });
      }
    },
  });
  send({ id, listed });
}

async function listHere(id: number, { place }: HereTask): Promise<void> {
  const files = await DirectoryFiles.open(place);
  send({ id, listed: files.list().map(({ path, kind, byteLength, mtime }) =>
    ({ name: path, kind, comment: "", size: byteLength, mtime })) });
}

async function move(id: number, task: MoveTask, signal: AbortSignal): Promise<void> {
  const { door, path, place } = task;
  const files = await DirectoryFiles.open(place);
  const account = new Account(id);
  const options: SyncOptions = {
    ...ATTRIBUTES, ...reach(door), delete: task.delete, dryRun: task.dryRun, info: "progress", signal,
    onEvent: (event) => account.take(event),
  };
  const there = remote(door, `${path}/`);
  const here = { files, path: "/" };
  try {
    const result = await (task.kind === "pull" ? sync(there, here, options) : sync(here, there, options));
    send({ id, moved: account.close(result) });
  } catch (error) {
    if (error instanceof PartialError) throw new Error(named(error), { cause: error });
    // Whole files that came before the end stay, as they do with rsync.
    if (task.kind === "pull" && !task.dryRun) await files.settle();
    throw error;
  }
}

/** What was not done, the first of it by name. */
function named({ message, failures }: PartialError): string {
  const first = failures.slice(0, MOST_FAILURES).map((failure) => failure.message);
  const rest = failures.length > first.length ? ["..."] : [];
  return failures.length === 0 ? message : `${message}: ${[...first, ...rest].join("; ")}`;
}

/** What happens in a transfer. */
class Account {
  private readonly id: number;
  private readonly items: { name: string; what: string }[] = [];
  private itemCount = 0;
  private deleted = 0;
  private readonly trouble: string[] = [];
  private readonly startedAt = performance.now();
  private toldAt = 0;

  constructor(id: number) {
    this.id = id;
  }

  take(event: SyncEvent): void {
    if (event.type === "progress") this.progress(event);
    else if (event.type === "file") this.add(event.path, whatOf(event));
    else if (event.type === "error") this.trouble.push(event.text);
    else if (event.type === "delete") {
      this.deleted++;
      this.add(event.path, "deleted");
    }
  }

  /** The figures, once it is over. */
  close({ dryRun, protocol, sentBytes, receivedBytes, stats }: SyncResult): Moved {
    const { items, itemCount, deleted, trouble } = this;
    return {
      dryRun, items, itemCount, deleted, trouble, sentBytes, receivedBytes,
      seconds: (performance.now() - this.startedAt) / 1000, protocol: protocol ?? 0,
      files: stats!.transferredFiles, totalBytes: stats!.totalSize,
      literalBytes: stats!.literalData, matchedBytes: stats!.matchedData,
    };
  }

  private add(name: string, what: string): void {
    this.itemCount++;
    if (this.items.length < MOST_ITEMS) this.items.push({ name, what });
  }

  private progress({ path, transferredBytes, totalBytes }: SyncEvent & { type: "progress" }): void {
    const now = performance.now();
    if (now - this.toldAt < TELL_MS) return;
    this.toldAt = now;
    send({ id: this.id, phase: "transfer", done: transferredBytes, total: totalBytes, name: path });
  }
}

function whatOf({ action, reasons, kind }: FileEvent): string {
  if (reasons.includes("new")) return kind === "file" ? "new" : `new ${kind}`;
  return action === "transfer" ? "updated" : `${reasons.join(", ")} set`;
}

serveTasks(run);
