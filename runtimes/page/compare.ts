/** The view that compares two versions: what is chosen, what is computed, what is shown. */
import { blockSizes, fewSizes } from "./blocksizes.ts";
import { drawSizes, type SizePoint } from "./chart.ts";
import { $, download, make, onDrop, say } from "./dom.ts";
import { Aborted, type Engine, type Progress } from "./engine.ts";
import { duration, exact, percent, rate, size } from "./format.ts";
import { RegionMap } from "./map.ts";
import { type Checksum, CHECKSUMS, type Comparison } from "./messages.ts";
import { type Sample, SAMPLES } from "./samples.ts";

/** Files up to this length are measured at all block sizes without being asked. */
const QUICK_BYTES = 64 << 20;
/** A slider that moves is waited for, milliseconds. */
const SETTLE_MS = 220;
const TABLE_ROWS = 100;

const PHASES: Readonly<Record<Progress["phase"], string>> = {
  sign: "signing the old version", search: "searching the new version", patch: "patching", record: "recording",
  transfer: "transferring",
};

class CompareView {
  private readonly engine: Engine;
  private readonly map = new RegionMap();
  private old: File | null = null;
  private now: File | null = null;
  /** The block size chosen, null for rsync's. */
  private blockLength: number | null = null;
  private checksum: Checksum = "xxh128";
  private sizes: readonly number[] = [];
  private usual = 700;
  private points: SizePoint[] = [];
  private readonly byChecksum = new Map<Checksum, Comparison>();
  private running: AbortController | null = null;
  private settling: ReturnType<typeof setTimeout> | undefined;
  /** The engine of whole transfers, started when it is first wanted. */
  private readonly recorder: () => Engine;

  constructor(engine: Engine, recorder: () => Engine) {
    this.engine = engine;
    this.recorder = recorder;
  }

  start(): void {
    this.bindFiles();
    this.bindKnobs();
    $("measure").addEventListener("click", () => void this.measure());
    $("take-delta").addEventListener("click", () => void this.takeDelta());
    $("take-batch").addEventListener("click", () => void this.takeBatch());
    new ResizeObserver(() => this.points.length > 0 && this.drawChart()).observe($("size-chart"));
  }

