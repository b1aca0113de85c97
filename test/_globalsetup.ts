/** One scratch folder a test run, on tmpfs where there is one; removed at the end unless WSYNC_KEEP is set. */
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Makes the folder and names it in WSYNC_SCRATCH, which the workers inherit. Returns what removes it. */
export function setup(): (() => void) | undefined {
  if (process.env.WSYNC_SCRATCH !== undefined) return undefined;
  const path = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wsync-test-"));
  chmodSync(path, 0o755);
  process.env.WSYNC_SCRATCH = path;
  return () => {
    if (process.env.WSYNC_KEEP === undefined) rmSync(path, { recursive: true, force: true });
  };
}
