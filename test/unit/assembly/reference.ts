/**
 * Plain TypeScript references for the kernels: written from the specifications, one obvious loop each, no lanes, no
 * streaming. Tests compare the kernels with these at many lengths; the references themselves are checked against
 * published vectors.
 */

/** Upstream checksum.c:get_checksum1 read literally: signed bytes, CHAR_OFFSET 0. */
export function weakReference(bytes: Uint8Array): number {
  let s1 = 0;
  let s2 = 0;
  for (const byte of bytes) {
    s1 += (byte << 24) >> 24;
    s2 += s1;
  }
  return ((s1 & 0xffff) | ((s2 & 0xffff) << 16)) >>> 0;
}

const rotl = (x: number, n: number): number => (x << n) | (x >>> (32 - n));

function mdPad(bytes: Uint8Array, bigEndian: boolean): DataView {
  const view = new DataView(new ArrayBuffer(((bytes.length + 72) >> 6) << 6));
  new Uint8Array(view.buffer).set(bytes);
  view.setUint8(bytes.length, 0x80);
  view.setBigUint64(view.byteLength - 8, BigInt(bytes.length) * 8n, !bigEndian);
  return view;
}

function wordsToBytes(words: readonly number[], littleEndian: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(words.length * 4));
  words.forEach((word, i) => view.setInt32(i * 4, word, littleEndian));
  return new Uint8Array(view.buffer);
}

const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];

/** RFC 1320. */
export function md4Reference(bytes: Uint8Array): Uint8Array {
  const message = mdPad(bytes, false);
  const thirdRound = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15];
  const order = [(i: number) => i, (i: number) => ((i & 3) << 2) | (i >> 2), (i: number) => thirdRound[i]];
  const shifts = [[3, 7, 11, 19], [3, 5, 9, 13], [3, 9, 11, 15]];
  const mix = [
    (b: number, c: number, d: number) => (b & c) | (~b & d),
    (b: number, c: number, d: number) => (b & c) | (b & d) | (c & d),
    (b: number, c: number, d: number) => b ^ c ^ d,
  ];
  const state = INITIAL.slice(0, 4);
  for (let chunk = 0; chunk < message.byteLength; chunk += 64) {
    let [a, b, c, d] = state;
    for (let step = 0; step < 48; step++) {
      const round = step >> 4;
      const word = message.getInt32(chunk + order[round](step & 15) * 4, true);
      const sum = (a + mix[round](b, c, d) + word + [0, 0x5a827999, 0x6ed9eba1][round]) | 0;
      [a, b, c, d] = [d, rotl(sum, shifts[round][step & 3]), b, c];
    }
    [a, b, c, d].forEach((word, i) => (state[i] = (state[i] + word) | 0));
  }
  return wordsToBytes(state, true);
}

/** RFC 1321. */
export function md5Reference(bytes: Uint8Array): Uint8Array {
  const message = mdPad(bytes, false);
  const shifts = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
  const mix = [
    (b: number, c: number, d: number) => (b & c) | (~b & d),
    (b: number, c: number, d: number) => (b & d) | (c & ~d),
    (b: number, c: number, d: number) => b ^ c ^ d,
    (b: number, c: number, d: number) => c ^ (b | ~d),
  ];
  const state = INITIAL.slice(0, 4);
  for (let chunk = 0; chunk < message.byteLength; chunk += 64) {
    let [a, b, c, d] = state;
    for (let step = 0; step < 64; step++) {
      const round = step >> 4;
      const index = [step, 5 * step + 1, 3 * step + 5, 7 * step][round] & 15;
      const sine = Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32) | 0;
      const sum = (a + mix[round](b, c, d) + message.getInt32(chunk + index * 4, true) + sine) | 0;
      [a, b, c, d] = [d, (b + rotl(sum, shifts[round][step & 3])) | 0, b, c];
    }
    [a, b, c, d].forEach((word, i) => (state[i] = (state[i] + word) | 0));
  }
  return wordsToBytes(state, true);
}

