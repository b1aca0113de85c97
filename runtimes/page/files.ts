/** The view for signatures, deltas and patches: files are known by their first bytes. */
import { $, download, make, onDrop, say } from "./dom.ts";
import { type Engine, type MadeFile, type Progress } from "./engine.ts";
import { percent, size } from "./format.ts";
import { type Task } from "./messages.ts";

type FileKind = "signature" | "delta" | "data";

interface Held {
  readonly file: File;
  readonly kind: FileKind;
  readonly format: "rdiff" | "rsync" | null;
}

/** First four bytes, read as a big-endian number. */
const MAGICS: Readonly<Record<number, readonly [FileKind, "rdiff" | "rsync"]>> = {
  0x72730136: ["signature", "rdiff"], 0x72730137: ["signature", "rdiff"], 0x72730146: ["signature", "rdiff"],
  0x72730147: ["signature", "rdiff"], 0x72730236: ["delta", "rdiff"],
  0x77735301: ["signature", "rsync"], 0x77734401: ["delta", "rsync"],
};

const WORDS: Readonly<Record<FileKind, string>> = { signature: "a signature", delta: "a delta", data: "a file" };

class FilesView {
  private readonly engine: Engine;
  private held: Held[] = [];

  constructor(engine: Engine) {
    this.engine = engine;
  }

  start(): void {
    const input = $<HTMLInputElement>("well-input");
    input.addEventListener("change", () => void this.take([...(input.files ?? [])]).then(() => (input.value = "")));
    onDrop($("well"), (files) => void this.take(files));
    $("do-sign").addEventListener("click", () => void this.sign());
    $("do-delta").addEventListener("click", () => void this.delta());
    $("do-patch").addEventListener("click", () => void this.patch());
    $("do-clear").addEventListener("click", () => {
      this.held = [];
      this.show();
    });
  }

  /** Takes up to two files, of each kind the newest. */
  private async take(files: readonly File[]): Promise<void> {
    for (const file of files) {
      const held = await recognise(file);
      const others = this.held.filter((one) => one.kind !== held.kind);
      this.held = [...others.filter((one) => one.kind === "data" || held.kind === "data"), held];
    }
    this.show();
  }

  private find(kind: FileKind): File | null {
    return this.held.find((one) => one.kind === kind)?.file ?? null;
  }

  private show(): void {
    $("held").replaceChildren(...this.held.map(({ file, kind, format }) => {
      const what = `${size(file.size)}, ${WORDS[kind]}${format ? ` of ${format}’s` : ""}`;
      return make("li", {}, file.name, make("span", { className: "what", textContent: what }));
    }));
    const data = this.find("data") !== null;
    const enable = (id: string, on: boolean, primary = on): void => {
      $<HTMLButtonElement>(id).disabled = !on;
      $(id).classList.toggle("primary", primary);
    };
    const signature = this.find("signature") !== null;
    const delta = this.find("delta") !== null;
    enable("do-sign", data, data && !signature && !delta);
    enable("do-delta", data && signature);
    enable("do-patch", data && delta);
    enable("do-clear", this.held.length > 0, false);
    const alone = !data && this.held.length > 0;
    $("well-hint").textContent = alone ? "Now the file it goes with" : "Drop one or two files here";
    say("files-trouble", "");
    $("files-done").textContent = "";
  }

  private async sign(): Promise<void> {
    const file = this.find("data")!;
    const format = $<HTMLSelectElement>("sign-format").value as "rdiff" | "rsync";
    await this.work({ kind: "sign", file, format }, `${file.name}.sig`);
  }

  private async delta(): Promise<void> {
    const file = this.find("data")!;
    await this.work({ kind: "delta", signature: this.find("signature")!, file }, `${file.name}.delta`);
  }

  private async patch(): Promise<void> {
    const basis = this.find("data")!;
    await this.work({ kind: "patch", basis, delta: this.find("delta")! }, `${basis.name}.new`);
  }

  private async work(task: Task, name: string): Promise<void> {
    say("files-trouble", "");
    $("files-done").textContent = "";
    $("files-work").hidden = false;
    try {
      const { file, stats } = (await this.engine.run(task, (progress) => this.progress(progress))) as MadeFile;
      download(file, name);
      const whole = stats === null ? 0 : stats.literalBytes + stats.matchedBytes;
      const share = stats === null ? "" : `: ${percent(stats.matchedBytes, whole)} of it was found in the signed file`;
      $("files-done").textContent = `${name}, ${size(file.size)}${share}`;
    } catch (error) {
      say("files-trouble", error instanceof Error ? error.message : String(error));
    } finally {
      $("files-work").hidden = true;
    }
  }

  private progress({ done, total }: Progress): void {
    $<HTMLProgressElement>("files-progress").value = total === 0 ? 1 : done / total;
    $("files-phase").textContent = `${size(done)} of ${size(total)}`;
  }
}

/** Brings the view to life. */
export function startFiles(engine: Engine): void {
  const view = new FilesView(engine);
  view.start();
}

async function recognise(file: File): Promise<Held> {
  const head = new DataView(await file.slice(0, 4).arrayBuffer());
  const [kind, format] = (head.byteLength === 4 && MAGICS[head.getUint32(0)]) || (["data", null] as const);
  return { file, kind, format };
}
