/** The right column: losses, the map of the outputs with the rows as points, and what a point says. */

import "./output.css";
import { h, newId, setText } from "../../dom";
import type { Experiment } from "../../experiment";
import type { Description, PlaneChoice } from "../../protocol/messages";
import { classPalette, MAP_STRENGTH, onTheme } from "../colours";
import { checkbox, selectField } from "../controls/field";
import { inputTitle, loss, short } from "../format";
import { fit, paintOutput, Pixels } from "../maps";
import { unitName } from "../network/names";
import { TEST_ROWS } from "../test_rows";
import { drawAxes } from "./axes";
import { Legend } from "./legend";
import type { LossChart } from "./losses";
import type { PointCard } from "./point";
import { drawPoints, nearestPoint } from "./points";

/** Room for the axes' numbers around the square of the map. */
const LEFT = 42;
const BOTTOM = 34;
const MOST = 320;
const PCA = "\u0000pca";

function pairColumns(description: Description): string[] {
  return description.pair_columns ?? [...new Set(description.inputs.map((input) => input.column))];
}

export class OutputView {
  readonly element = h("section", { class: "output", "data-group": "output" });
  private readonly map = h("canvas", {
    class: "map empty",
    tabindex: "0",
    role: "application",
    "aria-roledescription": "map",
  });
  private readonly over = h("canvas", { class: "over", "aria-hidden": "true" });
  private readonly axes = h("canvas", { class: "axes", "aria-hidden": "true" });
  private readonly frame = h("div", { class: "map-frame" });
  private readonly readout = h("p", { class: "readout", "aria-live": "off" });
  private readonly heading = h("h3", { class: "map-title" });
  private readonly spoken = h("p", { class: "visually-hidden", "aria-live": "polite" });
  private readonly numbers: { train: HTMLElement; test: HTMLElement; metrics: HTMLElement };
  private readonly legend = new Legend();
  /** Comes after the first paint. */
  private chart: LossChart | null = null;
  private readonly chartPlace = h("div", { class: "chart" });
  private gone = false;
  private card: PointCard | null = null;
  private destroyed = false;
  private readonly pixels = new Pixels(this.map);
  private readonly x = selectField("Across", [], (name) => this.choosePlane({ x: name }));
  private readonly y = selectField("Up", [], (name) => this.choosePlane({ y: name }));
  private readonly planes = h("div", { class: "plane" }, this.x.element, this.y.element);
  private readonly planeNote = h("p", { class: "plane-note" });
  private readonly showTest = checkbox("Show test data", () => this.pointsChanged());
  private readonly discrete: ReturnType<typeof checkbox>;
  private readonly offs: (() => void)[] = [];
  private readonly observer: ResizeObserver;
  private classes: Uint32Array = new Uint32Array(0);
  private side = 0;
  private testShown = false;
  private isDiscrete = false;
  /** The place that the pointer or the keyboard points at, in shares of the map. */
  private cross: [number, number] | null = null;

  constructor(
    private readonly experiment: Experiment,
    private readonly discreteChanged: (discrete: boolean) => void,
  ) {
    this.discrete = checkbox("Discrete output", (checked) => {
      this.isDiscrete = checked;
      this.makeClasses();
      this.discreteChanged(checked);
      this.draw();
    });
    void this.loadChart(experiment);
    void this.loadCard();
    const title = newId("output");
    const train = h("dd", { class: "train" });
    const test = h("dd", { class: "test" });
    const metrics = h("div", { class: "metrics" });
    this.numbers = { train, test, metrics };
    this.element.setAttribute("aria-labelledby", title);
    this.frame.append(this.axes, this.map, this.over);
    const showTest = this.showTest.element.querySelector("input")!;
    showTest.addEventListener("change", () => {
      this.testShown = showTest.checked;
      this.pointsChanged();
    });
    this.element.append(
      h(
        "div",
        { class: "output-numbers" },
        h("div", { class: "bar" }, h("h2", { id: title }, "Output")),
        h(
          "dl",
          { class: "losses" },
          h("div", null, h("dt", { class: "key-train", title: "Mean loss on the training rows over the last epoch" }, "Training loss"), train),
          h("div", null, h("dt", { class: "key-test", title: TEST_ROWS }, "Test loss"), test),
        ),
        metrics,
        this.chartPlace,
      ),
      h(
        "div",
        { class: "output-map" },
        this.heading,
        this.frame,
        this.readout,
        this.spoken,
        this.legend.element,
        this.planes,
        this.planeNote,
        h("div", { class: "checks" }, this.showTest.element, this.discrete.element),
      ),
    );
    this.listen();
    this.observer = new ResizeObserver(() => this.layOut());
    this.observer.observe(this.frame.parentElement!);
    this.offs.push(
      experiment.on("description", () => this.describe()),
      experiment.on("frame", () => this.draw()),
      experiment.on("view", () => this.drawHeading()),
      experiment.on("select", () => this.pointsChanged()),
      onTheme(() => this.layOut(true)),
    );
    if (experiment.description) this.describe();
  }

