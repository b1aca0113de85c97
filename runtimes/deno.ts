/** The program on Deno. Importing this file elsewhere gives the Host without running anything. */
import { main } from "../src/cli.ts";
import { createHost } from "./_denohost.ts";

export { createHost };

if ((import.meta as { main?: boolean }).main) {
  const host = createHost();
  host.exit(await main(host));
}
