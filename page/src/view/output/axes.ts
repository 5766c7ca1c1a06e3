/** Ticks, numbers and names beside and below the map. */

import type { Axis } from "../../protocol/messages";
import { theme } from "../colours";
import { clipped, inputTitle } from "../format";
import { ticksOf } from "./ticks";

export function drawAxes(canvas: HTMLCanvasElement, plane: { x: Axis; y: Axis }, side: number, left: number): void {
  const context = canvas.getContext("2d")!;
  const colours = theme();
  context.clearRect(0, 0, side + left + 2, side + 60);
  const style = getComputedStyle(document.body);
  context.font = `11px ${style.fontFamily}`;
  context.fillStyle = colours.muted;
  context.strokeStyle = colours.border;
  context.lineWidth = 1;
  context.textBaseline = "top";
  const most = side > 200 ? 6 : 4;
  for (const { share, text } of ticksOf(plane.x.lo, plane.x.hi, most)) {
    const x = left + share * side;
    context.textAlign = x > left + side - 8 ? "right" : "center";
    context.fillText(text, x, side + 5);
  }
  context.textAlign = "right";
  for (const { share, text } of ticksOf(plane.y.lo, plane.y.hi, most)) {
    const y = (1 - share) * side;
    context.textBaseline = y < 7 ? "top" : y > side - 6 ? "bottom" : "middle";
    context.fillText(text, left - 5, y);
  }
  context.fillStyle = colours.fg;
  context.font = `12px ${style.fontFamily}`;
  context.textBaseline = "top";
  context.textAlign = "center";
  context.fillText(fitted(context, inputTitle(plane.x.name), side), left + side / 2, side + 19);
  context.save();
  context.translate(0, side / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(fitted(context, inputTitle(plane.y.name), side), 0, 0);
  context.restore();
}

/** Return a text that is cut where it would be wider than the axis. */
function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  let length = text.length;
  while (length > 4 && context.measureText(clipped(text, length)).width > width) length -= 1;
  return clipped(text, length);
}
