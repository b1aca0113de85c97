/** Files of the disk for the library's functions, where node's modules are. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { type RandomAccess, type SyncAccess, TarFiles } from "../src/index.ts";

/** The part of node's FileHandle that is used. */
interface Handle {
  read(into: Uint8Array, at: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  close(): Promise<void>;
}

/** An open file with random access. */
export class OpenedFile implements RandomAccess {
  readonly byteLength: number;
  private readonly handle: Handle;

  constructor(handle: Handle, byteLength: number) {
    this.handle = handle;
    this.byteLength = byteLength;
  }

  /** Up to `byteLength` bytes at `offset`; fewer only at the end. */
  async read(offset: number, byteLength: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(byteLength);
    let done = 0;
    while (done < byteLength) {
      const { bytesRead } = await this.handle.read(bytes, done, byteLength - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** Opens a file as a basis or source. Its length is that of this moment. Rejects with the runtime's error. */
export async function openFile(path: string | URL): Promise<OpenedFile> {
  const handle = await open(path, "r");
  try {
    return new OpenedFile(handle, (await handle.stat()).size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A tar archive of the disk (not compressed), to be read only; its contents are read when they are needed. */
export class TarFile extends TarFiles {
  private readonly fd: number;

  /** Throws the runtime's error, or ProtocolError where the archive makes no sense. */
  constructor(path: string | URL) {
    const fd = openSync(path, "r");
    try {
      super(accessTo(fd));
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.fd = fd;
  }

  /** Closes the archive; its files cannot be read any more. */
  close(): void {
    closeSync(this.fd);
  }
}

function accessTo(fd: number): SyncAccess {
  return {
    byteLength: fstatSync(fd).size,
    read(offset, byteLength) {
      const bytes = new Uint8Array(byteLength);
      let done = 0;
      while (done < byteLength) {
        const count = readSync(fd, bytes, done, byteLength - done, offset + done);
        if (count === 0) break;
        done += count;
      }
      return bytes.subarray(0, done);
    },
  };
}
