/**
 * The search in plain TypeScript, one offset after the other, with bytes compared where the engine compares strong
 * sums: what the kernel has to agree with token for token. Rules after upstream match.c:hash_search.
 */
import type { SumHead } from "../../../src/protocol/sumhead.ts";

/** Tokens in short, as `brief` writes them. */
export function referenceTokens(
  basis: Uint8Array, file: Uint8Array, head: SumHead, inplace: boolean,
): (string | number)[] {
  const { blockLength, count } = head;
  const lastLength = head.remainder || blockLength;
  const lengthOf = (index: number): number => (index === count - 1 ? lastLength : blockLength);
  const same = new Set<number>();
  const byWeak = new Map<number, number[]>();
  for (let index = count - 1; index >= 0; index--) {
    const sum = weak(basis, index * blockLength, lengthOf(index));
    const chain = byWeak.get(sum);
    if (chain) chain.push(index);
    else byWeak.set(sum, [index]);
  }
  const fits = (index: number, offset: number, byteLength: number): boolean =>
    index < count && lengthOf(index) === byteLength && isEqual(basis, index * blockLength, file, offset, byteLength);
  const usable = (index: number, offset: number): boolean =>
    !inplace || index * blockLength >= offset || same.has(index);

  const tokens: (string | number)[] = [];
  let sent = 0;
  let want = 0;
  const end = file.length + 1 - lastLength;
  let sum = -1;
  for (let offset = 0; offset < end; offset++) {
    const byteLength = Math.min(blockLength, file.length - offset);
    sum = sum < 0 || byteLength < blockLength ? weak(file, offset, byteLength) : rolled(file, offset, blockLength, sum);
    let index = byWeak.get(sum)?.find((one) => usable(one, offset) && fits(one, offset, byteLength)) ?? -1;
    if (index < 0) continue;
    let final = false;
    if (inplace) {
      const here = Math.ceil(offset / blockLength);
      const aligned = here * blockLength;
      const zeros = sum === 0 && byteLength === blockLength && aligned + byteLength <= file.length;
      if (here < count && (offset === aligned || zeros) && fits(here, offset, byteLength)) {
        index = here;
        if (offset === aligned || fits(here, aligned, byteLength)) {
          offset = aligned;
          same.add(here);
          final = true;
        }
      }
    }
    if (!final && usable(want, offset) && fits(want, offset, byteLength)) index = want;
    want = index + 1;
    if (offset > sent) tokens.push(offset - sent);
    tokens.push(`#${index}`);
    sent = offset + byteLength;
    offset = sent - 1;
    sum = -1;
  }
  if (sent < file.length) tokens.push(file.length - sent);
  return tokens;
}

/** The weak sum of [at, at + byteLength), bytes signed. */
export function weak(bytes: Uint8Array, at: number, byteLength: number): number {
  let s1 = 0;
  let s2 = 0;
  for (let i = at; i < at + byteLength; i++) {
    s1 += (bytes[i] << 24) >> 24;
    s2 += s1;
  }
  return ((s1 & 0xffff) | (s2 << 16)) >>> 0;
}

/** The weak sum at `offset` from the one a byte before. */
function rolled(bytes: Uint8Array, offset: number, blockLength: number, sum: number): number {
  const oldest = (bytes[offset - 1] << 24) >> 24;
  const newest = (bytes[offset + blockLength - 1] << 24) >> 24;
  const s1 = (sum + newest - oldest) & 0xffff;
  const s2 = (sum >>> 16) - blockLength * oldest + s1;
  return ((s1 & 0xffff) | (s2 << 16)) >>> 0;
}

function isEqual(left: Uint8Array, at: number, right: Uint8Array, from: number, byteLength: number): boolean {
  if (at + byteLength > left.length || from + byteLength > right.length) return false;
  for (let i = 0; i < byteLength; i++) if (left[at + i] !== right[from + i]) return false;
  return true;
}
