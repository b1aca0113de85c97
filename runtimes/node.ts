/**
 * The command on Node.js, a thin loader of dist/wsync.node.cjs. Importing this file elsewhere gives the Host without
 * running anything.
 */
import { isProgram, load } from "./_nodeload.ts";
import type * as Program from "./_nodeprogram.ts";

const program = load<typeof Program>("wsync.node.cjs", import.meta.url);

/** The Host of this runtime. */
export const createHost = program.createHost;

if (isProgram(import.meta.url)) program.start();
