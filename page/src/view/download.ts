/** Pictures of what the page shows, as files. */

import { h } from "../dom";
import type { ExperimentView } from "./experiment_view";
import { networkPicture } from "./network/picture";

function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = h("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function saveSvg(text: string, name: string): void {
  save(new Blob([text], { type: "image/svg+xml" }), name);
}

function saveCanvas(canvas: HTMLCanvasElement, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (!blob) {
        reject(new Error("The browser could not create the picture."));
        return;
      }
      save(blob, name);
      resolve();
    }, "image/png");
  });
}

/** Draw an SVG picture at twice its size, for a PNG file. */
async function canvasOf(text: string, scale = 2): Promise<HTMLCanvasElement> {
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = h("canvas", { width: image.width * scale, height: image.height * scale });
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Return an SVG picture that holds a canvas's pixels. */
function svgAround(canvas: HTMLCanvasElement): string {
  const { width, height } = canvas;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><image width="${width}" height="${height}" href="${canvas.toDataURL("image/png")}"/></svg>\n`;
}

/** Save the drawing of the network, or the map of its outputs, as the page shows it now. */
export async function savedPicture(view: ExperimentView, part: "network" | "output", format: "svg" | "png"): Promise<void> {
  const name = `${part}.${format}`;
  if (part === "network") {
    const drawn = view.network.drawn();
    if (!drawn) throw new Error("There is no network yet.");
    const text = networkPicture(drawn);
    if (format === "svg") saveSvg(text, name);
    else await saveCanvas(await canvasOf(text), name);
    return;
  }
  const map = view.output.picture();
  if (!map) throw new Error("There is no map yet.");
  if (format === "svg") saveSvg(svgAround(map), name);
  else await saveCanvas(map, name);
}
