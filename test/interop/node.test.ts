/** The whole matrix on Node. */
import { defineMatrix } from "./_define.ts";
import { fullMatrix, protocols, sweptVariants, variants } from "./matrix.ts";

const newest = protocols.slice(-1);
const others = Object.keys(variants).filter((name) => !(sweptVariants as readonly string[]).includes(name));

defineMatrix("node, every protocol", "node", fullMatrix(["local", "shell", "daemon"], sweptVariants, protocols));
defineMatrix("node, further options", "node", fullMatrix(["local", "shell", "daemon"], others, newest));
defineMatrix("node, password and ssh", "node", fullMatrix(["daemon-auth", "ssh"], ["plain"], newest));
