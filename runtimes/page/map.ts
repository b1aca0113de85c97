/**
 * The map of both files: the old one above, the new one below, and between them ribbons from where bytes were to where
 * they are. A pointer shows a region; so do the arrow keys, and a screen reader hears it.
 */
import { $ } from "./dom.ts";
import { exact, size } from "./format.ts";
import { type Regions } from "./messages.ts";

const BAR = 34;
/** Ribbons drawn; the longest regions have them. */
const MOST_RIBBONS = 500;
/** Ribbons thinner than this many pixels are drawn as lines. */
const THIN = 1;

type Kind = "kept" | "moved" | "literal";

interface Colours {
  readonly kept: string;
  readonly moved: string;
  readonly literal: string;
  readonly unused: string;
  readonly ink: string;
}

/** Draws and answers for one pair of files. */
export class RegionMap {
  private readonly canvas = $<HTMLCanvasElement>("map-canvas");
  private readonly tip = $("tip");
  private regions: Regions | null = null;
  private oldBytes = 0;
  private newBytes = 0;
  private blockLength = 1;
  /** The region shown, or -1. */
  private current = -1;
  /** Regions by length, longest first. */
  private byLength: number[] = [];

  constructor() {
    const { canvas } = this;
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerdown", (event) => this.point(event));
    canvas.addEventListener("pointerleave", () => this.show(-1));
    canvas.addEventListener("focus", () => this.regions && this.show(Math.max(this.current, 0)));
    canvas.addEventListener("blur", () => this.show(-1));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** Shows what a comparison found. */
  set(regions: Regions, oldBytes: number, newBytes: number, blockLength: number): void {
    this.regions = regions;
    this.oldBytes = oldBytes;
    this.newBytes = newBytes;
    this.blockLength = blockLength;
    this.current = -1;
    this.byLength = Array.from(regions.offset.keys()).sort((a, b) => regions.byteLength[b] - regions.byteLength[a]);
    this.canvas.setAttribute("aria-valuemax", String(Math.max(regions.offset.length, 1)));
    this.tell(0);
    this.draw();
  }

  /** The longest regions, for a table. */
  longest(count: number): number[] {
    return this.byLength.slice(0, count);
  }

  /** What a region is, in one word and in a sentence. */
  describe(index: number): { readonly kind: Kind; readonly text: string } {
    const { offset, byteLength, basisOffset } = this.regions!;
    const kind = this.kindOf(index);
    const blocks = Math.round(byteLength[index] / this.blockLength);
    const found = `${exact(blocks)} ${blocks === 1 ? "block" : "blocks"} of the old version`;
    const texts: Record<Kind, string> = {
      kept: `${found}, at the same place`,
      moved: `${found}, moved from byte ${exact(basisOffset[index])}`,
      literal: "new bytes, sent as they are",
    };
    return { kind, text: `${size(byteLength[index])} at byte ${exact(offset[index])}: ${texts[kind]}` };
  }

  private kindOf(index: number): Kind {
    const { offset, basisOffset } = this.regions!;
    if (basisOffset[index] < 0) return "literal";
    return basisOffset[index] === offset[index] ? "kept" : "moved";
  }

  /** Pixels per byte: both files on one scale. */
  private get scale(): number {
    return this.canvas.clientWidth / Math.max(this.oldBytes, this.newBytes, 1);
  }

  private draw(): void {
    const { canvas, regions } = this;
    const context = canvas.getContext("2d")!;
    const ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (regions === null || width === 0) return;
    const colours = this.colours();
    this.drawOld(context, colours, width);
    this.drawNew(context, colours, width, height - BAR);
    for (const index of this.byLength.slice(0, MOST_RIBBONS).reverse()) this.drawRibbon(context, colours, index, false);
    if (this.current >= 0) this.drawCurrent(context, colours, height);
  }

  private colours(): Colours {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    return {
      kept: colour("kept"), moved: colour("moved"), literal: colour("literal"), unused: colour("unused"),
      ink: colour("ink"),
    };
  }

  /** Each column shows what share of its bytes is still there, at its place or moved. */
  private drawOld(context: CanvasRenderingContext2D, colours: Colours, width: number): void {
    const { basisOffset, byteLength } = this.regions!;
    const columns = { kept: new Float64Array(width + 1), moved: new Float64Array(width + 1) };
    for (let i = 0; i < basisOffset.length; i++) {
      const kind = this.kindOf(i);
      if (kind !== "literal") spread(columns[kind], basisOffset[i] * this.scale, byteLength[i] * this.scale);
    }
    const end = this.oldBytes * this.scale;
    context.fillStyle = colours.unused;
    context.fillRect(0, 0, end, BAR);
    for (let x = 0; x < Math.ceil(end); x++) {
      const total = Math.min(1, end - x);
      const kept = Math.min(columns.kept[x] / total, 1);
      const moved = Math.min(columns.moved[x] / total, 1 - kept);
      bar(context, x, total, 0, [[kept, colours.kept], [moved, colours.moved]]);
    }
  }

  private drawNew(context: CanvasRenderingContext2D, colours: Colours, width: number, top: number): void {
    const { offset, byteLength } = this.regions!;
    const columns = {
      kept: new Float64Array(width + 1), moved: new Float64Array(width + 1), literal: new Float64Array(width + 1),
    };
    for (let i = 0; i < offset.length; i++) {
      spread(columns[this.kindOf(i)], offset[i] * this.scale, byteLength[i] * this.scale);
    }
    const end = this.newBytes * this.scale;
    for (let x = 0; x < Math.ceil(end); x++) {
      const all = columns.kept[x] + columns.moved[x] + columns.literal[x];
      if (all === 0) continue;
      // However little is new in a column, it shows.
      const literal = columns.literal[x] === 0 ? 0 : Math.max(columns.literal[x] / all, 0.12);
      const rest = (1 - literal) / Math.max(columns.kept[x] + columns.moved[x], 1e-9);
      bar(context, x, Math.min(1, end - x), top, [
        [columns.kept[x] * rest, colours.kept], [columns.moved[x] * rest, colours.moved], [literal, colours.literal],
      ]);
    }
  }

  private drawRibbon(context: CanvasRenderingContext2D, colours: Colours, index: number, strong: boolean): void {
    const kind = this.kindOf(index);
    if (kind === "literal") return;
    const { offset, byteLength, basisOffset } = this.regions!;
    const { scale } = this;
    const width = Math.max(byteLength[index] * scale, THIN);
    const [from, to] = [basisOffset[index] * scale, offset[index] * scale];
    const [top, bottom] = [BAR + 3, this.canvas.clientHeight - BAR - 3];
    const middle = (top + bottom) / 2;
    context.globalAlpha = strong ? 0.75 : kind === "kept" ? 0.16 : 0.34;
    context.fillStyle = colours[kind];
    context.beginPath();
    context.moveTo(from, top);
    context.bezierCurveTo(from, middle, to, middle, to, bottom);
    context.lineTo(to + width, bottom);
    context.bezierCurveTo(to + width, middle, from + width, middle, from + width, top);
    context.fill();
    context.globalAlpha = 1;
  }

  private drawCurrent(context: CanvasRenderingContext2D, colours: Colours, height: number): void {
    const { offset, byteLength, basisOffset } = this.regions!;
    this.drawRibbon(context, colours, this.current, true);
    const { scale, current } = this;
    const width = Math.max(byteLength[current] * scale, 2);
    context.strokeStyle = colours.ink;
    context.lineWidth = 2;
    context.strokeRect(offset[current] * scale, height - BAR + 1, width, BAR - 2);
    if (basisOffset[current] >= 0) context.strokeRect(basisOffset[current] * scale, 1, width, BAR - 2);
  }

  private point(event: PointerEvent): void {
    if (this.regions === null) return;
    const box = this.canvas.getBoundingClientRect();
    const at = (event.clientX - box.left) / this.scale;
    const inOld = event.clientY - box.top < BAR;
    this.show(inOld ? this.fromOld(at) : this.atNew(at), event.clientX - box.left);
  }

  /** The region of the new file at an offset, or -1. */
  private atNew(at: number): number {
    const { offset, byteLength } = this.regions!;
    if (offset.length === 0 || at < 0 || at >= this.newBytes) return -1;
    let low = 0;
    let high = offset.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (offset[middle] <= at) low = middle;
      else high = middle - 1;
    }
    return byteLength[low] > 0 ? low : -1;
  }

