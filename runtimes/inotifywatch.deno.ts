/** wsync-inotifywatch on Deno. */
import type * as Tools from "./_denotools.ts";

const tools: typeof Tools = await import("./_denotools.ts");
await tools.start("inotifywatch");
