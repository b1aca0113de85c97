/** wsync-rrsync on Deno. */
import type * as Program from "./_denoprogram.ts";

const program: typeof Program = await import("./_denoprogram.ts");
await program.start("--rrsync");
