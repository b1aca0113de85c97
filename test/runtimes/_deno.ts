/** The conformance program on Deno. */
import { createHost } from "../../runtimes/_denohost.ts";
import { runProgram } from "./_main.ts";

await runProgram(createHost());
