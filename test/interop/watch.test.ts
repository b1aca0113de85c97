/**
 * Continuous sync under storms, losses, outages and kills, on every runtime: afterwards the target equals stock rsync's
 * copy and an audit finds no drift.
 */
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  appendFileSync, chmodSync, existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { missing, peer, quote, type Runtime, wsync } from "../_programs.ts";
import { run } from "../_run.ts";
import { startDaemon, writeSecret } from "../_servers.ts";
import { makeTree } from "../_trees.ts";
import { drift, newPlace, Watching } from "./_watch.ts";

const runtimes: readonly Runtime[] = ["node", "deno", "bun"];
/** More than the kernel queues (16384 unless somebody raised it). */
const STORM_FILES = 10_000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until all is quiet, compares and ends a watch. `name`: what the target was called. */
async function finish(watching: Watching, source: string, target: string, name = target): Promise<void> {
  await watching.quiet(name);
  expect(await drift(source, target)).toEqual([]);
  expect(await watching.stop()).toBe(0);
}

for (const runtime of runtimes) {
  const here = describe.skipIf(peer === null || missing(runtime) !== "");
  here(`${runtime}: watching`, { timeout: 120_000 }, () => {
    test("every kind of change arrives, by rounds that ask for nothing else", async () => {
      const { source, target } = newPlace();
      makeTree(source);
      const watching = new Watching(runtime, [`${source}/`, target]);
      await watching.settled(target, 0);
      const changes: (() => void)[] = [
        () => appendFileSync(join(source, "sizes/f700"), "more"),
        () => mkdirSync(join(source, "new/deep/er"), { recursive: true }),
        () => writeFileSync(join(source, "new/deep/er/file"), "new"),
        () => rmSync(join(source, "deep"), { recursive: true }),
        () => renameSync(join(source, "perms"), join(source, "empty/moved")),
        () => chmodSync(join(source, "sizes"), 0o711),
        () => symlinkSync("sizes", join(source, "a-link")),
        () => utimesSync(join(source, "sizes/f1"), 1, 2),
        () => (rmSync(join(source, "sizes/f2")), mkdirSync(join(source, "sizes/f2/x"), { recursive: true })),
        () => (rmSync(join(source, "new"), { recursive: true }), writeFileSync(join(source, "new"), "a file now")),
      ];
      for (const change of changes) {
        const from = watching.events.length;
        change();
        await watching.settled(target, from);
        expect(await drift(source, target)).toEqual([]);
      }
      const whole = watching.events.filter(({ type, whole: all }) => type === "round" && all === true);
      expect(whole.length).toBe(1);
      await finish(watching, source, target);
    });

    test("a full queue while nobody reads: 40000 events, then all is compared again", async () => {
      const { source, target } = newPlace();
      mkdirSync(join(source, "storm"));
      const watching = new Watching(runtime, ["--watch-audit=1", `${source}/`, target]);
      await watching.until(({ type }) => type === "round");
      watching.child.kill("SIGSTOP");
      for (let i = 0; i < STORM_FILES; i++) writeFileSync(join(source, `storm/f${i}`), "");
      for (let i = 0; i < STORM_FILES; i += 2) rmSync(join(source, `storm/f${i}`));
      mkdirSync(join(source, "unseen/dir"), { recursive: true });
      writeFileSync(join(source, "unseen/dir/file"), "made while events were lost");
      const from = watching.events.length;
      watching.child.kill("SIGCONT");
      await watching.until(({ type }) => type === "lost", from);
      await watching.settled(target, from);
      // Directories that nobody told of are under watch now.
      writeFileSync(join(source, "unseen/dir/later"), "");
      await watching.until((event) => event.type === "file" && event.path === "unseen/dir/later", from);
      const audit = await watching.until(({ type }) => type === "audit", watching.events.length);
      expect(audit).toMatchObject({ drift: 0, exitCode: 0 });
      await finish(watching, source, target);
    });

    test("mkdir -p a/b/c and a file in it, 200 times", async () => {
      const { source, target } = newPlace();
      writeFileSync(join(source, "x"), "");
      const watching = new Watching(runtime, [`${source}/`, target]);
      await watching.settled(target, 0);
      for (let i = 0; i < 200; i++) {
        mkdirSync(join(source, `a${i}/b/c`), { recursive: true });
        writeFileSync(join(source, `a${i}/b/c/file`), `${i}`);
        if (i % 20 === 0) await pause(30);
      }
      await finish(watching, source, target);
    });

    test("deep directories are renamed again and again during the sync", async () => {
      const { source, target } = newPlace();
      for (let i = 0; i < 30; i++) {
        mkdirSync(join(source, `d0/e/f/g${i}`), { recursive: true });
        writeFileSync(join(source, `d0/e/f/g${i}/file`), "x".repeat(i * 100));
      }
      const watching = new Watching(runtime, ["--watch-delay=0.05", `${source}/`, target]);
      await watching.until(({ type }) => type === "watch");
      for (let i = 0; i < 60; i++) {
        renameSync(join(source, `d${i}`), join(source, `d${i + 1}`));
        renameSync(join(source, `d${i + 1}/e/f/g${i % 30}`), join(source, `d${i + 1}/e/moved${i}`));
        renameSync(join(source, `d${i + 1}/e/moved${i}`), join(source, `d${i + 1}/e/f/g${i % 30}`));
        writeFileSync(join(source, `d${i + 1}/e/f/g${i % 30}/file`), `round ${i}`);
        await pause(25);
      }
      await watching.quiet(target);
      expect(await drift(source, target)).toEqual([]);
      // In peace a rename is a rename at a destination on this machine, too: nothing is sent again.
      const from = watching.events.length;
      renameSync(join(source, "d60/e"), join(source, "e"));
      renameSync(join(source, "e/f/g7"), join(source, "g7"));
      await watching.settled(target, from);
      const told = watching.events.slice(from);
      expect(told.find(({ type }) => type === "round")).toMatchObject({ renamed: 2, deleted: 0 });
      expect(told.filter(({ type, action }) => type === "file" && action === "transfer")).toEqual([]);
      await finish(watching, source, target);
    });

    test("killed, changed meanwhile, and started again", async () => {
      const { source, target } = newPlace();
      makeTree(source);
      const first = new Watching(runtime, [`${source}/`, target]);
      await first.settled(target, 0);
      for (let i = 0; i < 200; i++) writeFileSync(join(source, `empty/f${i}`), "x".repeat(1000));
      await pause(130);
      await first.kill();
      rmSync(join(source, "deep"), { recursive: true });
      writeFileSync(join(source, "while-away"), "new");
      const second = new Watching(runtime, [`${source}/`, target]);
      await second.settled(target, 0);
      await finish(second, source, target);
    });
  });
}

