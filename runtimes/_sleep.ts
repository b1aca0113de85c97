/** Waiting, on every runtime. */

/**
 * Resolves after `ms` milliseconds. 0 is a turn of the event loop, for which a timer of the runtimes would take a whole
 * millisecond.
 */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => (ms > 0 ? void setTimeout(resolve, ms) : void setImmediate(resolve)));
}

/** Calls back once after `ms` milliseconds; returns the function that prevents it. */
export function timer(ms: number, call: () => void): () => void {
  const id = setTimeout(call, ms);
  return () => clearTimeout(id);
}
