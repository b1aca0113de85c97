/**
 * Turns recorded bytes into lines a person can read, by the same codecs that the program uses: greeting lines, frames,
 * and what a sender says (file list, items, sum heads, tokens, digests). Each line starts with the stream offset.
 */
import { Ndx, MessageTag } from "../../src/protocol/constants.ts";
import type { FlistFields, ProtocolContext } from "../../src/protocol/context.ts";
import { Cursor, NEED_MORE } from "../../src/protocol/cursor.ts";
import { FlistEntryReader, WireEntry } from "../../src/protocol/flistentry.ts";
import { MUX_BASE, MUX_HEADER_BYTES } from "../../src/protocol/mux.ts";
import { NdxReader } from "../../src/protocol/ndx.ts";
import { newNdxAttrs, readNdxAttrs } from "../../src/protocol/ndxattrs.ts";
import { newSumHead, readSumHead } from "../../src/protocol/sumhead.ts";
import { PlainTokenReader } from "../../src/protocol/token.ts";
import { latin1 } from "../../src/memory.ts";

const tagNames = new Map(Object.entries(MessageTag).map(([name, tag]) => [tag as number, name]));

/** A stream taken apart into frames: a line for each, and the data put together again. */
export interface Frames {
  readonly lines: string[];
  readonly data: Uint8Array;
  /** Bytes of an unfinished frame at the end. */
  readonly rest: number;
}

/** Splits a multiplexed stream. `origin`: offset of its first byte in the recording. */
export function dumpFrames(bytes: Uint8Array, origin = 0): Frames {
  const lines: string[] = [];
  const data: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    if (at + MUX_HEADER_BYTES > bytes.length) break;
    const byteLength = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    const tag = bytes[at + 3] - MUX_BASE;
    const end = at + MUX_HEADER_BYTES + byteLength;
    if (end > bytes.length) break;
    const payload = bytes.subarray(at + MUX_HEADER_BYTES, end);
    lines.push(`${origin + at} mux-header ${tagNames.get(tag) ?? `tag ${tag}`} ${byteLength} bytes${shown(tag, payload)}`);
    if (tag === MessageTag.data) data.push(payload);
    at = end;
  }
  return { lines, data: Buffer.concat(data), rest: bytes.length - at };
}

/** The text of a message frame; data is shown by dumpSender. */
function shown(tag: number, payload: Uint8Array): string {
  const isText = [MessageTag.error, MessageTag.errorXfer, MessageTag.info, MessageTag.warning].includes(tag as never);
  return isText ? ` ${JSON.stringify(latin1(payload, 0, payload.length))}` : "";
}

/** Splits the text lines that open a daemon conversation from what follows; `count` lines are taken. */
export function dumpGreeting(bytes: Uint8Array, count: number): { lines: string[]; length: number } {
  const lines: string[] = [];
  let at = 0;
  while (lines.length < count) {
    const end = bytes.indexOf(10, at);
    if (end < 0) break;
    lines.push(`${at} line ${JSON.stringify(latin1(bytes, at, end))}`);
    at = end + 1;
  }
  return { lines, length: at };
}

/**
 * Describes what a sender said, as demultiplexed data: one file list (no incremental recursion), then items with
 * uncompressed tokens. Stops quietly where the recording ends.
 */
export function dumpSender(data: Uint8Array, context: ProtocolContext, fields: FlistFields,
  digestLength: number): string[] {
  const lines: string[] = [];
  const cursor = new Cursor(data);
  try {
    dumpList(cursor, context, fields, lines);
    const ndx = new NdxReader(context.version);
    for (;;) if (!dumpItem(cursor, ndx, context, digestLength, lines)) return lines;
  } catch (error) {
    if (error !== NEED_MORE) throw error;
    lines.push(`${cursor.offset} end of recording`);
    return lines;
  }
}

function dumpList(cursor: Cursor, context: ProtocolContext, fields: FlistFields, lines: string[]): void {
  const sibling = (): void => undefined;
  const reader = new FlistEntryReader(context, fields, { user: (id) => id, group: (id) => id, sibling });
  const entry = new WireEntry();
  for (let row = 0; ; row++) {
    const { offset } = cursor;
    if (reader.read(cursor, entry, 0, row) === "end") {
      lines.push(`${offset} flist-end`);
      return;
    }
    const name = JSON.stringify(latin1(entry.name, 0, entry.nameLength));
    lines.push(`${offset} flist-entry ${row} ${name} mode ${entry.mode.toString(8)} size ${entry.size}`);
  }
}

/** One item; false after the last end of a phase, where statistics follow. */
function dumpItem(cursor: Cursor, ndx: NdxReader, context: ProtocolContext, digestLength: number,
  lines: string[]): boolean {
  const { offset } = cursor;
  const index = ndx.read(cursor);
  if (index < 0) {
    lines.push(`${offset} ndx ${index === Ndx.done ? "done" : index}`);
    return index !== Ndx.done || lines.filter((line) => line.endsWith(" ndx done")).length < 3;
  }
  const attrs = newNdxAttrs();
  readNdxAttrs(cursor, attrs, context.version);
  const head = newSumHead();
  readSumHead(cursor, head, context.version, digestLength);
  lines.push(`${offset} ndx ${index} iflags ${attrs.iflags.toString(16)} sum-head ${head.count} x ${head.blockLength}`);
  dumpTokens(cursor, lines);
  const digest = cursor.take(digestLength);
  lines.push(`${cursor.offset - digestLength} file-digest ${Buffer.from(digest).toString("hex")}`);
  return true;
}

function dumpTokens(cursor: Cursor, lines: string[]): void {
  let isOpen = true;
  const sink = {
    literal: (bytes: Uint8Array): void => void lines.push(`${cursor.offset} literal ${bytes.length} bytes`),
    match: (index: number): void => void lines.push(`${cursor.offset} block ${index}`),
    end: (): void => {
      isOpen = false;
      lines.push(`${cursor.offset} token-end`);
    },
  };
  const reader = new PlainTokenReader();
  reader.read(cursor, sink);
  if (isOpen) throw NEED_MORE;
}
