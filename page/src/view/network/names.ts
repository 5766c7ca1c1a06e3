/** What units and links are called, for labels and for screen readers. */

import type { Description } from "../../protocol/messages";
import { inputTitle } from "../format";
import { denseLayers } from "./geometry";

export function unitName(description: Description, layer: number, unit: number): string {
  if (layer === 0) return inputTitle(description.inputs[unit]?.name ?? `input ${unit + 1}`);
  const last = denseLayers(description).length;
  if (layer < last) return `unit ${unit + 1} of layer ${layer}`;
  const classes = description.classes;
  if (classes && classes.length > 2 && classes[unit] !== undefined) return `output for ${classes[unit]}`;
  return "output";
}

export function layerName(description: Description, layer: number): string {
  if (layer === 0) return "Inputs";
  return layer === denseLayers(description).length ? "Output" : `Layer ${layer}`;
}
