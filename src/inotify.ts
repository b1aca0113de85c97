/** The inotify tools as functions of a Host, which the programs in runtimes/ call. */
import { type Host } from "./host.ts";
import { WSYNC_VERSION } from "./options/version.ts";
import { inotifywait } from "./watch/tools/inotifywait.ts";
import { inotifywatch } from "./watch/tools/inotifywatch.ts";

/** Runs one of the tools over the host's command line; resolves to its exit code. */
export function runTool(host: Host, tool: "inotifywait" | "inotifywatch"): Promise<number> {
  return (tool === "inotifywait" ? inotifywait : inotifywatch)(host, WSYNC_VERSION);
}
