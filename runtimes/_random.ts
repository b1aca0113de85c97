/** Random bytes, on every runtime. */

/** Most bytes that the runtimes' generators give at a time. */
const CHUNK_BYTES = 65536;

/** Fills `bytes`, which may lie in shared memory, from the system's generator. */
export function random(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    bytes.set(crypto.getRandomValues(new Uint8Array(Math.min(CHUNK_BYTES, bytes.length - at))), at);
  }
}
