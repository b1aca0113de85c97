/**
 * The page as one end of transfers in Chromium: a wsync daemon behind its WebSocket port at the other. What the browser
 * has afterwards is compared with a stock rsync's copy, and what it pushes with what it has.
 */
import { createHash } from "node:crypto";
import {
  cpSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type AddressInfo } from "node:net";
import { type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pageServer } from "../../runtimes/page/serve.mjs";
import { missing, peer, projectRoot, scratch, wsync } from "../_programs.ts";
import { run } from "../_run.ts";
import { freePort, type Server, startDaemon, writeSecret } from "../_servers.ts";
import { join as joinBytes, Random } from "../unit/delta/_engine.ts";
import { type Browser, browserProgram, downloaded, openPage } from "./_browser.ts";

const reason = browserProgram === null ? "no chromium" : peer === null ? "no stock rsync" : missing("node");
const top = join(scratch, "browser-transfer");
const at = (...names: string[]): string => join(top, ...names);
const random = new Random(5);
const big = random.bytes(3_000_000);
let browser: Browser;
let page: Page;
let daemon: Server;
let door = "";

beforeAll(async () => {
  if (reason !== "") return;
  mkdirSync(at("module/site/img/deep"), { recursive: true });
  mkdirSync(at("module/site/empty"));
  mkdirSync(at("private"));
  writeFileSync(at("private/note"), "for one user");
  writeFileSync(at("module/site/big.bin"), big);
  writeFileSync(at("module/site/index.html"), "<h1>hello</h1>");
  writeFileSync(at("module/site/img/façade ✓.txt"), "a name of more than ASCII");
  writeFileSync(at("module/site/img/deep/run.sh"), "#!/bin/sh\n", { mode: 0o755 });
  for (let i = 0; i < 120; i++) writeFileSync(at(`module/site/img/f${i}`), random.bytes(i * 37));
  symlinkSync("img/f7", at("module/site/link"));
  for (const name of ["img/deep/run.sh", "index.html", "img/f9", "empty", "big.bin"]) {
    utimesSync(at("module/site", name), 1_500_000_000, 1_500_000_000.25);
  }
  await run([peer!, "-a", `${at("module/site")}/`, `${at("before")}/`]);
  const port = await freePort();
  daemon = await startDaemon(wsync("node")!, {
    module: { path: at("module"), comment: "a site", "read only": "no" },
    private: { path: at("private"), "auth users": "ann", "secrets file": writeSecret("page.secrets", "ann:sesame\n") },
  }, { "websocket port": `${port}`, "websocket origins": "http://127.0.0.1:*" });
  door = `ws://127.0.0.1:${port}/`;
  browser = await openPage();
  ({ page } = browser);
  page.setDefaultTimeout(15_000);
  await page.getByRole("link", { name: "Transfer" }).click();
}, 120_000);
afterAll(async () => {
  daemon?.stop();
  await browser?.stop();
});

/** Enters a daemon's address and waits for its modules. */
async function connect(url: string, user = "", password = ""): Promise<void> {
  await page.getByLabel("Daemon", { exact: true }).fill(url);
  await page.getByLabel("User").fill(user);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "List modules" }).click();
}

/** Goes into a module or directory by its name. */
async function enter(...names: string[]): Promise<void> {
  for (const name of names) {
    await page.locator("#there").getByRole("button", { name, exact: true }).click();
    await page.waitForFunction((last) => document.querySelector("#crumbs [aria-current]")?.textContent === last, name);
  }
  await page.waitForSelector("#bar:not([hidden])");
}

/** Clicks and waits until the transfer has been told of; what was said. */
async function move(button: "Pull into this browser" | "Push to the daemon"): Promise<string> {
  await page.getByRole("button", { name: button }).click();
  await page.waitForSelector("#outcome:not([hidden])", { timeout: 60_000 });
  await page.waitForSelector("#transfer-work", { state: "hidden" });
  return (await page.locator("#outcome-sentence").textContent())!;
}

async function figure(title: string): Promise<number> {
  const text = await page.locator("#outcome-figures div", { hasText: title }).locator("dd").textContent();
  const [, value, unit] = /([\d.,]+) (\w+)/.exec(text!)!;
  const factors: Record<string, number> = { kB: 1e3, MB: 1e6 };
  return Number(value.replaceAll(",", "")) * (factors[unit] ?? 1);
}

/** What the browser holds of a daemon's path: contents by name. */
function held(...path: string[]): Promise<Record<string, string>> {
  return page.evaluate(async (names) => {
    let dir = await navigator.storage.getDirectory();
    for (const name of names) dir = await dir.getDirectoryHandle(name);
    const found: Record<string, string> = {};
    const walk = async (from: FileSystemDirectoryHandle, prefix: string): Promise<void> => {
      for await (const handle of from.values()) {
        if (handle.kind === "directory") {
          found[prefix + handle.name] = "directory";
          await walk(handle, `${prefix}${handle.name}/`);
        } else if (handle.name !== ".wsync-attributes.json") {
          const bytes = await (await handle.getFile()).arrayBuffer();
          const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
          found[prefix + handle.name] = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
        }
      }
    };
    await walk(dir, "");
    return found;
  }, ["wsync", ...path]);
}

