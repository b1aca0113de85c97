/**
 * What generator and receiver share: they are one side (Host-B), work on the same list and meet here and nowhere
 * else. The receiver reports how each requested file ended; the generator reads the reports between its own files.
 * Upstream sends these over a pipe: io.c:got_flist_entry_status, wait_for_receiver.
 */
import { type FileList } from "../flist/filelist.ts";
import { type LinkRow } from "../flist/hardlink.ts";
import { type SegmentView, Segments } from "../flist/segments.ts";
import { Signal } from "../session/signal.ts";
import { type Session } from "../session/session.ts";
import { MessageTag } from "../protocol/constants.ts";
import { type BatchRequests } from "./batchrequests.ts";
import { type Destination } from "./destination.ts";

/** One finished hard-link leader for the generator to act on. */
export interface LinkReport {
  readonly ndx: number;
  /** The sender could not send it. */
  readonly failed: boolean;
}

export class Receiving {
  readonly session: Session;
  readonly segments: Segments;
  readonly generatorView: SegmentView;
  readonly receiverView: SegmentView;
  destination!: Destination;
  /** The generator's requests when a batch is read, which the receiver goes by; null otherwise. */
  batchRequests: BatchRequests | null = null;
  /** Wakes the generator. */
  readonly events = new Signal();
  /** Phases the receiver has seen the end of. */
  phasesDone = 0;
  readonly redo: number[] = [];
  readonly linkReports: LinkReport[] = [];
  private readonly unanswered = new Map<number, string>();
  /** Rows that became the last of their hard-link group because others were left out: to be handled now. */
  readonly takeOvers: LinkRow[] = [];
  /** The generator is about to wait for the receiver. */
  onIdle: () => void = () => {};

  constructor(session: Session, segments: Segments) {
    this.session = session;
    this.segments = segments;
    this.generatorView = segments.view();
    this.receiverView = segments.view();
  }

  /** The generator has nothing to do before the receiver has news. */
  get generatorWaits(): boolean {
    return this.events.isAwaited;
  }

  /** A file arrived and is in place. */
  success(ndx: number): void {
    this.finished(ndx);
    if (this.session.log.debug("IO", 1)) this.traceSuccess(ndx);
    this.tellSender(ndx);
    this.reportLink(ndx, false);
  }

  /** --debug=io: rsync's receiver tells its generator by a message. */
  private traceSuccess(ndx: number): void {
    const { session } = this;
    const call = session.localLink ? `send_msg_success(${ndx})` : `send_msg_int(${MessageTag.success}, ${ndx})`;
    session.log.infoLine(`[receiver] ${call}\n`);
  }

  /** A file arrived and waits for its rename at the end (--delay-updates). */
  delayed(ndx: number): void {
    this.unanswered.delete(ndx);
    this.events.notify();
  }

  /** An item that needed no transfer is in place: its source may be removed. Upstream io.c:send_msg_success. */
  succeeded(ndx: number): void {
    this.tellSender(ndx);
  }

  /** With --remove-source-files the sender may remove its file now; with --only-write-batch nothing is in place yet. */
  private tellSender(ndx: number): void {
    const { options, output } = this.session;
    if (options.removeSourceFiles > 0 && !options.onlyWriteBatch) output.messageInt(MessageTag.success, ndx);
  }

  /** A file will not arrive. */
  noSend(ndx: number): void {
    this.finished(ndx);
    this.reportLink(ndx, true);
  }

  /** A file arrived damaged: ask again with full-length sums. A batch cannot be asked, but may hold it once more. */
  requestRedo(ndx: number, path: string): void {
    const { session, batchRequests } = this;
    const list = this.finished(ndx);
    this.unanswered.set(ndx, path);
    if (batchRequests !== null) {
      if (session.context.incRecurse) list.inProgress++;
      batchRequests.damaged(ndx);
      return;
    }
    list.toRedo++;
    this.redo.push(ndx);
  }

  phaseDone(): void {
    this.phasesDone++;
    this.events.notify();
  }

  /** Files that arrived damaged and never came again, by path: a sender that ends its run owes them. */
  missing(): Iterable<string> {
    return this.unanswered.values();
  }

  private finished(ndx: number): FileList {
    this.events.notify();
    this.unanswered.delete(ndx);
    const list = this.generatorView.forNdx(ndx, "got_flist_entry_status");
    if (this.session.context.incRecurse) list.inProgress--;
    return list;
  }

  private reportLink(ndx: number, failed: boolean): void {
    const { session } = this;
    if (!session.options.preserveHardLinks) return;
    const list = this.generatorView.forNdx(ndx, "got_flist_entry_status");
    if (!this.destination.isHardLinked(list, ndx - list.ndxStart)) return;
    this.linkReports.push({ ndx, failed });
    if (session.context.incRecurse) list.inProgress++;
  }
}
