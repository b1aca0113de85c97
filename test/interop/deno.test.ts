/** The matrix on Deno: every pair of settings occurs, not every combination. */
import { defineMatrix } from "./_define.ts";
import { fullMatrix, pairwise, protocols, variants } from "./matrix.ts";

const cases = fullMatrix(["local", "shell", "daemon", "daemon-auth", "ssh"], Object.keys(variants), protocols);

defineMatrix("deno, pairs", "deno", pairwise(cases));
