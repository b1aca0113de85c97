/** The conformance program on Node.js. */
import { createHost } from "../../runtimes/_nodehost.ts";
import { runProgram } from "./_main.ts";

await runProgram(createHost());
