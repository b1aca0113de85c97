/** The program on Deno. The commands import it when they run: see deno.ts. */
import { main } from "../src/cli.ts";
import { createHost } from "./_denohost.ts";

/** Runs the command line, behind some words of its own, and ends the process. */
export async function start(...before: string[]): Promise<never> {
  const host = createHost();
  return host.exit(await main(host, ...before));
}
