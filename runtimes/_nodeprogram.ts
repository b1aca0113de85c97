/** The program on Node.js, as the bundle that node.ts loads; and the library, as the bundle that `require` gives. */
import { main } from "../src/cli.ts";
import { createHost } from "./_nodehost.ts";

export * from "./library.node.ts";

/** Runs the command line, behind some words of its own, and ends the process. */
export function start(...before: readonly string[]): void {
  const host = createHost(undefined, true);
  void main(host, ...before).then((code) => host.exit(code));
}
