/**
 * wsync --server: this side of a conversation that somebody else started, on standard input and output. Upstream
 * main.c:start_server, and main for secluded arguments.
 */
import { UsageError } from "../errors.ts";
import { expandPattern, type GlobTree } from "../files/glob.ts";
import { isDirectory } from "../files/perms.ts";
import { cleanName } from "../filter/paths.ts";
import { readFilterArguments } from "../roles/filters.ts";
import { type ByteStream } from "../host.ts";
import { type FileSystem, newStat } from "../posix/filesystem.ts";
import { Cursor, NEED_MORE } from "../protocol/cursor.ts";
import { readProtectedArgs } from "../protocol/greeting.ts";
import { type Options } from "../options/options.ts";
import { type Parsed } from "../options/parse.ts";
import { type Charset } from "../charset/charset.ts";
import { charsetFor } from "../conversation/charset.ts";
import { converse, type Platform, refuseMissing } from "../conversation/conversation.ts";
import { openLogFile } from "../conversation/logfile.ts";
import { Log } from "../session/log.ts";
import { ReplayStream } from "../session/replaystream.ts";

/** Serves one conversation and returns the exit code. */
export async function runServer(platform: Platform, parsed: Parsed): Promise<number> {
  const stream = platform.host.stdio();
  if (parsed.action !== "run" && parsed.action !== "secluded") throw new UsageError("not a server");
  const charset = charsetFor(platform, parsed.options);
  if (parsed.action === "run") return serve(platform, parsed.options, charset, stream);
  const { words, rest } = await readWords(stream);
  const plain = charset === null ? words : words.map((word) => charset.receive.lenient(word));
  const resumed = parsed.resume(expandPaths(platform.fs, plain));
  if (resumed.action !== "run") throw new UsageError("unexpected secluded arguments");
  return serve(platform, resumed.options, charset, new ReplayStream(rest, stream));
}

function serve(platform: Platform, options: Options, charset: Charset | null, stream: ByteStream): Promise<number> {
  refuseMissing(options, platform.fs);
  const log = new Log(platform.host, options, options.levels);
  log.logFile = openLogFile(platform, options, log);
  return converse(platform, {
    options, role: options.sender ? "sender" : "receiver", stream, args: options.args, version: null,
    localLink: null, log, charset, filterArgs: readFilterArguments(platform, options, log),
  });
}

/** Behind the "." stand paths, whose wild cards no shell has seen. Upstream io.c:read_args. */
function expandPaths(fs: FileSystem, words: readonly string[]): string[] {
  const dot = words.indexOf(".") + 1;
  if (dot === 0) return [...words];
  const tree = workingTree(fs);
  const clean = (path: string): string =>
    cleanName(path, { keepDotDirs: true, keepTrailingSlash: true, collapseDotDot: true })!;
  return [...words.slice(0, dot), ...words.slice(dot).flatMap((path) => expandPattern(clean(path), tree))];
}

/** The tree below the working directory. */
function workingTree(fs: FileSystem): GlobTree {
  const { O, AT } = fs.constants;
  const stat = newStat();
  return {
    look(path) {
      if (fs.fstatat(AT.FDCWD, fs.cstr(path), stat, true) < 0) return null;
      return isDirectory(stat.mode) ? "directory" : "other";
    },
    list(path) {
      const fd = fs.openat(AT.FDCWD, fs.cstr(path), O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
      const names: string[] = [];
      if (fd < 0) return names;
      fs.readDir(fd, (ptr, length) => void names.push(fs.memory.readLatin1(ptr, length)));
      fs.close(fd);
      return names;
    },
    isHidden: () => false,
  };
}

/** Reads the arguments that --secluded-args sends ahead, and what was read beyond them. */
async function readWords(stream: ByteStream): Promise<{ words: string[]; rest: Uint8Array }> {
  let bytes = new Uint8Array(0);
  for (;;) {
    const cursor = new Cursor(bytes);
    try {
      const words = readProtectedArgs(cursor);
      return { words, rest: bytes.slice(cursor.pos) };
    } catch (error) {
      if (error !== NEED_MORE) throw error;
    }
    const chunk = await stream.read();
    if (chunk === null) throw new UsageError("the connection closed before all arguments had come");
    const joined = new Uint8Array(bytes.length + chunk.length);
    joined.set(bytes);
    joined.set(chunk, bytes.length);
    bytes = joined;
  }
}
