/** The inotify tools on Node.js, as the bundle that their loaders load. */
import { runTool } from "../src/inotify.ts";
import { createHost } from "./_nodehost.ts";

/** Runs a tool over the command line and ends the process. */
export function start(tool: "inotifywait" | "inotifywatch"): void {
  const host = createHost();
  void runTool(host, tool).then((code) => host.exit(code));
}
