/** The program on Bun, as the bundle that _bunload.ts loads, and unbundled as bun.ts runs it. */
import { main } from "../src/cli.ts";
import { createHost } from "./_bunhost.ts";

const host = createHost();

/** Runs the command line, behind some words of its own. */
export function run(...before: string[]): Promise<number> {
  return main(host, ...before);
}

/** Ends the process. */
export function end(code: number): never {
  return host.exit(code);
}
