/** Conformance of the helper that lists directories ahead: what it finds is what is there, and all of it, once. */
import { type Host } from "../../src/host.ts";
import { type FileSystem, newStat } from "../../src/posix/filesystem.ts";
import { type ListAhead } from "../../src/posix/listahead.ts";
import { type Case, equal, ok } from "./_check.ts";

const PATIENCE_MS = 20_000;
/** Enough for the helper to have listed a directory, most of the time; nothing depends on it. */
const WHILE_MS = 20;
/** Some directories: few entries, more than are looked at ahead, more bytes of names than there is room for. */
const SHAPES = [{ count: 0, pad: 0 }, { count: 7, pad: 0 }, { count: 1500, pad: 0 }, { count: 600, pad: 180 }];

/** The cases, all in a directory of their own below `root`. */
export function listCases(host: Host, fs: FileSystem, root: string): Record<string, Case> {
  const { O, AT } = fs.constants;
  const path = `${root}/lists`;
  fs.mkdirat(AT.FDCWD, fs.cstr(path), 0o755);
  const top = fs.openat(AT.FDCWD, fs.cstr(path), O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
  const nameOf = (pad: number, i: number): string => `${"n".repeat(pad)}${i}`;
  SHAPES.forEach(({ count, pad }, shape) => {
    fs.mkdirat(top, fs.cstr(`d${shape}`), 0o755);
    const dir = openDir(shape);
    for (let i = 0; i < count; i++) {
      const fd = fs.openat(dir, fs.cstr(nameOf(pad, i)), O.WRONLY | O.CREAT | O.EXCL | O.CLOEXEC, 0o600);
      fs.ftruncate(fd, i);
      fs.close(fd);
    }
    fs.close(dir);
  });

  function openDir(shape: number): number {
    return fs.openat(top, fs.cstr(`d${shape}`), O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
  }

  async function started(): Promise<ListAhead> {
    const ahead = fs.listAhead!()!;
    ahead.start();
    const until = host.monotonic() + PATIENCE_MS;
    while (!ahead.hasRoom) {
      await host.sleep(5);
      ok(host.monotonic() < until, "no helper");
    }
    return ahead;
  }

  /** Reads an open directory and closes it: each entry once, with the size that its name tells. */
  function read(dir: number, shape: number): void {
    const { count, pad } = SHAPES[shape];
    const stat = newStat();
    const seen = new Set<string>();
    const result = fs.readDir(dir, (name, length) => {
      const text = fs.memory.readLatin1(name, length);
      seen.add(text);
      equal(fs.fstatat(dir, name, stat, false), 0, text);
      equal(stat.size, Number(text.slice(pad)), `size of ${text}`);
    });
    equal(result, count, "entries");
    equal(seen.size, count, "different entries");
    fs.close(dir);
  }

  return {
    "lists ahead: as many entries, with what they are": async () => {
      const ahead = await started();
      for (let round = 0; round < 3; round++) {
        const dirs = SHAPES.map((_, shape) => openDir(shape));
        for (const dir of dirs) ahead.offer(dir);
        await host.sleep(round * WHILE_MS);
        dirs.forEach(read);
      }
      ahead.close();
    },
    "lists ahead: a directory taken back at once, and one that nobody wants": async () => {
      const ahead = await started();
      for (let round = 0; round < 200; round++) {
        const shape = round % 2;
        const dir = openDir(shape);
        const other = openDir(2);
        ahead.offer(dir);
        ahead.offer(other);
        read(dir, shape);
        ahead.withdraw(other);
        fs.close(other);
      }
      ok(ahead.hasRoom, "slots are lost");
      ahead.close();
    },
    "lists ahead: names that are given, there or not": async () => {
      const ahead = await started();
      const names = fs.memory.alloc(64);
      const addresses = Uint32Array.from(["0", "none", "5", "6"], (name, i) => {
        fs.memory.writeCString(names + 16 * i, name);
        return names + 16 * i;
      });
      const sizeAt = (lists: ListAhead, at: number): string => {
        const stat = newStat();
        if (at > 0) lists.decode(at, stat);
        return at > 0 ? `${stat.size}` : at < 0 ? "-" : "?";
      };
      for (let round = 0, found = 0; found < 20; round++) {
        ok(round < 2000, "the helper finds nothing");
        const dir = openDir(1);
        ahead.offerNames(dir, addresses, 1, 4);
        await host.sleep(round % 2);
        const taken = ahead.take(dir);
        const other = openDir(1);
        read(other, 1);
        if (taken !== null) {
          const sizes = [0, 1, 2, 3].map((i) => sizeAt(ahead, ahead.statOf(taken.slot, i)));
          ok("-,5,6,?".startsWith(sizes.join().replace(/(,?\?)+$/, "")), `sizes: ${sizes.join()}`);
          if (sizes[2] === "6") found++;
          ahead.release(taken.slot);
        }
        fs.close(dir);
      }
      ok(ahead.hasRoom, "slots are lost");
      ahead.close();
      fs.memory.release(names);
    },
    "lists ahead: what cannot be listed fails as ever": async () => {
      const ahead = await started();
      const file = fs.openat(top, fs.cstr("file"), O.RDWR | O.CREAT | O.CLOEXEC, 0o600);
      ahead.offer(file);
      await host.sleep(WHILE_MS);
      equal(fs.readDir(file, () => {}), -fs.constants.E.ENOTDIR, "readDir of a file");
      fs.close(file);
      ok(fs.listAhead!() === null, "two at a time");
      ahead.close();
    },
  };
}
