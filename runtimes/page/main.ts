/** The page: three views on one engine, chosen by the address. */
import { startCompare } from "./compare.ts";
import { $ } from "./dom.ts";
import { Engine } from "./engine.ts";
import { startFiles } from "./files.ts";
import { startTransfer } from "./transfer.ts";

const VIEWS = ["compare", "files", "transfer"] as const;

function showView(moveFocus: boolean): void {
  const asked = location.hash.slice(1);
  const view = VIEWS.find((name) => name === asked) ?? "compare";
  for (const name of VIEWS) $(`view-${name}`).hidden = name !== view;
  for (const link of document.querySelectorAll<HTMLElement>("nav a")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!moveFocus) return;
  $("main").focus({ preventScroll: true });
  scrollTo(0, 0);
}

const engine = new Engine(new URL("worker.js", import.meta.url));
const transfers: Engine[] = [];

/** The worker with rsync's whole protocol, loaded when somebody wants it. */
function transferEngine(): Engine {
  return (transfers[0] ??= new Engine(new URL("transferworker.js", import.meta.url)));
}

startCompare(engine, transferEngine);
startFiles(engine);
startTransfer(transferEngine);
showView(false);
addEventListener("hashchange", () => showView(true));
// A file that misses its field must not take the page away.
for (const type of ["dragover", "drop"]) addEventListener(type, (event) => event.preventDefault());
