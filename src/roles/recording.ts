/**
 * --write-batch: what a client's run puts into its batch file besides the bytes that its session copies there.
 * Upstream batch.c:write_batch_shell_file, io.c:start_write_batch, main.c:handle_stats.
 */
import { type Filters } from "../filter/mergefiles.ts";
import { Writer } from "../protocol/cursor.ts";
import { type EndStats, writeEndStats } from "../protocol/stats.ts";
import { type Session } from "../session/session.ts";

/** Writes the script that replays the batch; at this moment the rules are the user's own. */
export function writeReplayScript({ batch, context }: Session, filters: Filters): void {
  batch?.writeScript(context.version, filters.spelled());
}

/** The sender's stream begins with the next byte. */
export function startRecording({ batch, context, amSender, input, output }: Session): void {
  if (batch === null) return;
  const { version, compatFlags, checksumSeed } = context;
  batch.begin({ version, compatFlags, checksumSeed });
  const take = (bytes: Uint8Array): void => batch.write(bytes);
  if (amSender) output.record(take);
  else input.record(take);
}

/** A replay is the run of a client that receives, which a server's sender would tell these figures. */
export function recordStats({ batch, context }: Session, stats: EndStats): void {
  if (batch === null) return;
  const out = new Writer(64);
  writeEndStats(out, stats, context.version);
  batch.write(out.view());
}
