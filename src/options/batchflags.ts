/**
 * The options that shape the sender's stream, as a batch file records them: their values here, and how a batch changes
 * them when it is replayed. Upstream batch.c:write_stream_flags, check_batch_flags.
 */
import { UsageError } from "../errors.ts";
import { BATCH_FLAGS, type BatchFlagName, type BatchFlags, batchFlagsOf } from "../protocol/batchheader.ts";
import { type Options } from "./options.ts";

/** How an option is read as a number and set from a bit. */
interface FlagOption {
  value(options: Options): number;
  set(options: Options, on: boolean): void;
}

/** Upstream's numbers for compressors; a choice left to the negotiation is below all of them. */
const COMPRESSORS: readonly string[] = ["none", "zlib", "zlibx", "lz4", "zstd"];
const UNDECIDED = -1;

type Field<T> = { [K in keyof Options]: Options[K] extends T ? K : never }[keyof Options];

const flag = (field: Field<boolean>): FlagOption => ({
  value: (options) => Number(options[field]),
  set: (options, on) => void Object.assign(options, { [field]: on }),
});

const level = (field: Field<number>): FlagOption => ({
  value: (options) => options[field] as number,
  set: (options, on) => void Object.assign(options, { [field]: Number(on) }),
});

/** --append and --append-verify share a field, and neither bit takes away what the command line asked for. */
const append = (mode: number): FlagOption => ({
  value: (options) => Number(options.append === mode),
  set: (options, on) => {
    if (on) options.append = mode;
  },
});

const FLAG_OPTIONS: Readonly<Record<BatchFlagName, FlagOption>> = {
  recurse: level("recurse"),
  preserveUid: flag("preserveUid"),
  preserveGid: flag("preserveGid"),
  preserveLinks: flag("preserveLinks"),
  preserveDevices: flag("preserveDevices"),
  preserveHardLinks: level("preserveHardLinks"),
  checksum: flag("checksum"),
  dirs: level("dirs"),
  compress: {
    value: ({ compress, compressChoice }) =>
      compressChoice === null ? (compress ? UNDECIDED : 0) : COMPRESSORS.indexOf(compressChoice),
    set: (options, on) => void (options.compress = on),
  },
  iconv: { value: ({ iconv }) => Number(iconv !== null), set: refuseIconv },
  preserveAcls: level("preserveAcls"),
  preserveXattrs: level("preserveXattrs"),
  inplace: flag("inplace"),
  append: append(1),
  appendVerify: append(2),
};

/** Names are stored in one charset, which only the user can know. */
function refuseIconv(_options: Options, on: boolean): never {
  throw new UsageError(`${on ? "Please" : "Do not"} specify the --iconv option to use this batch file.`);
}

/** What a batch written with these options says of itself. */
export function batchFlags(options: Options): BatchFlags {
  const flags = {} as Record<BatchFlagName, boolean>;
  for (const { name } of BATCH_FLAGS) flags[name] = FLAG_OPTIONS[name].value(options) !== 0;
  return flags;
}

/**
 * Makes the options those of the batch, as far as its protocol version records them; `tell` hears of each change.
 * Throws UsageError when --iconv is missing or too much.
 */
export function adoptBatchFlags(
  options: Options, flags: BatchFlags, version: number, tell: (text: string) => void,
): void {
  for (const { name, text } of batchFlagsOf(version)) {
    const option = FLAG_OPTIONS[name];
    if (option.value(options) === Number(flags[name])) continue;
    option.set(options, flags[name]);
    tell(`${flags[name] ? "Sett" : "Clear"}ing the ${text} option to match the batchfile.\n`);
  }
  if (version >= 29) return;
  if (options.recurse > 0) options.dirs |= 1;
  else if (options.dirs < 2) options.dirs = 0;
}
