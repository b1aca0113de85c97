/**
 * wsync --server: this side of a conversation that somebody else started, on standard input and output. Upstream
 * main.c:start_server, and main for secluded arguments.
 */
import { UsageError } from "../errors.ts";
import { type ByteStream } from "../host.ts";
import { Cursor, NEED_MORE } from "../protocol/cursor.ts";
import { readProtectedArgs } from "../protocol/greeting.ts";
import { type Options } from "../options/options.ts";
import { type Parsed } from "../options/parse.ts";
import { converse, type Platform, refuseMissing } from "../conversation/conversation.ts";
import { openLogFile } from "../conversation/logfile.ts";
import { Log } from "../session/log.ts";
import { ReplayStream } from "../session/replaystream.ts";

/** Serves one conversation and returns the exit code. */
export async function runServer(platform: Platform, parsed: Parsed): Promise<number> {
  const stream = platform.host.stdio();
  if (parsed.action === "secluded") {
    const { words, rest } = await readWords(stream);
    const resumed = parsed.resume(words);
    if (resumed.action !== "run") throw new UsageError("unexpected secluded arguments");
    return serve(platform, resumed.options, new ReplayStream(rest, stream));
  }
  if (parsed.action !== "run") throw new UsageError("not a server");
  return serve(platform, parsed.options, stream);
}

function serve(platform: Platform, options: Options, stream: ByteStream): Promise<number> {
  refuseMissing(options, platform.fs);
  const log = new Log(platform.host, options, options.levels);
  log.logFile = openLogFile(platform, options, log);
  return converse(platform, {
    options, role: options.sender ? "sender" : "receiver", stream, args: options.args, version: null,
    localLink: null, filterArgs: options, log,
  });
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
