import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { UsageError } from "../../../src/errors.ts";
import { authResponse, CHALLENGE_RANDOM_BYTES, makeChallenge } from "../../../src/checksum/auth.ts";
import { sha256, sha512 } from "../../../src/checksum/sha2.ts";
import { freshKernels, hex, noise, utf8, vectors } from "../assembly/harness.ts";
import { md4Reference } from "../assembly/reference.ts";

const kernels = freshKernels();
const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64").replace(/=+$/, "");

test("SHA-256 and SHA-512: published vectors, and every length around two blocks", () => {
  const published = vectors<Record<"sha256" | "sha512", [string, string][]>>("digests.json");
  for (const [text, digest] of published.sha256) expect(hex(sha256(utf8(text)))).toBe(digest);
  for (const [text, digest] of published.sha512) expect(hex(sha512(utf8(text)))).toBe(digest);
  for (const length of [0, 1, 54, 55, 56, 57, 63, 64, 65, 110, 111, 112, 113, 119, 120, 127, 128, 129, 240, 256]) {
    const bytes = noise(length);
    expect(hex(sha256(bytes)), `256, ${length}`).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(hex(sha512(bytes)), `512, ${length}`).toBe(createHash("sha512").update(bytes).digest("hex"));
  }
});

test("an answer is the unpadded base64 of digest(password challenge)", () => {
  for (const digest of ["sha512", "sha256", "sha1", "md5"]) {
    const expected = unpadded(createHash(digest).update("s\xe9cretCh4llenge", "latin1").digest());
    expect(authResponse(kernels, digest, "s\xe9cret", "Ch4llenge"), digest).toBe(expected);
  }
});

test("MD4 hashes plainly, and old MD4 after four zero bytes", () => {
  expect(authResponse(kernels, "md4", "pw", "xyz")).toBe(unpadded(md4Reference(utf8("pwxyz"))));
  expect(authResponse(kernels, "md4-old", "pw", "xyz")).toBe(unpadded(md4Reference(utf8("\0\0\0\0pwxyz"))));
});

test("an unknown digest is refused", () => {
  expect(() => authResponse(kernels, "xxh128", "pw", "xyz")).toThrow(UsageError);
  expect(() => authResponse(kernels, "", "pw", "xyz")).toThrow(UsageError);
});

test("a challenge depends on every input and has the digest's length", () => {
  const random = noise(CHALLENGE_RANDOM_BYTES);
  const variants = [
    makeChallenge(kernels, "md5", random, "10.0.0.1", 1e12, 77),
    makeChallenge(kernels, "md5", noise(CHALLENGE_RANDOM_BYTES, 2), "10.0.0.1", 1e12, 77),
    makeChallenge(kernels, "md5", random, "10.0.0.2", 1e12, 77),
    makeChallenge(kernels, "md5", random, "10.0.0.1", 1e12 + 1, 77),
    makeChallenge(kernels, "md5", random, "10.0.0.1", 1e12, 78),
  ];
  expect(new Set(variants).size).toBe(variants.length);
  for (const challenge of variants) expect(challenge).toMatch(/^[A-Za-z0-9+/]{22}$/);
  expect(makeChallenge(kernels, "sha512", random, "::1", 0, 1)).toMatch(/^[A-Za-z0-9+/]{86}$/);
});
