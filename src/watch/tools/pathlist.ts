/** Which paths a tool watches and which it leaves out: from its words and from --fromfile. */

/** Longest line of a --fromfile, with its end. */
const LINE_BYTES = 4095;

/** Paths to watch and, given as @PATH, to leave out of recursion. */
export interface PathList {
  readonly watch: string[];
  readonly exclude: string[];
}

/** Names from a file's text come first. A name with "@" in front is one to leave out; "" and "@" name nothing. */
export function pathList(fileText: string, words: readonly string[]): PathList {
  const list: PathList = { watch: [], exclude: [] };
  for (const name of [...linesOf(fileText), ...words]) {
    if (name === "" || name === "@") continue;
    if (name.startsWith("@")) list.exclude.push(name.slice(1));
    else list.watch.push(name);
  }
  return list;
}

function linesOf(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const parts: string[] = [];
    for (let at = 0; at < line.length; at += LINE_BYTES) parts.push(line.slice(at, at + LINE_BYTES));
    return parts;
  });
}
