/** wsync-rrsync on Bun. */
import { main } from "../src/cli.ts";
import { createHost } from "./_bunhost.ts";

const host = createHost();
host.exit(await main(host, "--rrsync"));
