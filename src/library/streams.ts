/** From a generator of chunks to the stream that callers get, and the settings that all the work shares. */

/** Settings of every function that works through a stream. */
export interface WorkOptions {
  /** Stops the work: the stream then fails with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called as input is taken: bytes so far, and of how many, null where nobody knows. */
  readonly onProgress?: (doneBytes: number, totalBytes: number | null) => void;
}

/**
 * A stream that takes each chunk from `chunks` when it is asked for one. Nothing begins before the first is; whoever
 * stops reading ends the generator, which then gives back what it holds.
 */
export function streamOf(chunks: AsyncGenerator<Uint8Array>, signal?: AbortSignal): ReadableStream<Uint8Array> {
  const abandon = (): void => void chunks.return(undefined).catch(() => {});
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        signal?.throwIfAborted();
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        abandon();
        controller.error(error);
      }
    },
    async cancel() {
      await chunks.return(undefined);
    },
  }, { highWaterMark: 0 });
}
