/** --iconv for the roles: which names are converted, and what is said about those that cannot be. */
import { joinPath } from "../files/confine.ts";
import { type NameConversion, type NameFault } from "../flist/sentnames.ts";
import { CompatFlag } from "../protocol/context.ts";
import { type Session } from "../session/session.ts";

/** How a session's file list is converted, or null. */
export function nameConversion(session: Session): NameConversion | null {
  const { charset, options, context, amServer, fs, log } = session;
  if (charset === null) return null;
  const links = amServer ? options.clientInfo.includes("s") : (context.compatFlags & CompatFlag.symlinkIconv) !== 0;
  return {
    charset, links,
    refused: (what, path, fault) => {
      const shown = what === "filename" || session.amSender ? path : `"${joinPath(session.host.cwd(), path)}"`;
      const text = `[${session.who}] cannot convert ${what}${what === "filename" ? "" : " for"}: ${shown}`;
      const reason = fs.strerror(errnoOf(session, fault));
      // A received name that cannot be converted is UTF-8 still, as messages to a client are.
      if (session.amSender || what !== "filename") log.errorXfer(`${text} (${reason})\n`);
      else log.errorUtf8(`${text} (${reason})\n`);
    },
  };
}

function errnoOf({ fs }: Session, fault: NameFault): number {
  return fs.constants.E[fault];
}
