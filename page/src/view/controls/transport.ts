/** Reset, run and pause, steps, speed, and where the training stands. */

import { h, setText } from "../../dom";
import type { Experiment } from "../../experiment";
import { count } from "../format";
import { selectField } from "./field";

const SPEEDS: readonly (readonly [string, string])[] = [
  ["1", "1 epoch/s"],
  ["5", "5 epochs/s"],
  ["30", "30 epochs/s"],
  ["100", "100 epochs/s"],
  ["fastest", "as fast as possible"],
];

export class Transport {
  readonly element = h("div", { class: "transport", role: "group", "aria-label": "Training", "data-group": "run" });
  private readonly run: HTMLButtonElement;
  private readonly others: HTMLButtonElement[];
  private readonly epoch = h("span", { class: "epoch-number" }, "–");
  private readonly about = h("span", { class: "epoch-about" });
  private readonly speed = selectField("Speed", SPEEDS, (value) => this.setSpeed(value), "Largest number of epochs per second. The training pauses while the page is hidden, except at the speed “as fast as possible”.");
  private readonly offs: (() => void)[];
  private shownRunning = false;

  constructor(private readonly experiment: Experiment) {
    const button = (text: string, label: string, icon: string, act: () => void): HTMLButtonElement =>
      h("button", { type: "button", class: `tool tool-${icon}`, "aria-label": label, title: label, onclick: act }, iconOf(icon), h("span", null, text));
    this.run = h("button", { type: "button", class: "run", onclick: () => this.toggle() }, iconOf("play"), h("span", null, "Run"));
    this.others = [
      button("Reset", "Reset: begin again from the initial weights", "reset", () => void experiment.reset()),
      button("Epoch", "Train one epoch: all training rows once", "step", () => void experiment.ask("step", { unit: "epoch", count: 1 })),
      button("Batch", "Train one step: a single batch", "half", () => void experiment.ask("step", { unit: "batch", count: 1 })),
    ];
    this.speed.show("30");
    this.element.append(
      this.others[0]!,
      this.run,
      this.others[1]!,
      this.others[2]!,
      h("div", { class: "epoch", role: "status", "aria-live": "off" }, h("span", { class: "epoch-label" }, "Epoch"), this.epoch, this.about),
      this.speed.element,
    );
    this.offs = [
      experiment.on("status", () => this.show()),
      experiment.on("frame", () => this.showEpoch()),
      experiment.on("hello", () => this.show()),
    ];
    this.show();
  }

  destroy(): void {
    for (const off of this.offs) off();
  }

  private toggle(): void {
    void this.experiment.ask(this.experiment.status?.running ? "pause" : "run");
  }

  private setSpeed(value: string): void {
    void this.experiment.setSpeed(value === "fastest" ? null : Number(value));
  }

  private show(): void {
    const { status, transportReason } = this.experiment;
    const running = status?.running ?? false;
    if (running !== this.shownRunning) {
      this.shownRunning = running;
      this.run.replaceChildren(iconOf(running ? "pause" : "play"), h("span", null, running ? "Pause" : "Run"));
    }
    this.run.classList.toggle("running", running);
    this.run.disabled = transportReason !== null;
    this.run.title = transportReason ?? "";
    for (const other of this.others) {
      other.disabled = transportReason !== null;
      other.title = transportReason ?? other.getAttribute("aria-label") ?? "";
    }
    this.speed.disable(transportReason);
    this.showEpoch();
  }

  private showEpoch(): void {
    const { status, frame } = this.experiment;
    const epoch = frame?.epoch ?? status?.epoch;
    setText(this.epoch, epoch === undefined ? "–" : count(epoch));
    setText(this.about, status?.epochs ? `of ${count(status.epochs)}` : "");
    this.epoch.title = frame ? `Step ${count(frame.step)}` : "";
  }
}

const ICONS: Record<string, string> = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M7 5h4v14H7zM13 5h4v14h-4z",
  step: "M5 5v14l9-7zM16 5h3v14h-3z",
  half: "M9 6v12l7-6zM17 6h2v12h-2z",
  reset: "M12 5V1.5L6.5 6 12 10.5V7a5.5 5.5 0 1 1-5.5 5.5h-2A7.5 7.5 0 1 0 12 5z",
};

function iconOf(name: string): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const icon = document.createElementNS(space, "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  icon.classList.add("icon-shape");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[name] ?? "");
  icon.append(path);
  return icon;
}
