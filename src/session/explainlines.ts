/**
 * Lines of a run that tell why a name is left alone: the same whether this program or a stock rsync says them.
 * Upstream generator.c, flist.c, delete.c.
 */
import { type LineFact } from "./explainfacts.ts";

/** A line's form, with "%" for the name. */
interface LineForm extends LineFact {
  readonly form: string;
  /** The form is the whole line, or its beginning or end. */
  readonly place: "whole" | "start" | "end";
}

const FORMS: readonly LineForm[] = [
  { form: "% is uptodate", place: "whole", verdict: "up to date", reason: "nothing differs" },
  { form: "% exists", place: "start", verdict: "skipped", reason: "the receiver has it (--ignore-existing)" },
  { form: "% is newer", place: "whole", verdict: "skipped", reason: "the receiver's is newer (--update)" },
  { form: "% is over max-size", place: "whole", verdict: "skipped", reason: "it is larger than --max-size allows" },
  { form: "% is under min-size", place: "whole", verdict: "skipped", reason: "it is smaller than --min-size allows" },
  { form: 'not creating new file "%"', place: "whole", verdict: "skipped",
    reason: "the receiver does not have it (--existing)" },
  { form: 'not creating new directory "%"', place: "whole", verdict: "skipped",
    reason: "the receiver does not have it (--existing)" },
  { form: 'skipping non-regular file "%"', place: "whole", verdict: "skipped",
    reason: "its kind is not asked for (--links, --devices, --specials)" },
  { form: "skipping directory %", place: "whole", verdict: "skipped",
    reason: "it is a directory (neither --recursive nor --dirs is given)" },
  { form: "skipping mount-point dir %", place: "end", verdict: "skipped",
    reason: "another file system is mounted there (--one-file-system)" },
  { form: 'ignoring unsafe symlink "%" -> ', place: "start", verdict: "skipped",
    reason: "it is a symlink that leads out of the transfer (--safe-links)" },
  { form: "cannot delete non-empty directory: %", place: "whole", verdict: "kept",
    reason: "it is a directory that something stays in" },
  { form: "cannot delete mount point: %", place: "whole", verdict: "kept",
    reason: "another file system is mounted there (--one-file-system)" },
  { form: "skipping overly long name: %", place: "whole", verdict: "refused", reason: "its name is too long" },
];

/** What a line says about `name`, or null. `places`: directories that the paths in errors start with. */
export function readLine(text: string, name: string, isError: boolean, places: readonly string[]): LineFact | null {
  for (const { form, place, verdict, reason } of FORMS) {
    const line = form.replace("%", () => name);
    const fits = place === "whole" ? text === line : place === "start" ? text.startsWith(line) : text.endsWith(line);
    if (fits) return { verdict, reason };
  }
  return isError && quoted(text).some((path) => isPathOf(path, name, places))
    ? { verdict: "refused", reason: text }
    : null;
}

function quoted(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"/g)].map(([, path]) => path);
}

/** Does a path from a message mean the name: as it is, or below a place that the transfer knows? */
function isPathOf(path: string, name: string, places: readonly string[]): boolean {
  if (path === name) return true;
  if (!path.endsWith(`/${name}`)) return false;
  const start = path.slice(0, -name.length - 1);
  return places.some((place) => {
    const clean = place.replace(/(?:\/\.?)+$/, "").replace(/^(?:\.\/)+/, "");
    return clean === "" || clean === "." || start === clean || start.endsWith(`/${clean}`);
  });
}