  private async loadChart(experiment: Experiment): Promise<void> {
    const { LossChart } = await import("./losses");
    if (this.gone) return;
    this.chart = new LossChart(experiment);
    this.chartPlace.replaceWith(this.chart.element);
  }

  destroy(): void {
    this.observer.disconnect();
    this.gone = true;
    this.chart?.destroy();
    this.destroyed = true;
    this.card?.destroy();
    for (const off of this.offs) off();
  }

  /** The card of a row comes after the first paint. */
  private async loadCard(): Promise<void> {
    const { PointCard } = await import("./point");
    if (this.destroyed) return;
    this.card = new PointCard(this.experiment);
    this.frame.parentElement!.append(this.card.element);
  }

  /** Return the map with its points and axes as one picture; null: there is none yet. */
  picture(): HTMLCanvasElement | null {
    if (this.side === 0 || !this.experiment.frame) return null;
    const scale = this.over.width / this.side;
    const canvas = h("canvas", { width: this.axes.width, height: this.axes.height });
    const context = canvas.getContext("2d")!;
    context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--surface").trim();
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(this.axes, 0, 0);
    context.imageSmoothingEnabled = !this.isDiscrete;
    context.drawImage(this.map, LEFT * scale, 0, this.over.width, this.over.height);
    context.drawImage(this.over, LEFT * scale, 0);
    return canvas;
  }

  private describe(): void {
    const { description } = this.experiment;
    if (!description) return;
    this.makeClasses();
    const names = pairColumns(description);
    const options = names.map((name) => [name, inputTitle(name)] as const);
    // The plane of a toy is that of x₁ and x₂, from which all of its inputs are made.
    const several = description.state?.data.kind !== "toy" && description.inputs.length > 2;
    this.x.setOptions([...(several ? [[PCA, "all inputs (PCA)"] as const] : []), ...options]);
    this.y.setOptions(options);
    const { plane } = description;
    const [x, y] = plane.columns ?? [plane.x.name, plane.y.name];
    this.x.show(plane.kind === "pca" ? PCA : x);
    if (plane.kind === "pair") this.y.show(y);
    this.y.element.hidden = plane.kind === "pca";
    this.planes.hidden = this.x.element.hidden = names.length + Number(several) <= 2;
    setText(this.planeNote, description.inputs.length > 2 ? (plane.note ?? "") : "");
    this.showTest.disable(description.points.part.includes(1) ? null : "There are no test rows.");
    this.legend.describe(description);
    setText(this.numbers.test, "–");
    this.layOut(true);
  }

  private makeClasses(): void {
    const classes = this.experiment.description?.classes;
    this.classes = classes ? classPalette(Math.max(classes.length, 2), this.isDiscrete) : new Uint32Array(0);
  }

  private choosePlane(changed: { x?: string; y?: string }): void {
    const description = this.experiment.description;
    if (!description) return;
    if (changed.x === PCA) {
      this.experiment.look({ plane: { kind: "pca" } });
      return;
    }
    const names = pairColumns(description);
    const now = description.plane;
    const [x, y] = now.kind === "pair" ? (now.columns ?? [now.x.name, now.y.name]) : [names[0]!, names[1]!];
    const plane: PlaneChoice = { kind: "pair", x: changed.x ?? x, y: changed.y ?? y };
    if (plane.x === plane.y) {
      // The column that was there before goes to the other axis.
      const other = names.find((name) => name !== plane.x) ?? plane.x;
      if (changed.x) plane.y = x !== plane.x ? x : other;
      else plane.x = y !== plane.y ? y : other;
    }
    this.experiment.look({ plane });
  }

  private layOut(anyway = false): void {
    const width = Math.min(this.frame.parentElement!.clientWidth, MOST + LEFT);
    const side = Math.max(120, width - LEFT - 2);
    if (side === this.side && !anyway) return;
    this.side = side;
    for (const canvas of [this.map, this.over]) {
      canvas.style.width = canvas.style.height = `${side}px`;
      canvas.style.left = `${LEFT}px`;
    }
    fit(this.over, side, side);
    this.frame.style.height = `${side + BOTTOM}px`;
    this.frame.style.width = `${side + LEFT}px`;
    this.axes.style.width = `${side + LEFT}px`;
    this.axes.style.height = `${side + BOTTOM}px`;
    fit(this.axes, side + LEFT, side + BOTTOM);
    const { description } = this.experiment;
    if (description) drawAxes(this.axes, description.plane, side, LEFT);
    this.draw();
    this.pointsChanged();
  }

  private draw(): void {
    const { frame, description } = this.experiment;
    this.map.classList.toggle("empty", !frame);
    if (!frame || !description) return;
    setText(this.numbers.train, loss(frame.trainLoss));
    setText(this.numbers.test, loss(frame.testLoss));
    setText(
      this.numbers.metrics,
      description.metrics.map((name, i) => `${name.replaceAll("_", " ")} ${short(frame.metrics[i])}`).join(" · "),
    );
    const detail = this.experiment.view.detail && frame.detail;
    if (detail) {
      const range = { lo: detail.lo, hi: detail.hi, middle: 0 };
      const shown = { size: detail.size, channels: 1, data: detail.data };
      paintOutput(this.pixels, shown, range, null, this.isDiscrete);
    } else {
      const { lo, hi } = description.output;
      const range = { lo, hi, middle: (lo + hi) / 2, strength: MAP_STRENGTH };
      paintOutput(this.pixels, frame.output, range, this.classes, this.isDiscrete);
    }
    this.map.classList.toggle("discrete", this.isDiscrete);
    this.drawHeading();
    if (detail) this.legend.showRange(detail.lo, detail.hi, 0);
    else this.legend.showOutput();
    this.showReadout();
  }

