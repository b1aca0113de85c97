/** wsync-rrsync on Node.js, the command's bundle with a word in front. */
import { load } from "./_nodeload.ts";
import type * as Program from "./_nodeprogram.ts";

load<typeof Program>("wsync.node.cjs", import.meta.url).start("--rrsync");
