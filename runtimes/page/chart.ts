/** The curve of bytes on the wire over block sizes, as SVG. */
import { size } from "./format.ts";

const MOST_WIDTH = 640;
const HEIGHT = 210;
const LEFT = 62;
const BOTTOM = 24;
const TOP = 8;

/** One measured block size. */
export interface SizePoint {
  readonly blockLength: number;
  /** Signature, references and new bytes. */
  readonly wireBytes: number;
  /** New bytes alone. */
  readonly literalBytes: number;
}

function node(name: string, attributes: Readonly<Record<string, string | number>>, text = ""): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.textContent = text;
  return element;
}

/** Draws the points that are there, as wide as there is room; `current` is the block size chosen. */
export function drawSizes(into: HTMLElement, points: readonly SizePoint[], current: number): void {
  const width = Math.min(into.clientWidth || MOST_WIDTH, MOST_WIDTH);
  const sorted = [...points].sort((a, b) => a.blockLength - b.blockLength);
  const svg = node("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": summary(sorted) });
  const least = Math.log2(64);
  const most = Math.log2(131072);
  const top = niceCeiling(Math.max(...sorted.map((point) => point.wireBytes), 1));
  const room = width - LEFT - 10;
  const x = (blockLength: number): number => LEFT + ((Math.log2(blockLength) - least) / (most - least)) * room;
  const y = (bytes: number): number => HEIGHT - BOTTOM - (bytes / top) * (HEIGHT - BOTTOM - TOP);
  for (const part of [0, 0.5, 1]) {
    svg.append(node("line", { class: "axis", x1: LEFT, x2: width, y1: y(top * part), y2: y(top * part) }));
    const label = part === 0 ? "0" : size(top * part);
    svg.append(node("text", { x: LEFT - 8, y: y(top * part) + 4, "text-anchor": "end" }, label));
  }
  for (const power of [6, 9, 12, 15, 17]) {
    const label = power >= 10 ? `${2 ** (power - 10)} KiB` : String(2 ** power);
    const anchor = power === 17 ? "end" : "middle";
    svg.append(node("text", { x: x(2 ** power), y: HEIGHT - 6, "text-anchor": anchor }, label));
  }
  const line = (of: (point: SizePoint) => number): string =>
    sorted.map((point) => `${x(point.blockLength).toFixed(1)},${y(of(point)).toFixed(1)}`).join(" ");
  if (sorted.length > 1) {
    svg.append(node("polyline", { class: "floor", points: line((point) => point.literalBytes) }));
    svg.append(node("polyline", { class: "curve", points: line((point) => point.wireBytes) }));
  }
  for (const point of sorted) {
    const chosen = point.blockLength === current;
    const dot = node("circle", {
      class: chosen ? "now" : "dot", cx: x(point.blockLength), cy: y(point.wireBytes), r: chosen ? 5 : 3,
    });
    dot.append(node("title", {}, `blocks of ${point.blockLength}: ${size(point.wireBytes)}`));
    svg.append(dot);
  }
  into.replaceChildren(svg);
}

/** The curve in words. */
function summary(points: readonly SizePoint[]): string {
  if (points.length === 0) return "nothing measured yet";
  const best = points.reduce((a, b) => (b.wireBytes < a.wireBytes ? b : a));
  const least = `the least, ${size(best.wireBytes)}, with blocks of ${best.blockLength}`;
  return `${points.length} block sizes measured; ${least}`;
}

/** The next of 1, 2, 5, 10, ... */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}
