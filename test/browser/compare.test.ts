/** The page's comparison in Chromium, beside stock rsync's own figures and rdiff's patch. */
import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { peer, scratch, whereIs } from "../_programs.ts";
import { join as joinBytes, Random } from "../unit/delta/_engine.ts";
import { type Browser, browserProgram, downloaded, openPage } from "./_browser.ts";

const dir = join(scratch, "browser-compare");
let browser: Browser;
let page: Page;

const random = new Random(41);
const old = random.bytes(2_000_003);
const now = joinBytes(
  old.subarray(0, 300_000), random.bytes(3_000), old.subarray(300_000, 900_000), old.subarray(1_200_000),
  old.subarray(900_000, 1_200_000), random.bytes(10),
);

beforeAll(async () => {
  mkdirSync(dir);
  writeFileSync(join(dir, "old.bin"), old);
  writeFileSync(join(dir, "new.bin"), now);
  if (browserProgram !== null) {
    browser = await openPage();
    ({ page } = browser);
  }
}, 120_000);
afterAll(() => browser?.stop());

/** The comparison is done and shown. */
async function settled(): Promise<void> {
  await page.waitForSelector("#result:not([hidden]):not(.stale)", { timeout: 110_000 });
}

async function choose(oldPath: string, newPath: string): Promise<void> {
  await page.setInputFiles("#input-old", oldPath);
  await page.setInputFiles("#input-new", newPath);
  await settled();
}

/** What the page says, by the title of the figure. */
async function figures(): Promise<Map<string, string>> {
  const pairs = await page.$$eval("#fine div", (all) => all.map((one) => [
    one.querySelector("dt")!.textContent!, one.querySelector("dd")!.textContent!,
  ] as const));
  return new Map(pairs);
}

const number = (text: string | undefined): number => Number((text ?? "").replace(/[^0-9]/g, ""));

/** What stock rsync does with the same files. */
function stock(...options: string[]): { literal: number; matched: number; wire: number } {
  const target = join(dir, "target");
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, "new.bin"), old);
  const words = ["--no-whole-file", "--ignore-times", "--stats", "--no-human-readable", ...options];
  const text = execFileSync(peer!, [...words, join(dir, "new.bin"), `${target}/`], { encoding: "utf8" });
  const find = (title: string): number => Number(new RegExp(`${title}: ([0-9,]+)`).exec(text)![1].replace(/,/g, ""));
  return {
    literal: find("Literal data"), matched: find("Matched data"),
    wire: find("Total bytes sent") + find("Total bytes received"),
  };
}

async function wireBytes(): Promise<number> {
  return number((await page.getAttribute("#wire", "title"))!);
}

