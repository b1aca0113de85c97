/**
 * C library functions for watching files and for the tools that print what was seen: bound apart from the file
 * system's table, because a transfer needs none of them.
 */
import { type Ffi, type FfiFunction, type FfiSignature, type FfiType } from "../host.ts";

function signature(args: readonly FfiType[], variadicFrom?: number): FfiSignature {
  return { args, result: "i32", variadicFrom };
}

/** Name, argument types, result type. Offsets, lengths and masks are numbers within ±2^53. */
const NOTIFY_TABLE = {
  inotify_init1: signature(["i32"]),
  inotify_add_watch: signature(["i32", "ptr", "u32"]),
  inotify_rm_watch: signature(["i32", "i32"]),
  fanotify_init: signature(["u32", "u32"]),
  fanotify_mark: signature(["i32", "u32", "u64", "i32", "ptr"]),
  open_by_handle_at: signature(["i32", "ptr", "i32"]),
  name_to_handle_at: signature(["i32", "ptr", "ptr", "ptr", "i32"]),
  regcomp: signature(["ptr", "ptr", "i32"]),
  regexec: signature(["ptr", "ptr", "u64", "ptr", "i32"]),
  localtime_r: { args: ["ptr", "ptr"], result: "ptr" } as FfiSignature,
  strftime: signature(["ptr", "u64", "ptr", "ptr"]),
  openlog: { args: ["ptr", "i32", "i32"], result: "void" } as FfiSignature,
  syslog: { args: ["i32", "ptr", "ptr"], result: "void", variadicFrom: 2 } as FfiSignature,
} as const satisfies Record<string, FfiSignature>;

/** Functions of the table. */
export type NotifyName = keyof typeof NOTIFY_TABLE;

/** Binds the named functions, or returns null when libc, or one of them, is not there. */
export function bindNotify<N extends NotifyName>(ffi: Ffi | null, names: readonly N[]): Record<N, FfiFunction> | null {
  if (ffi === null) return null;
  const wanted = Object.fromEntries(names.map((name) => [name, NOTIFY_TABLE[name]]));
  const functions = ffi.dlopen(null, wanted) ?? ffi.dlopen("libc.so.6", wanted);
  if (functions === null || names.some((name) => functions[name] === undefined)) return null;
  return functions as Record<N, FfiFunction>;
}