/** RFC 3174, method 1. */
export function sha1Reference(bytes: Uint8Array): Uint8Array {
  const message = mdPad(bytes, true);
  const mix = [
    (b: number, c: number, d: number) => ((b & c) | (~b & d)) + 0x5a827999,
    (b: number, c: number, d: number) => (b ^ c ^ d) + 0x6ed9eba1,
    (b: number, c: number, d: number) => ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc,
    (b: number, c: number, d: number) => (b ^ c ^ d) + 0xca62c1d6,
  ];
  const state = INITIAL.slice();
  for (let chunk = 0; chunk < message.byteLength; chunk += 64) {
    const w: number[] = [];
    let [a, b, c, d, e] = state;
    for (let t = 0; t < 80; t++) {
      w[t] = t < 16 ? message.getInt32(chunk + t * 4) : rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
      [a, b, c, d, e] = [(rotl(a, 5) + mix[Math.floor(t / 20)](b, c, d) + e + w[t]) | 0, a, rotl(b, 30), c, d];
    }
    [a, b, c, d, e].forEach((word, i) => (state[i] = (state[i] + word) | 0));
  }
  return wordsToBytes(state, false);
}

const MASK = (1n << 64n) - 1n;
const u64 = (x: bigint): bigint => x & MASK;
const rotl64 = (x: bigint, n: bigint): bigint => u64((x << n) | (u64(x) >> (64n - n)));
const P32 = [0x9e3779b1n, 0x85ebca77n, 0xc2b2ae3dn] as const;
const P64 = [
  0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n,
] as const;

function read64(bytes: Uint8Array, at: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true);
}

/** xxHash specification, XXH64. */
export function xxh64Reference(bytes: Uint8Array, seed: bigint): bigint {
  const round = (acc: bigint, input: bigint): bigint => u64(rotl64(u64(acc + input * P64[1]), 31n) * P64[0]);
  let h = u64(seed + P64[4]);
  let at = 0;
  if (bytes.length >= 32) {
    const v = [u64(seed + P64[0] + P64[1]), u64(seed + P64[1]), u64(seed), u64(seed - P64[0])];
    for (; at + 32 <= bytes.length; at += 32) v.forEach((acc, i) => (v[i] = round(acc, read64(bytes, at + i * 8))));
    h = u64(rotl64(v[0], 1n) + rotl64(v[1], 7n) + rotl64(v[2], 12n) + rotl64(v[3], 18n));
    for (const acc of v) h = u64((h ^ round(0n, acc)) * P64[0] + P64[3]);
  }
  h = u64(h + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) h = u64(rotl64(h ^ round(0n, read64(bytes, at)), 27n) * P64[0] + P64[3]);
  if (at + 4 <= bytes.length) {
    const word = BigInt(new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true));
    h = u64(rotl64(h ^ u64(word * P64[0]), 23n) * P64[1] + P64[2]);
    at += 4;
  }
  for (; at < bytes.length; at++) h = u64(rotl64(h ^ u64(BigInt(bytes[at]) * P64[4]), 11n) * P64[0]);
  return avalanche64(h);
}

function avalanche64(h: bigint): bigint {
  h = u64((h ^ (h >> 33n)) * P64[1]);
  h = u64((h ^ (h >> 29n)) * P64[2]);
  return h ^ (h >> 32n);
}

function avalanche3(h: bigint): bigint {
  h = u64((h ^ (h >> 37n)) * 0x165667919e3779f9n);
  return h ^ (h >> 32n);
}

/**
 * XXH3 of inputs over 240 bytes (xxHash specification, XXH3 large inputs): the 64-bit digest and the high half of the
 * 128-bit one, whose low half equals the former. Shorter inputs are compared with the vectors of every length.
 */
export function xxh3LongReference(bytes: Uint8Array, seed: bigint): { low: bigint; high: bigint } {
  const secret = deriveSecret(seed);
  const acc: bigint[] = [P32[2], P64[0], P64[1], P64[2], P64[3], P32[1], P64[4], P32[0]];
  const stripe = (at: number, secretAt: number): void => {
    for (let i = 0; i < 8; i++) {
      const data = read64(bytes, at + i * 8);
      const key = data ^ read64(secret, secretAt + i * 8);
      acc[i ^ 1] = u64(acc[i ^ 1] + data);
      acc[i] = u64(acc[i] + (key & 0xffffffffn) * (key >> 32n));
    }
  };
  const stripes = Math.floor((bytes.length - 1) / 64);
  for (let n = 0; n < stripes; n++) {
    stripe(n * 64, (n % 16) * 8);
    if (n % 16 === 15) acc.forEach((a, i) => (acc[i] = u64((a ^ (a >> 47n) ^ read64(secret, 128 + i * 8)) * P32[0])));
  }
  stripe(bytes.length - 64, 121);
  const merge = (secretAt: number, start: bigint): bigint => {
    let h = start;
    for (let i = 0; i < 8; i += 2) {
      const product = (acc[i] ^ read64(secret, secretAt + i * 8)) * (acc[i + 1] ^ read64(secret, secretAt + i * 8 + 8));
      h = u64(h + (u64(product) ^ (product >> 64n)));
    }
    return avalanche3(h);
  };
  const length = BigInt(bytes.length);
  return { low: merge(11, u64(length * P64[0])), high: merge(117, u64(~(length * P64[1]))) };
}

