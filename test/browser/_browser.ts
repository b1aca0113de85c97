/** A real Chromium with the page in it: Debian's, driven through playwright-core. */
import { mkdtempSync } from "node:fs";
import { type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { scratch, whereIs } from "../_programs.ts";
import { buildPage } from "../../runtimes/page/build.mjs";
import { pageServer } from "../../runtimes/page/serve.mjs";

/** The browser's program, or null. */
export const browserProgram: string | null = whereIs("chromium");

/** Nothing but what the page asks for, and no sandbox, which needs rights that a container does not give. */
const ARGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

/** A started browser. */
export interface Browser {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly url: string;
  /** What the page complained of. */
  readonly complaints: string[];
  stop(): Promise<void>;
}

/** Builds the page, serves it and opens it. */
export async function openPage(): Promise<Browser> {
  const server: Server = pageServer(await buildPage());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const context = await chromium.launchPersistentContext(mkdtempSync(join(scratch, "profile-")), {
    executablePath: browserProgram!, headless: true, args: ARGS, viewport: { width: 1280, height: 900 },
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(url);
  const stop = async (): Promise<void> => {
    await context.close();
    server.close();
  };
  return { page, context, url, complaints, stop };
}

/** Clicks something that leads to a download, and saves it. */
export async function downloaded(page: Page, click: () => Promise<void>, path: string): Promise<void> {
  const [download] = await Promise.all([page.waitForEvent("download", { timeout: 110_000 }), click()]);
  await download.saveAs(path);
}
