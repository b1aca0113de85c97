/** The helper thread's program, which a runtime starts beside the main one: see posix/jobqueue.ts. */
export { serveJobs } from "./posix/jobqueue.ts";
