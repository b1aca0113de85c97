/** Messages of the files layer as lines of the session's log. Upstream log.c:rsyserr. */
import { failureLine, type FileReporter } from "../files/report.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { type Log, LogCode } from "./log.ts";
import { type Session } from "./session.ts";

/** A FileReporter for one role of a session. */
export function fileReporter(session: Session, role: string): FileReporter {
  return logReporter(session.log, session.fs, role);
}

/** A FileReporter over a log, before there is a session. */
export function logReporter(log: Log, fs: Pick<FileSystem, "strerror">, role: string): FileReporter {
  return {
    wants: (word, level) => log.debug(word, level),
    print: (code, text) => log.write(LogCode[code], `${text}\n`),
    failed: (code, errno, text) => log.write(LogCode[code], `${failureLine(role, text, fs.strerror(errno), errno)}\n`),
  };
}
