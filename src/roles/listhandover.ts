/** Which local copies hand file lists over (flist/handover.ts): those whose rows a receiver would only decode. */
import { type ListHandover } from "../flist/handover.ts";
import { type Session } from "../session/session.ts";

/** The sender's end of it, open from here on; null where the receiver has to decode bytes. */
export function openHandover(session: Session): ListHandover | null {
  const { localLink } = session;
  if (localLink === null || localLink.clientFiles !== null || !handlesRows(session)) return null;
  localLink.lists.isOpen = true;
  return localLink.lists;
}

/**
 * For either side, whose options may differ (--remote-option): do rows hold all that a receiver would read, and does it
 * do nothing else to them, and tell nothing of them?
 */
export function handlesRows({ context, options, log, fakeSuper, explainer }: Session): boolean {
  if (!context.incRecurse || options.relative > 0 || options.filesFrom !== null || options.iconv !== null) return false;
  if (options.preserveHardLinks > 0 || options.preserveAcls > 0 || options.preserveXattrs > 0) return false;
  if (options.preserveCrtimes || options.checksum || options.pruneEmptyDirs || options.mungeLinks) return false;
  if (options.usermap !== null || options.groupmap !== null || options.copyAs !== null) return false;
  if (options.chmod.length > 0 || options.missingArgs > 0 || options.writeBatch !== null) return false;
  return fakeSuper === null && explainer === null && !log.debug("FLIST", 2);
}
