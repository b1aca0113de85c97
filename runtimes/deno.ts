/**
 * The program on Deno, which keeps the compiled code of what it imports in its own folder. It comes to that in turns of
 * its event loop, of which a short run of a module that is imported statically has none.
 */
import type * as Program from "./_denoprogram.ts";

const program: typeof Program = await import("./_denoprogram.ts");
await program.start();
