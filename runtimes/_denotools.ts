/** The inotify tools on Deno. The commands import it when they run: see deno.ts. */
import { runTool } from "../src/inotify.ts";
import { createHost } from "./_denohost.ts";

/** Runs a tool over the command line and ends the process. */
export async function start(tool: "inotifywait" | "inotifywatch"): Promise<never> {
  const host = createHost();
  return host.exit(await runTool(host, tool));
}