  private bindFiles(): void {
    for (const which of ["old", "new"] as const) {
      const input = $<HTMLInputElement>(`input-${which}`);
      input.addEventListener("change", () => input.files?.[0] && this.choose(which, input.files[0]));
      onDrop($(`drop-${which}`), (files) => {
        this.choose(which, files[0]);
        if (files.length > 1) this.choose(which === "old" ? "new" : "old", files[1]);
      });
    }
    $("samples").append(...SAMPLES.map((sample) => {
      const button = make("button", { type: "button", textContent: sample.title, title: sample.what });
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => this.useSample(sample, button));
      return button;
    }));
  }

  private bindKnobs(): void {
    const slider = $<HTMLInputElement>("block");
    slider.addEventListener("input", () => {
      this.blockLength = this.sizes[Number(slider.value)];
      this.showKnobs();
      clearTimeout(this.settling);
      this.settling = setTimeout(() => void this.compare(), SETTLE_MS);
    });
    $("block-default").addEventListener("click", () => {
      this.blockLength = null;
      this.showKnobs();
      void this.compare();
    });
    $("checksums").append(...CHECKSUMS.map((name) => {
      const input = make("input", { type: "radio", name: "checksum", value: name, checked: name === this.checksum });
      input.addEventListener("change", () => {
        this.checksum = name;
        this.points = [];
        void this.compare();
      });
      return make("label", {}, input, name);
    }));
  }

  private useSample(sample: Sample, button: HTMLElement): void {
    const { old, now } = sample.make();
    this.old = old;
    this.now = now;
    this.forget();
    button.setAttribute("aria-pressed", "true");
    $("sample-what").textContent = sample.what;
    this.filesChanged();
  }

  private choose(which: "old" | "new", file: File): void {
    if (which === "old") this.old = file;
    else this.now = file;
    this.forget();
    this.filesChanged();
  }

  /** Nothing measured so far is about these files. */
  private forget(): void {
    for (const button of $("samples").children) button.setAttribute("aria-pressed", "false");
    $("sample-what").textContent = "";
    this.points = [];
    this.byChecksum.clear();
    this.blockLength = null;
  }

  private filesChanged(): void {
    for (const [which, file] of [["old", this.old], ["new", this.now]] as const) {
      const name = $(`name-${which}`);
      if (file === null) name.textContent = "Drop a file here";
      else name.replaceChildren(`${file.name} `, make("small", { textContent: size(file.size) }));
    }
    if (this.old === null || this.now === null) return;
    ({ sizes: this.sizes, usual: this.usual } = blockSizes(this.old.size));
    $<HTMLInputElement>("block").max = String(this.sizes.length - 1);
    this.showKnobs();
    void this.compare().then((done) => {
      if (done && this.old!.size + this.now!.size <= QUICK_BYTES) void this.measure();
    });
  }

  private showKnobs(): void {
    const at = this.sizes.indexOf(this.blockLength ?? this.usual);
    const slider = $<HTMLInputElement>("block");
    slider.value = String(at);
    slider.setAttribute("aria-valuetext", `${exact(this.sizes[at])} bytes`);
    $("block-value").textContent = `${exact(this.sizes[at])} bytes`;
    $<HTMLButtonElement>("block-default").disabled = this.blockLength === null || this.blockLength === this.usual;
    const mark = $("block-mark");
    const share = this.sizes.indexOf(this.usual) / Math.max(this.sizes.length - 1, 1);
    mark.textContent = `rsync’s choice: ${exact(this.usual)}`;
    mark.style.left = `clamp(4.6rem, calc(${share} * (100% - 1rem) + .5rem), calc(100% - 4.6rem))`;
  }

  /** Compares with the present choice; false when it was called off or failed. */
  private async compare(): Promise<boolean> {
    const { old, now } = this;
    if (old === null || now === null) return false;
    this.running?.abort();
    const running = (this.running = new AbortController());
    $("result").classList.add("stale");
    say("compare-trouble", "");
    try {
      const comparison = await this.engine.run({
        kind: "compare", old, now, blockLength: this.blockLength, checksum: this.checksum, regions: true,
      }, (progress) => this.showProgress(progress), running.signal);
      if (this.running !== running) return false;
      this.showResult(comparison);
      return true;
    } catch (error) {
      if (!(error instanceof Aborted)) this.trouble(error);
      return false;
    } finally {
      if (this.running === running) $("compare-work").hidden = true;
    }
  }

  private showProgress({ phase, done, total }: Progress): void {
    $("compare-work").hidden = false;
    $<HTMLProgressElement>("compare-progress").value = total === 0 ? 1 : done / total;
    $("compare-phase").textContent = `${PHASES[phase]}: ${size(done)} of ${size(total)}`;
  }

  private showResult(comparison: Comparison): void {
    const { old, now } = this;
    $("result").hidden = false;
    $("result").classList.remove("stale");
    this.showHeadline(comparison);
    this.showFigures(comparison);
    $("map-old").textContent = `${old!.name}, ${size(old!.size)}`;
    $("map-new").textContent = `${now!.name}, ${size(now!.size)}`;
    this.map.set(comparison.regions!, old!.size, now!.size, comparison.blockLength);
    $("map-note").textContent = comparison.regions!.coarse
      ? "There are more regions than can be told apart: neighbours are drawn as one." : "";
    this.showTable(comparison);
    this.byChecksum.set(this.checksum, comparison);
    this.addPoint(comparison);
    this.showCharts(comparison.blockLength);
  }

  private showHeadline(comparison: Comparison): void {
    const { signatureBytes, deltaBytes, stats } = comparison;
    const whole = this.now!.size;
    const wire = signatureBytes + deltaBytes;
    const tokens = deltaBytes - stats.literalBytes;
    $("wire").textContent = size(wire);
    $("wire").title = `${exact(wire)} bytes`;
    $("whole").textContent = size(whole);
    const less = wire < whole;
    $("sentence").textContent = less
      ? `${percent(wire, whole)} of the new version would cross the wire, in both directions together: `
        + `${size(signatureBytes)} of signature one way, ${size(deltaBytes)} of delta the other.`
      : "More than the new version itself would cross the wire: the two have too little in common, and sending it "
        + "whole (-W) is cheaper.";
    const parts = { sums: signatureBytes, literal: stats.literalBytes, tokens, saved: Math.max(whole - wire, 0) };
    for (const [name, bytes] of Object.entries(parts)) {
      ($("balance").querySelector(`.b-${name}`) as HTMLElement).style.flex = `${bytes} 0 0`;
      $(`fig-${name}`).textContent = size(bytes);
    }
  }

  private showFigures(comparison: Comparison): void {
    const { stats, signMs, searchMs } = comparison;
    const figures: readonly (readonly [string, string])[] = [
      ["Block size", `${exact(comparison.blockLength)} bytes`],
      ["Blocks of the old version", exact(comparison.blocks)],
      ["Strong sum on the wire", `${comparison.sumLength} bytes a block`],
      ["Blocks found", exact(stats.matches)],
      ["Bytes found", exact(stats.matchedBytes)],
      ["New bytes", exact(stats.literalBytes)],
      ["Weak sums that hit", exact(stats.hashHits)],
      ["False alarms", exact(stats.falseAlarms)],
      ["Signing", `${rate(this.old!.size, signMs)} (${duration(signMs)})`],
      ["Search", `${rate(this.now!.size, searchMs)} (${duration(searchMs)})`],
    ];
    $("fine").replaceChildren(...figures.map(([title, value]) =>
      make("div", {}, make("dt", { textContent: title }), make("dd", { textContent: value }))));
  }

  private showTable({ regions }: Comparison): void {
    const cell = (text: string): HTMLElement => make("td", { textContent: text, className: "n" });
    $("region-rows").replaceChildren(...this.map.longest(TABLE_ROWS).map((index) => {
      const { offset, byteLength, basisOffset } = regions!;
      const { kind } = this.map.describe(index);
      const word = { kept: "unchanged", moved: "moved", literal: "new" }[kind];
      const from = basisOffset[index] < 0 ? "–" : exact(basisOffset[index]);
      return make("tr", {}, cell(exact(offset[index])), cell(exact(byteLength[index])),
        make("td", { textContent: word }), cell(from));
    }));
  }

  private addPoint({ blockLength, signatureBytes, deltaBytes, stats }: Comparison): void {
    this.points = this.points.filter((point) => point.blockLength !== blockLength);
    this.points.push({ blockLength, wireBytes: signatureBytes + deltaBytes, literalBytes: stats.literalBytes });
  }

  private showCharts(current: number): void {
    this.drawChart(current);
    $("sum-rows").replaceChildren(...CHECKSUMS.map((name) => {
      const row = make("tr", { className: name === this.checksum ? "on" : "" },
        make("th", { scope: "row", textContent: name }));
      const found = this.byChecksum.get(name);
      const known = found?.blockLength === current ? found : null;
      const texts = known === null ? ["–", "–", "–"] : [
        size(known.signatureBytes + known.deltaBytes), rate(this.old!.size, known.signMs),
        rate(this.now!.size, known.searchMs),
      ];
      row.append(...texts.map((textContent) => make("td", { textContent })));
      return row;
    }));
  }

  private drawChart(current = this.blockLength ?? this.usual): void {
    drawSizes($("size-chart"), this.points, current);
  }

  /** Fills both charts, one comparison after the other; a new choice calls it off. */
  private async measure(): Promise<void> {
    const { old, now, checksum } = this;
    if (old === null || now === null) return;
    const controller = this.running ?? new AbortController();
    const current = this.blockLength ?? this.usual;
    const button = $<HTMLButtonElement>("measure");
    button.disabled = true;
    const sizes = fewSizes(old.size).filter((one) => !this.points.some((point) => point.blockLength === one));
    const tasks = [
      ...CHECKSUMS.filter((name) => this.byChecksum.get(name)?.blockLength !== current)
        .map((name) => ({ name, blockLength: current })),
      ...sizes.map((blockLength) => ({ name: checksum, blockLength })),
    ];
    try {
      for (const [at, { name, blockLength }] of tasks.entries()) {
        $("measure-note").textContent = `${at + 1} of ${tasks.length}: ${name}, blocks of ${exact(blockLength)}`;
        const found = await this.engine.run({
          kind: "compare", old, now, blockLength, checksum: name, regions: false,
        }, () => {}, controller.signal);
        if (controller !== this.running) return;
        if (blockLength === current) this.byChecksum.set(name, found);
        if (name === checksum) this.addPoint(found);
        this.showCharts(current);
      }
    } catch (error) {
      if (!(error instanceof Aborted)) this.trouble(error);
    } finally {
      button.disabled = false;
      $("measure-note").textContent = "";
    }
  }

  private async takeDelta(): Promise<void> {
    const { old, now } = this;
    if (old === null || now === null) return;
    const hash = $<HTMLSelectElement>("take-hash").value as "blake2" | "md4";
    const rollsum = $<HTMLSelectElement>("take-rollsum").value as "rabinkarp" | "rollsum";
    await this.take($<HTMLButtonElement>("take-delta"), `${now.name}.delta`, async () => {
      const { file } = await this.engine.run({ kind: "delta-of", old, now, hash, rollsum }, (at) => this.tellTake(at));
      return file;
    });
  }

  private async takeBatch(): Promise<void> {
    const { old, now } = this;
    if (old === null || now === null) return;
    await this.take($<HTMLButtonElement>("take-batch"), `${now.name}.batch`, async () => {
      const task = { kind: "batch", old, now, name: now.name } as const;
      const { file } = await this.recorder().run(task, (at) => this.tellTake(at));
      return file;
    });
  }

  private tellTake({ phase, done, total }: Progress): void {
    $("take-done").textContent = `${PHASES[phase]}: ${size(done)} of ${size(total)}`;
  }

  private async take(button: HTMLButtonElement, name: string, work: () => Promise<Blob>): Promise<void> {
    button.disabled = true;
    try {
      const file = await work();
      download(file, name);
      $("take-done").textContent = `${name}, ${size(file.size)}`;
    } catch (error) {
      $("take-done").textContent = "";
      this.trouble(error);
    } finally {
      button.disabled = false;
    }
  }

  private trouble(error: unknown): void {
    say("compare-trouble", error instanceof Error ? error.message : String(error));
  }
}

/** Brings the view to life. */
export function startCompare(engine: Engine, recorder: () => Engine): void {
  const view = new CompareView(engine, recorder);
  view.start();
}
