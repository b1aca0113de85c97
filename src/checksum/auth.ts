/**
 * Daemon authentication: the challenge and the answer to it (upstream authenticate.c: gen_challenge, generate_hash).
 *
 * Names and passwords are names: one code unit per byte. Digest names are those of protocol/negotiate's
 * authDigestChoice; "md4-old" is MD4 as peers before protocol 30 have it, with four zero bytes (the seed) in front.
 */
import { UsageError, ExitCode } from "../errors.ts";
import { bytesOf } from "../memory.ts";
import type { ChecksumName } from "../protocol/context.ts";
import { digestBytes } from "./digest.ts";
import type { Kernels } from "./kernels.ts";
import { sha256, sha512 } from "./sha2.ts";

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** Random bytes that a challenge is made from. */
export const CHALLENGE_RANDOM_BYTES = 32;

/**
 * The answer to a daemon's challenge: base64, without padding, of the digest over password and challenge. Throws
 * UsageError (4) for a digest that is not one of authentication.
 */
export function authResponse(kernels: Kernels, digest: string, password: string, challenge: string): string {
  return base64(authDigest(kernels, digest, bytesOf(password + challenge)));
}

/**
 * A fresh challenge for a client at `address`. `random` holds CHALLENGE_RANDOM_BYTES unpredictable bytes; time and
 * process id are mixed in as upstream does, so a weak random source is never worse than none.
 */
export function makeChallenge(
  kernels: Kernels, digest: string, random: Uint8Array, address: string, nowMs: number, pid: number,
): string {
  const input = new Uint8Array(random.length + 32);
  input.set(random);
  input.set(bytesOf(address.slice(0, 16)), random.length);
  const view = new DataView(input.buffer, random.length);
  view.setInt32(16, Math.floor(nowMs / 1000), true);
  view.setInt32(20, Math.floor((nowMs % 1000) * 1000), true);
  view.setInt32(24, pid, true);
  return base64(authDigest(kernels, digest, input));
}

function authDigest(kernels: Kernels, digest: string, bytes: Uint8Array): Uint8Array {
  switch (digest) {
    case "sha512":
      return sha512(bytes);
    case "sha256":
      return sha256(bytes);
    case "sha1":
    case "md5":
    case "md4":
    case "md4-old":
      return digestBytes(kernels, digest satisfies ChecksumName, bytes);
    default:
      throw new UsageError(`unknown daemon auth checksum: ${digest}`, ExitCode.unsupported);
  }
}

/** Base64 without padding (upstream base64_encode with pad 0). */
function base64(bytes: Uint8Array): string {
  let text = "";
  for (let bit = 0; bit < bytes.length * 8; bit += 6) {
    const at = bit >> 3;
    const pair = (bytes[at] << 8) | (bytes[at + 1] ?? 0);
    text += BASE64[(pair >> (10 - (bit & 7))) & 63];
  }
  return text;
}
