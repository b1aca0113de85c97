/**
 * How the files layer tells what went wrong with one file: through an interface that the session supplies.
 *
 * A failing file never throws out of this layer; it is reported here and the caller goes on. Upstream log.c:rsyserr and
 * rprintf, whose log codes decide where a message goes and whether it counts towards exit code 23.
 */

import { type DebugWord } from "../options/levels.ts";

/** Upstream enum logcode, the part that the files layer uses. `errorXfer` makes the run end with code 23. */
export type LogCode = "errorXfer" | "error" | "warning" | "info" | "client";

/** Where messages go. Texts are names (one code unit per byte) without a newline at the end. */
export interface FileReporter {
  /** A finished line, upstream rprintf. */
  print(code: LogCode, text: string): void;
  /** A failed call, to be printed as `failureLine` has it; upstream rsyserr. `errno` is positive. */
  failed(code: LogCode, errno: number, text: string): void;
  /** Lines of --debug=WORD at that level are wanted; absent: none are. */
  wants?(word: DebugWord, level: number): boolean;
}

/** The line that `failed` stands for. `role` is upstream who_am_i: "sender", "receiver", "generator", "client" ... */
export function failureLine(role: string, text: string, errorText: string, errno: number): string {
  return `rsync: [${role}] ${text}: ${errorText} (${errno})`;
}
