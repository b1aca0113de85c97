/**
 * SHA-256 and SHA-512 (FIPS 180-4) for daemon authentication: a few hundred bytes once a connection, so the two share
 * one plain loop over big integers, and the constants are computed where they are used.
 */

/** Parameters of one member of the family: FIPS 180-4 sections 4.1 and 5.3. */
interface Sha2 {
  readonly wordBits: bigint;
  readonly rounds: number;
  /** Rotations of Sigma0 and Sigma1, then of sigma0 and sigma1, whose third number is a shift. */
  readonly turns: readonly (readonly [bigint, bigint, bigint])[];
}

const SHA256: Sha2 = {
  wordBits: 32n,
  rounds: 64,
  turns: [[2n, 13n, 22n], [6n, 11n, 25n], [7n, 18n, 3n], [17n, 19n, 10n]],
};
const SHA512: Sha2 = {
  wordBits: 64n,
  rounds: 80,
  turns: [[28n, 34n, 39n], [14n, 18n, 41n], [1n, 8n, 7n], [19n, 61n, 6n]],
};

/** The SHA-256 digest of `bytes`, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return sha2(bytes, SHA256);
}

/** The SHA-512 digest of `bytes`, 64 bytes. */
export function sha512(bytes: Uint8Array): Uint8Array {
  return sha2(bytes, SHA512);
}

function sha2(bytes: Uint8Array, kind: Sha2): Uint8Array {
  const { wordBits, rounds } = kind;
  const wordBytes = Number(wordBits / 8n);
  const primes = firstPrimes(rounds);
  const keys = primes.map((prime) => fraction(prime, 3n, wordBits));
  const state = primes.slice(0, 8).map((prime) => fraction(prime, 2n, wordBits));
  const message = pad(bytes, wordBytes * 16);
  for (let at = 0; at < message.length; at += wordBytes * 16) {
    const words = Array.from({ length: 16 }, (_, i) => readWord(message, at + i * wordBytes, wordBytes));
    compress(state, words, keys, kind);
  }
  const hex = state.map((word) => word.toString(16).padStart(wordBytes * 2, "0")).join("");
  return Uint8Array.from({ length: wordBytes * 8 }, (_, i) => Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16));
}

/** One block: extends `words` to the message schedule and runs the rounds over `state`. */
function compress(state: bigint[], words: bigint[], keys: readonly bigint[], kind: Sha2): void {
  const { wordBits, rounds, turns } = kind;
  const cut = (x: bigint): bigint => BigInt.asUintN(Number(wordBits), x);
  const turn = (x: bigint, by: bigint): bigint => (x >> by) | (x << (wordBits - by));
  const big = (x: bigint, [p, q, r]: readonly bigint[]): bigint => cut(turn(x, p) ^ turn(x, q) ^ turn(x, r));
  const small = (x: bigint, [p, q, r]: readonly bigint[]): bigint => cut(turn(x, p) ^ turn(x, q)) ^ (x >> r);
  for (let t = 16; t < rounds; t++) {
    words[t] = cut(small(words[t - 2], turns[3]) + words[t - 7] + small(words[t - 15], turns[2]) + words[t - 16]);
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < rounds; t++) {
    const first = h + big(e, turns[1]) + ((e & f) ^ (cut(~e) & g)) + keys[t] + words[t];
    const second = big(a, turns[0]) + ((a & b) ^ (a & c) ^ (b & c));
    [a, b, c, d, e, f, g, h] = [cut(first + second), a, b, c, cut(d + first), e, f, g];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] = cut(state[i] + word)));
}

/** The message with its one bit, zeros and bit count, a whole number of blocks long. */
function pad(bytes: Uint8Array, blockBytes: number): Uint8Array {
  const padded = new Uint8Array(Math.ceil((bytes.length + 1 + blockBytes / 8) / blockBytes) * blockBytes);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n);
  return padded;
}

function readWord(bytes: Uint8Array, at: number, wordBytes: number): bigint {
  let word = 0n;
  for (let i = 0; i < wordBytes; i++) word = (word << 8n) | BigInt(bytes[at + i]);
  return word;
}

function firstPrimes(count: number): bigint[] {
  const primes: bigint[] = [];
  for (let n = 2n; primes.length < count; n++) {
    if (primes.every((prime) => n % prime !== 0n)) primes.push(n);
  }
  return primes;
}

/** The first `bits` bits of the fraction of the `degree`-th root of `value`, by bisection. */
function fraction(value: bigint, degree: bigint, bits: bigint): bigint {
  const target = value << (bits * degree);
  let low = 0n;
  for (let bit = 1n << (bits + 5n); bit > 0n; bit >>= 1n) {
    if ((low + bit) ** degree <= target) low += bit;
  }
  return BigInt.asUintN(Number(bits), low);
}
