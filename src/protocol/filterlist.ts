/**
 * Filter rules on their way to the server (label `filter-rule`): an int length and the rule's text, until a length of
 * 0. Upstream exclude.c:send_filter_list, recv_filter_list. src/filter turns rules into text and back; which prefixes
 * are legal depends on the protocol version there.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { latin1 } from "../memory.ts";
import { WireLimit } from "./constants.ts";
import type { Cursor, Writer } from "./cursor.ts";

/** The next rule (a name: one code unit per byte), or null at the end of the list. Too long: ProtocolError 22. */
export function readFilterRule(cursor: Cursor): string | null {
  const byteLength = cursor.i32le() >>> 0;
  if (byteLength === 0) return null;
  if (byteLength >= WireLimit.filterRule) {
    throw new ProtocolError("filter-rule", "buffer overflow in recv_rules", ExitCode.malloc, cursor.offset);
  }
  const bytes = cursor.take(byteLength);
  return latin1(bytes, 0, byteLength);
}

/** Appends one rule. An empty one would end the list and is left out, as upstream does. */
export function writeFilterRule(out: Writer, rule: string): void {
  if (rule === "") return;
  out.i32le(rule.length);
  out.latin1(rule);
}

/** Ends the list. */
export function writeFilterEnd(out: Writer): void {
  out.i32le(0);
}
