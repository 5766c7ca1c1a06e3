/** Loss of the training and the test rows over the epochs. */

import type uPlot from "uplot";
import { h } from "../../dom";
import type { Experiment } from "../../experiment";
import type { History } from "../../protocol/messages";
import { onTheme, theme } from "../colours";
import { count, loss, short } from "../format";

const MOST_POINTS = 1000;
const HEIGHT = 118;

/** 0.25, 1200, 4.0e8: what fits before the axis. */
function tickText(tick: number): string {
  const size = Math.abs(tick);
  return size >= 1e5 || (size > 0 && size < 1e-4) ? short(tick, 2) : String(Number(tick.toPrecision(6))).replace("-", "−");
}

export class LossChart {
  readonly element = h("div", { class: "chart", role: "img", "aria-label": "Loss of training and test rows over the epochs" });
  private plot: uPlot | null = null;
  private library: typeof uPlot | null = null;
  private epochs: number[] = [];
  private train: (number | null)[] = [];
  private test: (number | null)[] = [];
  private run = -1;
  private asked = 0;
  private dirty = false;
  private later = 0;
  private running = false;
  private drawnAt = 0;
  private readonly observer: ResizeObserver;
  private readonly offs: (() => void)[];

  constructor(private readonly experiment: Experiment) {
    this.offs = [
      experiment.on("description", () => this.begin()),
      experiment.on("frame", () => this.add()),
      experiment.on("status", () => this.followStatus()),
      onTheme(() => this.rebuild()),
    ];
    this.observer = new ResizeObserver(() => {
      if (this.element.clientWidth > 0) {
        if (this.plot) this.plot.setSize({ width: this.element.clientWidth, height: HEIGHT });
        else this.rebuild();
      }
    });
    this.observer.observe(this.element);
    this.begin();
    void this.load();
  }

  destroy(): void {
    clearTimeout(this.later);
    this.observer.disconnect();
    this.plot?.destroy();
    for (const off of this.offs) off();
  }

  /** The chart's library comes after the first paint. */
  private async load(): Promise<void> {
    const [{ default: library }] = await Promise.all([import("uplot"), import("uplot/dist/uPlot.min.css")]);
    this.library = library;
    this.rebuild();
  }

  /** A new training starts an empty chart; after a reload or a lost connection the past is asked for. */
  private begin(): void {
    const { description } = this.experiment;
    if (!description || description.run === this.run) return;
    this.run = description.run;
    this.epochs = [];
    this.train = [];
    this.test = [];
    this.draw(true);
    void this.recall();
  }

  /** A page sees only some epochs of a fast training; once it waits, the chart shows all of them. */
  private followStatus(): void {
    const running = this.experiment.status?.running ?? false;
    if (this.running && !running) void this.recall();
    this.running = running;
    this.draw(true);
  }

  private async recall(): Promise<void> {
    const asked = ++this.asked;
    let history: History;
    try {
      history = await this.experiment.request<History>("history");
    } catch {
      return; // The chart begins with the present.
    }
    if (asked !== this.asked) return;
    // The history begins after the first epoch, and may end before the newest frame.
    const first = history.epochs[0] ?? Infinity;
    const last = history.epochs.at(-1) ?? -1;
    const joined = <T>(told: T[], own: T[]): T[] => [
      ...own.filter((_, i) => this.epochs[i]! < first),
      ...told,
      ...own.filter((_, i) => this.epochs[i]! > last && this.epochs[i]! >= first),
    ];
    const train = joined(history.train, this.train);
    const test = joined(history.test, this.test);
    this.epochs = joined(history.epochs, this.epochs);
    this.train = train;
    this.test = test;
    this.draw(true);
  }

  private add(): void {
    const { frame } = this.experiment;
    if (!frame || frame.travelling) return;
    const last = this.epochs.at(-1) ?? -1;
    const value = Number.isFinite(frame.trainLoss) ? frame.trainLoss : null;
    const test = Number.isFinite(frame.testLoss) ? frame.testLoss : null;
    if (frame.epoch < last) return;
    if (frame.epoch === last) {
      // A step within the epoch, or an edited weight.
      this.train[this.train.length - 1] = value;
      this.test[this.test.length - 1] = test;
    } else {
      this.epochs.push(frame.epoch);
      this.train.push(value);
      this.test.push(test);
      if (this.epochs.length > MOST_POINTS) this.thin();
    }
    this.dirty = true;
    this.draw(false);
  }

  /** Every second point stays, and the newest. */
  private thin(): void {
    const keep = (_: unknown, i: number): boolean => i % 2 === 0 || i === this.epochs.length - 1;
    const epochs = this.epochs.filter(keep);
    this.train = this.train.filter(keep);
    this.test = this.test.filter(keep);
    this.epochs = epochs;
  }

  /** Ten times a second is enough for a chart. */
  private draw(now: boolean): void {
    const time = performance.now();
    if (!now && (!this.dirty || time - this.drawnAt < 100)) {
      if (this.dirty && !this.later) this.later = window.setTimeout(() => this.draw(true), 100);
      return;
    }
    clearTimeout(this.later);
    this.later = 0;
    this.drawnAt = time;
    this.dirty = false;
    this.plot?.setData([this.epochs, this.train, this.test]);
  }

  private rebuild(): void {
    this.plot?.destroy();
    const colours = theme();
    const width = this.element.clientWidth;
    if (width === 0 || !this.library) return;
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const axis = { stroke: colours.muted, font, grid: { stroke: colours.border, width: 1 }, ticks: { show: false } };
    this.plot = new this.library(
      {
        width,
        height: HEIGHT,
        padding: [8, 14, 0, 0],
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { size: 6 } },
        scales: { x: { time: false } },
        axes: [
          { ...axis, size: 22, gap: 3, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? count(tick) : "")) },
          { ...axis, size: 44, gap: 4, space: 26, values: (_, ticks) => ticks.map((tick) => tickText(tick)) },
        ],
        series: [
          {},
          { label: "training", stroke: colours.fg, width: 1.75, points: { show: false }, value: (_, v) => loss(v) },
          { label: "test", stroke: colours.test, width: 1.75, dash: [5, 3], points: { show: false }, value: (_, v) => loss(v) },
        ],
        hooks: {
          setCursor: [
            (plot) => {
              const at = plot.cursor.idx;
              this.element.title =
                at == null ? "" : `Epoch ${this.epochs[at]}: training ${loss(this.train[at])}, test ${loss(this.test[at])}`;
            },
          ],
        },
      },
      [this.epochs, this.train, this.test],
      this.element,
    );
  }
}
