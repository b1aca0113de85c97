/**
 * V8 11.3 (Node.js 20) compiles what has run for a while on threads that take as many processors as they get: in a run
 * of half a second a third of all processor time, of which the helper thread and this one go without. So where a helper
 * works, only what has run four times as long as usual is compiled, with less of other functions in it. Later versions
 * have a second, quicker compiler, and are left as they are.
 */
import { require } from "./_nodelike.ts";

const VERSION = "11.3.";
const USUAL = ["--interrupt-budget=67584", "--max-inlined-bytecode-size-cumulative=920"];
const PATIENT = ["--interrupt-budget=270336", "--max-inlined-bytecode-size-cumulative=200"];

/** From here on V8 compiles less. For a process that is wsync's own. */
export function compileLess(): void {
  if (!process.versions.v8.startsWith(VERSION)) return;
  const { setFlagsFromString } = require("node:v8") as typeof import("node:v8");
  PATIENT.forEach((flag) => setFlagsFromString(flag));
  // Compiled code that is kept at the end (_nodeload.ts) counts as made under the flags that are set then.
  process.prependOnceListener("exit", () => USUAL.forEach((flag) => setFlagsFromString(flag)));
}
