/**
 * Mirror a directory, see what happens, stop in order on Ctrl-C, and tell errors apart.
 * Usage: mirror.mjs SOURCE TARGET, either of them HOST:PATH or rsync://HOST/MODULE/PATH if you like.
 */
import process from "node:process";
import { PartialError, sync, TransportError } from "wsync";

const [source, target] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

try {
  const { stats, receivedBytes, sentBytes } = await sync(`${source}/`, `${target}/`, {
    archive: true, delete: true, exclude: ["*.tmp", ".cache/"], info: "progress", signal: stop.signal,
    onEvent(event) {
      if (event.type === "file") console.log(event.itemize, event.path);
      if (event.type === "delete") console.log("*deleting  ", event.path);
      if (event.type === "progress" && event.listComplete) {
        process.stderr.write(`\r${event.transferredFiles} of ${event.totalFiles} files`);
      }
    },
  });
  console.log(`${stats.transferredFiles} files, ${sentBytes + receivedBytes} bytes for ${stats.totalSize}`);
} catch (error) {
  if (error instanceof PartialError) for (const { path, message } of error.failures) console.error(path, message);
  else if (error instanceof TransportError) console.error("no connection:", error.message);
  else throw error;
  process.exitCode = error.exitCode; // rsync's own
}
