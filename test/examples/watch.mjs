/**
 * Keep a copy up to date while a program works, and know when it is.
 * Usage: watch.mjs SOURCE TARGET
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { watch } from "wsync";

const [source, target] = process.argv.slice(2);
let noticed = () => {};
const watching = watch(`${source}/`, `${target}/`, {
  archive: true, delete: true, watchDelay: 0.1, watchAudit: 0,
  onEvent(event) {
    if (event.type === "round") console.log(`${event.updated} updated, in sync: ${event.inSync}`);
    if (event.type === "retry") console.log(`again in ${event.delayMs} ms: ${event.reason}`);
    if (event.type === "round" && event.inSync) noticed();
  },
});

const inSync = () => new Promise((resolve) => (noticed = resolve));
await inSync();
writeFileSync(join(source, "made-meanwhile"), "and copied at once");
await inSync();
await watching.stop();
