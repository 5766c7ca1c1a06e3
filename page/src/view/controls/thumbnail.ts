/** A set of data in 56 pixels. */

import { classColour, diverging, theme } from "../colours";
import { fit } from "../maps";
import { taskOf, type Choice } from "./catalog";

const SIZE = 56;

export function drawThumbnail(canvas: HTMLCanvasElement, choice: Choice): void {
  fit(canvas, SIZE, SIZE);
  const context = canvas.getContext("2d")!;
  context.fillStyle = theme().surface;
  context.fillRect(0, 0, SIZE, SIZE);
  const points = choice.points ?? [];
  const classes = taskOf(choice) === "classification";
  const two = points.some((point) => point[2] < 0);
  for (const [x, y, target] of points) {
    context.fillStyle = classes ? classColour(two ? (target + 1) / 2 : target) : diverging(target);
    context.beginPath();
    context.arc(SIZE * (0.5 + 0.44 * x), SIZE * (0.5 - 0.44 * y), 1.7, 0, 2 * Math.PI);
    context.fill();
  }
}
