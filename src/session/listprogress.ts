/**
 * What the user sees while the file list is built or received. Upstream flist.c: start_filelist_progress,
 * emit_filelist_progress, finish_filelist_progress.
 */
import { LogCode } from "./log.ts";
import { type Session } from "./session.ts";

/** Entries between two updates of the count. */
const STEP = 100;

/** The lines of one list; which of them appear, the options decide. */
export class ListProgress {
  private readonly session: Session;
  private readonly shown: boolean;
  /** The next number of entries to tell. */
  private next = 0;
  /** The cursor is behind the count, which the next count overwrites. */
  private counting = false;

  constructor(session: Session) {
    const { options, context, log } = session;
    this.session = session;
    this.shown = log.info("FLIST", 1) && options.dirs > 0 && !session.amServer && !context.incRecurse;
  }

  /** The list begins. `doing`: "building file list" or "receiving file list". */
  start(doing: "building" | "receiving"): void {
    // A receiver counts an entry once it has it, a sender before.
    this.next = doing === "building" ? 0 : STEP;
    const { log, context, amServer } = this.session;
    log.write(LogCode.log, `${doing} file list\n`);
    if (this.shown) {
      log.write(LogCode.client, `${doing} file list ... `);
      log.needsNewline = log.isLoud;
    } else if (context.incRecurse && log.info("FLIST", 1) && !amServer) {
      log.write(LogCode.client, `${doing === "building" ? "sending" : "receiving"} incremental file list\n`);
    }
  }

  /** So many entries are known; with --info=flist2 every hundred are told, and that there are none yet. */
  count(entries: number): void {
    const { log } = this.session;
    if (!this.shown || !log.info("FLIST", 2)) return;
    for (; this.next <= entries; this.next += STEP) {
      if (this.counting) log.needsNewline = false;
      log.write(LogCode.client, ` ${this.next} files...\r`);
      log.needsNewline = this.counting = log.isLoud;
    }
  }

  /** The list is complete. */
  finish(entries: number): void {
    const { log } = this.session;
    if (!this.shown) return;
    log.needsNewline = false;
    log.infoLine(log.info("FLIST", 2) ? `${entries} file${entries === 1 ? " " : "s "}to consider\n` : "done\n");
  }
}
