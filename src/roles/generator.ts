/**
 * The generator: walks the list in order, brings every entry but file contents up to date, and asks the sender for
 * the files that differ. Upstream generator.c:generate_files, check_for_finished_files.
 *
 * The phases: 1 all files; 2 those that arrived damaged, with full-length sums; then (protocol 29 on) the renames of
 * delayed updates and (31 on) late deletions. The end of each is an ndx of `done` that travels through the sender to
 * the receiver, whose report of it ends the wait here.
 */
import { type FileList } from "../flist/filelist.ts";
import { type SegmentView } from "../flist/segments.ts";
import { FileFlag, IoError, Ndx } from "../protocol/constants.ts";
import { type NdxWriter } from "../protocol/ndx.ts";
import { writeDeleteStats } from "../protocol/stats.ts";
import { type Session } from "../session/session.ts";
import { deleteStatsOf } from "./counts.ts";
import { type Deletion } from "./deletion.ts";
import { type Entries } from "./entries.ts";
import { type Receiving } from "./receiving.ts";

/** Rows that should be known ahead; upstream MIN_FILECNT_LOOKAHEAD / 2. */
const LOW_WATER = 500;
/** Rows between two looks at the clock and the output. */
const BATCH_ROWS = 200;
/** The generator lets the other roles run at least this often, milliseconds. */
const SLICE_MS = 20;

export class Generator {
  private readonly session: Session;
  private readonly receiving: Receiving;
  private readonly entries: Entries;
  private readonly deletion: Deletion;
  private readonly ndxWriter: NdxWriter;
  private readonly view: SegmentView;
  private sliceStart = 0;
  /** Every segment has been looked at, so the last one may be closed too. */
  private walked = false;

  constructor(receiving: Receiving, entries: Entries, deletion: Deletion, ndxWriter: NdxWriter) {
    this.session = receiving.session;
    this.receiving = receiving;
    this.entries = entries;
    this.deletion = deletion;
    this.ndxWriter = ndxWriter;
    this.view = receiving.generatorView;
  }

  async run(): Promise<void> {
    const { session, deletion, entries } = this;
    this.sliceStart = session.host.monotonic();
    this.trace(() => `generator starting pid=${session.host.pid}`);
    entries.begin();
    if (deletion.mode === "before" && entries.soloName === null) deletion.pass(this.view.current!);
    if (session.log.debug("FLIST", 1)) {
      const how = entries.wholeFile ? "disabled for local transfer or --whole-file" : "enabled";
      session.log.infoLine(`delta-transmission ${how}\n`);
    }
    await this.walkSegments();
    this.walked = true;
    if (deletion.during) deletion.leave();
    await this.redoPhase();
    await this.lastPhases();
    this.touchUpAll();
    this.trace(() => "generate_files finished");
  }

  /** A line of --debug=genr. */
  private trace(text: () => string): void {
    const { log } = this.session;
    if (log.debug("GENR", 1)) log.infoLine(`${text()}\n`);
  }

  /** Phase 1: every segment, in order, as they arrive. */
  private async walkSegments(): Promise<void> {
    const { session, view, receiving } = this;
    const { incRecurse } = session.context;
    for (;;) {
      if (session.options.preserveHardLinks && incRecurse) {
        while (!receiving.segments.eof && view.total < LOW_WATER) await this.wait();
      }
      if (incRecurse) await this.enterDirectory(view.current!);
      await this.walkRows(view.current!);
      if (!incRecurse) {
        this.writeDone();
        return;
      }
      for (;;) {
        await this.checkFinished(true);
        if (view.current!.next || receiving.segments.eof) break;
        await this.wait();
      }
      if (!view.advance()) return;
    }
  }

  /** With incremental recursion a directory is handled in full right before its contents. */
  private async enterDirectory(list: FileList): Promise<void> {
    const { session, receiving, entries, deletion } = this;
    const { dirList } = receiving.segments;
    const dirRow = list.parentNdx;
    if (dirRow < 0 || dirRow >= dirList.used) return;
    // A directory without a name in this side's charset has nothing that could be made.
    if (!dirList.isActive(dirRow)) return;
    await entries.handle(dirList, dirRow, list.ndxStart - 1);
    if (!deletion.during || session.dryRun > 1 || session.options.listOnly) return;
    if (dirList.flags[dirRow] & FileFlag.missingDir) return;
    deletion.enter(list, dirList, dirRow);
  }

  private async walkRows(list: FileList): Promise<void> {
    const { entries } = this;
    const { active, low, high, ndxStart } = list;
    const count = active ? active.length : high - low + 1;
    entries.enter(list);
    for (let i = 0, rested = 0; i < count; i++) {
      if (!active) i += entries.pass(list, low + i, low + Math.min(count, i + BATCH_ROWS));
      if (i < count) {
        const row = active ? active[i] : low + i;
        const request = entries.process(list, row, ndxStart + row);
        if (request) await entries.request(request);
        if (this.hasNews()) await this.checkFinished(false);
      }
      if (i - rested >= BATCH_ROWS) {
        await this.breathe();
        rested = i;
      }
    }
    await this.breathe();
  }

  /** Sends what has gathered when it is enough, and lets the other roles run now and then. */
  private async breathe(): Promise<void> {
    const { session } = this;
    const { output } = session;
    output.spill();
    if (output.congested) await output.drain();
    const now = session.host.monotonic();
    if (now - this.sliceStart < SLICE_MS) return;
    output.flush();
    await session.host.sleep(0);
    this.sliceStart = session.host.monotonic();
  }

