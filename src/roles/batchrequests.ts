/**
 * --read-batch: the generator's requests, which go to no sender. The receiver compares them with what the batch holds:
 * data that nobody asked for is skipped, and a request that the batch does not answer is reported. Upstream sends them
 * through a pipe: receiver.c:gen_wants_ndx, we_want_redo, no_batched_update.
 */
import { type FileList } from "../flist/filelist.ts";
import { type Writer } from "../protocol/cursor.ts";
import { NdxWriter } from "../protocol/ndx.ts";
import { Signal } from "../session/signal.ts";
import { type Receiving } from "./receiving.ts";

/** Takes the place of the writer that sends requests to a sender. */
export class BatchRequests extends NdxWriter {
  private readonly receiving: Receiving;
  private readonly wanted: number[] = [];
  private head = 0;
  /** Files that arrived damaged and may come again. */
  private readonly again: number[] = [];
  private ended = false;
  private readonly news = new Signal();

  constructor(receiving: Receiving) {
    super(receiving.session.context.version);
    this.receiving = receiving;
    receiving.onIdle = () => this.news.notify();
  }

  /** Takes down a request, or the end of a segment or phase. */
  override write(_out: Writer, ndx: number): void {
    if (ndx >= 0) this.wanted.push(ndx);
    else if (!this.receiving.session.context.incRecurse) this.ended = true;
    this.news.notify();
  }

  /** Does the generator want this file of a segment? What it wanted before it and has not got is not in the batch. */
  async wants(ndx: number, list: FileList): Promise<boolean> {
    for (;;) {
      while (this.head < this.wanted.length && this.wanted[this.head] < ndx) this.missed(this.wanted[this.head++], "");
      if (this.head < this.wanted.length) return this.take(ndx);
      if (this.isThrough(list)) return false;
      await this.news.wait();
    }
  }

  /** May a file that came before come again? */
  wantsAgain(ndx: number): boolean {
    while (this.again.length > 0 && this.again[0] < ndx) this.missed(this.again.shift()!, " resend of");
    if (this.again[0] !== ndx) return false;
    this.again.shift();
    return true;
  }

  damaged(ndx: number): void {
    this.again.push(ndx);
  }

  private take(ndx: number): boolean {
    if (this.wanted[this.head] !== ndx) return false;
    this.head++;
    if (this.head === this.wanted.length) this.wanted.length = this.head = 0;
    return true;
  }

  /** Has the generator asked for all it wants of this segment? If it waits for the receiver it asks for no more now. */
  private isThrough(list: FileList): boolean {
    const { first } = this.receiving.generatorView;
    return this.ended || this.receiving.generatorWaits || first === null || first.ndxStart > list.ndxStart;
  }

  private missed(ndx: number, what: string): void {
    const { receiving } = this;
    const { session } = receiving;
    const list = receiving.generatorView.forNdx(ndx, "no_batched_update");
    const path = list.path(ndx - list.ndxStart);
    session.log.errorXfer(`(No batched update for${what} "${path}")\n`);
    if (session.context.incRecurse && session.dryRun === 0) receiving.noSend(ndx);
  }
}
