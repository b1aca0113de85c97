/** The program on Bun, unbuilt or as one executable. */
import { end, run } from "./_bunprogram.ts";

end(await run());
