/** Conformance of inotify and of waiting for descriptors, on every runtime that can call libc. */
import { type Host } from "../../src/host.ts";
import { type FileSystem } from "../../src/posix/filesystem.ts";
import { IN, Inotify } from "../../src/posix/inotify.ts";
import { type Case, equal, ok } from "./_check.ts";

/** More than the kernel's default queue of 16384. */
const STORM_EVENTS = 20_000;
const MODE = 0o644;

interface Seen {
  readonly wd: number;
  readonly mask: number;
  readonly cookie: number;
  readonly name: string;
}

/** The cases, all in a directory of their own below `root`. */
export function notifyCases(host: Host, fs: FileSystem, root: string): Record<string, Case> {
  const { O, AT, E } = fs.constants;
  const dir = `${root}/notify`;
  const open = (): Inotify => {
    const made = Inotify.open(host, fs);
    if (typeof made === "number") throw new Error(`no inotify: ${fs.strerror(-made)}`);
    return made;
  };
  const at = (name: string): number => fs.cstr(`${dir}/${name}`);
  const touch = (name: string, text = ""): void => {
    const fd = fs.openat(AT.FDCWD, at(name), O.WRONLY | O.CREAT, MODE);
    if (text !== "") fs.write(fd, fs.cstr(text), text.length);
    fs.close(fd);
  };
  const drain = (watch: Inotify): Seen[] => {
    const seen: Seen[] = [];
    while (watch.read((wd, mask, cookie, name) => seen.push({ wd, mask, cookie, name })) > 0);
    return seen;
  };
  const masks = (seen: readonly Seen[]): string[] => seen.map(({ mask, name }) => `${mask.toString(16)} ${name}`);
  fs.mkdirat(AT.FDCWD, fs.cstr(dir), 0o755);
  return {
    "notify: each event of a file's life": () => {
      const watch = open();
      const wd = watch.add(dir, IN.ALL_EVENTS);
      ok(wd > 0, "a watch descriptor");
      touch("f", "x");
      fs.fchmodat(AT.FDCWD, at("f"), 0o600);
      const fd = fs.openat(AT.FDCWD, at("f"), O.RDONLY, 0);
      const buffer = fs.memory.alloc(8);
      fs.read(fd, buffer, 8);
      fs.memory.release(buffer);
      fs.close(fd);
      fs.renameat(AT.FDCWD, at("f"), AT.FDCWD, at("g"));
      fs.unlinkat(AT.FDCWD, at("g"), 0);
      const seen = drain(watch);
      equal(masks(seen), [
        "100 f", "20 f", "2 f", "8 f", "4 f", "20 f", "1 f", "10 f", "40 f", "80 g", "200 g",
      ]);
      const [from, to] = seen.filter(({ mask }) => (mask & IN.MOVE) !== 0);
      ok(from.cookie !== 0 && from.cookie === to.cookie, "one cookie for both halves");
      watch.close();
    },
    "notify: what happens to the watched directory itself": () => {
      const watch = open();
      fs.mkdirat(AT.FDCWD, at("d"), 0o755);
      const wd = watch.add(`${dir}/d`, IN.ALL_EVENTS);
      fs.renameat(AT.FDCWD, at("d"), AT.FDCWD, at("e"));
      fs.unlinkat(AT.FDCWD, at("e"), AT.REMOVEDIR);
      const seen = drain(watch);
      equal(masks(seen), ["800 ", "400 ", "8000 "]);
      ok(seen.every((one) => one.wd === wd), "its descriptor");
      equal(watch.remove(wd), -E.EINVAL);
      watch.close();
    },
    "notify: directories are marked, flags are obeyed": () => {
      const watch = open();
      touch("plain");
      fs.symlinkat(fs.cstr("."), AT.FDCWD, at("link"));
      equal(watch.add(`${dir}/plain`, IN.MODIFY | IN.ONLYDIR), -E.ENOTDIR);
      equal(watch.add(`${dir}/none`, IN.MODIFY), -E.ENOENT);
      const wd = watch.add(dir, IN.CREATE);
      equal(watch.add(dir, IN.CREATE | IN.MASK_CREATE), -E.EEXIST);
      equal(watch.add(`${dir}/link`, IN.CREATE), wd, "a followed link");
      ok(watch.add(`${dir}/link`, IN.ATTRIB | IN.DONT_FOLLOW) !== wd, "a link watched by itself");
      fs.mkdirat(AT.FDCWD, at("sub"), 0o755);
      equal(masks(drain(watch)), ["40000100 sub"]);
      equal(watch.remove(wd), 0);
      equal(masks(drain(watch)), ["8000 "]);
      watch.close();
    },
    "notify: names that are not UTF-8": () => {
      const watch = open();
      watch.add(dir, IN.CREATE);
      touch("bad\xff\xfename");
      equal(drain(watch).map(({ name }) => name), ["bad\xff\xfename"]);
      watch.close();
    },
    "notify: a queue that overflows says so": () => {
      const watch = open();
      touch("a");
      touch("b");
      watch.add(dir, IN.ATTRIB);
      for (let i = 0; i < STORM_EVENTS; i++) fs.fchmodat(AT.FDCWD, at(i % 2 === 0 ? "a" : "b"), MODE);
      const seen = drain(watch);
      const last = seen[seen.length - 1];
      equal([last.wd, last.mask], [-1, IN.Q_OVERFLOW]);
      ok(seen.length <= STORM_EVENTS, "events were lost");
      watch.close();
    },
    "notify: waiting ends when something happens": async () => {
      const watch = open();
      watch.add(dir, IN.CREATE);
      for (const name of ["w1", "w2", "w3"]) {
        setTimeout(() => touch(name), 20);
        equal(await watch.wait(), true);
        equal(drain(watch).map((one) => one.name), [name]);
      }
      watch.close();
    },
    "notify: two waits at a time, and one that is stopped": async () => {
      const [first, second] = [open(), open()];
      first.add(dir, IN.CREATE);
      second.add(dir, IN.DELETE);
      const created = first.wait();
      const deleted = second.wait();
      touch("two");
      equal(await created, true);
      fs.unlinkat(AT.FDCWD, at("two"), 0);
      equal(await deleted, true);
      drain(first);
      const stopped = first.wait();
      first.close();
      equal(await stopped, false);
      equal(await first.wait(), false);
      second.close();
    },
    "notify: a program that waits can end": async () => {
      const child = host.spawn({ argv: [...host.self, "waitexit"] });
      equal(await child.exited, 4);
    },
  };
}

/** The child of the last case: ends while a wait is under way. */
export async function waitAndExit(host: Host, fs: FileSystem): Promise<void> {
  const watch = Inotify.open(host, fs);
  if (typeof watch === "number") host.exit(1);
  watch.add("/", IN.UNMOUNT);
  void watch.wait();
  await host.sleep(200);
  host.exit(4);
}
