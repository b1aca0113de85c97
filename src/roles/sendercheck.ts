/**
 * A sender's list against what this side asked for: names that the rules leave out, or that no argument stands for, end
 * the run, and the contents of directories that are mere parents are not to be deleted. Off with --trust-sender, on
 * servers (they ask for nothing) and where this side cannot know the names. Upstream options.c, main.c: trust_sender_*;
 * flist.c:recv_file_entry.
 */
import { ExitCode, ProtocolError } from "../errors.ts";
import { type Filters } from "../filter/mergefiles.ts";
import { RequestedNames } from "../filter/requested.ts";
import { type ReceiveOptions } from "../flist/receive.ts";
import { type Options } from "../options/options.ts";
import { type Session } from "../session/session.ts";

/** The source words that a client has sent to the other side. */
export interface SourceWords {
  readonly words: readonly string[];
  /** They begin with a daemon's module. */
  readonly daemon: boolean;
}

/** The names asked for so far, or null when the sender is trusted with them. --files-from adds its own later. */
export function requestedNames(session: Session, sources: SourceWords | null): RequestedNames | null {
  const { options } = session;
  if (sources === null || trustsFilters(session) || trustsNames(options)) return null;
  const asked = new RequestedNames({
    relative: options.relative > 0, recurse: options.recurse > 0, dirs: options.dirs > 0,
  });
  if (options.filesFrom === null) for (const word of sources.words) asked.add(word, sources.daemon);
  return asked;
}

/** The remote side expands the arguments, or reads their list, by itself. */
export function trustsNames({ trustSender, oldArgs, filesFromHost }: Options): boolean {
  return trustSender || oldArgs > 0 || filesFromHost !== null;
}

function trustsFilters({ amServer, options }: Session): boolean {
  return options.trustSender || amServer || options.readBatch !== null;
}

/** The checks as the list's reader takes them. */
export function senderChecks(
  session: Session, filters: Filters, asked: RequestedNames | null,
): Pick<ReceiveOptions, "accept" | "acceptsAllIn" | "isImpliedParent"> {
  // With merge files per directory the sender alone knows what is left out.
  const filtering = (): boolean => !trustsFilters(session) && !filters.hasPerDir && !filters.list.isEmpty;
  return {
    accept: (path, isDir) => {
      if (filtering() && filters.checkAsPeer(path, isDir) < 0) throw refused("excluded", path);
      if (asked?.accepts(path, isDir) === false) throw refused("unrequested", path);
    },
    acceptsAllIn: (dir) => !filtering() && (asked?.acceptsAllIn(dir) ?? true),
    isImpliedParent: (path) => asked?.isParentOnly(path) === true,
  };
}

function refused(why: "excluded" | "unrequested", path: string): ProtocolError {
  return new ProtocolError("file", `ERROR: rejecting ${why} file-list name: ${path}`, ExitCode.unsupported);
}
