/**
 * What the two sessions of a local transfer share besides the pipe: most of all, open source files on their way to the
 * receiver.
 *
 * Between two sides of one process a whole file need not travel as bytes. The sender offers its open descriptor and
 * writes one block token for a list of no blocks, which no other peer could mean; the receiver takes the offer and
 * lets the kernel copy. Offers are taken in the order in which they were made.
 */
import { type Observer } from "../output/events.ts";
import { ListHandover } from "../flist/handover.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { type Explainer } from "./explainer.ts";

/** An open source file. */
export interface SourceOffer {
  readonly fd: number;
  /** Bytes to copy, as the sender saw the file when it opened it. */
  readonly byteLength: number;
}

export class LocalLink {
  /** The client's file system where the two sides have different ones, else null. */
  clientFiles: FileSystem | null = null;
  /** Device and inode of the file the receiver last finished, for the sender's same-file check. */
  lastDevice = "";
  /** Who explains the decisions of both sides (--explain), if anybody does. */
  explainer: Explainer | null = null;
  /** Who watches the run: a listing is the server side's work. */
  observer: Observer | null = null;
  /** One side's time ran out and it has said so: the other one need not tell of the connection that it lost. */
  timedOut = false;
  /** With --copy-as: resolves when the client has become the other user, whom both sides then are. */
  identity: Promise<void> | null = null;
  /** Resolves `identity`. */
  settleIdentity: () => void = () => {};
  /** File lists as the sender has them. */
  readonly lists = new ListHandover();
  private readonly offers: SourceOffer[] = [];
  private head = 0;

  /** Has the server side wait for `settleIdentity`. */
  changesIdentity(): void {
    this.identity = new Promise((resolve) => {
      this.settleIdentity = resolve;
    });
  }

  offer(offer: SourceOffer): void {
    this.offers.push(offer);
  }

  /** The oldest offer, or undefined when there is none. */
  take(): SourceOffer | undefined {
    const offer = this.offers[this.head];
    if (offer === undefined) return undefined;
    this.head++;
    if (this.head === this.offers.length) {
      this.offers.length = 0;
      this.head = 0;
    }
    return offer;
  }
}
