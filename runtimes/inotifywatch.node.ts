/** wsync-inotifywatch on Node.js, a thin loader of dist/inotify.node.cjs. */
import { load } from "./_nodeload.ts";
import type * as Tools from "./_nodetools.ts";

load<typeof Tools>("inotify.node.cjs", import.meta.url).start("inotifywatch");
