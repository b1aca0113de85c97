/**
 * Command-line words and paths as bytes. Runtimes decode them as UTF-8 and lose what is not; Linux keeps the original
 * bytes in /proc, which is read only when a word holds something other than ASCII.
 */
import { ExitCode, UsageError } from "../src/errors.ts";
import { bytesOf, latin1, nameOfText } from "../src/memory.ts";

const NOT_ASCII = /[^\t-~]/;

/** `words` (the last words of this process's command line, decoded by the runtime) as names. */
export function argvNames(words: readonly string[], readFile: (path: string) => Uint8Array): string[] {
  if (words.every((word) => !NOT_ASCII.test(word))) return [...words];
  try {
    const bytes = readFile("/proc/self/cmdline");
    const exact = latin1(bytes, 0, bytes.length).split("\0").slice(0, -1);
    if (exact.length >= words.length) return exact.slice(exact.length - words.length);
  } catch {
    // No /proc: the decoded words are the best there is.
  }
  return words.map(nameOfText);
}

/** A name as the text that runtime functions take; bytes that are not UTF-8 become replacement characters. */
export function textOfName(name: string): string {
  return NOT_ASCII.test(name) ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(name)) : name;
}

/**
 * The command line as text that a runtime can pass on. Words that are not UTF-8, which it would mangle, are made by a
 * shell from octal escapes; that shell then becomes the command.
 */
export function passableArgv(argv: readonly string[]): string[] {
  const words = argv.map(textOfName);
  if (words.every((word, i) => nameOfText(word) === argv[i])) return words;
  return ["sh", "-c", `${argv.map(appendWord).join("\n")}\nexec "$@"`];
}

/** Shell code that appends one word to "$@". The x keeps final newlines, which the substitution would drop. */
function appendWord(name: string): string {
  const octal = Array.from(name, (char) => "\\" + char.charCodeAt(0).toString(8).padStart(3, "0")).join("");
  return `v=$(printf '${octal}x'); set -- "$@" "\${v%x}"`;
}

/** What the runtime says the working directory is; an error like rsync's when it has been removed. */
export function currentDirectory(read: () => string): string {
  try {
    return read();
  } catch {
    throw new UsageError("rsync: getcwd(): No such file or directory (2)", ExitCode.fileSelect);
  }
}
