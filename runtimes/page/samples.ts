/** Pairs of versions to look at without files of one's own, made on the spot and the same every time. */

/** One pair. */
export interface Sample {
  readonly id: string;
  readonly title: string;
  readonly what: string;
  make(): { readonly old: File; readonly now: File };
}

/** A xorshift generator: the same bytes every time. */
class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  next(below: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return (x >>> 0) % below;
  }

  bytes(byteLength: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(byteLength);
    for (let i = 0; i < byteLength; i++) bytes[i] = this.next(256);
    return bytes;
  }
}

const WORDS = ("block sum weak strong file basis token delta sender receiver list match literal offset window table "
  + "hash search copy patch sign stream byte length order").split(" ");

function prose(random: Random, lines: number): string[] {
  return Array.from({ length: lines }, () => {
    const words = Array.from({ length: 8 + random.next(6) }, () => WORDS[random.next(WORDS.length)]);
    return `${words.join(" ")}.\n`;
  });
}

function logLine(random: Random, second: number): string {
  const time = new Date(1_700_000_000_000 + second * 1000).toISOString();
  const status = [200, 200, 200, 304, 404][random.next(5)];
  return `${time} GET /${WORDS[random.next(WORDS.length)]}/${random.next(10_000)} ${status} ${random.next(90_000)}\n`;
}

function files(name: string, old: BlobPart[], now: BlobPart[]): { old: File; now: File } {
  return { old: new File(old, name), now: new File(now, name) };
}

/** What the page offers. */
export const SAMPLES: readonly Sample[] = [
  {
    id: "image", title: "A disk image, lightly used",
    what: "24 MB in pages of 4 kB; sixty pages were written to, and two stretches were moved",
    make() {
      const random = new Random(5);
      const old = random.bytes(24_000_000);
      const now = old.slice();
      for (let n = 0; n < 60; n++) now.set(random.bytes(4096), random.next(5_800) * 4096);
      now.set(old.subarray(3_000_000, 5_500_000), 15_000_000);
      now.set(old.subarray(15_000_000, 16_000_000), 3_000_000);
      return files("disk.img", [old], [now]);
    },
  },
  {
    id: "log", title: "A log that has grown",
    what: "40,000 lines, the oldest fifth rotated away, 3,000 lines new at the end",
    make() {
      const random = new Random(11);
      const lines = Array.from({ length: 43_000 }, (_, second) => logLine(random, second));
      return files("access.log", lines.slice(0, 40_000), lines.slice(8_000));
    },
  },
  {
    id: "text", title: "A manuscript, edited",
    what: "9,000 lines of prose with a word changed here and there, and a chapter moved to the front",
    make() {
      const random = new Random(3);
      const old = prose(random, 9_000);
      const now = old.map((line) => (random.next(90) === 0 ? line.replace(/ \w+/, " wsync") : line));
      const chapter = now.splice(6_000, 900);
      return files("book.txt", old, [...chapter, ...now]);
    },
  },
  {
    id: "archive", title: "An archive, compressed",
    what: "8 MB whose second half differs throughout: one early change in compressed data changes all that follows",
    make() {
      const random = new Random(29);
      const head = random.bytes(4_000_000);
      return files("backup.tar.gz", [head, random.bytes(4_000_000)], [head, random.bytes(4_050_000)]);
    },
  },
];
