/** One event as text: the tools' --format, their CSV and JSON. Texts are names (one code unit per byte). */
import { bytesOf, nameOfText } from "../../memory.ts";
import { eventNames, eventText } from "./eventnames.ts";
import { IN } from "../../posix/inotify.ts";

/** No line, and no escaped field, is longer than this. */
const MOST = 4096;

/** An event with the watched path it was seen on. */
export interface ToolEvent {
  /** The watched file or directory, the latter with a slash at the end. */
  readonly watched: string;
  readonly name: string;
  readonly mask: number;
  readonly cookie: number;
}

/** What %T and JSON need. */
export interface FormatClock {
  /** Seconds since the epoch. */
  now(): number;
  /** The time in the --timefmt format. "" without one. */
  time(): string;
}

/**
 * Fills a format. Null when the format ends in an unfinished conversion or its time is empty: nothing is printed then,
 * as in inotify-tools.
 */
export function formatEvent(format: string, event: ToolEvent, clock: FormatClock): string | null {
  let out = "";
  for (let i = 0; i < format.length && out.length < MOST - 1; i++) {
    const char = format[i];
    if (char !== "%") {
      out += char;
      continue;
    }
    const next = format[++i];
    if (next === undefined) return null;
    const simple = conversion(next, event);
    if (simple !== null) out += simple;
    else if (next === "T") {
      const time = clock.time();
      if (time === "") return null;
      out += time;
    } else if (format[i + 1] === "e") {
      out += eventText(event.mask, next);
      i++;
    } else out += `%${next}`;
  }
  return out.length > MOST ? out.slice(0, MOST) : out;
}

function conversion(letter: string, { watched, name, mask, cookie }: ToolEvent): string | null {
  switch (letter) {
    case "%": return "%";
    case "0": return "\0";
    case "n": return "\n";
    case "w": return watched;
    case "f": return name;
    case "c": return cookie.toString(16);
    case "e": return eventText(mask, ",");
    default: return null;
  }
}

/** The event as a line of CSV. */
export function csvEvent({ watched, name, mask }: ToolEvent): string {
  const first = csvField(watched);
  return `${first === "" ? "" : `${first},`}${csvField(eventText(mask, ","))},${csvField(name)}\n`;
}

function csvField(text: string): string {
  if (text === "" || text.length > MOST) return "";
  const plain = !/[",\n]/.test(text) && !text.startsWith(" ") && !text.endsWith(" ");
  return plain ? text : `"${text.replaceAll('"', '""')}"`;
}

/** The event as a line of JSON. `from`: where the first half of a rename was, on its second half. */
export function jsonEvent(event: ToolEvent, from: string | null, clock: FormatClock): string {
  const { watched, name, mask, cookie } = event;
  const record = {
    time: new Date(clock.now() * 1000).toISOString(),
    watched: textOf(watched), name: textOf(name), events: eventNames(mask), isDirectory: (mask & IN.ISDIR) !== 0,
    ...(cookie === 0 ? {} : { cookie }),
    ...(from === null ? {} : { from: textOf(from), to: textOf(watched + name) }),
    ...rawOf(watched + name),
  };
  return nameOfText(`${JSON.stringify(record)}\n`);
}

/** The exact bytes, in hexadecimal digits, of a path that is not UTF-8. */
function rawOf(path: string): { pathHex?: string } {
  if (nameOfText(textOf(path)) === path) return {};
  return { pathHex: Array.from(path, (char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("") };
}

function textOf(name: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(name));
}
