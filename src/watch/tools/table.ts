/** The table that inotifywatch ends with. */
import { bytesOf, nameOfText } from "../../memory.ts";
import { IN } from "../../posix/inotify.ts";
import { type Watch } from "./watchset.ts";

/** What the table's form depends on. */
export interface TableSettings {
  readonly events: number;
  readonly zero: boolean;
  readonly sortBy: number;
  readonly ascending: boolean;
}

const COLUMNS: readonly (readonly [string, number])[] = [
  ["access", IN.ACCESS], ["modify", IN.MODIFY], ["attrib", IN.ATTRIB], ["close_write", IN.CLOSE_WRITE],
  ["close_nowrite", IN.CLOSE_NOWRITE], ["open", IN.OPEN], ["moved_from", IN.MOVED_FROM], ["moved_to", IN.MOVED_TO],
  ["move_self", IN.MOVE_SELF], ["create", IN.CREATE], ["delete", IN.DELETE], ["delete_self", IN.DELETE_SELF],
  ["unmount", IN.UNMOUNT],
];

const TOTAL_WIDTH = 5;

/** The table as text: a column for each event that occurred (--zero: that was watched for). */
export function tableText(watches: readonly Watch[], settings: TableSettings): string {
  const columns = columnsOf(watches, settings);
  const head = ["total", ...columns.map(([name]) => name), "filename"].join("  ");
  const rows = rowsOf(watches, settings).map((watch) => [
    String(watch.total).padEnd(TOTAL_WIDTH),
    ...columns.map(([name, bits]) => String(hitsOf(watch, bits)).padEnd(name.length)),
    watch.name,
  ].join("  "));
  return `${[head, ...rows].join("\n")}\n`;
}

/** The same as one line of JSON. */
export function tableJson(watches: readonly Watch[], settings: TableSettings): string {
  const columns = columnsOf(watches, settings);
  const rows = rowsOf(watches, settings).map((watch) => ({
    filename: new TextDecoder().decode(bytesOf(watch.name)), total: watch.total,
    events: Object.fromEntries(columns.map(([name, bits]) => [name, hitsOf(watch, bits)])),
  }));
  return nameOfText(`${JSON.stringify(rows)}\n`);
}

function columnsOf(watches: readonly Watch[], { events, zero }: TableSettings): typeof COLUMNS {
  const wanted = events === 0 ? IN.ALL_EVENTS : events;
  return COLUMNS.filter(([, bits]) => (bits & wanted) !== 0
    && (zero || watches.some((watch) => hitsOf(watch, bits) > 0)));
}

function rowsOf(watches: readonly Watch[], { zero, sortBy, ascending }: TableSettings): Watch[] {
  const key = (watch: Watch): number => (sortBy === 0 ? watch.total : hitsOf(watch, sortBy));
  const sign = ascending ? 1 : -1;
  return watches.filter(({ total, left }) => !left && (zero || total > 0))
    .sort((a, b) => sign * (key(a) - key(b)) || a.wd - b.wd);
}

/** Events counted of one kind, given by its bit. */
function hitsOf({ hits }: Watch, bits: number): number {
  return hits[31 - Math.clz32(bits)];
}
