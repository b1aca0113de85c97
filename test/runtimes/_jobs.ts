/** Conformance of the helper thread: it starts on every runtime that can call libc, makes files, and ends when told. */
import { type Host } from "../../src/host.ts";
import { type FileSystem, newStat } from "../../src/posix/filesystem.ts";
import { type JobQueue } from "../../src/posix/jobqueue.ts";
import { NO_SOURCE, RECORD_TEMP, RECORD_TIMES, Wanted, Word } from "../../src/posix/smallfile.ts";
import { writeInt64 } from "../../src/posix/structs.ts";
import { type Case, equal, ok } from "./_check.ts";

const CONTENT = "what a small file holds";
/** More than it takes before a queue starts its helper. */
const BEFORE_HELPER = 700;
const WITH_HELPER = 500;
const PATIENCE_MS = 20_000;
/** Modes and owners that files have by turns; so many in a row are said to lie in one place. */
const MODES = [0o640, 0o640, 0o755, 0o666, 0o4711, 0o444, 0o640, 0o600, 0o2771];
const UIDS = [0, 0, 0, 7, 0];
const GIDS = [0, 0, 0, 0, 0, 0, 8];
const PLACE = 60;

/** The cases, all in a directory of their own below `root`. */
export function jobCases(host: Host, fs: FileSystem, root: string): Record<string, Case> {
  const { O, AT } = fs.constants;
  const path = `${root}/jobs`;
  fs.mkdirat(AT.FDCWD, fs.cstr(path), 0o755);
  const dir = fs.openat(AT.FDCWD, fs.cstr(path), O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
  const source = fs.openat(dir, fs.cstr("source"), O.RDWR | O.CREAT | O.EXCL | O.CLOEXEC, 0o600);
  fs.write(source, fs.cstr(CONTENT), CONTENT.length);
  const isRoot = fs.euid === 0;
  const names = fs.memory.alloc(64 * (BEFORE_HELPER + WITH_HELPER + 2));

  /** Fills the queue's next record for file `number`, and submits it. */
  const submit = (
    queue: JobQueue, number: number, target = `file${number}`, content = 0,
  ): { index: number; record: number } => {
    const { memory } = fs;
    const record = queue.record();
    const at = record >>> 2;
    const name = names + 64 * number;
    memory.writeCString(name, target);
    memory.writeCString(record + RECORD_TEMP, `.temp${number}`);
    const words: [word: number, value: number][] = [
      [Word.source, content ? NO_SOURCE : fs.openat(dir, fs.cstr("source"), O.RDONLY | O.CLOEXEC, 0)],
      [Word.content, content], [Word.byteLength, CONTENT.length], [Word.dir, dir], [Word.name, name],
      [Word.openFlags, O.RDWR | O.CREAT | O.EXCL], [Word.createMode, 0o600],
      [Word.mode, MODES[number % MODES.length]], [Word.place, Math.floor(number / PLACE)],
      [Word.wants, Wanted.times | (isRoot ? Wanted.uid | Wanted.gid : 0)],
      [Word.uid, UIDS[number % UIDS.length]], [Word.gid, GIDS[number % GIDS.length]],
    ];
    for (const [word, value] of words) memory.u32[at + word] = value;
    const times = [1000, 5, 2000 + number, 7];
    times.forEach((value, i) => writeInt64(memory, record + RECORD_TIMES + 8 * i, value));
    return { index: queue.submit(record), record };
  };
  const check = (number: number): void => {
    const stat = newStat();
    equal(fs.fstatat(dir, fs.cstr(`file${number}`), stat, false), 0, `file${number}`);
    const found = [stat.mode & 0o7777, stat.size, stat.mtime, stat.mtimeNsec];
    equal(found, [MODES[number % MODES.length], CONTENT.length, 2000 + number, 7], `file${number}`);
    const owner = isRoot ? [UIDS[number % UIDS.length], GIDS[number % GIDS.length]] : [fs.euid, stat.gid];
    equal([stat.uid, stat.gid], owner, `owner of file${number}`);
  };
  const open = (): JobQueue => fs.jobQueue!();

  return {
    "small files: a helper comes up, works by itself, and ends": async () => {
      const queue = open();
      const until = host.monotonic() + PATIENCE_MS;
      const wait = async (what: string): Promise<void> => {
        await host.sleep(5);
        ok(host.monotonic() < until, `timed out: ${what}`);
      };
      for (let i = 0; i < BEFORE_HELPER; i++) {
        const { index, record } = submit(queue, i);
        if (index < 0) ok(queue.succeeded(record), `file${i} was not made`);
      }
      while (!queue.hasHelper) await wait("no helper");
      const ends: boolean[] = [];
      const tell = (_index: number, made: boolean): void => void ends.push(made);
      while (queue.outstanding > 0) {
        queue.help(8);
        queue.collect(tell);
      }
      ends.length = 0;
      const before = queue.byHelper;
      let queued = 0;
      for (let i = BEFORE_HELPER; i < BEFORE_HELPER + WITH_HELPER; i++) if (submit(queue, i).index >= 0) queued++;
      ok(queued >= 100, `only ${queued} files were queued`);
      while (ends.length < queued) {
        queue.collect(tell);
        await wait(`the helper made ${ends.length} files of ${queued}`);
      }
      equal(ends.filter((made) => !made).length, 0, "failed files");
      equal(queue.byHelper - before, queued, "files made by the helper");
      for (let i = 0; i < BEFORE_HELPER + WITH_HELPER; i++) check(i);
      queue.close();
      ok(!queue.hasHelper, "the helper is still there");
    },
    "small files: contents may lie in memory": () => {
      const queue = open();
      const content = fs.memory.alloc(64);
      fs.memory.writeCString(content, CONTENT);
      const number = BEFORE_HELPER + WITH_HELPER;
      const { record } = submit(queue, number, `file${number}`, content);
      ok(queue.succeeded(record), "the file was not made");
      check(number);
      queue.close();
    },
    "small files: what cannot be made leaves nothing and keeps its source": () => {
      const queue = open();
      fs.mkdirat(dir, fs.cstr("taken"), 0o755);
      const number = BEFORE_HELPER + WITH_HELPER + 1;
      const { index, record } = submit(queue, number, "taken");
      equal(index, -1, "index");
      ok(!queue.succeeded(record), "a directory was replaced");
      const stat = newStat();
      equal(fs.fstatat(dir, fs.cstr(`.temp${number}`), stat, false), -fs.constants.E.ENOENT, "the temporary file");
      equal(fs.close(fs.memory.u32[(record >>> 2) + Word.source]), 0, "closing the source");
      queue.close();
    },
  };
}
