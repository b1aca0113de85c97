/** The helper thread on Node.js: runtimes/build.mjs makes a text of it, which _nodehost.ts starts. */
import { workerData } from "node:worker_threads";
import { serveTask } from "../src/helper.ts";
import { type HelperStart } from "../src/host.ts";
import { koffiFfi, loadKoffi } from "./_koffi.ts";

const { start, url } = workerData as { start: HelperStart; url: string };
serveTask(() => koffiFfi(loadKoffi(url)), start);
