/** What a session tells the batch file that records it (--write-batch); src/batch has the file. */

/** What the protocol's start says about a recording, as it stands in the file. */
export interface RecordingStart {
  readonly version: number;
  readonly compatFlags: number;
  readonly checksumSeed: number;
}

/** Where a recording goes. Each call writes at once and throws WsyncError (11) when that fails. */
export interface BatchSink {
  /** The script that replays the batch; `rules` are the filter rules in force, spelled as for --filter. */
  writeScript(version: number, rules: readonly string[]): void;
  /** Comes before the first bytes of the sender's stream. */
  begin(start: RecordingStart): void;
  /** Bytes of the sender's stream. */
  write(bytes: Uint8Array): void;
}
