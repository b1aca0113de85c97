/**
 * Command-line words and paths as bytes. Runtimes decode them as UTF-8 and lose what is not; Linux keeps the original
 * bytes in /proc, which is read only when a word holds something other than ASCII.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { latin1, nameOfText } from "../src/memory.ts";

const ASCII = /^[\x00-\x7f]*$/;

/** `words` (the last words of this process's command line, decoded) as names. */
export function argvNames(words: readonly string[]): string[] {
  if (words.every((word) => ASCII.test(word))) return [...words];
  try {
    const bytes = readFileSync("/proc/self/cmdline");
    const exact = latin1(bytes, 0, bytes.length).split("\0").slice(0, -1);
    if (exact.length >= words.length) return words.length === 0 ? [] : exact.slice(-words.length);
  } catch {
    // No /proc: the decoded words are the best there is.
  }
  return words.map(nameOfText);
}

/** The working directory as a name, given the runtime's decoded form. */
export function cwdName(decoded: string): string {
  if (!decoded.includes("\ufffd")) return nameOfText(decoded);
  try {
    const bytes = readlinkSync("/proc/self/cwd", { encoding: "buffer" });
    return latin1(bytes, 0, bytes.length);
  } catch {
    return nameOfText(decoded);
  }
}

/** A name as the text that runtime functions take; bytes that are not UTF-8 become replacement characters. */
export function textOfName(name: string): string {
  return ASCII.test(name) ? name : Buffer.from(name, "latin1").toString("utf8");
}
