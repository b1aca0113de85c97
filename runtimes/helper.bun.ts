/** The helper thread on Bun: runtimes/build.mjs makes a text of it, which _bunhost.ts starts. */
import { workerData } from "node:worker_threads";
import { serveTask } from "../src/helper.ts";
import { type HelperStart } from "../src/host.ts";
import { type BunFfi, bunFfi } from "./_bunffi.ts";

declare const require: (name: string) => unknown;

serveTask(() => bunFfi(require("bun:ffi") as BunFfi), workerData as HelperStart);
