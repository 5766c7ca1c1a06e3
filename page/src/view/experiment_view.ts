/** All that is drawn of one training. Two of them stand side by side in a comparison. */

import { h } from "../dom";
import type { Experiment } from "../experiment";
import { sameState } from "../state";
import { DataColumn } from "./controls/data";
import { SettingsBar } from "./controls/settings";
import { Transport } from "./controls/transport";
import { NetworkView } from "./network/network";
import { OutputView } from "./output/output";
import { Timeline } from "./timeline";

/** More notes than these are folded. */
const SHOWN_NOTES = 1;

const PREPARING = "preparing";
/** Milliseconds after which a preparation is worth a word. */
const SLOW = 400;

function sentence(note: string): string {
  if (note === PREPARING) return "Preparing the training …";
  // A name, of a file or of a setting, stays as it is.
  const begun = /^([a-z]+[ ,]|finished:)/.test(note) ? note.charAt(0).toUpperCase() + note.slice(1) : note;
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

export class ExperimentView {
  readonly element: HTMLElement;
  readonly network: NetworkView;
  readonly output: OutputView;
  private readonly notes = h("ul", { class: "notes", hidden: true, role: "status" });
  private timer = 0;
  private readonly data: DataColumn;
  private readonly columns = h("div", { class: "columns" });
  private readonly parts: { destroy(): void; element: HTMLElement }[];
  private readonly offs: (() => void)[];

  constructor(
    readonly experiment: Experiment,
    name: string,
  ) {
    const transport = new Transport(experiment);
    const settings = new SettingsBar(experiment);
    this.data = new DataColumn(experiment);
    this.network = new NetworkView(experiment);
    this.output = new OutputView(experiment, (discrete) => this.network.setDiscrete(discrete));
    const timeline = new Timeline(experiment);
    this.parts = [transport, settings, this.data, this.network, this.output, timeline];
    this.columns.append(
      this.data.element,
      h("div", { class: "middle" }, this.network.element, timeline.element),
      this.output.element,
    );
    this.element = h(
      "article",
      { class: "experiment", "aria-label": name },
      h("div", { class: "top" }, transport.element, settings.element),
      this.notes,
      this.columns,
    );
    this.offs = [
      experiment.on("description", () => this.showNotes()),
      experiment.on("status", () => this.showNotes()),
    ];
  }

  /** Side by side, the networks and their outputs come before the data. */
  compare(two: boolean): void {
    if (two) this.columns.append(this.data.element);
    else this.columns.prepend(this.data.element);
  }

  /** What the server has to say of this training, such as why it ended. */
  private showNotes(): void {
    const { description, status } = this.experiment;
    // A training that no page asked for has no settings that a page could show.
    this.element.classList.toggle("watching", description !== null && description.state === null);
    this.element.classList.toggle("model", this.experiment.isModel);
    this.element.classList.toggle("no-rows", this.experiment.isModel && !description?.rows?.[0]);
    const said = status?.message || status?.stopped;
    clearTimeout(this.timer);
    // Most networks are there before a reader has read that they are prepared.
    if (said === PREPARING && this.notes.dataset["text"] !== undefined) {
      this.timer = window.setTimeout(() => this.tell([PREPARING]), SLOW);
      return;
    }
    const bad = status?.stopped === "failed" || status?.stopped === "diverged";
    this.notes.classList.toggle("bad-news", bad);
    // The network that is still drawn is the one before; so are its notes.
    const before = status?.stopped === "failed" && !sameState(this.experiment.state, description?.state ?? null);
    this.element.classList.toggle("before", before);
    this.tell([...new Set([...(said ? [said] : []), ...(before ? [] : (description?.notes ?? []))])]);
  }

  private tell(notes: string[]): void {
    const text = notes.join("\n");
    if (this.notes.dataset["text"] === text) return;
    this.notes.dataset["text"] = text;
    this.notes.hidden = notes.length === 0;
    const items = notes.map((note) => h("li", null, sentence(note)));
    if (items.length <= SHOWN_NOTES + 1) this.notes.replaceChildren(...items);
    else {
      const rest = h("ul", null, ...items.slice(SHOWN_NOTES));
      const more = h("details", null, h("summary", null, `${rest.childElementCount} more notes`), rest);
      this.notes.replaceChildren(...items.slice(0, SHOWN_NOTES), h("li", { class: "more-notes" }, more));
    }
  }

  destroy(): void {
    clearTimeout(this.timer);
    for (const off of this.offs) off();
    for (const part of this.parts) part.destroy();
    this.element.remove();
  }
}
