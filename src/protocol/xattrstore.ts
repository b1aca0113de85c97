/**
 * The sets of extended attributes of a conversation that have an index, and what is known of their long values.
 * Upstream xattrs.c: rsync_xal_l, find_matching_xattr, xattr_diff, send_xattr_request, recv_xattr_request.
 *
 * Both sides number sets in the order in which they first travel. A long value (see FULL_VALUE_BYTES) is a digest until
 * the generator, comparing a file with its set, finds that the value is not there and asks for it. It asks once: from
 * then on, or once a local file has turned out to have it, the receiver keeps the value for all files with the set.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { latin1 } from "../memory.ts";
import type { Writer } from "./cursor.ts";
import { FULL_VALUE_BYTES, type WireXattr, writeXattrSet, writeXattrSetIndex } from "./xattr.ts";

/** The set of a file without extended attributes. */
export const EMPTY_XATTRS: readonly WireXattr[] = [];

/** A sent set: what a request may name. */
interface SentSet {
  readonly xattrs: readonly WireXattr[];
  /** Numbers of the values that were asked for; null before the first. */
  asked: Set<number> | null;
}

/** The sender's numbering. */
export class SentXattrs {
  private readonly wireName: ((name: string) => string) | null;
  private readonly indexes = new Map<string, number>();
  private readonly sets: SentSet[] = [];
  /** Index of the empty set, which most files have, so that it needs no key; -1 while it was not sent. */
  private empty = -1;

  /** `wireName`: an attribute's name for the receiver, where it is not its own. */
  constructor(wireName: ((name: string) => string) | null) {
    this.wireName = wireName;
  }

  /** Writes a set, or its index if it was written before, and returns the index. */
  write(out: Writer, xattrs: readonly WireXattr[]): number {
    const isEmpty = xattrs.length === 0;
    const known = isEmpty ? this.empty : (this.indexes.get(keyOf(xattrs)) ?? -1);
    if (known >= 0) {
      writeXattrSetIndex(out, known);
      return known;
    }
    const index = this.sets.push({ xattrs, asked: null }) - 1;
    if (isEmpty) this.empty = index;
    else this.indexes.set(keyOf(xattrs), index);
    const { wireName } = this;
    writeXattrSet(out, wireName === null ? xattrs : xattrs.map((one) => ({ ...one, name: wireName(one.name) })));
    return index;
  }

  /** Number of attributes in a set. */
  count(index: number): number {
    return this.sets[index]?.xattrs.length ?? 0;
  }

  /** The attribute that a request names by its number. Throws ProtocolError 2 unless it is long and asked for once. */
  ask(index: number, number: number, who: string): WireXattr {
    const set = this.sets[index];
    const xattr = set?.xattrs[number - 1];
    if (xattr === undefined) throw unknownNumber(number, who);
    set.asked ??= new Set();
    if (xattr.byteLength <= FULL_VALUE_BYTES || set.asked.has(number)) throw notAbbreviated(xattr, who);
    set.asked.add(number);
    return xattr;
  }
}

/** One wanted attribute on the receiving side. */
export interface StoredXattr extends WireXattr {
  /** Its number in the sender's set, by which its value is asked for. */
  readonly number: number;
  /** The whole value once it is known: at once for a short one. */
  value: Uint8Array | null;
  /** The generator need not ask for the value: it is short, asked for, or in a local file. */
  settled: boolean;
}

/** An attribute as it arrived; `name` is the one to use here. */
export function storedXattr(name: string, { byteLength, data }: WireXattr, number: number): StoredXattr {
  const isShort = byteLength <= FULL_VALUE_BYTES;
  return { name, byteLength, data, number, value: isShort ? data : null, settled: isShort };
}

/** The receiver's numbering. */
export class ReceivedXattrs {
  private readonly sets: (readonly StoredXattr[])[] = [];

  get count(): number {
    return this.sets.length;
  }

  /** Appends a set that arrived, sorted by name, and returns its index. */
  add(xattrs: readonly StoredXattr[]): number {
    return this.sets.push(xattrs) - 1;
  }

  /** The attributes of a set; none for the index -1. */
  get(index: number): readonly StoredXattr[] {
    return this.sets[index] ?? NO_XATTRS;
  }

  /** Whether a file's attributes `there`, sorted by name, are others than the set's. */
  differs(index: number, there: readonly WireXattr[]): boolean {
    const wanted = this.get(index);
    return wanted.length !== there.length || wanted.some((xattr, i) => !isSame(xattr, there[i]));
  }

  /**
   * The numbers of the values to ask for, so that a file with the attributes `there` can get the set's: what has not
   * been asked for before. Nothing else need be asked for later.
   */
  lacking(index: number, there: readonly WireXattr[]): number[] {
    const numbers: number[] = [];
    for (const xattr of this.get(index)) {
      if (xattr.settled) continue;
      xattr.settled = true;
      if (!there.some((one) => isSame(xattr, one))) numbers.push(xattr.number);
    }
    return numbers;
  }

  /** The attribute whose value the sender answers with. Throws ProtocolError 2 unless it is one that lacks it. */
  answered(index: number, number: number, who: string): StoredXattr {
    const xattr = this.get(index).find((one) => one.number === number);
    if (xattr === undefined) throw unknownNumber(number, who);
    if (xattr.value !== null) throw notAbbreviated(xattr, who);
    return xattr;
  }
}

const NO_XATTRS: readonly StoredXattr[] = [];

function isSame(a: WireXattr, b: WireXattr): boolean {
  if (a.name !== b.name || a.byteLength !== b.byteLength) return false;
  return a.data.length === b.data.length && a.data.every((byte, i) => byte === b.data[i]);
}

function keyOf(xattrs: readonly WireXattr[]): string {
  let key = "";
  for (const { name, byteLength, data } of xattrs) key += `${name}\0${byteLength}:${latin1(data, 0, data.length)}`;
  return key;
}

function unknownNumber(number: number, who: string): ProtocolError {
  return new ProtocolError("xattr-request", `[${who}] could not find xattr #${number}`, ExitCode.protocol);
}

function notAbbreviated(xattr: WireXattr, who: string): ProtocolError {
  const text = `[${who}] internal abbrev error (${xattr.name}, len=${xattr.byteLength})!`;
  return new ProtocolError("xattr-request", text, ExitCode.protocol);
}
