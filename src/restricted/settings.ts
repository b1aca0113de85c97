/** The restricted shell's own command line: rrsync's options, and -rsync=PROGRAM. */
import { UsageError } from "../errors.ts";

/** What the administrator allows. */
export interface RestrictedSettings {
  /** The restricted directory, as given. */
  readonly dir: string;
  readonly readOnly: boolean;
  readonly writeOnly: boolean;
  /** --munge-links on this side. */
  readonly munge: boolean;
  /** Arguments may name the restricted directory by its absolute path. */
  readonly absolute: boolean;
  /** No --delete* and --remove*. */
  readonly noDelete: boolean;
  readonly noLock: boolean;
  readonly noOverwrite: boolean;
  /** The rsync to run in place of this program; "" for none. */
  readonly rsync: string;
}

/** What -help prints. */
export const RESTRICTED_HELP = `Usage: wsync-rrsync [-ro|-wo] [-munge] [-absolute] [-no-del] [-no-lock] [-no-overwrite]
                    [-rsync=PROGRAM] DIR
   or: wsync --rrsync ... DIR

Serves the rsync command of an ssh login (SSH_ORIGINAL_COMMAND) inside DIR alone.

  -ro            only reading from DIR; implies -no-del and -no-lock
  -wo            only writing to DIR
  -munge         munge symlinks (--munge-links)
  -absolute      paths may begin with DIR's own absolute path
  -no-del        refuse --delete* and --remove*
  -no-lock       allow several runs at a time
  -no-overwrite  never change existing files (--ignore-existing)
  -rsync=PROGRAM run this rsync (3.5.0 or later) as the server
  -help, -h      print this help
`;

const FLAGS: Readonly<Record<string, Partial<RestrictedSettings>>> = {
  "-ro": { readOnly: true, noDelete: true, noLock: true },
  "-wo": { writeOnly: true },
  "-munge": { munge: true },
  "-absolute": { absolute: true },
  "-no-del": { noDelete: true },
  "-no-lock": { noLock: true },
  "-no-overwrite": { noOverwrite: true },
};

/** Parses the words; null asks for help. Throws UsageError. */
export function parseSettings(words: readonly string[]): RestrictedSettings | null {
  let settings: RestrictedSettings = {
    dir: "", readOnly: false, writeOnly: false, munge: false, absolute: false, noDelete: false, noLock: false,
    noOverwrite: false, rsync: "",
  };
  for (const word of words) {
    if (word === "-help" || word === "-h") return null;
    const rsync = /^-rsync=(.+)$/s.exec(word)?.[1];
    if (rsync !== undefined) settings = { ...settings, rsync };
    else if (Object.hasOwn(FLAGS, word)) settings = { ...settings, ...FLAGS[word] };
    else if (word.startsWith("-")) throw new UsageError(`unrecognized arguments: ${word}`);
    else if (settings.dir !== "") throw new UsageError("give one directory only");
    else settings = { ...settings, dir: word };
  }
  if (settings.readOnly && settings.writeOnly) throw new UsageError("argument -wo: not allowed with argument -ro");
  if (settings.dir === "") throw new UsageError("the following arguments are required: DIR");
  return settings;
}
