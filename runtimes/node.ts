/** The program on Node.js. Importing this file elsewhere gives the Host without running anything. */
import { realpathSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { main } from "../src/cli.ts";
import { createHost } from "./_nodehost.ts";

export { createHost };

function isProgram(): boolean {
  try {
    return realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
  } catch {
    return false;
  }
}

if (isProgram()) {
  const host = createHost();
  host.exit(await main(host));
}
