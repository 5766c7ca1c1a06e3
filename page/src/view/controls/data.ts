/** The left column: what is trained on, how it is divided, and which inputs the network gets. */

import { h, newId, setText } from "../../dom";
import type { Experiment } from "../../experiment";
import type { Json, State, TableSummary } from "../../protocol/messages";
import { inForce, withSettings } from "../../state";
import { onTheme } from "../colours";
import { count, inputTitle, plural } from "../format";
import { TEST_ROWS } from "../test_rows";
import { choices, dataOf, taskOf, type Choice } from "./catalog";
import { selectField, sliderField } from "./field";
import { otherData } from "./settings";
import { drawThumbnail } from "./thumbnail";

const BATCHES = [1, 2, 5, 10, 16, 20, 32, 50, 64, 100, 128, 200, 256, 500, 1000];

interface Thumbnail {
  choice: Choice;
  input: HTMLInputElement;
  canvas: HTMLCanvasElement;
  element: HTMLElement;
}

export class DataColumn {
  readonly element = h("section", { class: "data", "data-group": "data" });
  private readonly grid = h("div", { class: "thumbnails", role: "radiogroup", "aria-label": "Data" });
  private readonly tables = h("div", { class: "tables" });
  private readonly own: HTMLButtonElement;
  private readonly about = h("p", { class: "about" });
  private readonly ratio = sliderField("Training share", { min: 10, max: 90, step: 5 }, (v) => `${v} %`, (v) => this.setRatio(v));
  private readonly noise = sliderField("Noise", { min: 0, max: 50, step: 5 }, (v) => String(v), (v) => this.setData({ noise: v }));
  private readonly rows = sliderField("Rows", { min: 100, max: 2000, step: 100 }, (v) => count(v), (v) => this.setData({ rows: v }));
  private readonly batch = selectField("Batch size", BATCHES.map((b) => [String(b), count(b)] as const), (v) => this.setBatch(v), "Rows in each training step");
  private readonly regenerate: HTMLButtonElement;
  private readonly inputs = h("fieldset", { class: "inputs" });
  private readonly inputList = h("div", { class: "input-list" });
  private readonly inputCount = h("span", { class: "muted" });
  private readonly offs: (() => void)[];
  private readonly name = newId("data");
  private thumbnails: Thumbnail[] = [];
  private built = "";
  private inputsBuilt = "";
  private columns: string[] = [];
  private recalled = "";

  constructor(private readonly experiment: Experiment) {
    const title = newId("data-title");
    this.element.setAttribute("aria-labelledby", title);
    this.own = h("button", { type: "button", class: "own", onclick: () => experiment.show("table") }, "Your own table…");
    this.regenerate = h("button", { type: "button", class: "tool wide", onclick: () => this.redraw() }, "Regenerate");
    this.inputs.append(h("legend", null, h("span", null, "Inputs "), this.inputCount), this.inputList);
    this.element.append(
      h("div", { class: "bar" }, h("h2", { id: title }, "Data")),
      this.grid,
      this.tables,
      this.own,
      this.about,
      h("div", { class: "sliders" }, this.ratio.element, this.noise.element, this.rows.element, this.batch.element),
      this.regenerate,
      this.inputs,
    );
    this.offs = [
      experiment.on("hello", () => this.show()),
      experiment.on("description", () => this.show()),
      // Of data that nothing can be learned from there is no description.
      experiment.on("status", () => experiment.status?.stopped === "failed" && this.show()),
      onTheme(() => this.drawThumbnails()),
    ];
    this.show();
  }

  destroy(): void {
    for (const off of this.offs) off();
  }

