/**
 * What happens in a run, as data: for --json, for callers of the library, for a watcher.
 *
 * A caller hands an Observer to the client's run; without one nothing of this is made. Names are byte strings as
 * everywhere (one code unit per byte), texts are rsync's own lines without their end. How events look as JSON is in
 * jsonlines.ts, and for its users in JSON.md beside it.
 */
import { ItemFlag } from "../protocol/constants.ts";
import { FileType, fileType } from "./mode.ts";
import { type SummaryStats } from "./summary.ts";

/** What sort of file an item is. */
export type ItemKind = "file" | "directory" | "symlink" | "device" | "special";

/** The first event: what was asked for. */
export interface StartEvent {
  readonly type: "start";
  /** The program's version. */
  readonly version: string;
  /** What this side of the transfer does. */
  readonly role: "sender" | "receiver";
  readonly connection: "local" | "shell" | "daemon";
  readonly host: string | null;
  readonly sources: readonly string[];
  /** null for a listing. */
  readonly destination: string | null;
  readonly dryRun: boolean;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** What is done to an item: its contents sent, made without any, linked to another, only its attributes set. */
export type ItemAction = "transfer" | "create" | "link" | "attributes" | "none";

/** Why something is done to an item: it is not there yet, or these things differ. */
export type ItemReason =
  | "new" | "contents" | "checksum" | "target" | "size" | "time" | "permissions" | "owner" | "group" | "access time"
  | "creation time" | "acl" | "xattr";

/** An item was brought up to date, or would be in a dry run; with -ii also one that was. */
export interface FileEvent {
  readonly type: "file";
  readonly path: string;
  readonly kind: ItemKind;
  readonly action: ItemAction;
  readonly reasons: readonly ItemReason[];
  /** The eleven characters of --itemize-changes. */
  readonly itemize: string;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly mode: number;
  /** What a symlink points to, or the other name of a hard link; else null. */
  readonly target: string | null;
}

/** An entry of a listing. */
export interface ListEvent {
  readonly type: "list";
  readonly path: string;
  readonly kind: ItemKind;
  readonly size: number;
  readonly mtime: number;
  readonly mode: number;
  readonly target: string | null;
}

/** A module that a daemon offers. */
export interface ModuleEvent {
  readonly type: "module";
  readonly name: string;
  readonly comment: string;
}

/** How far a file and the whole transfer have come. */
export interface ProgressEvent {
  readonly type: "progress";
  readonly path: string;
  /** Bytes of the file that are done, and that it has. */
  readonly offset: number;
  readonly size: number;
  /** Files whose transfer has begun, and bytes of them that are done. */
  readonly transferredFiles: number;
  readonly transferredBytes: number;
  /** Entries and bytes of the list as far as it is known; all of it when `listComplete`. */
  readonly totalFiles: number;
  readonly totalBytes: number;
  readonly listComplete: boolean;
}

/** An item of the destination was deleted, or would be in a dry run. */
export interface DeleteEvent {
  readonly type: "delete";
  readonly path: string;
  readonly kind: "directory" | "file";
}

/** An error or a warning, of either side; it goes to standard error too. */
export interface ErrorEvent {
  readonly type: "error";
  readonly severity: "error" | "warning";
  readonly text: string;
}

/** Any other line, which would have gone to standard output. */
export interface MessageEvent {
  readonly type: "message";
  readonly text: string;
}

/** What would become of a name. */
export type Verdict =
  | "transferred" | "created" | "linked" | "updated" | "up to date" | "skipped" | "excluded" | "refused" | "deleted"
  | "kept" | "not there" | "unknown";

/** A filter rule that decided about a name. */
export interface RuleFact {
  readonly side: "sender" | "receiver";
  /** What it decided about: the name asked for, or a directory above it. */
  readonly path: string;
  /** What it does there: leave out or take along on the sender, protect from deletion or allow it on the receiver. */
  readonly effect: "exclude" | "include" | "protect" | "risk";
  /** The rule as it was written. */
  readonly rule: string;
  /** The file it stands in, with its line if known; null for one that an option gave. */
  readonly file: string | null;
  readonly line: number | null;
  readonly option: string | null;
}

/** Why something would happen to a name that --explain asks for, or why nothing would. */
export interface ExplainEvent {
  readonly type: "explain";
  /** The name within the transfer. */
  readonly path: string;
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  readonly rules: readonly RuleFact[];
  /** Is it there? "listed": the sender has it and offers it. */
  readonly sender: "listed" | "present" | "absent" | "unknown";
  readonly receiver: "present" | "absent" | "unknown";
}

/** The last event. */
export interface SummaryEvent {
  readonly type: "summary";
  readonly exitCode: number;
  /** What the exit code means; "" for 0. */
  readonly exitText: string;
  readonly dryRun: boolean;
  readonly elapsedSeconds: number;
  /** null when the two sides have not come to terms; so are the rest. */
  readonly protocol: number | null;
  readonly sentBytes: number | null;
  readonly receivedBytes: number | null;
  readonly stats: Readonly<SummaryStats> | null;
}

/** Everything that may be told. */
export type RunEvent =
  | StartEvent | FileEvent | ListEvent | ModuleEvent | ProgressEvent | DeleteEvent | ErrorEvent | MessageEvent
  | ExplainEvent | SummaryEvent;

/** Who is told. */
export interface Observer {
  /** Called with each event, in order, from within the run: it must not throw, and is waited for. */
  event(event: RunEvent): void;
  /** The error that ends the run, beside the lines about it. */
  failure?(error: unknown): void;
  /** Lines that are not printed since the events say the same: none, those for standard output, or all. */
  readonly mutes: "nothing" | "stdout" | "all";
}

const REASONS: readonly (readonly [flag: number, reason: ItemReason])[] = [
  [ItemFlag.reportTime, "time"],
  [ItemFlag.reportPerms, "permissions"],
  [ItemFlag.reportOwner, "owner"],
  [ItemFlag.reportGroup, "group"],
  [ItemFlag.reportAtime, "access time"],
  [ItemFlag.reportCrtime, "creation time"],
  [ItemFlag.reportAcl, "acl"],
  [ItemFlag.reportXattr, "xattr"],
];

/** The kind that a mode tells. */
export function itemKind(mode: number): ItemKind {
  switch (fileType(mode)) {
    case FileType.directory: return "directory";
    case FileType.symlink: return "symlink";
    case FileType.character:
    case FileType.block: return "device";
    case FileType.fifo:
    case FileType.socket: return "special";
    default: return "file";
  }
}

/** What item flags say is done. `xname`: the name that goes with them, "" for none. */
export function itemAction(iflags: number, mode: number, xname: string): ItemAction {
  if ((iflags & ItemFlag.transfer) !== 0) return "transfer";
  const links = (iflags & ItemFlag.xnameFollows) !== 0;
  // A hard link that is there already is told of as one that is made, but without its other name.
  if ((iflags & ItemFlag.localChange) !== 0 && !(links && xname === "")) return links ? "link" : "create";
  return itemReasons(iflags, mode).length > 0 ? "attributes" : "none";
}

/** Why item flags say it is done. A transfer for no other reason is one that was asked for whatever is there. */
export function itemReasons(iflags: number, mode: number): ItemReason[] {
  if ((iflags & ItemFlag.isNew) !== 0) return ["new"];
  const kind = itemKind(mode);
  const reasons: ItemReason[] = [];
  if ((iflags & ItemFlag.reportChange) !== 0) reasons.push(kind === "file" ? "checksum" : "target");
  // The same bit tells of a symlink that its time cannot be set.
  if ((iflags & ItemFlag.reportSize) !== 0 && kind !== "symlink") reasons.push("size");
  for (const [flag, reason] of REASONS) if ((iflags & flag) !== 0) reasons.push(reason);
  return reasons.length === 0 && (iflags & ItemFlag.transfer) !== 0 ? ["contents"] : reasons;
}
