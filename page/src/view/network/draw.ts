/** Paints links and units of the network on a canvas: one pass for each frame. */

import type { Frame } from "../../protocol/frame";
import type { Selection } from "../../panel";
import { diverging, paintDiverging, theme } from "../colours";
import { Pixels } from "../maps";
import { curveOf, type Geometry, type LinkPlace, type UnitPlace } from "./geometry";

/** The largest size among the values drawn; it falls slowly, so that the picture does not flicker. */
export class Widths {
  private largest = 0;
  private backward = false;

  update(frame: Frame, links: readonly { value: number }[]): number {
    const values = signalOf(frame);
    const backward = frame.gradients !== null;
    if (backward !== this.backward) this.reset();
    this.backward = backward;
    let most = 0;
    for (const link of links) {
      const size = Math.abs(values[link.value]!);
      if (size > most && Number.isFinite(size)) most = size;
    }
    const calm = frame.running && most < this.largest;
    this.largest = calm ? 0.9 * this.largest + 0.1 * most : most;
    return this.largest || 1;
  }

  reset(): void {
    this.largest = 0;
  }
}

/** Return what colours and widths are made of: weights, or in the backward view their gradients. */
export function signalOf(frame: Frame): Float32Array {
  return frame.gradients ?? frame.values;
}

export function linkWidth(value: number, widest: number): number {
  return 0.6 + 7.4 * Math.min(1, Math.sqrt(Math.abs(value) / widest) * Math.min(1, Math.abs(value) / widest + 0.25));
}

export function linkColour(value: number, widest: number): string {
  const share = Math.min(1, Math.abs(value) / widest);
  return diverging(Math.sign(value) * (0.45 + 0.55 * Math.sqrt(share)));
}

/** All unit maps of a frame below one another, each in its own colours: symmetric about 0. */
export class UnitAtlas {
  readonly pixels = new Pixels();
  private size = 0;

  update(size: number, count: number, maps: Uint8Array, ranges: ArrayLike<number>, discrete: boolean): void {
    this.size = count === 0 ? 0 : size;
    if (this.size === 0) return;
    const words = this.pixels.sized(size, size * count);
    const area = size * size;
    for (let i = 0; i < count; i++) {
      const range = { lo: ranges[2 * i]!, hi: ranges[2 * i + 1]!, middle: 0 };
      paintDiverging(words, i * area, maps, i * area, area, range, discrete);
    }
    this.pixels.show();
  }

  draw(context: CanvasRenderingContext2D, map: number, x: number, y: number, size: number): void {
    if (this.size === 0 || map < 0) return;
    const s = this.size;
    context.drawImage(this.pixels.canvas, 0, map * s, s, s, x, y, size, size);
  }
}

export interface Emphasis {
  link: LinkPlace | null;
  unit: UnitPlace | null;
  parts: readonly Selection[];
}

export function drawLinks(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  values: Float32Array,
  widest: number,
  emphasis: Emphasis,
  dash: number | null,
): void {
  context.lineCap = "butt";
  context.setLineDash(dash === null ? [] : [10, 2]);
  context.lineDashOffset = dash ?? 0;
  const some = emphasis.link !== null || emphasis.unit !== null || emphasis.parts.length > 0;
  for (const link of geometry.links) {
    const value = values[link.value]!;
    const stressed = some && isStressed(link, emphasis);
    context.globalAlpha = some && !stressed ? 0.22 : 0.9;
    context.lineWidth = linkWidth(value, widest) + (stressed && emphasis.link === link ? 1.5 : 0);
    context.strokeStyle = linkColour(value, widest);
    const curve = curveOf(link, geometry.size);
    context.beginPath();
    context.moveTo(curve[0], curve[1]);
    context.bezierCurveTo(curve[2], curve[3], curve[4], curve[5], curve[6], curve[7]);
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

function isStressed(link: LinkPlace, emphasis: Emphasis): boolean {
  if (emphasis.link === link) return true;
  const unit = emphasis.unit;
  if (unit && (link.to === unit || link.from === unit)) return true;
  return emphasis.parts.some((part) => {
    switch (part.kind) {
      case "weight":
        return part.layer === link.layer && part.row === link.row && part.column === link.column;
      case "unit":
        return part.layer === link.layer && part.unit === link.row;
      case "layer":
        return part.layer === link.layer;
      default:
        return false;
    }
  });
}

export function drawUnits(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  frame: Frame | null,
  atlas: UnitAtlas,
  inputs: UnitAtlas,
  widestBias: number,
): void {
  const colours = theme();
  const { size } = geometry;
  const half = size / 2;
  const deltas = frame?.deltas ?? null;
  let largest = 0;
  if (deltas) for (const delta of deltas) if (Number.isFinite(delta)) largest = Math.max(largest, delta);
  let input = 0;
  for (const unit of geometry.units) {
    const x = unit.x - half;
    const y = unit.y - half;
    context.fillStyle = colours.sunken;
    context.fillRect(x, y, size, size);
    context.imageSmoothingEnabled = true;
    if (unit.layer === 0) inputs.draw(context, input++, x, y, size);
    else if (frame) atlas.draw(context, unit.map, x, y, size);
    // Backward, the frame's thickness and colour tell the unit's mean |δ|.
    const share = deltas && unit.map >= 0 && largest > 0 ? deltas[unit.map]! / largest : null;
    context.lineWidth = share === null ? 1 : 1 + 4 * share;
    context.strokeStyle = share === null ? colours.muted : colours.fg;
    context.globalAlpha = share === null ? 0.7 : 0.25 + 0.75 * share;
    context.strokeRect(x - 0.5, y - 0.5, size + 1, size + 1);
    context.globalAlpha = 1;
    if (unit.bias >= 0 && frame) {
      const bias = signalOf(frame)[unit.bias]!;
      context.beginPath();
      context.arc(x - 1, y + size + 1, 5, 0, 2 * Math.PI);
      context.fillStyle = linkColour(bias, widestBias);
      context.fill();
      // With an outline, a bias of 0 is seen too.
      context.lineWidth = 1;
      context.strokeStyle = colours.muted;
      context.stroke();
    }
  }
}