  private show(): void {
    const { experiment } = this;
    if (!experiment.connected) return;
    this.build();
    const state = experiment.state;
    const description = experiment.description;
    const reason = experiment.readOnlyReason;
    const task = description?.task;
    for (const { choice, input, element } of this.thumbnails) {
      const data = state?.data;
      input.checked = data?.kind === choice.kind && data.name === choice.name;
      input.disabled = reason !== null;
      // Beside a table, whose target decides the problem, all of them are a way out.
      element.hidden = state?.data.kind !== "table" && task !== undefined && taskOf(choice) !== task && !input.checked;
      element.title = reason ?? choice.about ?? "";
    }
    this.own.disabled = reason !== null;
    this.showTables(experiment.hello.tables);
    if (!state) return;
    if (state.data.kind === "table") void this.recallTables(state.data.table);
    const toy = state.data.kind === "toy" ? state.data : null;
    this.noise.element.hidden = this.regenerate.hidden = this.rows.element.hidden = toy === null;
    if (toy) {
      this.noise.show(toy.noise ?? 0);
      this.rows.show(toy.rows ?? 500);
    }
    const split = inForce(experiment, "split");
    const share = Array.isArray(split) ? Number(split[0]) : 0.8;
    this.ratio.show(Math.round(100 * share));
    this.batch.show(String(inForce(experiment, "batch_size") ?? 10));
    for (const control of [this.ratio, this.noise, this.rows, this.batch]) control.disable(reason);
    this.regenerate.disabled = reason !== null;
    if (description) {
      const [train = 0, test = 0] = description.rows ?? [];
      const rows = `${count(train)} rows for training, ${count(test)} for testing`;
      const sizes = `${plural(description.inputs.length, "input")}, ${plural(description.n_parameters, "parameter")}`;
      this.about.title = TEST_ROWS;
      setText(this.about, state.data.kind === "toy" ? rows : `${rows}; ${sizes}`);
    }
    this.showInputs(state);
  }

  private build(): void {
    const all = choices(this.experiment.hello.catalog);
    const key = all.map((choice) => `${choice.kind} ${choice.name}`).join();
    if (key === this.built) return;
    this.built = key;
    this.thumbnails = all.map((choice) => {
      const input = h("input", { type: "radio", name: this.name, class: "visually-hidden", onchange: () => this.choose(choice) });
      const canvas = h("canvas", { "aria-hidden": "true" });
      const title = choice.title ?? choice.name;
      const element = h("label", { class: "thumbnail" }, input, canvas, h("span", null, title));
      return { choice, input, canvas, element };
    });
    this.grid.replaceChildren(...this.thumbnails.map(({ element }) => element));
    this.drawThumbnails();
  }

  private drawThumbnails(): void {
    for (const { canvas, choice } of this.thumbnails) drawThumbnail(canvas, choice);
  }

  private showTables(tables: TableSummary[]): void {
    const state = this.experiment.state;
    const known = state?.data.kind === "table" ? state.data.table : null;
    this.tables.hidden = tables.length === 0;
    this.tables.replaceChildren(
      ...tables.map((table) =>
        h(
          "button",
          {
            type: "button",
            class: "table-choice",
            "aria-pressed": String(table.table === known),
            disabled: this.experiment.readOnlyReason !== null,
            onclick: () => this.chooseTable(table),
          },
          h("strong", null, table.name),
          table.rows === undefined ? null : h("span", { class: "muted" }, ` ${plural(table.rows, "row")}`),
        ),
      ),
    );
  }

  /** A table that came after the page was opened is listed too. */
  private async recallTables(used: string): Promise<void> {
    const { experiment } = this;
    if (this.recalled === used || experiment.hello.tables.some((table) => table.table === used)) return;
    this.recalled = used;
    try {
      experiment.hello.tables = await experiment.request<TableSummary[] & Json>("tables");
    } catch {
      return; // The list stays as it is.
    }
    this.showTables(experiment.hello.tables);
  }

  /** Learn from a table; one that is learned from shows its columns. */
  private chooseTable(table: TableSummary): void {
    const { experiment } = this;
    const data = experiment.state?.data;
    if (data?.kind === "table" && data.table === table.table) experiment.show("table");
    else void experiment.change(() => ({ data: { kind: "table", table: table.table }, inputs: null, settings: {} }));
  }

