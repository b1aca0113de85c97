/** A ByteStream whose other end is the test: what arrives and what is taken is decided by hand. */
import { type ByteStream } from "../../../src/host.ts";

interface Pending {
  readonly chunk: Uint8Array;
  readonly take: () => void;
  readonly fail: (error: Error) => void;
}

export class HandStream implements ByteStream {
  /** Chunks whose writer still waits, oldest first. */
  readonly pending: Pending[] = [];
  /** Everything that was written, waited for or not. */
  readonly sent: number[] = [];
  /** Writes are taken at once; else they stay pending. */
  takes = true;
  private readonly arrived: (Uint8Array | Error | null)[] = [];
  private waiting: ((item: Uint8Array | Error | null) => void) | null = null;

  /** Lets bytes, the end (null) or an error arrive. */
  arrive(item: Uint8Array | readonly number[] | Error | null): void {
    const chunk = item instanceof Error || item === null ? item : Uint8Array.from(item);
    const { waiting } = this;
    this.waiting = null;
    if (waiting) waiting(chunk);
    else this.arrived.push(chunk);
  }

  read(): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      const settle = (item: Uint8Array | Error | null): void => (item instanceof Error ? reject(item) : resolve(item));
      const item = this.arrived.shift();
      if (item !== undefined) settle(item);
      else if (this.waiting) reject(new Error("two reads at once"));
      else this.waiting = settle;
    });
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    for (const byte of chunk) this.sent.push(byte);
    if (this.takes) return undefined;
    return new Promise((take, fail) => this.pending.push({ chunk, take, fail }));
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  destroy(): void {}
}

/** Lets everything that is due run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
