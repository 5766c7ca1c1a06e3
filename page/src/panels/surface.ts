/** A slice of the loss surface around the present weights, with the path of the training so far. */

import type { Page } from "../panel";
import { announcement, button, h, labelled, messageOf, replace, select } from "./dom";
import { exact, short } from "./numbers";

interface Surface {
  directions: string;
  seed: number;
  rows: number;
  alpha: number[];
  beta: number[];
  loss: (number | null)[][];
  loss_here: number | null;
  path: [number, number][];
  epochs: number[];
  share: number | null;
  complete: boolean;
  text: string;
}

const SIDE = 320;
/** From low to high loss: dark to light, readable without colour vision. */
const COLOURS: readonly [number, number, number][] = [
  [26, 28, 84],
  [38, 89, 142],
  [60, 150, 155],
  [150, 203, 140],
  [246, 236, 170],
];

export function surfaceView(page: Page): { element: HTMLElement; start: () => void } {
  let directions = "path";
  let span = 1;
  let seed = 0;
  let started = false;
  let asked = 0;
  const failure = announcement("alert");
  const note = announcement("status");
  const picture = h("div", { class: "surface" });

  async function compute(): Promise<void> {
    asked += 1;
    const mine = asked;
    replace(failure);
    replace(note, "Computing the loss at each point …");
    try {
      const surface = await page.request<Surface>("surface", { directions, span, seed });
      if (mine === asked) {
        replace(note, surface.text);
        replace(picture, ...drawn(surface));
      }
    } catch (reason) {
      if (mine === asked) {
        replace(note);
        replace(failure, messageOf(reason));
      }
    }
  }

  const element = h(
    "div",
    {},
    h(
      "div",
      { class: "actions" },
      labelled(
        "Directions",
        select(
          [
            ["path", "along the path of the weights"],
            ["random", "random"],
          ],
          directions,
          (value) => {
            directions = value;
            void compute();
          },
        ),
      ),
      labelled(
        "Width",
        select(
          ["0.25", "0.5", "1", "2", "4"].map((value) => [value, `${value} ×`] as const),
          "1",
          (value) => {
            span = Number(value);
            void compute();
          },
        ),
      ),
      button("New random directions", () => {
        seed += 1;
        directions = "random";
        element.querySelector("select")!.value = "random";
        void compute();
      }),
      button("Compute again", () => void compute()),
    ),
    failure,
    note,
    picture,
  );
  return {
    element,
    start: () => {
      if (!started) {
        started = true;
        void compute();
      }
    },
  };
}

function drawn(surface: Surface): Node[] {
  const values = surface.loss.flat().filter((value): value is number => value !== null);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const canvas = h("canvas", {
    width: SIDE * 2,
    height: SIDE * 2,
    role: "img",
    "aria-label": `Loss from ${short(least)} to ${short(most)} over two directions. ${surface.text}`,
  });
  const readout = h("output", { class: "exact-values" }, `Loss here: ${exact(surface.loss_here)}`);
  paint(canvas, surface, least, most);
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * surface.alpha.length);
    const row = surface.beta.length - 1 - Math.floor(((event.clientY - box.top) / box.height) * surface.beta.length);
    const loss = surface.loss[row]?.[column];
    readout.textContent = `α ${short(surface.alpha[column])}, β ${short(surface.beta[row])}: loss ${exact(loss)}`;
  });
  return [
    canvas,
    readout,
    h("p", { class: "help" }, `Dark: low loss (${short(least)}). Light: high loss (${short(most)}). The cross marks the current weights; `,
      "the line is their path during training, projected onto this plane."),
  ];
}

function colour(share: number): [number, number, number] {
  const at = Math.min(Math.max(share, 0), 1) * (COLOURS.length - 1);
  const lower = COLOURS[Math.floor(at)]!;
  const upper = COLOURS[Math.ceil(at)]!;
  const part = at - Math.floor(at);
  return [0, 1, 2].map((i) => lower[i]! + part * (upper[i]! - lower[i]!)) as [number, number, number];
}

