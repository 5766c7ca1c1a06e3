/** Bytes of a frame → pixels. */

import type { OutputMap } from "../protocol/frame";
import { paintDiverging, type Range } from "./colours";

/** A canvas of a map's own few pixels, which the browser enlarges where it is shown. */
export class Pixels {
  private readonly context: CanvasRenderingContext2D;
  private image: ImageData | null = null;
  private words = new Uint32Array(0);

  constructor(readonly canvas: HTMLCanvasElement = document.createElement("canvas")) {
    this.context = canvas.getContext("2d")!;
  }

  /** Return the pixels to write; the canvas has this size afterwards. */
  sized(width: number, height: number): Uint32Array {
    if (!this.image || this.image.width !== width || this.image.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.image = this.context.createImageData(width, height);
      this.words = new Uint32Array(this.image.data.buffer);
    }
    return this.words;
  }

  show(): void {
    if (this.image) this.context.putImageData(this.image, 0, 0);
  }
}

/** Paint an output map of one channel in the diverging colours, of two in those of its classes. */
export function paintOutput(
  pixels: Pixels,
  map: OutputMap,
  range: Range,
  classColours: Uint32Array | null,
  discrete: boolean,
): void {
  const { size, channels, data } = map;
  if (size === 0) return;
  const words = pixels.sized(size, size);
  const area = size * size;
  if (channels === 1 || !classColours) paintDiverging(words, 0, data, 0, area, range, discrete);
  else for (let i = 0; i < area; i++) words[i] = classColours[data[i]! * 64 + (data[area + i]! >> 2)]!;
  pixels.show();
}

/** Fit a canvas to its place on the page, sharp on any screen; returns whether its size changed. */
export function fit(canvas: HTMLCanvasElement, width: number, height: number): boolean {
  const ratio = Math.min(window.devicePixelRatio || 1, 3);
  const w = Math.max(1, Math.round(width * ratio));
  const h = Math.max(1, Math.round(height * ratio));
  if (canvas.width === w && canvas.height === h) return false;
  canvas.width = w;
  canvas.height = h;
  canvas.getContext("2d")!.setTransform(ratio, 0, 0, ratio, 0, 0);
  return true;
}
