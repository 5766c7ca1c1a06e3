/** Hidden layers and their activations, as a description has them. */

import type { Description } from "../../protocol/messages";
import { denseLayers } from "./geometry";

export const MOST_LAYERS = 6;
export const MOST_UNITS = 256;

/** Return the numbers of units of the hidden layers. */
export function hiddenLayers(description: Description): number[] {
  return denseLayers(description)
    .slice(0, -1)
    .map(({ dense }) => dense.units);
}

/** The activations of the hidden layers. Where there is batch norm, it comes between the sums and the activation, and has it. */
export function activationsOf(description: Description): string[] {
  return denseLayers(description)
    .slice(0, -1)
    .map(({ dense, after }) => after.find((layer) => layer.kind === "batch_norm")?.activation ?? dense.activation);
}
