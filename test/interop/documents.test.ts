/**
 * Every command of the documents is run, in a scratch directory with stand-ins for the hosts: "ssh" starts what it is
 * given in another directory, daemons without a port of their own are one behind RSYNC_CONNECT_PROG.
 */
import { spawn } from "node:child_process";
import {
  existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runtimeWords } from "../_binaries.mjs";
import { bundleCommand, missing, peer, projectRoot, quote, scratch } from "../_programs.ts";
import { finished, plainEnvironment, run } from "../_run.ts";
import { freePort } from "../_servers.ts";
import { compare, describeTree } from "../_trees.ts";
import { type Block, blocksOf, fileOf, NOT_RUN } from "./_documents.ts";

const DOCUMENTS = ["README.md", "GUIDE.md", "WATCH.md", "DAEMON.md", "CONTRIBUTING.md", "SECURITY.md",
  "bench/README.md", "src/README.md", "src/output/JSON.md", "src/protocol/README.md", "test/upstream/README.md"];
/** What the documents' commands copy. */
const FILES = ["photos/old.jpg", "photos/shot.raw", "photos/more/tree.jpg", "site/index.html", "site/a/style.css",
  "src/a/b", "dir/file", "data/d/x", "module/file"];
/** How long a watch may take until it has brought everything over. */
const WATCH_MS = 20_000;
const asRoot = process.getuid!() === 0;
const reason = peer === null ? "no stock rsync" : missing("node");

/** A directory with what the documents speak of, and programs by the names that they use. */
class Place {
  readonly top: string;
  readonly ports = new Map<string, string>();

  constructor(document: string) {
    this.top = join(scratch, `documents-${document.replaceAll(/\W/g, "-")}`);
    for (const dir of ["bin", "remote/www", "remote/dst", "remote/dir", "tmp", "mnt/a", "mnt/b", "node_modules"]) {
      mkdirSync(join(this.top, dir), { recursive: true });
    }
    for (const path of FILES) this.write(path, `${path}\n`.repeat(500));
    symlinkSync(projectRoot, this.at("node_modules/wsync"));
    this.write("standin.conf", [this.own("use chroot = no"), ...["module", "www"].flatMap((name) =>
      [`[${name}]`, `path = ${this.at(name === "www" ? "remote/www" : name)}`, "read only = no"])].join("\n"));
    for (const name of ["wsync", "wsync-rrsync"]) {
      this.program(name, `exec ${bundleCommand("node", name)!.map(quote).join(" ")} "$@"`);
    }
    for (const runtime of ["deno", "bun"] as const) {
      const words = runtimeWords(runtime);
      if (words !== null) this.program(runtime, `exec ${quote(words[0])} "$@"`);
    }
    symlinkSync(join(projectRoot, "dist"), this.at("dist"));
    this.program("npx", 'exec "$@"');
    this.program("ssh", [
      'while case "$1" in -p|-l|-o) shift ;; -*) ;; *) false ;; esac; do shift; done', "shift",
      `cd ${quote(this.at("remote"))} && exec sh -c "$*"`,
    ].join("\n"));
  }

  at(path: string): string {
    return join(this.top, path);
  }

  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), text, { mode });
  }

  private program(name: string, text: string): void {
    this.write(`bin/${name}`, `#!/bin/sh\n${text}\n`, 0o755);
  }

  /** A text with places and ports of this test's own. */
  own(text: string): string {
    let own = text.replaceAll(/\/(tmp|mnt|etc)\//g, `${this.top}/$1/`);
    for (const [port, free] of this.ports) own = own.replaceAll(port, free);
    // A daemon of root's would serve as nobody, who may not write here.
    return asRoot ? own.replace(/^use chroot = no$/m, "$&\nuid = 0\ngid = 0") : own;
  }

  environment(standIn: boolean): Record<string, string> {
    const { PATH, ...rest } = plainEnvironment({ HOME: this.top });
    const daemon = { RSYNC_CONNECT_PROG: `${this.at("bin/wsync")} --daemon --config=${this.at("standin.conf")}` };
    return { ...rest, PATH: `${this.at("bin")}:${PATH}`, ...(standIn ? daemon : {}) };
  }
}

/** Ends the daemon that wrote a pid file, if there is one. */
function endDaemon(path: string | undefined): void {
  if (path === undefined || !existsSync(path)) return;
  try {
    process.kill(Number(readFileSync(path, "utf8")), "SIGTERM");
  } catch {
    // It is just ending.
  }
}

/** The commands of a block, lines that a backslash continues joined, without what is not run. */
function commandsOf({ text }: Block): string[] {
  return text.replaceAll(/\\\n/g, " ").split("\n").map((line) => line.replace(/^npm ci && /, ""))
    .filter((line) => line.trim() !== "" && !NOT_RUN.some(([begins]) => line.startsWith(begins)));
}

/** Runs a watch until it says that it is done, and stops it. */
async function runWatch(place: Place, command: string): Promise<void> {
  const child = spawn("bash", ["-c", `exec ${place.own(command.replace(/^npx /, "").replace(/ #.*/, ""))} --json`], {
    cwd: place.top, env: place.environment(true), stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  const targets = command.includes("--watch-target") ? 2 : 1;
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    if (stdout.split("\n").filter((line) => line.includes('"inSync":true')).length >= targets) child.kill("SIGTERM");
  });
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const [code] = await finished(child, WATCH_MS, [command]);
  expect([code, stderr], command).toEqual([0, ""]);
}

