/** A slider over the epochs: back to any of them, and to the present again. */

import { h, newId, setText } from "../dom";
import type { Experiment } from "../experiment";
import { count } from "./format";

export class Timeline {
  readonly element = h("div", { class: "timeline", "data-group": "timeline" });
  private readonly slider: HTMLInputElement;
  private readonly label = h("output");
  private readonly now: HTMLButtonElement;
  private readonly offs: (() => void)[];
  private wanted: number | null | undefined;
  private asking = false;

  constructor(private readonly experiment: Experiment) {
    const id = newId("timeline");
    this.slider = h("input", { id, type: "range", min: 0, max: 0, step: 1, value: 0 });
    this.slider.addEventListener("input", () => this.travel(this.slider.valueAsNumber));
    this.now = h("button", { type: "button", class: "tool", hidden: true, onclick: () => this.travel(null) }, "Back to the present");
    this.element.append(h("label", { for: id }, "Look back"), this.slider, this.label, this.now);
    this.offs = [experiment.on("status", () => this.show()), experiment.on("frame", () => this.show())];
    this.show();
  }

  destroy(): void {
    for (const off of this.offs) off();
  }

  private show(): void {
    const { status, frame } = this.experiment;
    const present = status?.epoch ?? 0;
    const latest = frame && !frame.travelling ? Math.max(frame.epoch, present) : present;
    const travel = status?.travel ?? null;
    if (this.slider.max !== String(latest)) this.slider.max = String(latest);
    if (!this.slider.matches(":active")) this.slider.value = String(travel ?? latest);
    this.slider.disabled = latest === 0;
    this.slider.title = latest === 0 ? "There is no earlier epoch yet." : "";
    this.now.hidden = travel === null;
    const words = travel === null ? "the present" : `epoch ${count(travel)} of ${count(latest)}`;
    setText(this.label, words);
    this.slider.setAttribute("aria-valuetext", words);
    this.element.classList.toggle("travelling", travel !== null);
  }

  /** While the server answers, only the newest place is remembered. */
  private travel(epoch: number | null): void {
    this.wanted = epoch !== null && epoch >= Number(this.slider.max) ? null : epoch;
    if (!this.asking) void this.ask();
  }

  private async ask(): Promise<void> {
    this.asking = true;
    while (this.wanted !== undefined) {
      const epoch = this.wanted;
      this.wanted = undefined;
      await this.experiment.ask("travel", { epoch });
    }
    this.asking = false;
  }
}
