/** --log-file: a file of the operator's, opened before the first line. Upstream log.c:logfile_open. */
import { refusalHint } from "../files/operator.ts";
import { type Options } from "../options/options.ts";
import { LogFile } from "../output/logfile.ts";
import { operatorFiles } from "../roles/operatorpaths.ts";
import { type Log, type LogFileWriter } from "../session/log.ts";
import { type Platform } from "./conversation.ts";

/** Bits that a log file's mode never has. */
const LOG_UMASK = 0o022;

/**
 * Opens the log that the options name, to be appended to; null without one, or when it cannot be opened, which `log` is
 * told.
 */
export function openLogFile({ host, fs }: Platform, options: Options, log: Log): LogFileWriter {
  if (!options.logFile) return null;
  const { O } = fs.constants;
  const operator = operatorFiles(fs, host.cwd(), options);
  const umask = fs.umask(0);
  fs.umask(umask | LOG_UMASK);
  const fd = operator.openFollowing(options.logFile, O.WRONLY | O.APPEND | O.CREAT | O.CLOEXEC, 0o644);
  fs.umask(umask);
  operator.close();
  if (fd < 0) {
    const who = options.server ? "server" : "client";
    const reason = `${fs.strerror(-fd)} (${-fd})`;
    log.error(`rsync: [${who}] failed to open log-file ${options.logFile}: ${reason}\n`);
    if (operator.refusal) log.error(`${refusalHint(operator)}\n`);
    log.infoLine('Ignoring "log file" setting.\n');
    return null;
  }
  const file = new LogFile(fs, fd, { pid: host.pid, now: () => host.now() });
  return (text) => file.write(text);
}
