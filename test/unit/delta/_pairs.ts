/** Pairs of an old and a new file, made from seeds, whose transfer by stock rsync is on record in rsync.test.ts. */
import { join, Random } from "./_engine.ts";

export interface Pair {
  readonly name: string;
  readonly basis: Uint8Array;
  readonly file: Uint8Array;
}

export function pairs(): Pair[] {
  const random = new Random(42);
  const noise = random.bytes(700_000);
  const small = random.bytes(40_000);
  const text = random.bytes(300_000, 2);
  const zeros = new Uint8Array(120_000);
  const edited = noise.slice();
  for (let n = 0; n < 40; n++) edited[random.next(edited.length)] ^= 1 + random.next(255);
  return [
    { name: "same", basis: noise, file: noise },
    { name: "bytes changed here and there", basis: noise, file: edited },
    { name: "bytes put in", basis: noise, file: join(noise.subarray(0, 123_457), small, noise.subarray(123_457)) },
    { name: "bytes taken out", basis: noise, file: join(noise.subarray(0, 50_001), noise.subarray(90_003)) },
    { name: "halves swapped", basis: noise, file: join(noise.subarray(350_000), noise.subarray(0, 350_000)) },
    { name: "nothing in common", basis: noise, file: random.bytes(500_000) },
    { name: "two letters", basis: text, file: join(text.subarray(1_000, 200_000), text.subarray(0, 100_500)) },
    { name: "zeros moved", basis: join(small, zeros, small), file: join(random.bytes(777), zeros, small, zeros) },
    { name: "small file", basis: small, file: join(small.subarray(0, 20_000), small.subarray(19_000)) },
    { name: "shorter than a block", basis: small.subarray(0, 600), file: small.subarray(0, 600) },
  ];
}
