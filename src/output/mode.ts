/** File types and permission strings of a mode. Upstream: lib/permstring.c. */

/** Type bits of a mode, as on the wire and on Linux. */
export const FileType = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  regular: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const;

/** The type bits of a mode. */
export function fileType(mode: number): number {
  return mode & 0o170000;
}

const LETTERS: Readonly<Record<number, string>> = {
  [FileType.directory]: "d",
  [FileType.symlink]: "l",
  [FileType.block]: "b",
  [FileType.character]: "c",
  [FileType.socket]: "s",
  [FileType.fifo]: "p",
};

/** "drwxr-xr-x". */
export function permissionString(mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = mode >> shift;
    const run = (bits & 1) !== 0;
    const last = (mode & special) === 0 ? (run ? "x" : "-") : run ? letter : letter.toUpperCase();
    return ((bits & 4) !== 0 ? "r" : "-") + ((bits & 2) !== 0 ? "w" : "-") + last;
  };
  return (LETTERS[fileType(mode)] ?? "-") + triple(6, 0o4000, "s") + triple(3, 0o2000, "s") + triple(0, 0o1000, "t");
}
