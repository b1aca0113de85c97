/**
 * The time of --stop-at: yyyy-mm-ddThh:mm with any leading part left out, in local time.
 *
 * Upstream: options.c:parse_time. What is left out on the left is taken from now and moved on to the next moment that
 * fits; a missing time is midnight; ":30" is the next half hour.
 */

/** Parts as C's struct tm counts them: years since 1900, months from 0. null: not given. */
interface Parts {
  year: number | null;
  month: number | null;
  day: number | null;
  hour: number | null;
  minute: number | null;
}

const HOUR = 3600;
const SYNTAX = /^(?:((?:\d+[-/]){0,2}\d+)(?=$|[Tt]))?(?:[Tt]?(\d+:\d+)|[Tt])?$/;
const MINUTE = /^:\d+$/;

/** Seconds since the epoch, or null when the text is no time. `now` likewise in seconds. */
export function parseStopTime(text: string, now: number): number | null {
  const parts = split(text);
  if (parts === null) return null;
  const today = new Date(now * 1000);
  const free = fillDate(parts, today);
  let step = 0;
  let movable = free;
  if (parts.minute === null) {
    parts.hour = parts.minute = 0;
  } else if (parts.hour === null) {
    if (free !== "day") return null;
    movable = "none";
    parts.hour = today.getHours();
    step = HOUR;
  }
  const { year, month, day, hour, minute } = parts as { [K in keyof Parts]: number };
  if (hour > 23 || minute > 59 || month < 0 || month > 11 || day < 1 || day > 31) return null;
  let time = nextMatch(new Date(year + 1900, month, day, hour, minute), day, movable, now);
  if (time !== null && step > 0) while (time <= now) time += step;
  return time;
}

type Movable = "none" | "year" | "month" | "day";

/** Moves a date on until it lies in the future and has its day of the month again. */
function nextMatch(date: Date, day: number, movable: Movable, now: number): number | null {
  const at = (year: number, month: number): Date => new Date(year, month, day, date.getHours(), date.getMinutes());
  const fits = (candidate: Date): boolean => candidate.getTime() / 1000 > now && candidate.getDate() === day;
  let year = date.getFullYear();
  let month = date.getDate() === day ? date.getMonth() : date.getMonth() - 1;
  if (movable === "none") return date.getTime() / 1000;
  for (let tries = 0; tries < 100; tries++) {
    const candidate = at(year, month);
    if (fits(candidate)) return candidate.getTime() / 1000;
    if (movable === "day") {
      const tomorrow = new Date(year, month, day + 1, date.getHours(), date.getMinutes());
      return tomorrow.getTime() / 1000;
    }
    if (movable === "month") month++;
    else year++;
  }
  return null;
}

/** Fills in the date's missing parts from today; says which part may move. */
function fillDate(parts: Parts, today: Date): Movable {
  const thisYear = today.getFullYear() - 1900;
  let movable: Movable = "none";
  if (parts.year === null) {
    parts.year = thisYear;
    movable = "year";
  } else if (parts.year < 100) {
    while (parts.year < thisYear) parts.year += 100;
  } else {
    parts.year -= 1900;
  }
  if (parts.month === null) {
    parts.month = today.getMonth();
    movable = "month";
  } else {
    parts.month--;
  }
  if (parts.day === null) {
    parts.day = today.getDate();
    movable = "day";
  }
  return movable;
}

function split(text: string): Parts | null {
  const [, date, time] = MINUTE.test(text) ? [text, undefined, text] : (SYNTAX.exec(text) ?? []);
  if (date === undefined && time === undefined) return null;
  const numbers = (part: string | undefined, separator: RegExp): (number | null)[] =>
    part === undefined ? [] : part.split(separator).map((word) => (word === "" ? null : Number(word)));
  const [day = null, month = null, year = null] = numbers(date, /[-/]/).reverse();
  const [minute = null, hour = null] = numbers(time, /:/).reverse();
  return { year, month, day, hour, minute };
}