/** The same of a directory here, symlinks left out, as a browser has none. */
function onDisk(dir: string, prefix = ""): Record<string, string> {
  return Object.assign({}, ...readdirSync(dir, { withFileTypes: true }).map((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return { [prefix + entry.name]: "directory", ...onDisk(path, `${prefix}${entry.name}/`) };
    if (entry.isSymbolicLink()) return {};
    return { [prefix + entry.name]: createHash("sha256").update(readFileSync(path)).digest("hex") };
  })) as Record<string, string>;
}

const place = (path: string): [string, string] => [new URL(door).host.replace(":", "_"), path.replaceAll("/", "%2F")];

describe.skipIf(reason !== "")("the page as one end of a transfer", () => {
  test("lists a daemon's modules and looks into them", async () => {
    await connect(door);
    await page.waitForSelector("#ends:not([hidden])");
    expect(await page.locator("#there li").allTextContents()).toEqual(["modulea site", "private"]);
    await enter("module", "site");
    const rows = await page.locator("#there li").allTextContents();
    expect(rows[0]).toBe("emptydirectory");
    expect(rows).toContain("big.bin3.00 MB");
    expect(rows).toContain("linksymlink");
  });

  test("pulls what stock rsync pulls", async () => {
    const said = await move("Pull into this browser");
    expect(said).toMatch(/^124 files pulled: /);
    const copy = await run([peer!, "-rltp", `rsync://127.0.0.1:${daemon.port}/module/site/`, `${at("copy")}/`]);
    expect([copy.code, copy.stderr]).toEqual([0, ""]);
    expect(await held(...place("module/site"))).toEqual(onDisk(at("copy")));
    expect(await page.locator("#here li", { hasText: "link" }).first().textContent()).toContain("symlink");
  });

  test("asks for nothing more while nothing changes, though a browser keeps no times", async () => {
    await page.reload();
    await connect(door);
    await enter("module", "site");
    expect(await move("Pull into this browser")).toMatch(/^0 files pulled: /);
    expect(await figure("Received")).toBeLessThan(6_000);
  });

  test("pulls a change as a delta, deletes, and says beforehand what it would do", async () => {
    const changed = joinBytes(big.subarray(0, 1_000_000), random.bytes(500), big.subarray(1_000_000));
    writeFileSync(at("module/site/big.bin"), changed);
    utimesSync(at("module/site/big.bin"), 1_600_000_000, 1_600_000_000);
    writeFileSync(at("module/site/img/new"), "new");
    rmSync(at("module/site/img/f3"));
    await page.getByLabel("delete what the other end has not").check();
    await page.getByLabel("only say what would be done").check();
    expect(await move("Pull into this browser")).toBe("2 files would be pulled, 1 deleted; nothing has been changed.");
    expect(await held(...place("module/site"))).toHaveProperty("img/f3");
    await page.getByLabel("only say what would be done").uncheck();
    expect(await move("Pull into this browser")).toMatch(/^2 files pulled, 1 deleted: /);
    expect(await figure("Received")).toBeLessThan(60_000);
    expect(await figure("Found in old files")).toBeGreaterThan(2_900_000);
    expect(await held(...place("module/site"))).toEqual(onDisk(at("module/site")));
  });

  test("pushes a change back as a delta, with all that a browser cannot keep", async () => {
    const changed = joinBytes(big.subarray(500_000), random.bytes(100));
    writeFileSync(at("big.bin"), changed);
    await page.setInputFiles("#here-add", [at("big.bin")]);
    await page.waitForFunction(() => document.querySelector("#here-sum")!.textContent!.includes("files"));
    await page.locator("#here li", { hasText: "img/new" }).getByRole("button", { name: "remove" }).click();
    await page.waitForFunction(() => !document.querySelector("#here")!.textContent!.includes("img/new"));
    await page.getByLabel("delete what the other end has not").check();
    expect(await move("Push to the daemon")).toMatch(/^1 file pushed, 1 deleted: /);
    expect(await figure("Sent")).toBeLessThan(60_000);
    expect(Buffer.compare(readFileSync(at("module/site/big.bin")), changed)).toBe(0);
    expect(existsSync(at("module/site/img/new"))).toBe(false);
    expect(await held(...place("module/site"))).toEqual(onDisk(at("module/site")));
    // Times, modes and symlinks have been through the browser and are what they were.
    const [before, after] = [at("before"), at("module/site")];
    expect(readlinkSync(join(after, "link"))).toBe("img/f7");
    for (const name of ["img/deep/run.sh", "index.html", "img/f9", "empty"]) {
      const [old, now] = [before, after].map((dir) => statSync(join(dir, name), { bigint: true }));
      expect([now.mode, now.mtimeNs], name).toEqual([old.mode, old.mtimeNs]);
    }
  });

  test("pushes a new directory elsewhere, from a folder that the user chose", async () => {
    // The browser's own dialogue has no buttons for a program: the folder it would give is one of the same kind.
    await page.evaluate(() => {
      Object.assign(window, {
        showDirectoryPicker: async () =>
          (await navigator.storage.getDirectory()).getDirectoryHandle("chosen", { create: true }),
      });
    });
    mkdirSync(at("module/up"));
    await page.locator("#crumbs").getByRole("button", { name: "module", exact: true }).click();
    await enter("up");
    await page.getByRole("button", { name: "Choose a folder…" }).click();
    await page.waitForFunction(() => document.querySelector("#place-name")!.textContent!.includes("the folder chosen"));
    writeFileSync(at("hello.txt"), "hello");
    await page.setInputFiles("#here-add", [at("hello.txt"), at("big.bin")]);
    await page.waitForFunction(() => document.querySelector("#here-sum")!.textContent!.startsWith("2 files"));
    await page.getByLabel("delete what the other end has not").uncheck();
    expect(await move("Push to the daemon")).toMatch(/^2 files pushed: /);
    expect(readdirSync(at("module/up")).sort()).toEqual(["big.bin", "hello.txt"]);
    expect(readFileSync(at("module/up/hello.txt"), "utf8")).toBe("hello");
    await downloaded(page, () => page.getByRole("button", { name: "save hello.txt" }).click(), at("saved.txt"));
    expect(readFileSync(at("saved.txt"), "utf8")).toBe("hello");
  });

  test("gives a password where one is asked for, and says what goes wrong", async () => {
    await connect(door, "ann", "wrong");
    await page.locator("#there").getByRole("button", { name: "private", exact: true }).click();
    await page.waitForSelector("#transfer-trouble:not([hidden])");
    expect(await page.locator("#transfer-trouble").textContent()).toMatch(/auth failed on module private/);
    await connect(door, "ann", "sesame");
    await enter("private");
    expect(await move("Pull into this browser")).toMatch(/^1 file pulled: /);
    await connect("ws://127.0.0.1:1/");
    await page.waitForSelector("#transfer-trouble:not([hidden])");
    expect(await page.locator("#transfer-trouble").textContent()).toMatch(/no WebSocket to ws:\/\/127\.0\.0\.1:1\//);
  });

  test("says which names the browser does not take, and stores the others", async () => {
    mkdirSync(at("module/odd"));
    writeFileSync(Buffer.concat([Buffer.from(at("module/odd/no-text-")), Buffer.of(0xff)]), "x");
    writeFileSync(at("module/odd/plain"), "plain");
    await connect(door);
    await enter("module", "odd");
    await page.getByRole("button", { name: "Pull into this browser" }).click();
    await page.waitForSelector("#transfer-trouble:not([hidden])");
    await page.waitForSelector("#transfer-work", { state: "hidden" });
    expect(await page.locator("#transfer-trouble").textContent()).toMatch(/did not store 1 of the entries: no-text-/);
    expect(Object.keys(await held(...place("module/odd")))).toEqual(["plain"]);
  });

  test("a browser without WebSocketStream pulls the same", async () => {
    cpSync(join(projectRoot, "build/page"), at("page"), { recursive: true });
    const worker = at("page/transferworker.js");
    writeFileSync(worker, `delete globalThis.WebSocketStream;${readFileSync(worker, "utf8")}`);
    const server = pageServer(at("page"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/#transfer`);
    await connect(door);
    await enter("module", "site");
    expect(await move("Pull into this browser")).toMatch(/^123 files pulled: /);
    expect(await held(...place("module/site"))).toEqual(onDisk(at("module/site")));
    server.close();
  });

  test("everything is named and within the keyboard's reach, on a phone too", async () => {
    const unnamed = await page.$$eval("#view-transfer :is(button, input, progress)", (all) => all.filter((one) => {
      const labels = [...((one as HTMLInputElement).labels ?? [])];
      const text = [one.textContent, one.getAttribute("aria-label"), ...labels.map((label) => label.textContent)];
      return !text.some((part) => (part ?? "").trim() !== "");
    }).map((one) => one.outerHTML));
    expect(unnamed).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    const [content, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(content).toBeLessThanOrEqual(room);
    await page.evaluate(() => document.querySelector<HTMLElement>("#door-url")!.focus());
    const seen = new Set<string>();
    for (let step = 0; step < 30; step++) {
      await page.keyboard.press("Tab");
      seen.add(await page.evaluate(() => document.activeElement!.id || document.activeElement!.textContent!.trim()));
    }
    const ids = ["door-user", "door-password", "door-open", "pull", "push", "with-delete", "with-dry", "modules"];
    for (const id of ids) {
      expect([...seen], id).toContain(id);
    }
  });

  test("the page has complained of nothing of its own", () => {
    expect(browser.complaints.filter((text) => !text.includes("ws://127.0.0.1:1/"))).toEqual([]);
  });
});
