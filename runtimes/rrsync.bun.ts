/** wsync-rrsync on Bun, the command's program with a word in front. */
import { runProgram } from "./_bunload.ts";
import type * as Program from "./_bunprogram.ts";

void runProgram<typeof Program>("program.bun.js", "--rrsync");
