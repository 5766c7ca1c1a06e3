/** Small charts as SVG: axes, lines, bars and dots, with the exact values of what the pointer is at. */

import { scaleLinear } from "d3-scale";
import { h, svg as s } from "./dom";
import { exact, short } from "./numbers";

const WIDTH = 340;
const HEIGHT = 210;
const LEFT = 52;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 38;

export interface Axis {
  label: string;
  lo: number;
  hi: number;
  /** Powers of ten: `lo` and `hi` are positive. */
  log?: boolean;
}

interface Mark {
  x: number;
  y: number;
  text: string;
}

/** Lower and upper end of some numbers, a little apart even if all are equal. */
export function extent(values: Iterable<number>): [number, number] {
  let lo = Infinity;
  let hi = -Infinity;
  for (const value of values) {
    if (Number.isFinite(value)) {
      lo = Math.min(lo, value);
      hi = Math.max(hi, value);
    }
  }
  if (lo > hi) {
    return [0, 1];
  }
  const room = lo === hi ? Math.abs(lo) || 1 : 0;
  return [lo - room, hi + room];
}

export class Chart {
  readonly element: HTMLElement;
  private readonly drawing: SVGGElement;
  private readonly marks: Mark[] = [];
  private readonly axes: readonly [Axis, Axis];

  constructor(title: string, summary: string, x: Axis, y: Axis) {
    this.axes = [x, y];
    this.drawing = s("g");
    const picture = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}. ${summary}` });
    picture.append(this.axis(x, true), this.axis(y, false), this.drawing);
    const readout = h("output", { class: "exact-values" }, summary);
    picture.addEventListener("pointermove", (event) => this.read(event, picture, readout));
    picture.addEventListener("pointerleave", () => (readout.textContent = summary));
    this.element = h("figure", { class: "figure" }, h("figcaption", {}, title), picture, readout);
  }

  private place(value: number, horizontal: boolean): number {
    const axis = this.axes[horizontal ? 0 : 1];
    const at = axis.log ? Math.log10(Math.max(value, Number.MIN_VALUE)) : value;
    const [lo, hi] = axis.log ? [Math.log10(axis.lo), Math.log10(axis.hi)] : [axis.lo, axis.hi];
    const share = Math.min(Math.max((at - lo) / (hi - lo || 1), 0), 1);
    return horizontal ? LEFT + share * (WIDTH - LEFT - RIGHT) : HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  }

  private axis(axis: Axis, horizontal: boolean): SVGGElement {
    const group = s("g", { class: "axis" });
    const ticks = axis.log
      ? powers(axis.lo, axis.hi)
      : scaleLinear().domain([axis.lo, axis.hi]).ticks(horizontal ? 5 : 4);
    for (const tick of ticks) {
      const at = this.place(tick, horizontal);
      group.append(
        horizontal
          ? s("line", { x1: at, x2: at, y1: TOP, y2: HEIGHT - BOTTOM })
          : s("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: at, y2: at }),
        horizontal
          ? s("text", { x: at, y: HEIGHT - BOTTOM + 13, "text-anchor": "middle" }, short(tick, 3))
          : s("text", { x: LEFT - 4, y: at + 3, "text-anchor": "end" }, short(tick, 3)),
      );
    }
    const middle = TOP + (HEIGHT - TOP - BOTTOM) / 2;
    group.append(
      horizontal
        ? s("text", { x: LEFT + (WIDTH - LEFT - RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, axis.label)
        : s("text", { x: 10, y: middle, "text-anchor": "middle", transform: `rotate(-90 10 ${middle})` }, axis.label),
    );
    return group;
  }

  line(points: readonly (readonly [number, number])[], series = 0, name = "", dashed = false): this {
    const path = points
      .filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y))
      .map(([x, y], i) => `${i ? "L" : "M"}${this.place(x, true).toFixed(1)} ${this.place(y, false).toFixed(1)}`)
      .join("");
    this.drawing.append(s("path", { d: path, class: `line series-${series % 8}${dashed ? " dashed" : ""}` }));
    for (const [x, y] of points) {
      this.mark(x, y, name);
    }
    return this;
  }

  bars(edges: readonly number[], counts: readonly number[], series = 0): this {
    counts.forEach((count, i) => {
      const [lo, hi] = [edges[i] ?? 0, edges[i + 1] ?? 0];
      const [left, right, top] = [this.place(lo, true), this.place(hi, true), this.place(count, false)];
      this.drawing.append(
        s("rect", {
          x: left,
          y: top,
          width: Math.max(right - left - 0.5, 0.5),
          height: HEIGHT - BOTTOM - top,
          class: `bar series-${series % 8}`,
        }),
      );
      this.marks.push({ x: (left + right) / 2, y: top, text: `${exact(lo)} to ${exact(hi)}: ${count}` });
    });
    return this;
  }

  /** All dots are one path: thousands of elements would be slow. */
  dots(xs: readonly number[], ys: readonly number[], series = 0): this {
    let path = "";
    xs.forEach((x, i) => {
      const y = ys[i] ?? Number.NaN;
      if (Number.isFinite(x) && Number.isFinite(y)) {
        path += `M${this.place(x, true).toFixed(1)} ${this.place(y, false).toFixed(1)}h0`;
        this.mark(x, y, "");
      }
    });
    this.drawing.append(s("path", { d: path, class: `dots series-${series % 8}` }));
    return this;
  }

  private mark(x: number, y: number, name: string): void {
    const [across, up] = this.axes;
    this.marks.push({
      x: this.place(x, true),
      y: this.place(y, false),
      text: `${name ? `${name}: ` : ""}${across.label} ${exact(x)}, ${up.label} ${exact(y)}`,
    });
  }

  private read(event: PointerEvent, picture: SVGSVGElement, readout: HTMLElement): void {
    const box = picture.getBoundingClientRect();
    const [x, y] = [((event.clientX - box.left) / box.width) * WIDTH, ((event.clientY - box.top) / box.height) * HEIGHT];
    let nearest: Mark | undefined;
    let least = Infinity;
    for (const mark of this.marks) {
      const distance = (mark.x - x) ** 2 + 0.2 * (mark.y - y) ** 2;
      if (distance < least) {
        [nearest, least] = [mark, distance];
      }
    }
    if (nearest) {
      readout.textContent = nearest.text;
    }
  }
}

function powers(lo: number, hi: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(lo)), Math.floor(Math.log10(hi))];
  const step = Math.max(Math.ceil((last - first) / 4), 1);
  const found: number[] = [];
  for (let power = first; power <= last; power += step) {
    found.push(10 ** power);
  }
  return found.length ? found : [lo, hi];
}

/** What the lines mean: each name has its line's colour and dash beside it. */
export function legend(names: readonly string[]): HTMLElement {
  const entries = names.map((name, i) => {
    const swatch = s("svg", { class: "swatch", viewBox: "0 0 24 4", "aria-hidden": "true" });
    swatch.append(s("path", { d: "M0 2H24", class: `line series-${i % 8}` }));
    return h("li", {}, swatch, name);
  });
  return h("ul", { class: "legend" }, ...entries);
}
