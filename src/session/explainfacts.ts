/** What is learned about a name that --explain asks for, or about a directory above it. */
import { type RuleOrigin } from "../filter/provenance.ts";
import { type FileEvent, type ItemKind } from "../output/events.ts";
import { type StatRecord } from "../posix/filesystem.ts";

/** The two sides of a transfer. */
export type Side = "sender" | "receiver";

/** A rule's decision. */
export interface Decision {
  readonly origin: RuleOrigin;
  /** It lets the name in, or open to deletion. */
  readonly include: boolean;
}

/** What the sender's list says of a name. */
export interface Attributes {
  readonly kind: ItemKind;
  readonly size: number;
  readonly mtime: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** It is a directory that is transferred with its contents. */
  readonly withContents: boolean;
}

/** What a line of either side says about a name. */
export interface LineFact {
  readonly verdict: "skipped" | "refused" | "up to date" | "kept";
  readonly reason: string;
}

/** All that is known of one name. */
export interface NameFacts {
  readonly rules: Record<Side, Decision | null>;
  /** It is in the sender's list. */
  listed: Attributes | null;
  /** Is it there? null on a far side. */
  readonly present: Record<Side, boolean | null>;
  /** What stands in its place on the receiver. */
  old: StatRecord | null;
  item: FileEvent | null;
  deleted: boolean;
  readonly lines: LineFact[];
}

/** Nothing is known yet. */
export function newFacts(): NameFacts {
  return {
    rules: { sender: null, receiver: null }, listed: null, present: { sender: null, receiver: null }, old: null,
    item: null, deleted: false, lines: [],
  };
}
