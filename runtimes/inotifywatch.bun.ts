/** wsync-inotifywatch on Bun. */
import { runTool } from "../src/inotify.ts";
import { createHost } from "./_bunhost.ts";

const host = createHost();
host.exit(await runTool(host, "inotifywatch"));
