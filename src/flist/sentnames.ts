/**
 * --iconv on the sender: names and symlink targets in the form in which they travel. What has no such form is left out
 * of the list. Upstream flist.c:send_file_name.
 */
import { type Charset } from "../charset/charset.ts";
import { type Fault } from "../charset/converter.ts";
import { WireLimit } from "../protocol/constants.ts";

/** A conversion that failed, by the errno that iconv(3) gives it. */
export type NameFault = Fault | "E2BIG";

/** What converting takes. */
export interface NameConversion {
  readonly charset: Charset;
  /** Symlink targets are converted too: the other side does so. */
  readonly links: boolean;
  /** Tells of a name that cannot be converted; `path` is as this side has it. */
  refused(what: "filename" | "symlink data", path: string, fault: NameFault): void;
}

/** Converts the names of one directory after another. */
export class SentNames {
  /** Length of the converted directory in front of each name, its slash included. */
  prefixLength = 0;
  private prefixFault: NameFault = "";
  private fault: NameFault = "";
  private readonly p: NameConversion;

  constructor(conversion: NameConversion) {
    this.p = conversion;
  }

  /** Puts `prefix`, a directory with its slash, in front of the names that follow in `name`. */
  enterDir(prefix: string, name: Uint8Array): void {
    const bytes = Uint8Array.from(prefix, (c) => c.charCodeAt(0));
    this.prefixLength = 0;
    const length = this.convert(bytes, 0, bytes.length, name, 0);
    this.prefixFault = this.fault;
    if (length >= 0) this.prefixLength = length;
  }

  /** Appends a converted name to the prefix in `name`: the length of both, or -1 after telling why not. */
  convertName(bytes: Uint8Array, start: number, end: number, name: Uint8Array, path: () => string): number {
    const length = this.prefixFault === "" ? this.convert(bytes, start, end, name, this.prefixLength) : -1;
    if (length >= 0) return this.prefixLength + length;
    this.p.refused("filename", path(), this.prefixFault || this.fault);
    return -1;
  }

  /** The converted target's length in `link`, or -1 after telling why not. */
  convertLink(bytes: Uint8Array, start: number, end: number, link: Uint8Array, path: () => string): number {
    if (!this.p.links) {
      link.set(bytes.subarray(start, end));
      return end - start;
    }
    const length = this.convert(bytes, start, end, link, 0);
    if (length < 0) this.p.refused("symlink data", path(), this.fault);
    return length;
  }

  private convert(bytes: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
    const { send } = this.p.charset;
    const converted = send.convert(bytes, start, end);
    const fits = converted !== null && at + converted.length < WireLimit.path;
    this.fault = converted === null ? send.fault : fits ? "" : "E2BIG";
    if (!fits) return -1;
    to.set(converted, at);
    return converted.length;
  }
}
