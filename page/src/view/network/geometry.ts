/** Where the drawn units and links of a network stand, in CSS pixels. */

import type { Description, LayerDescription } from "../../protocol/messages";

export interface UnitPlace {
  /** 0: an input; 1 … L: a dense layer. */
  layer: number;
  /** Number within its layer; of an input, its column of W[1]. */
  unit: number;
  /** Place among the unit maps of a frame; -1: an input. */
  map: number;
  /** Place of its bias among the frame's values; -1: it has none. */
  bias: number;
  x: number;
  y: number;
}

export interface LinkPlace {
  /** Place of its weight among the frame's values. */
  value: number;
  layer: number;
  row: number;
  column: number;
  from: UnitPlace;
  to: UnitPlace;
}

export interface ColumnPlace {
  layer: number;
  x: number;
  /** How many units the layer has, and how many of them are not drawn. */
  units: number;
  more: number;
  description: LayerDescription | null;
  /** Layers between this one and the next that have no links: batch norm, dropout, … */
  between: LayerDescription[];
  bottom: number;
}

export interface Geometry {
  width: number;
  height: number;
  size: number;
  columns: ColumnPlace[];
  units: UnitPlace[];
  links: LinkPlace[];
}

export const TOP = 8;
const LEAST_COLUMN = 64;
const SIDE = 14;
const TALLEST = 430;

/** Width of the inputs with their names: longer names get more of it, where there is room. */
function inputWidth(description: Description, available: number): number {
  const longest = Math.max(0, ...drawnInputs(description).map((i) => description.inputs[i]?.name.length ?? 0));
  return Math.min(longest > 6 ? 58 + 7 * Math.min(longest, 17) : 84, Math.max(84, 0.3 * available));
}

/** Return the dense layers, each with what follows it and belongs to it: batch norm, dropout. */
export function denseLayers(description: Description): { dense: LayerDescription; after: LayerDescription[] }[] {
  const layers: { dense: LayerDescription; after: LayerDescription[] }[] = [];
  for (const layer of description.layers) {
    if (layer.kind === "dense") layers.push({ dense: layer, after: [] });
    else layers.at(-1)?.after.push(layer);
  }
  return layers;
}

/** Return what stands before the first dense layer: embeddings. */
function aboutInputs(description: Description): LayerDescription[] {
  return description.layers.slice(0, description.layers.findIndex((layer) => layer.kind === "dense"));
}

/** Return the columns of W[1] whose inputs are drawn. */
export function drawnInputs(description: Description): number[] {
  if (description.drawn_inputs) return description.drawn_inputs;
  const columns = new Set<number>();
  for (const value of description.drawn_values) {
    if (value.layer === 1 && value.name === "W") columns.add(value.column);
  }
  if (columns.size === 0) description.inputs.slice(0, 8).forEach((_, column) => columns.add(column));
  return [...columns].sort((a, b) => a - b);
}

/** The width that a drawing needs at least; a narrow page scrolls it. */
export function leastWidth(description: Description): number {
  return 2 * SIDE + inputWidth(description, 0) + LEAST_COLUMN * denseLayers(description).length;
}

export function geometryOf(description: Description, available: number): Geometry {
  const layers = denseLayers(description);
  const inputs = drawnInputs(description);
  const width = Math.max(available, leastWidth(description));
  const most = Math.max(inputs.length, ...layers.map(({ dense }) => dense.drawn.length), 1);
  // Few units are drawn large, many small, in about the same height.
  const pitch = Math.min(98, Math.max(46, Math.min(TALLEST, 0.72 * width) / most));
  const names = inputWidth(description, width);
  const columnStep = (width - 2 * SIDE - names) / Math.max(layers.length, 1);
  const size = Math.round(Math.min(most > 6 ? 42 : 58, 0.74 * pitch, 0.5 * columnStep));
  const room = Math.max(most * pitch, Math.min(250, 0.6 * width));
  const height = TOP + room + 30;
  const units: UnitPlace[] = [];
  const columns: ColumnPlace[] = [];
  const first = SIDE + names - size / 2;
  const last = width - SIDE - size / 2 - 6;
  const step = layers.length > 0 ? (last - first) / layers.length : 0;
  const values = new Map<string, number>();
  description.drawn_values.forEach((value, i) => {
    values.set(`${value.name} ${value.layer} ${value.row} ${value.name === "b" ? 0 : value.column}`, i);
  });

  const columnOf = (layer: number, drawn: number[], x: number, map: number): void => {
    const top = TOP + (room - drawn.length * pitch) / 2 + pitch / 2;
    drawn.forEach((unit, place) => {
      const bias = layer === 0 ? undefined : values.get(`b ${layer} ${unit} 0`);
      const known = layer === 0 ? -1 : map + place;
      units.push({ layer, unit, map: known, bias: bias ?? -1, x, y: top + place * pitch });
    });
    const dense = layer === 0 ? null : layers[layer - 1]!;
    const total = dense ? dense.dense.units : description.inputs.length;
    columns.push({
      layer,
      x,
      units: total,
      more: total - drawn.length,
      description: dense ? dense.dense : null,
      between: dense ? dense.after : aboutInputs(description),
      bottom: top + (drawn.length - 1) * pitch + size / 2,
    });
  };

  columnOf(0, inputs, first, 0);
  let map = 0;
  layers.forEach(({ dense }, i) => {
    columnOf(i + 1, dense.drawn, first + step * (i + 1), map);
    map += dense.drawn.length;
  });

  const byPlace = new Map(units.map((unit) => [`${unit.layer} ${unit.unit}`, unit]));
  const links: LinkPlace[] = [];
  description.drawn_values.forEach((value, i) => {
    if (value.name !== "W") return;
    const from = byPlace.get(`${value.layer - 1} ${value.column}`);
    const to = byPlace.get(`${value.layer} ${value.row}`);
    if (from && to) {
      links.push({ value: i, layer: value.layer, row: value.row, column: value.column, from, to });
    }
  });
  return { width, height, size, columns, units, links };
}

/** The ends and control points of a link: x0, y0, x1, y1, x2, y2, x3, y3. */
export type Curve = [number, number, number, number, number, number, number, number];

export function curveOf(link: LinkPlace, size: number): Curve {
  const x0 = link.from.x + size / 2;
  const x3 = link.to.x - size / 2 - 3;
  const middle = (x0 + x3) / 2;
  return [x0, link.from.y, middle, link.from.y, middle, link.to.y, x3, link.to.y];
}

/** Return the link nearest to a point, within `reach` pixels. */
export function linkAt(geometry: Geometry, x: number, y: number, reach = 7): LinkPlace | null {
  let best: LinkPlace | null = null;
  let least = reach * reach;
  for (const link of geometry.links) {
    const curve = curveOf(link, geometry.size);
    if (x < curve[0] - reach || x > curve[6] + reach) continue;
    if (y < Math.min(curve[1], curve[7]) - reach || y > Math.max(curve[1], curve[7]) + reach) continue;
    for (let i = 0; i <= 24; i++) {
      const [px, py] = alongCurve(curve, i / 24);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least) {
        least = distance;
        best = link;
      }
    }
  }
  return best;
}

export function alongCurve(curve: Curve, t: number): [number, number] {
  const [x0, y0, x1, y1, x2, y2, x3, y3] = curve;
  const s = 1 - t;
  const a = s * s * s;
  const b = 3 * s * s * t;
  const c = 3 * s * t * t;
  const d = t * t * t;
  return [a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3];
}