  private drawHeading(): void {
    const { description, view, frame } = this.experiment;
    if (!description) return;
    const detail = view.detail && frame?.detail;
    setText(
      this.heading,
      detail
        ? unitName(description, detail.layer, detail.unit)
        : description.task === "classification"
          ? "Prediction over the plane"
          : "Predicted value over the plane",
    );
  }

  private pointsChanged(): void {
    const { description, selection } = this.experiment;
    if (!description || this.side === 0) return;
    const selected = selection?.kind === "point" ? selection.index : null;
    drawPoints(this.over, description, this.side, this.testShown, selected);
    this.drawCross();
  }

  // ── Pointer and keyboard ───────────────────────────────────────────────────

  private listen(): void {
    const { map } = this;
    map.addEventListener("pointermove", (event) => this.pointAt(event.offsetX / this.side, event.offsetY / this.side));
    map.addEventListener("pointerleave", () => this.pointAt(null, null));
    map.addEventListener("click", (event) => this.choose(event.offsetX / this.side, event.offsetY / this.side));
    map.addEventListener("blur", () => this.pointAt(null, null));
    map.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 0.1 : 0.02;
      const moves: Record<string, [number, number]> = {
        ArrowLeft: [-step, 0],
        ArrowRight: [step, 0],
        ArrowUp: [0, -step],
        ArrowDown: [0, step],
      };
      const move = moves[event.key];
      const [x, y] = this.cross ?? [0.5, 0.5];
      if (move) {
        event.preventDefault();
        this.pointAt(Math.min(Math.max(x + move[0], 0), 1), Math.min(Math.max(y + move[1], 0), 1));
        this.pointsChanged();
        setText(this.spoken, this.readout.textContent ?? "");
      } else if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        this.choose(x, y, Infinity);
      }
    });
  }

  private pointAt(x: number | null, y: number | null): void {
    const before = this.cross;
    this.cross = x === null || y === null ? null : [x, y];
    this.showReadout();
    if (before && !this.cross && document.activeElement !== this.map) this.pointsChanged();
  }

  private drawCross(): void {
    if (!this.cross || !this.map.matches(":focus-visible")) return;
    const context = this.over.getContext("2d")!;
    const [x, y] = [this.cross[0] * this.side, this.cross[1] * this.side];
    for (const [colour, width] of [
      ["white", 4],
      ["black", 1.5],
    ] as const) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(x - 9, y);
      context.lineTo(x + 9, y);
      context.moveTo(x, y - 9);
      context.lineTo(x, y + 9);
      context.stroke();
    }
  }

  /** Say what the map has at the place that is pointed at. */
  private showReadout(): void {
    const { frame, description, view } = this.experiment;
    if (!frame || !description || !this.cross) {
      setText(this.readout, frame && description && description.points.x.length > 0 ? "Point at the map to read values; click a point to see its prediction." : "Point at the map to read values.");
      return;
    }
    const [sx, sy] = this.cross;
    const { plane, output, classes } = description;
    const x = plane.x.lo + sx * (plane.x.hi - plane.x.lo);
    const y = plane.y.hi - sy * (plane.y.hi - plane.y.lo);
    const place = `${inputTitle(plane.x.name)} ${short(x)}, ${inputTitle(plane.y.name)} ${short(y)}`;
    const cell = (map: { size: number }): number =>
      Math.min(map.size - 1, Math.floor(sy * map.size)) * map.size + Math.min(map.size - 1, Math.floor(sx * map.size));
    const detail = view.detail && frame.detail;
    let value: string;
    if (detail) value = short(detail.lo + ((detail.hi - detail.lo) * detail.data[cell(detail)]!) / 255);
    else if (frame.output.size === 0) value = "–";
    else {
      const at = cell(frame.output);
      const byte = frame.output.data[at]!;
      if (frame.output.channels === 2) {
        const sure = frame.output.data[frame.output.size ** 2 + at]! / 255;
        value = `${classes?.[byte] ?? `class ${byte}`} (${Math.round(100 * sure)} %)`;
      } else {
        const number = output.lo + ((output.hi - output.lo) * byte) / 255;
        value = classes && classes.length === 2 ? `${classes[1]}: ${short(number, 2)}` : short(number);
      }
    }
    setText(this.readout, `${place} → ${value}`);
  }

  private choose(sx: number, sy: number, reach = 10): void {
    const { description } = this.experiment;
    if (!description) return;
    const found = nearestPoint(description, sx, sy, reach / this.side, this.testShown);
    if (found === null) {
      this.experiment.select(null);
      return;
    }
    this.experiment.select({ kind: "point", index: found });
  }
}