describe.skipIf(browserProgram === null || peer === null)("the comparison in Chromium", () => {
  test("finds what rsync finds, and sends what rsync sends", async () => {
    await choose(join(dir, "old.bin"), join(dir, "new.bin"));
    const shown = await figures();
    const real = stock();
    expect(number(shown.get("New bytes"))).toBe(real.literal);
    expect(number(shown.get("Bytes found"))).toBe(real.matched);
    // rsync's totals hold the handshake, the list and the end of the conversation too.
    expect(real.wire - (await wireBytes())).toBeGreaterThan(0);
    expect(real.wire - (await wireBytes())).toBeLessThan(700);
  });

  test("with another block size and checksum as well", async () => {
    await page.getByRole("radio", { name: "md5" }).check();
    await settled();
    const slider = page.getByRole("slider", { name: "Block size" });
    await slider.focus();
    for (let step = 0; step < 6; step++) await page.keyboard.press("ArrowRight");
    const chosen = number((await slider.getAttribute("aria-valuetext"))!);
    await page.waitForFunction((want) => {
      const text = document.querySelector("#fine dd")!.textContent!.replace(/[^0-9]/g, "");
      return Number(text) === want && !document.querySelector("#result")!.classList.contains("stale");
    }, chosen);
    const shown = await figures();
    const real = stock("--checksum-choice=md5", `--block-size=${chosen}`);
    expect(number(shown.get("New bytes"))).toBe(real.literal);
    expect(number(shown.get("Bytes found"))).toBe(real.matched);
    expect(real.wire - (await wireBytes())).toBeLessThan(700);
    await page.getByRole("button", { name: "rsync’s choice" }).click();
    await page.getByRole("radio", { name: "xxh128" }).check();
    await settled();
  });

  test.skipIf(whereIs("rdiff") === null)("its delta is one that rdiff applies", async () => {
    for (const [hash, rollsum] of [["blake2", "rabinkarp"], ["md4", "rollsum"]]) {
      await page.selectOption("#take-hash", hash);
      await page.selectOption("#take-rollsum", rollsum);
      const path = join(dir, `${hash}.delta`);
      await downloaded(page, () => page.getByRole("button", { name: "Download the delta" }).click(), path);
      execFileSync("rdiff", ["--force", "patch", join(dir, "old.bin"), path, join(dir, "result")]);
      expect(Buffer.compare(readFileSync(join(dir, "result")), now)).toBe(0);
      expect(readFileSync(path).length).toBeLessThan(30_000);
    }
  });

  test("its batch is one that stock rsync replays", async () => {
    const path = join(dir, "batch");
    await downloaded(page, () => page.getByRole("button", { name: "Download a batch" }).click(), path);
    const target = join(dir, "replayed");
    mkdirSync(target);
    writeFileSync(join(target, "new.bin"), old);
    execFileSync(peer!, [`--read-batch=${path}`, `${target}/`]);
    expect(Buffer.compare(readFileSync(join(target, "new.bin")), now)).toBe(0);
    expect(readFileSync(path).length).toBeLessThan(30_000);
  });

  test("the map speaks: arrow keys go from region to region", async () => {
    const map = page.getByRole("slider", { name: "Regions of the new version" });
    await map.focus();
    await page.keyboard.press("Home");
    expect(await map.getAttribute("aria-valuetext")).toMatch(/^Region 1 of \d+, Unchanged: .* at byte 0: /);
    await page.keyboard.press("ArrowRight");
    expect(await map.getAttribute("aria-valuetext")).toMatch(/^Region 2 of \d+, New: .*sent as they are$/);
    await page.keyboard.press("End");
    expect(await map.getAttribute("aria-valuenow")).toBe(await map.getAttribute("aria-valuemax"));
    expect(await page.locator("#tip").isVisible()).toBe(true);
    await page.getByText("The largest regions as a table").click();
    const first = await page.locator("#region-rows tr").first().locator("td").allTextContents();
    expect(first[2]).toMatch(/unchanged|moved/);
  });

  test("all block sizes and checksums are measured", async () => {
    await page.getByRole("button", { name: "Measure all" }).click();
    await page.waitForFunction(() => document.querySelectorAll("#size-chart circle").length >= 11
      && !document.querySelector<HTMLButtonElement>("#measure")!.disabled, null, { timeout: 110_000 });
    const rows = await page.locator("#sum-rows tr").allTextContents();
    expect(rows).toHaveLength(6);
    for (const row of rows) expect(row).toMatch(/MB\/s|GB\/s|kB\/s/);
  });

  test("works on a phone and in the dark, and nothing sticks out", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const view of ["compare", "files", "transfer"]) {
      await page.evaluate((name) => void (location.hash = name), view);
      const [content, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      expect(content, view).toBeLessThanOrEqual(room);
    }
    const paper = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.emulateMedia({ colorScheme: "light" });
    const light = await paper();
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await paper()).not.toBe(light);
    await page.emulateMedia({ colorScheme: null });
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.evaluate(() => void (location.hash = "compare"));
  });

  test("every control has a name, and the keyboard reaches what there is", async () => {
    const unnamed = await page.$$eval("button, input, select, a[href]", (all) => all.filter((one) => {
      const labels = "labels" in one ? [...((one as HTMLInputElement).labels ?? [])] : [];
      const text = [one.textContent, one.getAttribute("aria-label"), ...labels.map((label) => label.textContent)];
      return !text.some((part) => (part ?? "").trim() !== "");
    }).map((one) => one.outerHTML));
    expect(unnamed).toEqual([]);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    const seen = new Set<string>();
    for (let step = 0; step < 45; step++) {
      await page.keyboard.press("Tab");
      seen.add(await page.evaluate(() => document.activeElement!.id || document.activeElement!.textContent!.trim()));
    }
    for (const id of ["input-old", "input-new", "map-canvas", "block", "take-delta", "take-batch", "measure"]) {
      expect([...seen], id).toContain(id);
    }
  });

  test("a gibibyte neither freezes the page nor fills its memory", async () => {
    const big = (name: string, patches: readonly (readonly [number, Uint8Array])[]): string => {
      const path = join(dir, name);
      const fd = openSync(path, "w");
      ftruncateSync(fd, 1 << 30);
      for (const [at, bytes] of patches) writeSync(fd, bytes, 0, bytes.length, at);
      closeSync(fd);
      return path;
    };
    const part = random.bytes(8_000_000);
    const olds = big("old.img", [[100_000_000, part], [900_000_000, part.subarray(0, 3_000_000)]]);
    const news = big("new.img", [[500_000_321, part], [900_000_000, part.subarray(0, 3_000_000)]]);
    await page.evaluate(() => {
      const state = window as unknown as { worst: number };
      state.worst = 0;
      let last = performance.now();
      setInterval(() => {
        state.worst = Math.max(state.worst, performance.now() - last - 20);
        last = performance.now();
      }, 20);
    });
    await choose(olds, news);
    const shown = await figures();
    expect(number(shown.get("New bytes")) + number(shown.get("Bytes found"))).toBe(1 << 30);
    expect(number(shown.get("New bytes"))).toBeLessThan(200_000);
    const worst = await page.evaluate(() => (window as unknown as { worst: number }).worst);
    expect(worst).toBeLessThan(1_000);
    expect(rendererMegabytes()).toBeLessThan(500);
  });

  test("the page has complained of nothing", () => expect(browser.complaints).toEqual([]));
});

/** Resident memory of the largest renderer of this browser, in megabytes. */
function rendererMegabytes(): number {
  const rows = execFileSync("ps", ["-eo", "rss,args"], { encoding: "utf8", maxBuffer: 1 << 24 }).split("\n");
  const own = rows.filter((row) => row.includes("--type=renderer") && row.includes(scratch));
  return Math.max(...own.map((row) => Number.parseInt(row, 10) / 1024));
}
