/** Reading a line from a descriptor byte by byte, for passwords typed on a terminal. */

/** The line without its end, or null at end of file before any byte. `readByte` returns -1 at end of file. */
export function readLine(readByte: () => number): string | null {
  const line: number[] = [];
  for (;;) {
    const byte = readByte();
    if (byte < 0 && line.length === 0) return null;
    if (byte < 0 || byte === 10) return new TextDecoder().decode(Uint8Array.from(line));
    line.push(byte);
  }
}
