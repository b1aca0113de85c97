/** The page's view of signatures, deltas and patches in Chromium, with rdiff at the other end. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { scratch, whereIs } from "../_programs.ts";
import { join as joinBytes, Random } from "../unit/delta/_engine.ts";
import { type Browser, browserProgram, downloaded, openPage } from "./_browser.ts";

const dir = join(scratch, "browser-files");
const at = (name: string): string => join(dir, name);
let browser: Browser;
let page: Page;

const random = new Random(77);
const old = random.bytes(500_000);
const now = joinBytes(random.bytes(100), old.subarray(10_000), old.subarray(0, 5_000));

beforeAll(async () => {
  mkdirSync(dir);
  writeFileSync(at("old"), old);
  writeFileSync(at("new"), now);
  if (browserProgram === null) return;
  browser = await openPage();
  ({ page } = browser);
  await page.getByRole("link", { name: "Signatures & deltas" }).click();
}, 120_000);
afterAll(() => browser?.stop());

async function give(...names: string[]): Promise<void> {
  if (await page.locator("#do-clear").isEnabled()) await page.locator("#do-clear").click();
  await page.setInputFiles("#well-input", names.map(at));
  await page.waitForFunction((count) => document.querySelectorAll("#held li").length === count, names.length);
}

const press = (name: string) => () => page.getByRole("button", { name, exact: true }).click();

describe.skipIf(browserProgram === null || whereIs("rdiff") === null)("signatures and deltas in Chromium", () => {
  test("a file becomes the signature that rdiff makes", async () => {
    await give("old");
    await downloaded(page, press("Sign"), at("page.sig"));
    execFileSync("rdiff", ["signature", at("old"), at("rdiff.sig")]);
    expect(Buffer.compare(readFileSync(at("page.sig")), readFileSync(at("rdiff.sig")))).toBe(0);
  });

  test("a signature and a file become a delta, which rdiff applies", async () => {
    await give("rdiff.sig", "new");
    await downloaded(page, press("Make a delta"), at("page.delta"));
    execFileSync("rdiff", ["patch", at("old"), at("page.delta"), at("patched")]);
    expect(Buffer.compare(readFileSync(at("patched")), now)).toBe(0);
    expect(await page.locator("#files-done").textContent()).toMatch(/was found in the signed file/);
  });

  test("rdiff's delta and the old file become the new one", async () => {
    execFileSync("rdiff", ["delta", at("rdiff.sig"), at("new"), at("rdiff.delta")]);
    await give("old", "rdiff.delta");
    await downloaded(page, press("Patch"), at("result"));
    expect(Buffer.compare(readFileSync(at("result")), now)).toBe(0);
  });

  test("dropped files do the same, and a broken delta is told", async () => {
    await give("old");
    const transfer = await page.evaluateHandle((bytes) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], "broken.delta"));
      return data;
    }, [...readFileSync(at("rdiff.delta")).subarray(0, 300)]);
    await page.dispatchEvent("#well", "drop", { dataTransfer: transfer });
    await page.waitForFunction(() => document.querySelectorAll("#held li").length === 2);
    await press("Patch")();
    await page.waitForSelector("#files-trouble:not([hidden])");
    expect(await page.locator("#files-trouble").textContent()).toMatch(/ends too early/);
  });

  test("the page has complained of nothing", () => expect(browser.complaints).toEqual([]));
});
