/**
 * --iconv on the receiver: names and symlink targets in this side's charset. What has no name here keeps its number,
 * as the sender counts it, and is left alone. Upstream flist.c:recv_file_entry.
 */
import { latin1 } from "../memory.ts";
import { WireLimit } from "../protocol/constants.ts";
import { type NameConversion } from "./sentnames.ts";

/** Converts what arrives. */
export class ReceivedNames {
  private readonly p: NameConversion;

  constructor(conversion: NameConversion) {
    this.p = conversion;
  }

  /** The name in this side's charset, valid until the next call; null after telling why there is none. */
  name(bytes: Uint8Array, length: number): Uint8Array | null {
    return this.convert(bytes, length, WireLimit.path, "filename", () => latin1(bytes, 0, length));
  }

  /** Likewise a symlink's target; `path` is the symlink's own. */
  link(bytes: Uint8Array, length: number, path: () => string): Uint8Array | null {
    if (!this.p.links) return bytes.subarray(0, length);
    return this.convert(bytes, length, 2 * WireLimit.path, "symlink data", path);
  }

  private convert(
    bytes: Uint8Array, length: number, limit: number, what: "filename" | "symlink data", path: () => string,
  ): Uint8Array | null {
    const { receive } = this.p.charset;
    const converted = receive.convert(bytes, 0, length);
    if (converted !== null && converted.length < limit) return converted;
    this.p.refused(what, path(), converted === null ? receive.fault : "E2BIG");
    return null;
  }
}
