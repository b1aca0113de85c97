/** The conformance program on Bun. */
import { createHost } from "../../runtimes/_bunhost.ts";
import { runProgram } from "./_main.ts";

await runProgram(createHost());
