/** Ticks, numbers and names beside and below the map. */

import { scaleLinear } from "d3-scale";
import type { Axis } from "../../protocol/messages";
import { theme } from "../colours";
import { clipped, inputTitle } from "../format";

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
  const across = scaleLinear([plane.x.lo, plane.x.hi], [left, left + side]);
  const ticks = side > 200 ? 6 : 4;
  const format = across.tickFormat(ticks);
  for (const tick of across.ticks(ticks)) {
    const x = across(tick);
    context.textAlign = x > left + side - 8 ? "right" : "center";
    context.fillText(format(tick), x, side + 5);
  }
  const up = scaleLinear([plane.y.lo, plane.y.hi], [side, 0]);
  const formatUp = up.tickFormat(ticks);
  context.textAlign = "right";
  for (const tick of up.ticks(ticks)) {
    const y = up(tick);
    context.textBaseline = y < 7 ? "top" : y > side - 6 ? "bottom" : "middle";
    context.fillText(formatUp(tick), left - 5, y);
  }
  context.fillStyle = colours.fg;
  context.font = `12px ${style.fontFamily}`;
  context.textBaseline = "top";
  context.textAlign = "center";
  context.fillText(clipped(inputTitle(plane.x.name), 40), left + side / 2, side + 19);
  context.save();
  context.translate(0, side / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(clipped(inputTitle(plane.y.name), 40), 0, 0);
  context.restore();
}
