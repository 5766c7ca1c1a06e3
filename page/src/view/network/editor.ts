/** What opens at a click on a unit, a bias or a link: its exact numbers, which can be changed. */

import { h, newId, setText } from "../../dom";
import type { Experiment } from "../../experiment";
import type { DrawnValue, Weights } from "../../protocol/messages";
import { short, subscript } from "../format";
import { unitName } from "./names";

export type Edited = { kind: "unit"; layer: number; unit: number } | { kind: "value"; value: DrawnValue };

interface Row {
  value: DrawnValue;
  /** Place in a frame. */
  place: number;
  input: HTMLInputElement;
  gradient: HTMLElement;
}

export class Editor {
  readonly element = h("div", { class: "editor", role: "dialog", hidden: true });
  private rows: Row[] = [];
  private origin: HTMLElement | null = null;
  private readonly offs: (() => void)[] = [];

  constructor(private readonly experiment: Experiment) {
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        this.close(true);
      }
    });
    document.addEventListener("pointerdown", this.onOutside);
    this.offs.push(
      experiment.on("frame", () => this.refresh()),
      experiment.on("description", () => this.close(false)),
      experiment.on("status", () => this.onStatus()),
    );
  }

  destroy(): void {
    document.removeEventListener("pointerdown", this.onOutside);
    for (const off of this.offs) off();
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  open(edited: Edited, x: number, y: number, origin: HTMLElement): void {
    const description = this.experiment.description;
    if (!description) return;
    this.origin = origin;
    this.rows = [];
    this.wasRunning = this.experiment.status?.running ?? false;
    const title = newId("editor");
    const drawn = description.drawn_values;
    const chosen =
      edited.kind === "value"
        ? [drawn.findIndex((other) => sameValue(other, edited.value))]
        : drawn.flatMap((value, i) => (value.layer === edited.layer && value.row === edited.unit ? [i] : []));
    const heading =
      edited.kind === "unit"
        ? unitName(description, edited.layer, edited.unit)
        : edited.value.name === "W"
          ? `${unitName(description, edited.value.layer - 1, edited.value.column)} → ${unitName(description, edited.value.layer, edited.value.row)}`
          : `Bias of ${unitName(description, edited.value.layer, edited.value.row)}`;
    const list = h("div", { class: "editor-rows" });
    for (const place of chosen.sort((a, b) => order(drawn[a]) - order(drawn[b]))) {
      const value = drawn[place];
      if (value) list.append(this.row(value, place));
    }
    this.element.setAttribute("aria-labelledby", title);
    this.element.replaceChildren(
      h(
        "div",
        { class: "editor-head" },
        h("h3", { id: title }, /^(unit|output|bias)\b/.test(heading) ? heading.charAt(0).toUpperCase() + heading.slice(1) : heading),
        h("button", { class: "icon", type: "button", "aria-label": "Close", onclick: () => this.close(true) }, "×"),
      ),
      list,
      this.foot(),
    );
    this.element.hidden = false;
    this.place(x, y);
    this.refresh();
    this.rows[0]?.input.focus({ preventScroll: true });
    this.rows[0]?.input.select();
    void this.exact();
  }

  close(back: boolean): void {
    if (this.element.hidden) return;
    this.element.hidden = true;
    this.rows = [];
    this.experiment.release();
    if (back) this.origin?.focus({ preventScroll: true });
  }

  private readonly onOutside = (event: Event): void => {
    if (!this.element.hidden && !this.element.contains(event.target as Node)) this.close(false);
  };

  private wasRunning = false;

  /** As soon as the training pauses, the exact values are there. */
  private onStatus(): void {
    const running = this.experiment.status?.running ?? false;
    if (this.isOpen && this.wasRunning && !running) void this.exact();
    this.wasRunning = running;
  }

  private row(value: DrawnValue, place: number): HTMLElement {
    const description = this.experiment.description!;
    const id = newId("value");
    const reason = this.experiment.readOnlyReason;
    const input = h("input", {
      id,
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      spellcheck: "false",
      readonly: reason !== null,
      title: reason,
    });
    const gradient = h("span", { class: "editor-gradient" });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") void this.set(value, input);
    });
    input.addEventListener("change", () => void this.set(value, input));
    this.rows.push({ value, place, input, gradient });
    const name =
      value.name === "b"
        ? `bias b${subscript(value.row + 1)}`
        : `weight from ${unitName(description, value.layer - 1, value.column)}`;
    return h("div", { class: "editor-row" }, h("label", { for: id }, name), input, gradient);
  }

  private foot(): HTMLElement {
    const reason = this.experiment.readOnlyReason;
    return h(
      "div",
      { class: "editor-foot" },
      h("span", { class: "muted" }, reason ?? "Press Enter to set a value; training continues from it."),
      h(
        "button",
        {
          type: "button",
          class: "link",
          onclick: () => {
            this.experiment.show("equations");
            this.close(false);
          },
        },
        "Show equations",
      ),
    );
  }

  private async set(value: DrawnValue, input: HTMLInputElement): Promise<void> {
    const text = input.value.trim().replace("−", "-").replace(",", ".");
    if (text === input.dataset["shown"] || this.experiment.readOnlyReason) return;
    const number = Number(text);
    if (text === "" || !Number.isFinite(number)) {
      input.setAttribute("aria-invalid", "true");
      this.experiment.say(`Expected a number, such as -0.25; "${input.value}" is not one.`, "error");
      return;
    }
    input.removeAttribute("aria-invalid");
    input.dataset["shown"] = text;
    await this.experiment.ask("edit", { ...value, value: number });
    if (this.experiment.status?.running) this.experiment.say("The value is set at the end of the epoch.");
  }

  /** Ask for the exact values: a frame has seven digits. */
  private async exact(): Promise<void> {
    const rows = this.rows;
    let weights: Weights;
    try {
      weights = await this.experiment.request<Weights>("weights");
    } catch {
      return; // The values of the frame stay.
    }
    if (rows !== this.rows || this.experiment.status?.running) return;
    for (const row of rows) {
      const layer = weights.layers[row.value.layer - 1];
      const exact = row.value.name === "b" ? layer?.b[row.value.row] : layer?.W[row.value.row]?.[row.value.column];
      if (exact !== undefined) show(row.input, String(exact));
    }
  }

  private refresh(): void {
    const frame = this.experiment.frame;
    if (this.element.hidden || !frame) return;
    const running = this.experiment.status?.running ?? false;
    for (const row of this.rows) {
      const value = frame.values[row.place];
      if (value !== undefined && (running || !row.input.dataset["shown"])) {
        show(row.input, String(Number(value.toPrecision(7))));
      }
      const gradient = frame.gradients?.[row.place];
      setText(row.gradient, gradient === undefined ? "" : `∂J = ${short(gradient)}`);
    }
  }

  private place(x: number, y: number): void {
    const parent = this.element.offsetParent as HTMLElement | null;
    const width = this.element.offsetWidth;
    const room = parent?.clientWidth ?? window.innerWidth;
    this.element.style.left = `${Math.max(4, Math.min(x + 14, room - width - 4))}px`;
    this.element.style.top = `${Math.max(4, y + 14)}px`;
  }
}

/** A value that the reader is changing stays. */
function show(input: HTMLInputElement, text: string): void {
  if (document.activeElement === input && input.value !== (input.dataset["shown"] ?? "")) return;
  if (input.value !== text) {
    const selected = document.activeElement === input && input.selectionEnd === input.value.length;
    input.value = text;
    if (selected) input.select();
  }
  input.dataset["shown"] = text;
}

function sameValue(one: DrawnValue, other: DrawnValue): boolean {
  return (
    one.name === other.name && one.layer === other.layer && one.row === other.row && one.column === other.column
  );
}

/** The bias first, then the weights. */
function order(value: DrawnValue | undefined): number {
  return !value || value.name === "b" ? -1 : value.column;
}
