/** The program on Node.js, as the bundle that node.ts loads. */
import { main } from "../src/cli.ts";
import { createHost } from "./_nodehost.ts";

export { createHost };

/** Runs the command line and ends the process. */
export function start(): void {
  const host = createHost();
  void main(host).then((code) => host.exit(code));
}