const onNode = describe.skipIf(peer === null || missing("node") !== "");

onNode("targets of continuous sync", { timeout: 120_000 }, () => {
  test("the seed: a publisher, a stock daemon with a module and a password, and one target that is down", async () => {
    const { root, source, target } = newPlace();
    makeTree(source);
    mkdirSync(target);
    const secrets = writeSecret(`secrets-${process.pid}`, "publisher:word\n");
    const modules = {
      www: { path: target, "read only": "no", "auth users": "publisher", "secrets file": secrets },
    };
    const daemon = await startDaemon(peer!, modules);
    const password = writeSecret(`password-${process.pid}`, "word\n");
    const url = `rsync://publisher@127.0.0.1:${daemon.port}/www/`;
    const local = join(root, "second");
    const words = ["-z", `--password-file=${password}`, `--watch-target=${local}`, `${source}/`, url];
    const watching = new Watching("node", words);
    await watching.settled(url, 0);
    appendFileSync(join(source, "sizes/f700"), "modified");
    rmSync(join(source, "deep/a/b"), { recursive: true });
    writeFileSync(join(source, "created"), "new");
    chmodSync(join(source, "sizes/f1"), 0o600);
    renameSync(join(source, "links"), join(source, "moved"));
    await watching.settled(url);
    expect(await drift(source, target)).toEqual([]);
    daemon.stop();
    await pause(300);
    writeFileSync(join(source, "while-down"), "kept in mind");
    rmSync(join(source, "created"));
    // The dead target holds nothing up.
    await watching.settled(local);
    expect(await drift(source, local)).toEqual([]);
    const retry = await watching.until(({ type }) => type === "retry");
    expect(retry).toMatchObject({ target: url, outcome: "transient" });
    const again = await startDaemon(peer!, modules, {}, daemon.port);
    await finish(watching, source, target, url);
    again.stop();
  });

  test("a rename at a stock receiver takes the old contents for basis: next to nothing is sent", async () => {
    const { source, target } = newPlace();
    mkdirSync(target);
    mkdirSync(join(source, "here/deep"), { recursive: true });
    mkdirSync(join(source, "there"));
    for (const name of ["here/deep/one", "here/two", "three"]) writeFileSync(join(source, name), randomBytes(500_000));
    const daemon = await startDaemon(peer!, { www: { path: target, "read only": "no" } });
    const url = `rsync://127.0.0.1:${daemon.port}/www/`;
    const watching = new Watching("node", [`${source}/`, url]);
    await watching.settled(url, 0);
    for (const [from, to] of [["here", "there/moved"], ["three", "four"], ["there/moved/deep", "up"]]) {
      const before = watching.events.length;
      renameSync(join(source, from), join(source, to));
      await watching.settled(url, before);
      const rounds = watching.events.slice(before).filter(({ type }) => type === "round");
      expect(rounds.reduce((sum, { sentBytes }) => sum + Number(sentBytes), 0)).toBeLessThan(20_000);
      expect(await drift(source, target)).toEqual([]);
    }
    await finish(watching, source, target, url);
    daemon.stop();
  });

  test("a refusing target is told from one that is away", async () => {
    const { source, target } = newPlace();
    mkdirSync(target);
    writeFileSync(join(source, "f"), "");
    const daemon = await startDaemon(peer!, { ro: { path: target, "read only": "yes" } });
    const url = `rsync://127.0.0.1:${daemon.port}/ro/`;
    const watching = new Watching("node", [`${source}/`, url]);
    expect(await watching.until(({ type }) => type === "retry")).toMatchObject({ outcome: "refused" });
    expect(await watching.stop()).toBe(0);
    daemon.stop();
  });

  test("several sources in one destination: the first one that has a name wins, as in any transfer", async () => {
    const { root, source, target } = newPlace();
    const second = join(root, "other");
    mkdirSync(second);
    writeFileSync(join(source, "both"), "first");
    writeFileSync(join(second, "both"), "second");
    for (const dir of [source, second]) writeFileSync(join(dir, "so that it is never empty"), "");
    const words = [`${source}/`, `${second}/`, source];
    const watching = new Watching("node", [...words, target]);
    await watching.settled(target, 0);
    const same = async (): Promise<void> => {
      await watching.quiet(target);
      const left = await run([peer!, "-ain", "--delete", ...words, target]);
      expect(left.stdout).toBe("");
    };
    const changes = [
      () => writeFileSync(join(second, "both"), "second again"), () => rmSync(join(source, "both")),
      () => writeFileSync(join(second, "only"), "x"), () => writeFileSync(join(source, "both"), "back"),
      () => rmSync(join(second, "only")),
    ];
    for (const change of changes) {
      change();
      await pause(250);
      await same();
    }
    expect(await watching.stop()).toBe(0);
  });

  test("filters: what is left out stays out, rules in the tree are followed when they change", async () => {
    const { source, target } = newPlace();
    for (const name of ["keep", "skip/deep", "tmp"]) mkdirSync(join(source, name), { recursive: true });
    writeFileSync(join(source, "keep/.rsync-filter"), "- *.o\n");
    const options = ["-F", "--exclude=/tmp/", "--exclude=skip"];
    const watching = new Watching("node", [...options, `${source}/`, target]);
    await watching.settled(target, 0);
    const same = async (): Promise<void> => {
      await pause(300);
      await watching.quiet(target);
      const left = await run([peer!, "-ain", "--delete", ...options, `${source}/`, target]);
      expect(left.stdout).toBe("");
    };
    for (const name of ["tmp/a", "skip/deep/b", "keep/c.o", "keep/d.c"]) writeFileSync(join(source, name), "x");
    await same();
    expect(existsSync(join(target, "keep/c.o"))).toBe(false);
    writeFileSync(join(source, "keep/.rsync-filter"), "- *.c\n");
    await same();
    expect(existsSync(join(target, "keep/c.o"))).toBe(true);
    renameSync(join(source, "tmp"), join(source, "seen"));
    renameSync(join(source, "keep"), join(source, "skip2"));
    await same();
    rmSync(join(source, "seen"), { recursive: true });
    await same();
    expect(await watching.stop()).toBe(0);
  });

  test("hard links keep their company", async () => {
    const { source, target } = newPlace();
    writeFileSync(join(source, "one"), "linked");
    linkSync(join(source, "one"), join(source, "two"));
    const watching = new Watching("node", ["-H", `${source}/`, target]);
    await watching.settled(target, 0);
    const from = watching.events.length;
    appendFileSync(join(source, "one"), " more");
    linkSync(join(source, "two"), join(source, "three"));
    await watching.settled(target, from);
    expect((await run([peer!, "-ainH", "--delete", `${source}/`, target])).stdout).toBe("");
    expect(readFileSync(join(target, "three"), "utf8")).toBe("linked more");
    expect(await watching.stop()).toBe(0);
  });

  test("guards: a source that is emptied or vanishes deletes nothing", async () => {
    const { root, source, target } = newPlace();
    writeFileSync(join(source, "precious"), "data");
    const watching = new Watching("node", [`${source}/`, target]);
    await watching.settled(target, 0);
    let from = watching.events.length;
    rmSync(join(source, "precious"));
    await watching.until((event) => event.type === "guard" && event.problem === "emptied", from);
    await pause(300);
    expect(existsSync(join(target, "precious"))).toBe(true);
    writeFileSync(join(source, "other"), "");
    await watching.settled(target, from);
    expect(await drift(source, target)).toEqual([]);
    from = watching.events.length;
    renameSync(source, join(root, "away"));
    await watching.until((event) => event.type === "guard" && event.problem === "vanished", from);
    await pause(300);
    expect(existsSync(join(target, "other"))).toBe(true);
    mkdirSync(source);
    writeFileSync(join(source, "new-life"), "");
    await watching.settled(target, from);
    writeFileSync(join(source, "watched-again"), "");
    await watching.settled(target);
    await finish(watching, source, target);
  });

  test("guards: a disk that is unmounted deletes nothing", async () => {
    const { source, target } = newPlace();
    const image = `${source}.image`;
    const mountWords = ["-o", "loop", image, source];
    const made = spawnSync("sh", ["-c", 'truncate -s 8M "$1" && mkfs.ext2 -q "$1" && mount -o loop "$1" "$2"', "sh",
      image, source]);
    if (made.status !== 0) {
      expect(process.getuid?.(), "a super-user can mount").not.toBe(0);
      return;
    }
    try {
      writeFileSync(join(source, "precious"), "data");
      const watching = new Watching("node", [`${source}/`, target]);
      await watching.settled(target, 0);
      const from = watching.events.length;
      spawnSync("umount", [source]);
      await watching.until((event) => event.type === "guard" && event.problem === "device", from);
      await pause(300);
      expect(existsSync(join(target, "precious"))).toBe(true);
      spawnSync("mount", mountWords);
      await watching.until((event) => event.type === "guard" && event.problem === null, from);
      writeFileSync(join(source, "more"), "data");
      await watching.until((event) => event.type === "file" && event.path === "more", from);
      await watching.quiet(target);
      expect(await drift(source, target, "s")).toEqual([]);
      expect(await watching.stop()).toBe(0);
    } finally {
      spawnSync("umount", ["-l", source]);
    }
  });

  test("drift that nobody caused at the source is found and repaired", async () => {
    const { source, target } = newPlace();
    makeTree(source);
    const watching = new Watching("node", ["--watch-audit=0.5", `${source}/`, target]);
    await watching.settled(target, 0);
    const from = watching.events.length;
    rmSync(join(target, "sizes/f700"));
    writeFileSync(join(target, "stray"), "");
    const audit = await watching.until((event) => event.type === "audit" && Number(event.drift) > 0, from);
    expect(Number(audit.drift)).toBeGreaterThan(0);
    await watching.until((event) => event.type === "audit" && event.drift === 0, watching.events.length);
    await finish(watching, source, target);
  });

  test("other ways to notice: fanotify, polling, fs.watch without libc", async () => {
    const asRoot = process.getuid?.() === 0;
    const ways: [string[], Record<string, string>, string][] = [
      [["--watch-backend=poll", "--watch-poll=0.3"], {}, "poll"],
      [[], { WSYNC_NO_FFI: "1" }, "events"],
      ...(asRoot ? [[["--watch-backend=fanotify"], {}, "fanotify"] as [string[], Record<string, string>, string]] : []),
    ];
    for (const [options, env, name] of ways) {
      const { source, target } = newPlace();
      mkdirSync(join(source, "a/b"), { recursive: true });
      const watching = new Watching("node", [...options, `${source}/`, target], env);
      const begun = await watching.until(({ type }) => type === "watch");
      expect([begun.backend, begun.degraded !== null]).toEqual([name, name !== "fanotify"]);
      await watching.settled(target, 0);
      writeFileSync(join(source, "a/b/file"), "new");
      mkdirSync(join(source, "c"));
      await watching.settled(target);
      const from = watching.events.length;
      rmSync(join(source, "a/b/file"));
      renameSync(join(source, "a/b"), join(source, "c/b"));
      await watching.settled(target, from);
      await pause(500);
      await watching.quiet(target);
      // node:fs sets times to the microsecond.
      expect(await drift(source, target, name === "events" ? "s" : "ns")).toEqual([]);
      expect(await watching.stop()).toBe(0);
    }
  });

  test("on a terminal, what a session prints takes the place of the live line", async () => {
    const { source, target } = newPlace();
    writeFileSync(join(source, "f"), "one");
    const words = [wsync("node")!, "-a", "--watch", "--watch-retry=0.2", `${source}/`];
    const url = "rsync://127.0.0.1:1/nobody/";
    const command = [...words, `--watch-target=${url}`, target].map(quote).join(" ");
    const child = spawn("script", ["-qfc", command, "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"], detached: true });
    let screen = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text));
    for (let tries = 0; tries < 300 && screen.split("next try in").length < 4; tries++) await pause(100);
    process.kill(-child.pid!, "SIGKILL");
    // What is left of a line after the last return to its beginning.
    const lines = screen.split("\n").map((line) => line.replace(/\r$/, "").split("\r\x1b[K").at(-1)!);
    expect(screen).toContain(`${target}: in sync`);
    expect(lines.filter((line) => line.startsWith("rsync: [sender] failed to connect")).length).toBeGreaterThan(1);
    expect(lines.filter((line) => /\dZ {2}.*rsync( error)?: /.test(line))).toEqual([]);
  });
});
