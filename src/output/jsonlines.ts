/**
 * Events as lines of JSON, one event a line, in UTF-8. JSON.md beside this file is the schema.
 *
 * A name need not be text. Where its bytes are UTF-8 the field is that text; where they are not, the field has U+FFFD
 * in place of what cannot be read, and a second field, named like the first with "Bytes" behind it, has all bytes in
 * base64. So a name is never taken for another one.
 */
import { bytesOf } from "../memory.ts";
import { type Observer } from "./events.ts";

/** An observer that writes lines (bytes, with their ends) and leaves standard output to them. */
export function jsonObserver(write: (bytes: Uint8Array) => void): Observer {
  return { event: (event) => write(jsonLine(event)), mutes: "stdout" };
}

/** One event as a line with its end. */
export function jsonLine(event: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(readable(event))}\n`);
}

/** The event with every name as text. */
export function readable(event: object): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(event) as [string, unknown][]) {
    if (typeof value === "string") addName(fields, name, value);
    else if (isNames(value)) addNames(fields, name, value);
    else if (Array.isArray(value)) fields[name] = value.map((one) => readable(one as object));
    else fields[name] = value;
  }
  return fields;
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function addName(fields: Record<string, unknown>, name: string, value: string): void {
  const text = textOf(value);
  fields[name] = text ?? lossy(value);
  if (text === null) fields[`${name}Bytes`] = btoa(value);
}

/** A list of names; when one of them is no text, the second field has the bytes of all. */
function addNames(fields: Record<string, unknown>, name: string, values: readonly string[]): void {
  const texts = values.map(textOf);
  fields[name] = values.map((value, at) => texts[at] ?? lossy(value));
  if (texts.includes(null)) fields[`${name}Bytes`] = values.map((value) => btoa(value));
}

/** The text of a name's bytes, null when they are not UTF-8. */
function textOf(name: string): string | null {
  if (isAscii(name)) return name;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesOf(name));
  } catch {
    return null;
  }
}

function isAscii(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x7f) return false;
  return true;
}

function lossy(name: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(name));
}
