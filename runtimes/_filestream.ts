/** A ByteStream over plain descriptors: regular files, terminals and devices as standard input or output. */
import { read, writeSync } from "node:fs";
import { ExitCode, TransportError } from "../src/errors.ts";
import { type ByteStream } from "../src/host.ts";

const CHUNK_BYTES = 64 * 1024;

/** Reads through the runtime's thread pool, so that a silent terminal does not stop the program; writes at once. */
export class FileStream implements ByteStream {
  private readonly input: number;
  private readonly output: number;
  private readonly buffer = new Uint8Array(CHUNK_BYTES);
  private closed = false;

  constructor(input: number, output: number) {
    this.input = input;
    this.output = output;
  }

  read(): Promise<Uint8Array | null> {
    if (this.closed) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      read(this.input, this.buffer, 0, CHUNK_BYTES, null, (error, count) => {
        if (error) reject(fileStreamError(error));
        else resolve(count === 0 ? null : this.buffer.subarray(0, count));
      });
    });
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    try {
      for (let done = 0; done < chunk.length; ) done += writeSync(this.output, chunk, done, chunk.length - done);
      return undefined;
    } catch (error) {
      return Promise.reject(fileStreamError(error as Error));
    }
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  destroy(): void {
    this.closed = true;
  }
}

function fileStreamError(error: Error): TransportError {
  return new TransportError(`standard input or output failed: ${error.message}`, ExitCode.streamIo, { cause: error });
}