/** Losses differ by orders of magnitude: colours and contours follow their logarithm. */
function scale(least: number, most: number): (loss: number) => number {
  const shift = Math.max((most - least) * 1e-3, 1e-12);
  const top = Math.log((most - least) / shift + 1);
  return (loss) => (top > 0 ? Math.log((loss - least) / shift + 1) / top : 0);
}

function paint(canvas: HTMLCanvasElement, surface: Surface, least: number, most: number): void {
  const context = canvas.getContext("2d");
  const [columns, rows] = [surface.alpha.length, surface.beta.length];
  if (!context || !columns || !rows) {
    return;
  }
  const shares = surface.loss.map((row) => row.map((loss) => (loss === null ? null : scale(least, most)(loss))));
  const [width, height] = [canvas.width / columns, canvas.height / rows];
  const grid = h("canvas", { width: columns, height: rows });
  const pixels = grid.getContext("2d")!;
  shares.forEach((row, j) => {
    row.forEach((share, i) => {
      const [red, green, blue] = share === null ? [128, 128, 128] : colour(share);
      pixels.fillStyle = `rgb(${red} ${green} ${blue})`;
      pixels.fillRect(i, rows - 1 - j, 1, 1);
    });
  });
  // Between the points of the grid, the browser blends their colours.
  context.drawImage(grid, 0, 0, canvas.width, canvas.height);
  const x = (alpha: number): number => place(alpha, surface.alpha) * (canvas.width - width) + width / 2;
  const y = (beta: number): number => canvas.height - (place(beta, surface.beta) * (canvas.height - height) + height / 2);
  contours(context, shares, (i, j) => [(i + 0.5) * width, canvas.height - (j + 0.5) * height]);
  stroke(context, surface.path.map(([a, b]) => [x(a), y(b)]));
  cross(context, x(0), y(0));
}

function place(value: number, values: readonly number[]): number {
  const [lo, hi] = [values[0] ?? 0, values.at(-1) ?? 1];
  return (value - lo) / (hi - lo || 1);
}

/** A white line on a dark one is visible on every colour below it. */
function stroke(context: CanvasRenderingContext2D, points: readonly (readonly [number, number])[]): void {
  for (const [style, thickness] of [
    ["#000", 6],
    ["#fff", 3],
  ] as const) {
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.strokeStyle = style;
    context.lineWidth = thickness;
    context.stroke();
  }
}

function cross(context: CanvasRenderingContext2D, x: number, y: number): void {
  stroke(context, [[x - 10, y - 10], [x + 10, y + 10]]);
  stroke(context, [[x - 10, y + 10], [x + 10, y - 10]]);
}

/** Marching squares: the level lines of the grid, straight inside each of its cells. */
function contours(
  context: CanvasRenderingContext2D,
  shares: (number | null)[][],
  at: (i: number, j: number) => [number, number],
): void {
  context.strokeStyle = "rgb(255 255 255 / 45%)";
  context.lineWidth = 1.5;
  context.beginPath();
  for (let level = 0.1; level < 1; level += 0.1) {
    for (let j = 0; j + 1 < shares.length; j++) {
      for (let i = 0; i + 1 < (shares[j]?.length ?? 0); i++) {
        const corners: [number, number][] = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
        const crossings: [number, number][] = [];
        corners.forEach(([i0, j0], k) => {
          const [i1, j1] = corners[(k + 1) % 4]!;
          const [a, b] = [shares[j0]?.[i0], shares[j1]?.[i1]];
          if (a !== null && a !== undefined && b !== null && b !== undefined && a < level !== b < level) {
            const part = (level - a) / (b - a);
            const [from, to] = [at(i0, j0), at(i1, j1)];
            crossings.push([from[0] + part * (to[0] - from[0]), from[1] + part * (to[1] - from[1])]);
          }
        });
        for (let k = 0; k + 1 < crossings.length; k += 2) {
          context.moveTo(...crossings[k]!);
          context.lineTo(...crossings[k + 1]!);
        }
      }
    }
  }
  context.stroke();
}
