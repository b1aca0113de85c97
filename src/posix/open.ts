/** Chooses the file system a host can offer: libc where it can be called, else the runtime's node:fs. */
import { type Host } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { type FileSystem } from "./filesystem.ts";
import { openLibc } from "./libc.ts";
import { type NodeFs, NodeFileSystem } from "./nodefs.ts";

/**
 * The file system over `memory`. Sets `memory.base` where libc is called. The libc table knows 64-bit Linux; every
 * other system is served by node:fs. Throws the reason when there is neither.
 */
export function openFileSystem(host: Host, memory: LinearMemory): FileSystem {
  let why = host.ffiMissing;
  if (host.ffi !== null && host.os === "linux" && host.arch !== "other") {
    const libc = openLibc(host, memory);
    if (typeof libc !== "string") return libc;
    why = libc;
  }
  if (host.files.nodeFs !== null) return new NodeFileSystem(host, host.files.nodeFs as NodeFs, memory);
  throw new Error(`no file system: ${why}`);
}
