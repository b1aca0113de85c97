/** A client's batch files: what --write-batch opens before anything else happens, and the run of --read-batch. */
import { ExitCode, UsageError } from "../errors.ts";
import { BatchRecorder } from "../batch/recorder.ts";
import { openReplay } from "../batch/replay.ts";
import { type Confined } from "../files/confine.ts";
import { type ByteStream } from "../host.ts";
import { batchFlags } from "../options/batchflags.ts";
import { type Options } from "../options/options.ts";
import { type Platform } from "../conversation/conversation.ts";
import { operatorFiles } from "../roles/operatorpaths.ts";
import { parseHostSpec } from "./hostspec.ts";

/** The batch that a run writes, or null. Throws WsyncError (3 or 11) when its files cannot be made. */
export function openRecorder(platform: Platform, options: Options): BatchRecorder | null {
  if (options.writeBatch === null) return null;
  const { args } = options;
  const last = args[args.length - 1] ?? "";
  return new BatchRecorder(files(platform, options), options.writeBatch, batchFlags(options), {
    program: programWords(platform.host.self), words: platform.host.argv, paths: args,
    destination: parseHostSpec(last, 0)?.path ?? last, from0: options.from0,
  });
}

/** A batch and where it is to be replayed. Throws WsyncError: 1 for a destination elsewhere, 11 for a bad file. */
export function openBatch(platform: Platform, options: Options): { stream: ByteStream; destination: string } {
  const stream = openReplay(files(platform, options), options.readBatch!, () => platform.host.stdio());
  const destination = options.args[options.args.length - 1] || ".";
  if (parseHostSpec(destination, 0) === null) return { stream, destination };
  throw new UsageError("remote destination is not allowed with --read-batch", ExitCode.syntax);
}

function files({ fs, host }: Platform, options: Options): Confined {
  return operatorFiles(fs, host.cwd(), options);
}

/** How a script starts this program: by its command where it was started so, else by interpreter and file. */
function programWords(self: readonly string[]): readonly string[] {
  const script = self[self.length - 1] ?? "";
  return /(?:^|\/)wsync$/.test(script) ? [script] : self;
}
