/** Messages of the files layer as lines of the session's log. Upstream log.c:rsyserr. */
import { failureLine, type FileReporter } from "../files/report.ts";
import { LogCode } from "./log.ts";
import { type Session } from "./session.ts";

/** A FileReporter for one role of a session. */
export function fileReporter(session: Session, role: string): FileReporter {
  return {
    print: (code, text) => session.log.write(LogCode[code], `${text}\n`),
    failed: (code, errno, text) => {
      session.log.write(LogCode[code], `${failureLine(role, text, session.fs.strerror(errno), errno)}\n`);
    },
  };
}
