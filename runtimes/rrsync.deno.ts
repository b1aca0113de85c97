/** wsync-rrsync on Deno. */
import { main } from "../src/cli.ts";
import { createHost } from "./_denohost.ts";

const host = createHost();
host.exit(await main(host, "--rrsync"));
