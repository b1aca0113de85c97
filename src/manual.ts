/** What the manual page and the shell completions are made from, by the build (runtimes/_builddocs.mjs). */
import { ExitCode } from "./errors.ts";
import { CATEGORIES, FORMS } from "./options/help.ts";
import { levelWords } from "./options/levels.ts";
import { DAEMON_ROWS, OPTION_ROWS } from "./options/table.ts";
import { WSYNC_VERSION } from "./options/version.ts";
import { exitCodeName } from "./output/messages.ts";
import { CHECKSUMS, COMPRESSORS } from "./protocol/negotiate.ts";

/** Exit codes that never end a line of output, and so have no words of rsync's. */
const QUIET_CODES: Readonly<Record<number, string>> = {
  [ExitCode.ok]: "success", [ExitCode.logFile]: "a daemon cannot write its log file",
};

/** The command line as data. */
export const FACTS = {
  rows: OPTION_ROWS,
  daemonRows: DAEMON_ROWS,
  categories: CATEGORIES,
  forms: FORMS,
  version: WSYNC_VERSION,
  exitCodes: Object.values(ExitCode).map((code) => [code, QUIET_CODES[code] ?? exitCodeName(code)] as const),
  words: {
    checksums: CHECKSUMS.names, compressors: COMPRESSORS, info: levelWords("info"), debug: levelWords("debug"),
  },
};
