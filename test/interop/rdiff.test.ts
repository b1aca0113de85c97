/** The library's signatures and deltas beside rdiff's: the same files, and each side takes what the other made. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scratch, whereIs } from "../_programs.ts";
import { join as joinBytes, Random, sameBytes } from "../unit/delta/_engine.ts";
import { deltaOf, patched, signatureOf } from "../unit/library/_work.ts";

const at = (name: string): string => join(scratch, name);

function rdiff(...words: string[]): void {
  execFileSync("rdiff", ["--force", ...words], { stdio: ["ignore", "ignore", "inherit"] });
}

const random = new Random(23);
const old = random.bytes(700_001);
const pairs: readonly (readonly [name: string, basis: Uint8Array, data: Uint8Array])[] = [
  ["edits", old, joinBytes(
    old.subarray(0, 5_000), random.bytes(77), old.subarray(5_010, 400_000), old.subarray(300_000),
  )],
  ["moved", old, joinBytes(old.subarray(350_000), old.subarray(0, 350_000))],
  ["the same", old, old],
  ["grown", old.subarray(0, 70_123), old],
  ["nothing in common", old, random.bytes(200_000)],
  ["only the short end", old, old.subarray(700_000)],
  ["zeros", new Uint8Array(100_000), new Uint8Array(130_001)],
  ["from nothing", new Uint8Array(0), old.subarray(0, 9_000)],
  ["to nothing", old, new Uint8Array(0)],
];

const kinds = (["blake2", "md4"] as const).flatMap((hash) =>
  (["rabinkarp", "rollsum"] as const).map((rollsum) => ({ hash, rollsum })));

describe.skipIf(whereIs("rdiff") === null)("beside rdiff", () => {
  for (const { hash, rollsum } of kinds) {
    for (const [blockLength, sumLength] of [[0, 0], [1000, 0], [512, 8], [33, -1], [8192, -1]]) {
      const lengths = `blocks of ${blockLength || "rdiff's choice"}, sums of ${sumLength || "all bytes"}`;
      test(`${hash}, ${rollsum}, ${lengths}`, async () => {
        for (const [name, basis, data] of pairs) {
          writeFileSync(at("old"), basis);
          writeFileSync(at("new"), data);
          rdiff(`-H${hash}`, `-R${rollsum}`, `-b${blockLength}`, `-S${sumLength}`, "signature", at("old"), at("sig"));
          rdiff("delta", at("sig"), at("new"), at("delta"));
          const signature = await signatureOf(basis, {
            format: "rdiff", hash, rollsum, blockLength: blockLength || undefined,
            sumLength: sumLength < 0 ? "short" : sumLength || undefined,
          });
          expect(sameBytes(signature, readFileSync(at("sig"))), `${name}: signature`).toBe(true);
          const theirs = readFileSync(at("delta"));
          expect(sameBytes(await patched(basis, theirs), data), `${name}: patch with rdiff's delta`).toBe(true);
          const ours = await deltaOf(signature, data);
          writeFileSync(at("ours"), ours);
          rdiff("patch", at("old"), at("ours"), at("result"));
          expect(sameBytes(readFileSync(at("result")), data), `${name}: rdiff's patch`).toBe(true);
          expect(ours.length, `${name}: length of the delta`).toBeLessThan(theirs.length * 1.01 + 200);
        }
      });
    }
  }
});
