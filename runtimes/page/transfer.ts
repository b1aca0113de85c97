/** The view that is one end of real transfers: a daemon's modules over there, a directory of this browser here. */
import { $, download, make, onDrop, say } from "./dom.ts";
import { Aborted, type Engine, type Progress } from "./engine.ts";
import { duration, exact, percent, rate, size } from "./format.ts";
import { type Door, type Listed, type Moved } from "./messages.ts";
import {
  addFiles, canChooseFolder, chooseFolder, fileAt, type Place, privatePlace, removeAt, sumOf,
} from "./places.ts";

const REMEMBERED = "wsync-door";
/** Entries shown; the rest is counted. */
const MOST_ENTRIES = 300;

class TransferView {
  private readonly engine: () => Engine;
  private door: Door = { url: "", user: "", password: "" };
  /** Module and path on the daemon; "" before a module is chosen. */
  private path = "";
  private place: Place | null = null;
  private controller: AbortController | null = null;

  constructor(engine: () => Engine) {
    this.engine = engine;
  }

  start(): void {
    $<HTMLInputElement>("door-url").value = localStorage.getItem(REMEMBERED) ?? "";
    $("door").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.open();
    });
    $("pull").addEventListener("click", () => void this.move("pull"));
    $("push").addEventListener("click", () => void this.move("push"));
    $("transfer-stop").addEventListener("click", () => this.controller?.abort());
    $("place-folder").hidden = !canChooseFolder();
    $("place-folder").addEventListener("click", () =>
      void this.attempt(async () => this.settleIn(await chooseFolder())));
    $("place-private").addEventListener("click", () => void this.attempt(() => this.goPrivate()));
    const input = $<HTMLInputElement>("here-add");
    input.addEventListener("change", () => void this.add([...(input.files ?? [])]).then(() => (input.value = "")));
    onDrop($("here-drop"), (files) => void this.add(files));
  }

  private async open(): Promise<void> {
    const value = (id: string): string => $<HTMLInputElement>(id).value;
    this.door = { url: value("door-url"), user: value("door-user"), password: value("door-password") };
    this.place = null;
    await this.attempt(async () => {
      await this.go("");
      localStorage.setItem(REMEMBERED, this.door.url);
    });
  }

  /** Shows a place on the daemon. */
  private async go(path: string): Promise<void> {
    const listed = await this.engine().run({ kind: "look", door: this.door, path }, () => {});
    this.path = path;
    $("ends").hidden = false;
    this.showCrumbs();
    const entries = path === "" ? listed : [...listed].sort(byKind);
    showEntries("there", entries, (one) => this.thereRow(one));
    if (path === "") this.place = null;
    else if (this.place === null || this.place.isPrivate) this.place = await privatePlace(this.door.url, path);
    await this.showHere();
  }

  private thereRow(one: Listed): HTMLLIElement {
    const leads = one.kind === "module" || one.kind === "directory";
    const below = this.path === "" ? one.name : `${this.path}/${one.name}`;
    const onclick = (): void => void this.attempt(() => this.go(below));
    const name = leads
      ? make("button", { type: "button", className: "name", onclick }, one.name)
      : make("span", { className: "name" }, one.name);
    return make("li", {}, name, make("span", { className: "what" }, whatIs(one)));
  }

  private showCrumbs(): void {
    const parts = this.path === "" ? [] : this.path.split("/");
    const crumbs = ["modules", ...parts].map((text, i) => {
      const path = parts.slice(0, i).join("/");
      const button = make("button", { type: "button", className: "link" }, text);
      button.addEventListener("click", () => void this.attempt(() => this.go(path)));
      if (i === parts.length) button.setAttribute("aria-current", "location");
      return button;
    });
    $("crumbs").replaceChildren(...crumbs.flatMap((crumb, i) => (i === 0 ? [crumb] : ["/", crumb])));
  }

  private async goPrivate(): Promise<void> {
    await this.settleIn(await privatePlace(this.door.url, this.path));
  }

  private async settleIn(place: Place): Promise<void> {
    this.place = place;
    await this.showHere();
  }

  private async showHere(): Promise<void> {
    const { place } = this;
    $("bar").hidden = place === null;
    $("here-drop").hidden = place === null;
    $("place-folder").hidden = place === null || !canChooseFolder();
    $("place-private").hidden = place === null || place.isPrivate;
    $("place-name").textContent = place === null ? "Choose a module first." : `In ${place.name}`;
    const listed = place === null ? [] : await this.engine().run({ kind: "here", place: place.handle }, () => {});
    $("here-sum").textContent = sumOf(listed);
    showEntries("here", listed.filter((one) => one.kind !== "directory"), (one) => this.hereRow(one));
  }

  private hereRow(one: Listed): HTMLLIElement {
    const act = (text: string, work: () => Promise<void>): HTMLButtonElement => {
      const button = make("button", { type: "button", className: "link" }, text);
      button.setAttribute("aria-label", `${text} ${one.name}`);
      button.addEventListener("click", () => void this.attempt(work));
      return button;
    };
    const place = this.place!;
    const acts = one.kind !== "file" ? [] : [
      act("save", async () => download(await fileAt(place, one.name), one.name.split("/").at(-1)!)), " ",
      act("remove", async () => {
        await removeAt(place, one.name);
        await this.showHere();
      }),
    ];
    return make("li", {}, make("span", { className: "name" }, one.name),
      make("span", { className: "what" }, whatIs(one)), make("span", { className: "what" }, ...acts));
  }

  private async add(files: readonly File[]): Promise<void> {
    const { place } = this;
    if (place === null || files.length === 0) return;
    await this.attempt(async () => {
      await addFiles(place, files);
      await this.showHere();
    });
  }

  private async move(kind: "pull" | "push"): Promise<void> {
    const { place, path, door } = this;
    if (place === null || this.controller !== null) return;
    const controller = (this.controller = new AbortController());
    const ticked = (id: string): boolean => $<HTMLInputElement>(id).checked;
    this.showWork(true);
    await this.attempt(async () => {
      const moved = await this.engine().run(
        { kind, door, path, place: place.handle, delete: ticked("with-delete"), dryRun: ticked("with-dry") },
        (progress) => showProgress(progress), controller.signal);
      showOutcome(kind, moved);
    });
    this.controller = null;
    this.showWork(false);
    await this.attemptQuietly(() => this.go(this.path));
  }

  private showWork(on: boolean): void {
    $("transfer-work").hidden = !on;
    for (const id of ["pull", "push"]) $<HTMLButtonElement>(id).disabled = on;
    if (!on) return;
    $("outcome").hidden = true;
    $<HTMLProgressElement>("transfer-progress").removeAttribute("value");
    $("transfer-phase").textContent = "Comparing the lists of files";
  }

  /** Does something and tells what went wrong, in place of what was told before. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    say("transfer-trouble", "");
    await this.attemptQuietly(work);
  }

  private async attemptQuietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { name, message } = error as Error;
      // The user has closed the browser's own dialogue.
      if (name === "AbortError") return;
      say("transfer-trouble", error instanceof Aborted ? "Stopped. What had arrived whole was kept." : message);
    }
  }
}

function byKind(a: Listed, b: Listed): number {
  const rank = (one: Listed): number => (one.kind === "directory" ? 0 : 1);
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1);
}

function whatIs(one: Listed): string {
  if (one.kind === "module") return one.comment;
  return one.kind === "file" ? size(one.size) : one.kind;
}

function showEntries(id: string, listed: readonly Listed[], row: (one: Listed) => HTMLLIElement): void {
  const rows = listed.slice(0, MOST_ENTRIES).map(row);
  const rest = listed.length - rows.length;
  if (rest > 0) rows.push(make("li", {}, make("span", { className: "what" }, `and ${exact(rest)} more`)));
  $(id).replaceChildren(...rows);
}

function showProgress({ done, total, name = "" }: Progress): void {
  $<HTMLProgressElement>("transfer-progress").value = total === 0 ? 0 : done / total;
  $("transfer-phase").textContent = `${name} – ${size(done)} of ${size(total)}`;
}

function showOutcome(kind: "pull" | "push", moved: Moved): void {
  const { files, deleted, totalBytes, literalBytes, matchedBytes, sentBytes, receivedBytes, seconds } = moved;
  const wire = sentBytes + receivedBytes;
  const whole = literalBytes + matchedBytes;
  const verb = kind === "pull" ? "pulled" : "pushed";
  const count = `${exact(files)} ${files === 1 ? "file" : "files"}`;
  const gone = deleted > 0 ? `, ${exact(deleted)} deleted` : "";
  $("outcome-sentence").textContent = moved.dryRun
    ? `${count} would be ${verb}${gone}; nothing has been changed.`
    : `${count} ${verb}${gone}: ${size(wire)} went over the wire for ${size(totalBytes)} in all.`;
  const rows: readonly (readonly [string, string])[] = [
    ["Sent", size(sentBytes)], ["Received", size(receivedBytes)], ["New bytes", size(literalBytes)],
    ["Found in old files", `${size(matchedBytes)}${whole === 0 ? "" : `, ${percent(matchedBytes, whole)}`}`],
    ["Took", `${duration(seconds * 1000)}`], ["Speed", rate(wire, seconds * 1000)],
    ["Speedup", wire === 0 ? "–" : (totalBytes / wire).toFixed(2)], ["Protocol", String(moved.protocol)],
  ];
  $("outcome-figures").replaceChildren(...rows.map(([title, text]) =>
    make("div", {}, make("dt", {}, title), make("dd", {}, text))));
  $("outcome-summary").textContent = moved.dryRun ? "What would be done" : "What was done";
  const items: Listed[] = [
    ...moved.trouble.map((name) => ({ name, kind: "module" as const, comment: "trouble", size: 0, mtime: 0 })),
    ...moved.items.map(({ name, what }) => ({ name, kind: "module" as const, comment: what, size: 0, mtime: 0 })),
  ];
  showEntries("outcome-items", items, (one) =>
    make("li", {}, make("span", { className: "name" }, one.name), make("span", { className: "what" }, one.comment)));
  $("outcome").hidden = false;
}

/** Brings the view to life. `engine` gives the worker for transfers. */
export function startTransfer(engine: () => Engine): void {
  const view = new TransferView(engine);
  view.start();
}
