/**
 * What one conversation takes, given back at its end. A session is made for a process that ends with it: it leaves
 * descriptors and memory to that end. A watch goes on for months, and a daemon's process may serve many clients, so
 * that each of theirs works through a platform of its own, which notes what is opened and allocated and lets go of the
 * rest when it is over.
 */
import { type Platform } from "./conversation.ts";
import { type LinearMemory } from "../memory.ts";
import { type FileSystem } from "../posix/filesystem.ts";

/** A platform for one conversation. */
export interface Scope {
  readonly platform: Platform;
  /** Closes and frees what has been left. Nothing of the conversation may run any more. */
  release(): void;
}

/**
 * Makes a scope over a platform, which stays as it is. `buffers`: where those of a connection lie. In the memory bytes
 * are copied faster, but then the runtime must be known to be through with the connection before the release.
 */
export function openScope(platform: Platform, buffers: "apart" | "in memory" = "apart"): Scope {
  const memory = scopedMemory(platform.kernels.memory, buffers === "apart");
  const fs = scopedFiles(platform.fs, memory.memory);
  return {
    platform: { ...platform, fs: fs.fs, kernels: { ...platform.kernels, memory: memory.memory } },
    release() {
      fs.release();
      memory.release();
    },
  };
}

/** The same memory, by an object that knows what was allocated through it. */
function scopedMemory(base: LinearMemory, apart: boolean): { memory: LinearMemory; release(): void } {
  const owned = new Set<number>();
  const own = {
    alloc(byteLength: number): number {
      // The limit may be this scope's own.
      memory.checkAlloc(byteLength);
      const ptr = base.alloc(byteLength);
      owned.add(ptr);
      return ptr;
    },
    release(ptr: number): void {
      owned.delete(ptr);
      base.release(ptr);
    },
  };
  // A runtime may still write into a buffer that it was reading into when its stream was destroyed.
  const ioBuffer = { ioBuffer: (byteLength: number): Uint8Array => new Uint8Array(byteLength) };
  const memory: LinearMemory = Object.assign(Object.create(base) as LinearMemory, own, apart ? ioBuffer : {});
  return {
    memory,
    release() {
      for (const ptr of owned) base.release(ptr);
      owned.clear();
    },
  };
}

/** The same file system, by an object that knows what was opened through it. */
function scopedFiles(base: FileSystem, memory: LinearMemory): { fs: FileSystem; release(): void } {
  const open = new Set<number>();
  const note = (fd: number): number => {
    if (fd >= 0) open.add(fd);
    return fd;
  };
  const own: Pick<FileSystem, "memory" | "openat" | "openat2" | "close" | "jobQueue" | "listAhead" | "listsAhead"> = {
    memory,
    // Its threads close descriptors by themselves, which the scope would close again: somebody else's by then.
    jobQueue: undefined,
    listAhead: undefined,
    listsAhead: undefined,
    openat: (dirfd, name, flags, mode) => note(base.openat(dirfd, name, flags, mode)),
    openat2: (dirfd, name, flags, mode, resolve) => note(base.openat2(dirfd, name, flags, mode, resolve)),
    close(fd) {
      open.delete(fd);
      return base.close(fd);
    },
  };
  const fs = Object.create(base) as FileSystem;
  for (const [name, value] of Object.entries(own)) Object.defineProperty(fs, name, { value });
  return {
    fs,
    release() {
      for (const fd of open) base.close(fd);
      open.clear();
    },
  };
}