async function runBlock(place: Place, block: Block, standIn: boolean): Promise<void> {
  const plain: string[] = [];
  const flush = async (): Promise<void> => {
    if (plain.length === 0) return;
    const script = place.own(plain.splice(0).join("\n"));
    // Standard input is a socket here, which a daemon would take for its client.
    const options = { cwd: place.top, env: place.environment(standIn) };
    const { code, stderr } = await run(["sh", "-eu", "-c", `exec </dev/null\n${script}`], options);
    expect([code, code === 0 ? "" : stderr], `${block.document}:${block.line}\n${script}`).toEqual([0, ""]);
  };
  for (const command of commandsOf(block)) {
    if (!/ --watch /.test(command)) plain.push(command);
    else await flush().then(() => runWatch(place, command));
  }
  await flush();
}

describe.skipIf(reason !== "")(`commands of the documents [${reason}]`, () => {
  test.each(["README.md", "WATCH.md"])("of %s", async (document) => {
    const place = new Place(document);
    const config = ["address = 127.0.0.1", `port = ${await freePort()}`, `pid file = ${place.at("pid")}`];
    place.write("etc/rsyncd.conf", config.join("\n"));
    for (const block of blocksOf(document)) if (block.language === "sh") await runBlock(place, block, true);
    // The README starts a daemon.
    endDaemon(place.at("pid"));
    const www = (name: string): string => readFileSync(place.at(name), "utf8");
    expect(www("remote/www/index.html")).toBe(www("site/index.html"));
    if (document === "WATCH.md") expect(www("mnt/b/d/x")).toBe(www("mnt/a/d/x"));
    else expect(www("copy/file")).toBe(www("module/file"));
  }, 90_000);

  describe("of GUIDE.md", () => {
    const place = reason === "" ? new Place("GUIDE.md") : null!;
    beforeAll(async () => {
      for (const port of ["8873", "8730", "8731"]) place.ports.set(port, String(await freePort()));
    });

    // The guide ends its daemon itself, unless something went wrong.
    afterAll(() => endDaemon(place?.at("rsyncd.pid")));

    test.each(blocksOf("GUIDE.md").map((block) => [`line ${block.line}`, block] as const))("%s", async (_, block) => {
      const file = fileOf(block);
      if (file !== null) place.write(file, place.own(block.text));
      else if (block.language === "sh") await runBlock(place, block, false);
      else expect(["text", "ini"]).toContain(block.language);
    }, 60_000);

    test("did what they say", () => {
      const same = (one: string, other: string): string[] =>
        compare(describeTree(place.at(one)), describeTree(place.at(other)));
      expect(same("site", "restored")).toEqual([]);
      expect(same("site", "from-daemon")).toEqual([]);
      expect(same("site", "remote/www")).toEqual([]);
      expect(same("photos", "inbox/photos")).toEqual([]);
      expect(same("photos", "backups/2026-01-02/photos")).toEqual([]);
      expect(readdirSync(place.at("backups")).sort()).toEqual(["2026-01-01", "2026-01-02"]);
      const inode = (day: string): number => statSync(place.at(`backups/${day}/site/index.html`)).ino;
      expect(inode("2026-01-02")).toBe(inode("2026-01-01"));
      expect(existsSync(place.at("copy/shot.raw"))).toBe(false);
      expect(existsSync(place.at("copy/more/tree.jpg"))).toBe(true);
    });
  });
});

describe("the documents", () => {
  test("have no commands in other blocks or documents, and none is left out without a reason", () => {
    // DAEMON.md has a test of its own, with two hosts.
    const executed = ["README.md", "WATCH.md", "GUIDE.md", "DAEMON.md"];
    const languages = new Set(["js", "ini", "text", "json", ""]);
    for (const block of DOCUMENTS.flatMap(blocksOf)) {
      if (block.language === "sh") expect(executed).toContain(block.document);
      else expect([...languages], `${block.document}:${block.line}`).toContain(block.language);
    }
    const commands = DOCUMENTS.flatMap(blocksOf).filter(({ language }) => language === "sh").map(({ text }) => text);
    for (const [begins, why] of NOT_RUN) {
      expect(commands.some((text) => text.includes(begins)), begins).toBe(true);
      expect(why.length).toBeGreaterThan(10);
    }
  });

  test("name only scripts that package.json has, and files that are there", () => {
    const { scripts } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as { scripts: object };
    for (const document of DOCUMENTS) {
      const text = readFileSync(join(projectRoot, document), "utf8");
      for (const [, name] of text.matchAll(/npm run (?:-s |--silent )?([\w:]+)/g)) {
        expect(Object.keys(scripts)).toContain(name);
      }
      for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
        expect(existsSync(join(projectRoot, dirname(document), link)), `${document}: ${link}`).toBe(true);
      }
    }
  });

  test("and the Dockerfile say the same", () => {
    const lines = readFileSync(join(projectRoot, "Dockerfile"), "utf8").replaceAll(/\\\n/g, "").split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    for (const line of lines) expect(line).toMatch(/^(FROM|WORKDIR|COPY|RUN|EXPOSE|ENTRYPOINT) /);
    const guide = readFileSync(join(projectRoot, "GUIDE.md"), "utf8");
    for (const command of ["npm ci", "npm install -g", "npm pack --silent"]) {
      expect(guide).toContain(command);
      expect(lines.some((line) => line.startsWith("RUN ") && line.includes(command)), command).toBe(true);
    }
    const entry = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(lines.join("\n"))![1]) as string[];
    const { bin, engines } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as {
      bin: object; engines: { node: string };
    };
    expect(Object.keys(bin)).toContain(entry[0]);
    const [, node] = /^FROM node:(\d+)/.exec(lines[0])!;
    expect(Number(node)).toBeGreaterThanOrEqual(Number(engines.node.slice(2)));
  });
});
