/** wsync-inotifywait on Bun. */
import { runProgram } from "./_bunload.ts";
import type * as Tools from "./_buntools.ts";

void runProgram<typeof Tools>("inotify.bun.js", "inotifywait");