const SECRET_HEX =
  "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221" +
  "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8" +
  "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb" +
  "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e";

function deriveSecret(seed: bigint): Uint8Array {
  const secret = Uint8Array.from(SECRET_HEX.match(/../g)!, (pair) => Number.parseInt(pair, 16));
  const view = new DataView(secret.buffer);
  for (let at = 0; at < 192; at += 16) {
    view.setBigUint64(at, u64(view.getBigUint64(at, true) + seed), true);
    view.setBigUint64(at + 8, u64(view.getBigUint64(at + 8, true) - seed), true);
  }
  return secret;
}

/** librsync's rollsum: unsigned bytes, 31 added to each. */
export function rollsumReference(bytes: Uint8Array): number {
  let s1 = 0;
  let s2 = 0;
  for (const byte of bytes) {
    s1 += byte + 31;
    s2 += s1;
  }
  return ((s1 & 0xffff) | ((s2 & 0xffff) << 16)) >>> 0;
}

/** librsync's Rabin-Karp sum. */
export function rabinKarpReference(bytes: Uint8Array): number {
  let hash = 1;
  for (const byte of bytes) hash = (Math.imul(hash, 0x08104225) + byte) >>> 0;
  return hash;
}

const BLAKE2B_IV = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
const BLAKE2B_SIGMA = [
  "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
  "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
];

/** RFC 7693 for a digest of `digestBytes` bytes without a key. */
export function blake2bReference(bytes: Uint8Array, digestBytes: number): Uint8Array {
  const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
  const rotr = (value: bigint, by: bigint): bigint => wrap((value >> by) | (value << (64n - by)));
  const state = BLAKE2B_IV.slice();
  state[0] ^= 0x01010000n ^ BigInt(digestBytes);
  const chunks = Math.max(1, Math.ceil(bytes.length / 128));
  for (let chunk = 0; chunk < chunks; chunk++) {
    const block = new Uint8Array(128);
    block.set(bytes.subarray(chunk * 128, chunk * 128 + 128));
    const view = new DataView(block.buffer);
    const last = chunk === chunks - 1;
    const v = [...state, ...BLAKE2B_IV];
    v[12] ^= BigInt(last ? bytes.length : (chunk + 1) * 128);
    if (last) v[14] ^= 0xffffffffffffffffn;
    const mix = (a: number, b: number, c: number, d: number, x: bigint, y: bigint): void => {
      v[a] = wrap(v[a] + v[b] + x);
      v[d] = rotr(v[d] ^ v[a], 32n);
      v[c] = wrap(v[c] + v[d]);
      v[b] = rotr(v[b] ^ v[c], 24n);
      v[a] = wrap(v[a] + v[b] + y);
      v[d] = rotr(v[d] ^ v[a], 16n);
      v[c] = wrap(v[c] + v[d]);
      v[b] = rotr(v[b] ^ v[c], 63n);
    };
    for (let round = 0; round < 12; round++) {
      const order = BLAKE2B_SIGMA[round % 10];
      const word = (at: number): bigint => view.getBigUint64(Number.parseInt(order[at], 16) * 8, true);
      for (let column = 0; column < 4; column++) {
        mix(column, column + 4, column + 8, column + 12, word(2 * column), word(2 * column + 1));
      }
      for (let diagonal = 0; diagonal < 4; diagonal++) {
        mix(diagonal, ((diagonal + 1) & 3) + 4, ((diagonal + 2) & 3) + 8, ((diagonal + 3) & 3) + 12,
          word(8 + 2 * diagonal), word(9 + 2 * diagonal));
      }
    }
    for (let i = 0; i < 8; i++) state[i] ^= v[i] ^ v[i + 8];
  }
  const out = new DataView(new ArrayBuffer(64));
  state.forEach((word, i) => out.setBigUint64(i * 8, word, true));
  return new Uint8Array(out.buffer, 0, digestBytes);
}
