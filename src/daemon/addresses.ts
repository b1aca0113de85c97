/** IPv4 and IPv6 addresses as text and bytes. */

/** An address taken apart. `scope` is what stands behind "%" in an IPv6 address, "" for none. */
export interface Address {
  readonly bytes: Uint8Array;
  readonly scope: string;
}

/** Takes a numeric address apart, IPv4 in the short forms too that inet_aton(3) knows ("127.1"); null for a name. */
export function parseAddress(text: string): Address | null {
  const percent = text.indexOf("%");
  const bare = percent < 0 ? text : text.slice(0, percent);
  if (!bare.includes(":")) {
    const bytes = percent < 0 ? shortIpv4(bare) : null;
    return bytes === null ? null : { bytes, scope: "" };
  }
  const bytes = ipv6(bare);
  return bytes === null ? null : { bytes, scope: percent < 0 ? "" : text.slice(percent + 1) };
}

/** Four decimal numbers and nothing else, as inet_pton(3) wants them; null otherwise. */
export function dottedIpv4(text: string): Uint8Array | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  const numbers = match.slice(1).map(Number);
  return numbers.every((n) => n <= 255) ? Uint8Array.from(numbers) : null;
}

function shortIpv4(text: string): Uint8Array | null {
  const parts = text.split(".");
  if (parts.length > 4) return null;
  const numbers = parts.map(cNumber);
  const last = numbers.pop()!;
  const room = 256 ** (4 - numbers.length);
  if (numbers.some((n) => !(n <= 255)) || !(last < room)) return null;
  const value = numbers.reduce((sum, n, i) => sum + n * 256 ** (3 - i), last);
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** A number in C's notations; NaN for anything else. */
function cNumber(text: string): number {
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  return /^(?:0[xX][0-9a-fA-F]+|[1-9]\d*|0)$/.test(text) ? Number(text) : Number.NaN;
}

/** An IPv6 address without scope; its last four bytes may be written as IPv4. */
export function ipv6(text: string): Uint8Array | null {
  const tail = text.includes(".") ? dottedIpv4(text.slice(text.lastIndexOf(":") + 1)) : null;
  if (text.includes(".") && tail === null) return null;
  const hex = tail === null ? text : `${text.slice(0, text.lastIndexOf(":") + 1)}${groupsOf(tail)}`;
  const halves = hex.split("::");
  if (halves.length > 2) return null;
  const [head, rest] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - (rest?.length ?? 0);
  if (rest === undefined ? missing !== 0 : missing < 1) return null;
  const groups = rest === undefined ? head : [...head, ...new Array<string>(missing).fill("0"), ...rest];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  return Uint8Array.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16)]));
}

function groupsOf(ipv4: Uint8Array): string {
  return `${((ipv4[0] << 8) | ipv4[1]).toString(16)}:${((ipv4[2] << 8) | ipv4[3]).toString(16)}`;
}

/** A complete numeric address; `scoped`: an IPv6 one may end in "%" and an interface. Upstream valid_ipaddr. */
export function isAddress(text: string, scoped: boolean): boolean {
  if (!text.includes(":")) return dottedIpv4(text) !== null;
  const percent = text.indexOf("%");
  if (percent < 0) return ipv6(text) !== null;
  return scoped && ipv6(text.slice(0, percent)) !== null && /^[a-zA-Z0-9]+$/.test(text.slice(percent + 1));
}

/** An address's bytes as text, in IPv6 with the longest run of zeros left out (RFC 5952). */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2] << 8) | bytes[i * 2 + 1]).toString(16));
  const text = `:${groups.join(":")}:`;
  const runs = [...text.matchAll(/:0(?=(?::0)+:)(?::0)+:/g)].map(([run]) => run);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  if (longest === "") return groups.join(":");
  return text.replace(longest, "::").replace(/^:(?!:)|(?<!:):$/g, "");
}

/** An IPv6 address that stands for an IPv4 one ("::ffff:1.2.3.4") as that; others as they are. */
export function unmapped(text: string): string {
  const bytes = text.includes(":") ? parseAddress(text)?.bytes : undefined;
  if (bytes?.length !== 16) return text;
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return mapped ? bytes.subarray(12).join(".") : text;
}

/** Do two addresses of one family have the same first bits? */
export function sameNetwork(a: Uint8Array, b: Uint8Array, mask: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => ((byte ^ b[i]) & mask[i]) === 0);
}

/** The mask of a network with so many leading one bits. */
export function maskOf(bits: number, byteLength: number): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, i) => 0xff << (8 - Math.min(8, Math.max(0, bits - i * 8))));
}
