/** The helper thread's program, which a runtime starts beside the main one: see posix/jobqueue.ts. */
export { awaitHelper, serveJobs } from "./posix/jobqueue.ts";
