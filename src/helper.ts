/** The helper thread's program, which a runtime starts beside the main one: see posix/helperthread.ts. */
import { type Ffi, type HelperStart } from "./host.ts";
import { serveJobs } from "./posix/jobqueue.ts";
import { serveLists } from "./posix/listahead.ts";

export { awaitHelper } from "./posix/helperthread.ts";

const TASKS = { files: serveJobs, lists: serveLists };

/** Does what `start` says until it is told to stop. `loadFfi`: gives this thread's foreign functions, or throws. */
export function serveTask(loadFfi: () => Ffi, start: HelperStart): void {
  TASKS[start.task](loadFfi, start);
}