  private choose(choice: Choice): void {
    void this.experiment.change((state) => {
      const before = state.data;
      const data = dataOf(choice);
      if (before.kind === "toy" && data.kind === "toy") {
        const { noise, rows, seed } = before;
        Object.assign(data, noise === undefined ? {} : { noise }, rows === undefined ? {} : { rows }, seed === undefined ? {} : { seed });
        return { ...otherData(state), data };
      }
      return { ...otherData(state), data, inputs: null };
    });
  }

  private setData(changes: { noise?: number; rows?: number; seed?: number }): void {
    void this.experiment.change((state) => (state.data.kind === "toy" ? { ...state, data: { ...state.data, ...changes } } : state));
  }

  private redraw(): void {
    const data = this.experiment.state?.data;
    if (data?.kind === "toy") this.setData({ seed: (data.seed ?? 0) + 1 });
  }

  private setRatio(percent: number): void {
    void this.experiment.change((state) => {
      const split = state.settings["split"];
      const share = percent / 100;
      // The last share is set aside, and no page sees it.
      const aside = Math.min(Array.isArray(split) ? Number(split[2] ?? 0.02) : 0.1, (1 - share) / 2);
      const test = Number((1 - share - aside).toFixed(6));
      return withSettings(state, { split: [share, test, Number((1 - share - test).toFixed(6))] });
    });
  }

  private setBatch(value: string): void {
    void this.experiment.change((state) => withSettings(state, { batch_size: Number(value) }));
  }

  // ── Inputs ─────────────────────────────────────────────────────────────────

  /** Toys offer the inputs of the catalog, a table its columns. */
  private showInputs(state: State): void {
    const { experiment } = this;
    const toy = state.data.kind === "toy";
    const names = toy
      ? experiment.hello.catalog.inputs.map((input) => (typeof input === "string" ? input : input.name))
      : this.tableColumns(state);
    const key = `${toy} ${names.join("\u0000")}`;
    if (key !== this.inputsBuilt) {
      this.inputsBuilt = key;
      this.inputList.replaceChildren(...names.map((name) => this.inputBox(name)));
      this.inputList.classList.toggle("many", names.length > 8);
    }
    const chosen = new Set(state.inputs ?? names);
    const reason = experiment.readOnlyReason;
    this.inputs.hidden = names.length === 0;
    setText(this.inputCount, names.length > 8 ? `${chosen.size} of ${names.length}` : "");
    for (const box of this.inputList.querySelectorAll("input")) {
      box.checked = chosen.has(box.value);
      box.disabled = reason !== null;
    }
  }

  /** Columns are known from the description while all of them are inputs, and kept afterwards. */
  private tableColumns(state: State): string[] {
    const description = this.experiment.description;
    const present = [...new Set(description?.inputs.map((input) => input.column) ?? [])];
    if (state.inputs === null) this.columns = present;
    else if (!state.inputs.every((name) => this.columns.includes(name))) {
      this.columns = [...new Set([...present, ...state.inputs])];
      void this.askColumns(state);
    }
    return this.columns;
  }

  private async askColumns(state: State): Promise<void> {
    if (state.data.kind !== "table") return;
    try {
      const table = await this.experiment.request<{ columns: { name: string }[] }>("table", { table: state.data.table });
      const target = state.data.target;
      this.columns = table.columns.map((column) => column.name).filter((name) => name !== target);
      this.show();
    } catch {
      // The columns in use are listed.
    }
  }

  private inputBox(name: string): HTMLElement {
    const box = h("input", { type: "checkbox", value: name, onchange: () => this.toggleInputs() });
    return h("label", { class: "check", title: name }, box, h("span", null, inputTitle(name)));
  }

  private toggleInputs(): void {
    const boxes = [...this.inputList.querySelectorAll("input")];
    const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
    if (chosen.length === 0) {
      this.experiment.say("The network needs at least one input.", "error");
      const state = this.experiment.state;
      if (state) this.showInputs(state);
      return;
    }
    void this.experiment.change((state) => ({ ...state, inputs: chosen.length === boxes.length && state.data.kind !== "toy" ? null : chosen }));
  }
}
