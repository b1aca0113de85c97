/** The command on Bun, a thin loader of dist/program.bun.js. Unbuilt, bun.ts is the command. */
import { runProgram } from "./_bunload.ts";
import type * as Program from "./_bunprogram.ts";

void runProgram<typeof Program>("program.bun.js");