  private hasNews(): boolean {
    const { linkReports, takeOvers } = this.receiving;
    return linkReports.length > 0 || takeOvers.length > 0 || this.canCloseFirst();
  }

  private canCloseFirst(): boolean {
    const { view } = this;
    if (!view.first || !this.session.context.incRecurse || (view.first === view.current && !this.walked)) return false;
    return view.first.inProgress <= 0 && view.first.toRedo <= 0;
  }

  /** Acts on what the receiver has reported, and ends the oldest segments that have nothing under way. */
  private async checkFinished(withRedo: boolean): Promise<void> {
    const { receiving, entries, view } = this;
    for (;;) {
      const report = receiving.linkReports.shift();
      if (report) {
        const list = view.forNdx(report.ndx, "check_for_finished_files.1");
        entries.linkFinished(list, report.ndx - list.ndxStart, report.ndx, report.failed);
        list.inProgress--;
        continue;
      }
      const next = receiving.takeOvers.shift();
      if (next) {
        await entries.handle(next.list, next.row, next.ndx);
        continue;
      }
      const redo = withRedo ? receiving.redo.shift() : undefined;
      if (redo !== undefined) {
        await this.redo(redo);
        continue;
      }
      if (!this.canCloseFirst()) return;
      this.closeFirst();
    }
  }

  private async redo(ndx: number): Promise<void> {
    const { entries, view } = this;
    const list = view.forNdx(ndx, "check_for_finished_files.2");
    await entries.redo(list, ndx - list.ndxStart, ndx);
    list.toRedo--;
  }

  private closeFirst(): void {
    const { session, receiving, view, deletion } = this;
    const first = view.first!;
    this.writeDone();
    if (deletion.mode !== "delay" && this.entries.tweaksDirs && first.parentNdx >= 0) {
      this.entries.touchUpDir(receiving.segments.dirList, first.parentNdx);
    }
    view.freeFirst();
    if (!receiving.segments.eof && view.total < LOW_WATER) session.output.flush();
  }

  /** Phase 2 begins when the receiver has seen the end of phase 1. */
  private async redoPhase(): Promise<void> {
    const { session, receiving, deletion } = this;
    const { version } = session.context;
    this.enterPhase(1);
    await this.until(1, true);
    this.enterPhase(2);
    this.writeDone();
    // The peer need not wait for phases that will do nothing, so their ends are sent ahead.
    const earlyDelay = !session.options.delayUpdates;
    const earlyDelete = deletion.endsEarly;
    if (version >= 29 && earlyDelay) this.writeDone();
    if (version >= 31 && earlyDelete) {
      this.writeDeleteStats();
      if (earlyDelay) this.writeDone();
    }
    await this.until(2, false);
    if (version < 29) return;
    this.enterPhase(3);
    if (!earlyDelay) {
      this.writeDone();
      if (version >= 31 && earlyDelete) this.writeDone();
    }
    while (receiving.phasesDone === 2) await this.wait();
  }

  private enterPhase(phase: number): void {
    this.entries.phase = phase;
    this.trace(() => `generate_files phase=${phase}`);
  }

  /** Late deletions, and the end of the last phase. */
  private async lastPhases(): Promise<void> {
    const { session, receiving, deletion } = this;
    deletion.finish(this.view.first);
    if (deletion.skipped > 0) {
      session.log.warning(`Deletions stopped due to --max-delete limit (${deletion.skipped} skipped)\n`);
      session.ioError |= IoError.deleteLimit;
    }
    if (session.context.version < 31) return;
    if (!deletion.endsEarly) {
      this.writeDeleteStats();
      this.writeDone();
    }
    while (receiving.phasesDone === 3) await this.wait();
  }

  private touchUpAll(): void {
    const { session, entries, deletion, receiving } = this;
    if (!entries.tweaksDirs || !entries.needsTouchUp) return;
    if (session.context.incRecurse) {
      if (deletion.mode === "delay") entries.touchUpDirs(receiving.segments.dirList);
    } else if (this.view.first) {
      entries.touchUpDirs(this.view.first);
    }
  }

  private writeDeleteStats(): void {
    const { session } = this;
    const { options } = session;
    if (!(this.deletion.wanted || options.force || options.readBatch)) return;
    this.ndxWriter.write(session.output.writer, Ndx.delStats);
    writeDeleteStats(session.output.writer, deleteStatsOf(session.stats));
  }

  private writeDone(): void {
    this.ndxWriter.write(this.session.output.writer, Ndx.done);
  }

  /** Waits until the receiver has seen the end of `phases` phases. */
  private async until(phases: number, withRedo: boolean): Promise<void> {
    for (;;) {
      // What the receiver reported before the end of the phase has to be seen, even if both come during the look.
      const isOver = this.receiving.phasesDone >= phases;
      await this.checkFinished(withRedo);
      if (isOver) return;
      if (this.receiving.phasesDone < phases) await this.wait();
    }
  }

  private async wait(): Promise<void> {
    const { session } = this;
    session.output.flush();
    const news = this.receiving.events.wait();
    this.receiving.onIdle();
    await news;
    this.sliceStart = session.host.monotonic();
  }
}
