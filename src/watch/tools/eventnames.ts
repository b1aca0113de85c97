/** Names of inotify events: as the tools print them, and as `-e` takes them. */
import { IN } from "../../posix/inotify.ts";

/** Printed names in the order they are printed in; CLOSE stands for either of two bits. */
const PRINTED: readonly (readonly [string, number])[] = [
  ["ACCESS", IN.ACCESS], ["MODIFY", IN.MODIFY], ["ATTRIB", IN.ATTRIB], ["CLOSE_WRITE", IN.CLOSE_WRITE],
  ["CLOSE_NOWRITE", IN.CLOSE_NOWRITE], ["OPEN", IN.OPEN], ["MOVED_FROM", IN.MOVED_FROM], ["MOVED_TO", IN.MOVED_TO],
  ["CREATE", IN.CREATE], ["DELETE", IN.DELETE], ["DELETE_SELF", IN.DELETE_SELF], ["UNMOUNT", IN.UNMOUNT],
  ["Q_OVERFLOW", IN.Q_OVERFLOW], ["IGNORED", IN.IGNORED], ["CLOSE", IN.CLOSE], ["MOVE_SELF", IN.MOVE_SELF],
  ["ISDIR", IN.ISDIR], ["ONESHOT", IN.ONESHOT],
];

const ACCEPTED: ReadonlyMap<string, number> = new Map([
  ...PRINTED, ["MOVE", IN.MOVE] as const, ["ALL_EVENTS", IN.ALL_EVENTS] as const,
]);

/** The bits of a mask by name. */
export function eventNames(mask: number): string[] {
  return PRINTED.filter(([, bits]) => (mask & bits) !== 0).map(([name]) => name);
}

/** The names joined by a separator; a mask without any known bit as a number. */
export function eventText(mask: number, separator: string): string {
  const text = eventNames(mask).join(separator);
  return text === "" ? `0x${(mask >>> 0).toString(16).padStart(8, "0")}` : text;
}

/** The mask of a comma-separated list, or null when a name in it is unknown. An empty element empties the result. */
export function eventMask(text: string): number | null {
  if (text === "") return 0;
  let mask = 0;
  for (const name of text.split(",")) {
    if (name === "") return 0;
    const bits = ACCEPTED.get(name.toUpperCase());
    if (bits === undefined) return null;
    mask |= bits;
  }
  return mask;
}
