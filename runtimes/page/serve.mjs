/**
 * `npm run demo`: builds the page and serves it on this machine.
 *
 * Usage: node runtimes/page/serve.mjs [--port N] [--no-build]
 */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPage } from "./build.mjs";

const TYPES = {
  ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
};

/** A server for one folder's files, nothing above or hidden. */
export function pageServer(folder) {
  return createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    const stat = path.includes("/.") ? undefined : statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile()) {
      response.writeHead(404, { "content-type": "text/plain" }).end("There is nothing here.\n");
      return;
    }
    response.writeHead(200, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-length": stat.size,
      "cache-control": "no-cache",
    });
    if (request.method === "HEAD") response.end();
    else createReadStream(file).pipe(response);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2);
  const port = Number(words[words.indexOf("--port") + 1]) || 8730;
  const built = join(dirname(fileURLToPath(import.meta.url)), "../../build/page");
  const folder = words.includes("--no-build") ? built : await buildPage();
  pageServer(folder).listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/`));
}
