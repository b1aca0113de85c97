/** The program on Node.js, as the bundle that node.ts loads; and the library, as the bundle that `require` gives. */
import { main } from "../src/cli.ts";
import { createHost } from "./_nodehost.ts";

export * from "./library.node.ts";

/** Runs the command line and ends the process. */
export function start(): void {
  const host = createHost();
  void main(host).then((code) => host.exit(code));
}
