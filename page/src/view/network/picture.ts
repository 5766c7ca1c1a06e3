/** The drawing of a network as an SVG file: paths for links, small embedded pictures for maps. */

import type { Frame } from "../../protocol/frame";
import type { Description } from "../../protocol/messages";
import { theme } from "../colours";
import { inputTitle } from "../format";
import { linkColour, linkWidth, signalOf } from "./draw";
import { curveOf, type Geometry } from "./geometry";
import { layerName } from "./names";

/** What is drawn, and how. */
export interface Drawn {
  description: Description;
  frame: Frame;
  geometry: Geometry;
  /** Maps of units and of inputs, below one another. */
  units: HTMLCanvasElement;
  inputs: HTMLCanvasElement;
  widest: number;
  widestBias: number;
}

function escapedXml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);
}

/** Return one map of an atlas as the address of a PNG picture. */
function cut(atlas: HTMLCanvasElement, place: number, scale = 4): string | null {
  const size = atlas.width;
  if (size === 0 || (place + 1) * size > atlas.height) return null;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * scale;
  const context = canvas.getContext("2d")!;
  context.imageSmoothingEnabled = true;
  context.drawImage(atlas, 0, place * size, size, size, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}

const HEAD = 28;

export function networkPicture({ description, frame, geometry, units, inputs, widest, widestBias }: Drawn): string {
  const colours = theme();
  const { width, height, size } = geometry;
  const half = size / 2;
  const values = signalOf(frame);
  const parts: string[] = [];
  const text = (x: number, y: number, words: string, anchor: string, colour: string): void => {
    parts.push(`<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${colour}">${escapedXml(words)}</text>`);
  };
  for (const link of geometry.links) {
    const value = values[link.value]!;
    const c = curveOf(link, size).map((number, i) => (i % 2 === 1 ? number + HEAD : number).toFixed(1));
    parts.push(
      `<path d="M${c[0]} ${c[1]}C${c[2]} ${c[3]} ${c[4]} ${c[5]} ${c[6]} ${c[7]}" fill="none" stroke="${linkColour(value, widest)}" stroke-width="${linkWidth(value, widest).toFixed(2)}"/>`,
    );
  }
  let input = 0;
  for (const unit of geometry.units) {
    const x = unit.x - half;
    const y = unit.y - half + HEAD;
    const map = unit.layer === 0 ? cut(inputs, input++) : cut(units, unit.map);
    const frameOf = `x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${size}" height="${size}"`;
    if (map) parts.push(`<image ${frameOf} href="${map}"/>`);
    parts.push(`<rect ${frameOf} fill="${map ? "none" : colours.sunken}" stroke="${colours.muted}"/>`);
    if (unit.bias >= 0) {
      const colour = linkColour(values[unit.bias]!, widestBias);
      parts.push(`<circle cx="${(x - 1).toFixed(1)}" cy="${(y + size + 1).toFixed(1)}" r="5" fill="${colour}" stroke="${colours.surface}" stroke-width="1.5"/>`);
    }
    if (unit.layer === 0) {
      text(x - 6, unit.y + HEAD + 4, inputTitle(description.inputs[unit.unit]?.name ?? ""), "end", colours.fg);
    }
  }
  for (const column of geometry.columns) {
    text(column.x, 16, layerName(description, column.layer), "middle", colours.fg);
    if (column.more > 0) text(column.x, column.bottom + HEAD + 20, `… ${column.more} more`, "middle", colours.muted);
  }
  const w = width.toFixed(0);
  const total = (height + HEAD).toFixed(0);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${total}" viewBox="0 0 ${w} ${total}" font-family="system-ui, sans-serif" font-size="13">` +
    `<rect width="100%" height="100%" fill="${colours.surface}"/>${parts.join("")}</svg>\n`
  );
}
