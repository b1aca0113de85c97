/** Code blocks of the project's documents, and how those that are commands are run. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../_programs.ts";

/** A fenced block. */
export interface Block {
  readonly document: string;
  /** Of its first line of code. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** All fenced blocks of a document, in order. */
export function blocksOf(document: string): Block[] {
  const text = readFileSync(join(projectRoot, document), "utf8");
  return [...text.matchAll(/^```(\w*)[^\n]*\n([^]*?)^```$/gm)].map(({ 1: language, 2: code, index }) => ({
    document, line: text.slice(0, index).split("\n").length + 1, language, text: code,
  }));
}

/** The file that a block is, by the comment in its first lines; null for commands. */
export function fileOf({ language, text }: Block): string | null {
  const comment = language === "js" ? /^\/\/ (\S+\.\w+)$/m : /^# (\S+\.\w+)$/m;
  return comment.exec(text.split("\n").slice(0, 2).join("\n"))?.[1] ?? null;
}

/** Commands that are not run here, and why. A line is left out when it begins so. */
export const NOT_RUN: readonly (readonly [begins: string, why: string])[] = [
  ["npm ci", "needs a registry; .ci/run and the tests of the package do it"],
  ["npm install -g", "needs a registry; the tests of the package install and run it"],
  ["npm run compile", "takes minutes; the tests of single-file programs run them"],
  ["npm run demo", "does not end; the tests in a browser use the same server"],
  ["npm test", "is what runs this test"],
  ["docker", "there is no Docker where the tests run; a test compares the Dockerfile with the commands of the README"],
];
