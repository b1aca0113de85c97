/** wsync-inotifywatch on Deno. */
import { runTool } from "../src/inotify.ts";
import { createHost } from "./_denohost.ts";

const host = createHost();
host.exit(await runTool(host, "inotifywatch"));
