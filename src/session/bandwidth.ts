/** --bwlimit: spreads output over time. Upstream io.c:sleep_for_bwlimit. */
import { type Host } from "../host.ts";
import { type RateLimit } from "./output.ts";

/** Delays shorter than this are saved up, milliseconds. */
const LEAST_SLEEP_MS = 100;
const KIB = 1024;

export class BandwidthLimit implements RateLimit {
  private readonly host: Host;
  private readonly kibPerSecond: number;
  private owed = 0;
  private last = 0;

  constructor(host: Host, kibPerSecond: number) {
    this.host = host;
    this.kibPerSecond = kibPerSecond;
    this.last = host.monotonic();
  }

  /** Waits as long as `byteLength` bytes take at the set rate, less the time that has passed since. */
  pace(byteLength: number): Promise<void> | undefined {
    const now = this.host.monotonic();
    const elapsed = now - this.last;
    this.last = now;
    this.owed = Math.max(0, this.owed - (elapsed * this.kibPerSecond * KIB) / 1000) + byteLength;
    const delay = (this.owed * 1000) / (this.kibPerSecond * KIB);
    return delay < LEAST_SLEEP_MS ? undefined : this.host.sleep(delay);
  }
}
