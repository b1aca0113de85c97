/** Syntax of --chmod arguments; files/ gives them their meaning. Upstream: chmod.c:parse_chmod. */

const CLAUSE = /^(?:[DFugoa]*[-+=](?:[rwxXst]*|[ugo])|[DF]*[0-7]+)$/;

/** True when every clause of a comma-separated --chmod argument is well formed. */
export function isChmodText(text: string): boolean {
  return text.split(",").every((clause) => {
    if (!CLAUSE.test(clause)) return false;
    const who = clause.slice(0, clause.search(/[-+=0-9]/));
    if (who.includes("D") && who.includes("F")) return false;
    const octal = /[0-7]+$/.exec(clause);
    return octal === null || Number.parseInt(octal[0], 8) <= 0o7777;
  });
}