  /** A region that uses the old file's bytes at an offset, or -1. */
  private fromOld(at: number): number {
    const { basisOffset, byteLength } = this.regions!;
    return this.byLength.find((i) => basisOffset[i] >= 0 && basisOffset[i] <= at && at < basisOffset[i] + byteLength[i])
      ?? -1;
  }

  private key(event: KeyboardEvent): void {
    if (this.regions === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.regions.offset.length - 1;
    const steps: Record<string, number> = {
      ArrowRight: this.current + 1, ArrowUp: this.current + 1, ArrowLeft: this.current - 1, ArrowDown: this.current - 1,
      PageUp: this.current + 10, PageDown: this.current - 10, Home: 0, End: last,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.show(Math.min(Math.max(next, 0), last));
  }

  /** Marks a region and tells of it; -1 for none. `x` is where the pointer is. */
  private show(index: number, x?: number): void {
    if (index < 0 || this.regions === null || this.regions.offset.length === 0) {
      this.current = -1;
      this.tip.hidden = true;
      this.draw();
      return;
    }
    this.current = index;
    this.tell(index);
    const { kind, text } = this.describe(index);
    this.tip.replaceChildren(Object.assign(document.createElement("b"), { textContent: TITLES[kind] }), ` ${text}`);
    this.tip.hidden = false;
    const middle = x ?? (this.regions.offset[index] + this.regions.byteLength[index] / 2) * this.scale;
    const room = this.canvas.clientWidth - this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(middle - this.tip.offsetWidth / 2, room))}px`;
    this.tip.style.top = `${this.canvas.offsetTop + this.canvas.clientHeight - BAR - this.tip.offsetHeight - 10}px`;
    this.draw();
  }

  private tell(index: number): void {
    const { regions, canvas } = this;
    if (regions === null || regions.offset.length === 0) return;
    canvas.setAttribute("aria-valuenow", String(index + 1));
    const { kind, text } = this.describe(index);
    canvas.setAttribute("aria-valuetext", `Region ${index + 1} of ${regions.offset.length}, ${TITLES[kind]}: ${text}`);
  }
}

const TITLES: Readonly<Record<Kind, string>> = { kept: "Unchanged", moved: "Moved", literal: "New" };

/** Adds a span of `width` pixels from `x` on to the columns it covers. */
function spread(columns: Float64Array, x: number, width: number): void {
  const end = Math.min(x + width, columns.length);
  for (let column = Math.floor(x); column < end; column++) {
    columns[column] += Math.min(column + 1, end) - Math.max(column, x);
  }
}

/** One column of a bar, its parts from the bottom up. */
function bar(
  context: CanvasRenderingContext2D, x: number, width: number, top: number,
  parts: readonly (readonly [share: number, colour: string])[],
): void {
  let bottom = top + BAR;
  for (const [share, colour] of parts) {
    if (share <= 0) continue;
    const height = share * BAR;
    context.fillStyle = colour;
    // Half a pixel more closes the seam to the next column.
    context.fillRect(x, bottom - height, width + 0.5, height);
    bottom -= height;
  }
}
