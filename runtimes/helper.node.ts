/** The helper thread on Node.js: runtimes/build.mjs makes a text of it, which _nodehost.ts starts. */
import { workerData } from "node:worker_threads";
import { serveJobs } from "../src/helper.ts";
import { type HelperStart } from "../src/host.ts";
import { koffiFfi, loadKoffi } from "./_koffi.ts";

const { start, url } = workerData as { start: HelperStart; url: string };
serveJobs(() => koffiFfi(loadKoffi(url)), start);
