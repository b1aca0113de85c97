/** The inotify tools on Bun, as the bundle that _bunload.ts loads. */
import { runTool } from "../src/inotify.ts";
import { createHost } from "./_bunhost.ts";

const host = createHost();

/** Runs a tool over the command line. */
export function run(tool: "inotifywait" | "inotifywatch"): Promise<number> {
  return runTool(host, tool);
}

/** Ends the process. */
export function end(code: number): never {
  return host.exit(code);
}
