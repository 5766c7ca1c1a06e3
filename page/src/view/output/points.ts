/** The rows as points: training rows filled, test rows as rings. Rows that are set aside stay unseen. */

import type { Description } from "../../protocol/messages";
import { classColour, diverging } from "../colours";

export function drawPoints(
  canvas: HTMLCanvasElement,
  description: Description,
  side: number,
  withTest: boolean,
  selected: number | null,
): void {
  const context = canvas.getContext("2d")!;
  context.clearRect(0, 0, side, side);
  const { points } = description;
  const colour = colours(description);
  const radius = points.x.length > 900 ? 2.4 : points.x.length > 300 ? 3 : 3.6;
  let chosen = -1;
  for (const part of [1, 0]) {
    if (part === 1 && !withTest) continue;
    for (let i = 0; i < points.x.length; i++) {
      if (points.part[i] !== part) continue;
      if (points.index[i] === selected) chosen = i;
      const [x, y] = placeOf(description, i, side);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      if (part === 0) {
        context.fillStyle = colour(points.target[i]!);
        context.fill();
        context.lineWidth = 1;
        context.strokeStyle = "rgb(255 255 255 / 85%)";
        context.stroke();
      } else {
        context.lineWidth = 3.4;
        context.strokeStyle = "rgb(255 255 255 / 85%)";
        context.stroke();
        context.lineWidth = 1.8;
        context.strokeStyle = colour(points.target[i]!);
        context.stroke();
      }
    }
  }
  if (chosen < 0 && selected !== null) chosen = points.index.indexOf(selected);
  if (chosen >= 0) {
    const [x, y] = placeOf(description, chosen, side);
    for (const [width, ink] of [
      [5, "white"],
      [2, "black"],
    ] as const) {
      context.lineWidth = width;
      context.strokeStyle = ink;
      context.beginPath();
      context.arc(x, y, radius + 5, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}

/** Return how targets are coloured: classes as in the map, values from the lowest to the highest. */
function colours(description: Description): (target: number) => string {
  if (description.task === "classification") return classColour;
  const { lo, hi } = description.output;
  const middle = (lo + hi) / 2;
  const reach = (hi - lo) / 2 || 1;
  return (target) => diverging((target - middle) / reach);
}

function placeOf(description: Description, i: number, side: number): [number, number] {
  const { points, plane } = description;
  const x = ((points.x[i]! - plane.x.lo) / (plane.x.hi - plane.x.lo)) * side;
  const y = ((plane.y.hi - points.y[i]!) / (plane.y.hi - plane.y.lo)) * side;
  return [x, y];
}

/** Return the number of the row nearest to a place (in shares of the map), within `reach`. */
export function nearestPoint(
  description: Description,
  sx: number,
  sy: number,
  reach: number,
  withTest: boolean,
): number | null {
  let best: number | null = null;
  let least = reach * reach;
  for (let i = 0; i < description.points.x.length; i++) {
    const part = description.points.part[i]!;
    if (part > 1 || (part === 1 && !withTest)) continue;
    const [x, y] = placeOf(description, i, 1);
    const distance = (x - sx) ** 2 + (y - sy) ** 2;
    if (distance <= least) {
      least = distance;
      best = description.points.index[i]!;
    }
  }
  return best;
}
