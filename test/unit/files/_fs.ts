/** File systems for tests, over libc through koffi and over node:fs, and temporary directories to use them in. */
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHost } from "../../../runtimes/_nodehost.ts";
import { type Host } from "../../../src/host.ts";
import { LinearMemory } from "../../../src/memory.ts";
import { type FileSystem } from "../../../src/posix/filesystem.ts";
import { openFileSystem } from "../../../src/posix/open.ts";
import { type FileRows } from "../../../src/files/rows.ts";
import { type FileReporter, type LogCode } from "../../../src/files/report.ts";

const PAGES = 64;
const MAX_PAGES = 4096;

/** A fresh shared linear memory. */
export function newMemory(): LinearMemory {
  const wasm = new WebAssembly.Memory({ initial: PAGES, maximum: MAX_PAGES, shared: true });
  return new LinearMemory(wasm, 64, MAX_PAGES);
}

/** Node's Host, or for "node" the same without foreign functions. */
function testHost(kind: "libc" | "node"): Host {
  const host = createHost();
  if (kind === "libc") return host;
  return Object.create(host, { ffi: { value: null }, ffiMissing: { value: "not wanted" } }) as Host;
}

/** One file system of each kind; both are Linux's on Linux. */
export function testFileSystem(kind: "libc" | "node"): FileSystem {
  return openFileSystem(testHost(kind), newMemory());
}

/** A new directory under the system's temporary one, with its path as a name. */
export function tempDir(label: string): string {
  return nodeFs.mkdtempSync(join(tmpdir(), `wsync-${label}-`));
}

export function removeTree(dir: string): void {
  nodeFs.rmSync(dir, { recursive: true, force: true });
}

/** Collects what is reported. */
export class Collected implements FileReporter {
  readonly lines: string[] = [];
  private readonly fs: FileSystem;

  constructor(fs: FileSystem) {
    this.fs = fs;
  }

  print(code: LogCode, text: string): void {
    this.lines.push(`${code}: ${text}`);
  }

  failed(code: LogCode, errno: number, text: string): void {
    this.lines.push(`${code}: ${text}: ${this.fs.strerror(errno)} (${errno})`);
  }
}

/** The value, or an exception for -errno. */
export function must<T>(value: T | number): T {
  if (typeof value === "number") throw new Error(`errno ${-value}`);
  return value;
}

/** Rows over names in linear memory, as a file list has them; numbers are zero until a test sets them. */
export function rowsOf(fs: FileSystem, dirs: string[], entries: [string, string][]): FileRows {
  const { memory } = fs;
  const namePtr = Uint32Array.from(entries, ([, name]) => {
    const ptr = memory.alloc(name.length + 1);
    memory.writeCString(ptr, name);
    return ptr;
  });
  const zeros = (): Uint32Array => new Uint32Array(entries.length);
  return {
    dirs: { names: dirs }, namePtr, dir: Int32Array.from(entries, ([dir]) => dirs.indexOf(dir)), mode: zeros(),
    size: new Float64Array(entries.length), mtime: new Float64Array(entries.length), mtimeNsec: zeros(), uid: zeros(),
    gid: zeros(), flags: zeros(), extra: {},
    path: (row) => (entries[row][0] === "" ? entries[row][1] : `${entries[row][0]}/${entries[row][1]}`),
  };
}
