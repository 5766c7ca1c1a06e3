/** A row that was clicked on: its values, its target and what the network says of it. */

import { h } from "../../dom";
import type { Experiment } from "../../experiment";
import type { Json, PointAnswer } from "../../protocol/messages";
import { inputTitle, short } from "../format";

export class PointCard {
  readonly element = h("div", { class: "point-card", role: "region", "aria-label": "Row", "aria-live": "polite", hidden: true });
  private index: number | null = null;
  private asked = 0;
  private askedAt = 0;
  private readonly offs: (() => void)[];

  constructor(private readonly experiment: Experiment) {
    this.offs = [
      experiment.on("frame", () => this.refresh()),
      experiment.on("select", () => this.follow()),
      experiment.on("description", () => this.forget()),
    ];
    // The card comes after the first paint, and a row may have been chosen before.
    this.follow();
  }

  destroy(): void {
    for (const off of this.offs) off();
  }

  private follow(): void {
    const { selection } = this.experiment;
    if (selection?.kind !== "point") this.close();
    else if (selection.index !== this.index) void this.open(selection.index);
  }

  async open(index: number): Promise<void> {
    this.index = index;
    await this.ask();
  }

  close(): void {
    this.index = null;
    this.element.hidden = true;
  }

  private forget(): void {
    const index = this.index;
    if (index !== null && !this.experiment.description?.points.index.includes(index)) this.close();
  }

  /** While training goes on, the prediction is asked for twice a second. */
  private refresh(): void {
    if (this.index !== null && performance.now() - this.askedAt > 500) void this.ask();
  }

  private async ask(): Promise<void> {
    const { index } = this;
    if (index === null) return;
    const asked = ++this.asked;
    this.askedAt = performance.now();
    let answer: PointAnswer;
    try {
      answer = await this.experiment.request<PointAnswer>("point", { index });
    } catch (reason) {
      this.close();
      this.experiment.fail(reason);
      return;
    }
    if (asked !== this.asked || this.index !== index) return;
    this.show(index, answer);
  }

  private show(index: number, answer: PointAnswer): void {
    const { probabilities } = answer;
    const classes = this.experiment.description?.classes;
    const named: [string, number][] = !probabilities
      ? []
      : Array.isArray(probabilities)
        ? probabilities.map((p, i) => [classes?.[i] ?? `class ${i}`, p])
        : Object.entries(probabilities);
    const likely = named.toSorted((a, b) => b[1] - a[1]).slice(0, 4);
    const right = text(answer.target) === text(answer.prediction);
    const entries = Object.entries(answer.row);
    this.element.hidden = false;
    const equations = h("button", { type: "button", class: "link", onclick: () => this.experiment.show("equations") }, "How it is computed");
    const closing = h("button", { class: "icon", type: "button", "aria-label": "Close", onclick: () => this.experiment.select(null) }, "×");
    const focused = this.element.contains(document.activeElement) ? (document.activeElement as HTMLElement).className : null;
    const parts: (HTMLElement | false)[] = [
      h("div", { class: "editor-head" }, h("h3", null, `Row ${index}`), closing),
      h(
        "p",
        { class: "point-verdict" },
        "Predicted ",
        h("strong", null, text(answer.prediction)),
        classes ? (right ? h("span", { class: "good" }, " ✓ correct") : h("span", { class: "bad" }, ` ✗ true class: ${text(answer.target)}`)) : `, true value ${text(answer.target)}`,
      ),
      likely.length > 0 && h("ul", { class: "probabilities" }, ...likely.map(([name, p]) => probability(name, p))),
      h("p", { class: "point-row" }, entries.slice(0, 8).map(([name, value]) => `${inputTitle(name)} ${text(value)}`).join(" · ") + (entries.length > 8 ? ` … ${entries.length - 8} more` : "")),
      equations,
    ];
    this.element.replaceChildren(...parts.filter((part) => part !== false));
    if (focused === "link") equations.focus();
    if (focused === "icon") closing.focus();
  }
}

function probability(name: string, share: number): HTMLElement {
  const bar = h("span", { class: "bar-fill" });
  bar.style.width = `${Math.max(0, Math.min(100, 100 * share))}%`;
  return h("li", null, h("span", { class: "bar-name" }, name), h("span", { class: "bar-track" }, bar), h("span", null, `${(100 * share).toFixed(1)} %`));
}

function text(value: Json): string {
  if (typeof value === "number") return short(value, 4);
  if (value === null) return "missing";
  return typeof value === "string" ? value : JSON.stringify(value);
}
