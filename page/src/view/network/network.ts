/** The network in the middle of the page: links, units with their maps, layers to add and take away. */

import "./network.css";
import { h, newId, setText } from "../../dom";
import type { Experiment } from "../../experiment";
import type { Json, LayerDescription } from "../../protocol/messages";
import { withSettings } from "../../state";
import { onTheme, reducedMotion } from "../colours";
import { clipped, count, inputTitle, short, subscript } from "../format";
import { fit } from "../maps";
import { choice, segmented, type Segmented } from "../controls/field";
import { drawLinks, drawUnits, signalOf, UnitAtlas, Widths } from "./draw";
import type { Edited, Editor } from "./editor";
import { curveOf, geometryOf, linkAt, type Geometry, type LinkPlace, type UnitPlace } from "./geometry";
import { updateInputs } from "./inputs";
import { hiddenLayers, activationsOf, MOST_LAYERS, MOST_UNITS } from "./layers";
import { layerName, unitName } from "./names";
import type { Drawn } from "./picture";

/** Dashes that move along more links than this cost more than they tell. */
const MOST_MOVING = 120;

interface Head {
  element: HTMLElement;
  title: HTMLElement;
  count: HTMLElement;
  less: HTMLButtonElement;
  more: HTMLButtonElement;
  activation: HTMLSelectElement;
  fixed: HTMLElement;
  between: HTMLElement;
  rest: HTMLElement;
}

export class NetworkView {
  readonly element = h("section", { class: "network", "data-group": "network" });
  private readonly canvas = h("canvas", { "aria-hidden": "true" });
  private readonly stage = h("div", { class: "stage" });
  private readonly scroller = h("div", { class: "network-scroll" });
  private readonly heads = h("div", { class: "heads" });
  private readonly overlay = h("div", { class: "units", role: "group", "aria-label": "Units of the network" });
  private readonly tip = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });
  private readonly key = h("span");
  private readonly layersCount = h("span", { class: "layers-count" });
  private readonly lessLayers: HTMLButtonElement;
  private readonly moreLayers: HTMLButtonElement;
  private readonly signal: Segmented;
  private editor: Editor | null = null;
  /** What was clicked on before there was an editor. */
  private editLater: (() => void) | null = null;
  private destroyed = false;
  private readonly atlas = new UnitAtlas();
  private readonly inputAtlas = new UnitAtlas();
  private readonly widths = new Widths();
  private readonly biasWidths = new Widths();
  private readonly headPool: Head[] = [];
  private readonly unitPool: HTMLButtonElement[] = [];
  private readonly labelPool: HTMLElement[] = [];
  private readonly offs: (() => void)[] = [];
  private readonly observer: ResizeObserver;
  private geometry: Geometry | null = null;
  private hoverLink: LinkPlace | null = null;
  private hoverUnit: UnitPlace | null = null;
  private active = 0;
  private dash = 0;
  private discrete = false;
  private detailTimer = 0;
  private pending = 0;

  constructor(private readonly experiment: Experiment) {
    void this.loadEditor();
    this.lessLayers = stepButton("−", "Remove a hidden layer", () => this.changeLayers(-1));
    this.moreLayers = stepButton("+", "Add a hidden layer", () => this.changeLayers(1));
    this.signal = segmented(
      "What connections and units show",
      [
        ["forward", "Forward"],
        ["backward", "Backward"],
      ],
      (signal) => experiment.look({ signal: signal as "forward" | "backward" }),
    );
    this.signal.element.title = "Forward: weights and outputs of units. Backward: gradients of weights and errors δ of units.";
    const title = newId("network");
    this.element.setAttribute("aria-labelledby", title);
    this.stage.append(this.canvas, this.overlay, this.tip);
    this.scroller.append(this.heads, this.stage);
    this.element.append(
      h(
        "div",
        { class: "bar" },
        h("h2", { id: title }, "Network"),
        h(
          "div",
          { class: "stepper", role: "group", "aria-label": "Hidden layers" },
          this.lessLayers,
          this.layersCount,
          this.moreLayers,
        ),
        h("span", { class: "grow" }),
        this.signal.element,
      ),
      this.scroller,
      h(
        "p",
        { class: "network-key" },
        h("span", null, h("i", { class: "negative" }), "negative"),
        h("span", null, h("i", { class: "positive" }), "positive"),
        this.key,
      ),
    );
    this.showView();
    this.listen();
    this.observer = new ResizeObserver(() => this.layOut());
    this.observer.observe(this.scroller);
    this.offs.push(
      experiment.on("description", () => this.describe()),
      experiment.on("frame", () => this.draw()),
      experiment.on("status", () => this.schedule()),
      experiment.on("select", () => this.schedule()),
      experiment.on("view", () => this.showView()),
      onTheme(() => this.schedule()),
    );
    if (experiment.description) this.describe();
  }

  destroy(): void {
    this.observer.disconnect();
    this.destroyed = true;
    this.editor?.destroy();
    for (const off of this.offs) off();
  }

  /** The editor of weights comes after the first paint. */
  private async loadEditor(): Promise<void> {
    const { Editor } = await import("./editor");
    if (this.destroyed) return;
    this.editor = new Editor(this.experiment);
    this.stage.append(this.editor.element);
    this.editLater?.();
    this.editLater = null;
  }

  private edit(edited: Edited, x: number, y: number, origin: HTMLElement): void {
    if (this.editor) this.editor.open(edited, x, y, origin);
    else this.editLater = () => this.edit(edited, x, y, origin);
  }

  setDiscrete(discrete: boolean): void {
    this.discrete = discrete;
    if (this.experiment.description) updateInputs(this.inputAtlas, this.experiment.description, discrete);
    this.schedule();
  }

  /** Return what is drawn, for a picture of it; null: nothing yet. */
  drawn(): Drawn | null {
    const { description, frame } = this.experiment;
    const { geometry } = this;
    if (!geometry || !description || !frame) return null;
    const units = this.atlas.pixels.canvas;
    const inputs = this.inputAtlas.pixels.canvas;
    return { description, frame, geometry, units, inputs, widest: this.widest(), widestBias: this.widestBias() };
  }

  private showView(): void {
    const { signal } = this.experiment.view;
    this.signal.show(signal);
    setText(
      this.key,
      signal === "forward"
        ? `Line width: size of the weight. Click a connection, a unit or its bias (the dot) to ${this.experiment.readOnlyReason ? "see" : "change"} it.`
        : "Line width: size of the gradient ∂J/∂w. Border of a unit: its mean error |δ|.",
    );
  }

  private describe(): void {
    this.showView();
    const description = this.experiment.description!;
    const hidden = hiddenLayers(description);
    setText(this.layersCount, `${hidden.length} hidden ${hidden.length === 1 ? "layer" : "layers"}`);
    const reason = this.experiment.readOnlyReason;
    disable(this.lessLayers, reason ?? (hidden.length === 0 ? "There is no hidden layer to remove." : null));
    disable(
      this.moreLayers,
      reason ?? (hidden.length >= MOST_LAYERS ? `The page draws up to ${MOST_LAYERS} hidden layers.` : null),
    );
    this.widths.reset();
    this.biasWidths.reset();
    this.hoverLink = null;
    this.hoverUnit = null;
    this.editLater = null;
    updateInputs(this.inputAtlas, description, this.discrete);
    this.layOut();
  }

  private layOut(): void {
    const description = this.experiment.description;
    if (!description || this.scroller.clientWidth === 0) return;
    const geometry = geometryOf(description, this.scroller.clientWidth);
    this.geometry = geometry;
    for (const element of [this.stage, this.heads]) element.style.width = `${geometry.width}px`;
    this.stage.style.height = `${geometry.height}px`;
    this.canvas.style.width = `${geometry.width}px`;
    this.canvas.style.height = `${geometry.height}px`;
    fit(this.canvas, geometry.width, geometry.height);
    const [one, other] = geometry.columns;
    this.heads.classList.toggle("narrow", one !== undefined && other !== undefined && other.x - one.x < 80);
    this.layOutHeads(geometry);
    this.layOutUnits(geometry);
    this.draw();
  }

  private layOutHeads(geometry: Geometry): void {
    const description = this.experiment.description!;
    const reason = this.experiment.readOnlyReason;
    const last = geometry.columns.length - 1;
    const activations = activationsOf(description);
    const options = this.experiment.connected ? this.experiment.hello.catalog.activations : [];
    geometry.columns.forEach((column, i) => {
      const head = (this.headPool[i] ??= this.newHead(i));
      if (!head.element.isConnected) {
        this.heads.append(head.element);
        this.stage.append(head.rest);
      }
      const hidden = i > 0 && i < last;
      head.element.style.left = `${column.x}px`;
      setText(head.title, layerName(description, column.layer));
      setText(head.count, hidden ? count(column.units) : "");
      head.count.title = hidden ? `${column.units} units` : "";
      for (const part of [head.less, head.more, head.count]) part.hidden = !hidden;
      disable(head.less, reason ?? (column.units <= 1 ? "A layer needs at least one unit." : null));
      disable(head.more, reason ?? (column.units >= MOST_UNITS ? `A layer can have at most ${MOST_UNITS} units here.` : null));
      head.activation.hidden = !hidden;
      head.fixed.hidden = hidden;
      if (hidden) {
        const own = activations[i - 1] ?? "";
        // An activation with a setting of its own, such as leaky_relu(slope=0.2), joins the names.
        fillOptions(head.activation, options.includes(own) ? options : [own, ...options]);
        head.activation.value = own;
        head.activation.disabled = reason !== null;
        head.activation.setAttribute("aria-label", `Activation of layer ${i}`);
      } else if (i === 0) setText(head.fixed, column.more > 0 ? count(column.units) : "");
      else setText(head.fixed, column.description?.activation ?? "");
      setText(head.between, column.between.map(besideName).join(", "));
      head.between.hidden = column.between.length === 0;
      head.rest.hidden = column.more <= 0;
      setText(head.rest, `… ${count(column.more)} more`);
      head.rest.style.left = `${column.x}px`;
      head.rest.style.top = `${column.bottom + 8}px`;
    });
    for (const head of this.headPool.splice(geometry.columns.length)) {
      head.element.remove();
      head.rest.remove();
    }
    const tallest = Math.max(...this.headPool.map((head) => head.element.offsetHeight));
    this.heads.style.height = `${Math.max(88, tallest + 8)}px`;
  }

  private newHead(layer: number): Head {
    const head: Head = {
      element: h("div", { class: "head" }),
      title: h("span", { class: "head-title" }),
      count: h("span", { class: "head-count" }),
      less: stepButton("−", `Remove a unit from layer ${layer}`, () => this.changeUnits(layer, -1)),
      more: stepButton("+", `Add a unit to layer ${layer}`, () => this.changeUnits(layer, 1)),
      activation: choice({}),
      fixed: h("span", { class: "head-fixed" }),
      between: h("span", { class: "head-between" }),
      rest: h("span", { class: "rest" }),
    };
    head.activation.addEventListener("change", () => this.changeActivation(layer, head.activation.value));
    const stepper = h("div", { class: "stepper small", role: "group" }, head.less, head.count, head.more);
    head.element.append(head.title, stepper, head.activation, head.fixed, head.between);
    return head;
  }

  private layOutUnits(geometry: Geometry): void {
    const description = this.experiment.description!;
    let labels = 0;
    this.active = Math.min(this.active, Math.max(0, geometry.units.length - 1));
    geometry.units.forEach((unit, i) => {
      let button = this.unitPool[i];
      if (!button) {
        button = h("button", { class: "unit", type: "button" });
        button.dataset["place"] = String(i);
        this.unitPool.push(button);
      }
      if (!button.isConnected) this.overlay.append(button);
      button.tabIndex = i === this.active ? 0 : -1;
      button.style.left = `${unit.x - geometry.size / 2}px`;
      button.style.top = `${unit.y - geometry.size / 2}px`;
      button.style.width = `${geometry.size}px`;
      button.style.height = `${geometry.size}px`;
      const name = unit.layer === 0 ? `input ${unitName(description, 0, unit.unit)}` : unitName(description, unit.layer, unit.unit);
      button.setAttribute("aria-label", name);
      if (unit.layer === 0) labels = this.layOutLabel(labels, unit, geometry);
    });
    for (const button of this.unitPool.splice(geometry.units.length)) button.remove();
    for (const label of this.labelPool.splice(labels)) label.remove();
  }

  private layOutLabel(place: number, unit: UnitPlace, geometry: Geometry): number {
    const full = inputTitle(this.experiment.description!.inputs[unit.unit]?.name ?? "");
    const label = (this.labelPool[place] ??= h("span", { class: "input-label", "aria-hidden": "true" }));
    if (!label.isConnected) this.stage.append(label);
    // A name breaks after an underscore rather than within a word.
    setText(label, clipped(full, 34).replace(/[_.-]/g, "$&\u200b"));
    label.classList.toggle("long", full.length > 10);
    label.title = full;
    label.style.right = `${geometry.width - (unit.x - geometry.size / 2 - 6)}px`;
    label.style.top = `${unit.y}px`;
    label.style.width = `${unit.x - geometry.size / 2 - 8}px`;
    return place + 1;
  }

  private widest(): number {
    const { frame } = this.experiment;
    return frame && this.geometry ? this.widths.update(frame, this.geometry.links) : 1;
  }

  private widestBias(): number {
    const { frame } = this.experiment;
    if (!frame || !this.geometry) return 1;
    const biases = this.geometry.units.filter((unit) => unit.bias >= 0);
    return this.biasWidths.update(frame, biases.map((unit) => ({ value: unit.bias })));
  }

  private schedule(): void {
    if (!this.pending) this.pending = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    cancelAnimationFrame(this.pending);
    this.pending = 0;
    const { geometry } = this;
    const { frame, status } = this.experiment;
    if (!geometry) return;
    const context = this.canvas.getContext("2d")!;
    context.clearRect(0, 0, geometry.width, geometry.height);
    if (frame) {
      this.atlas.update(frame.unitSize, frame.nUnits, frame.unitMaps, frame.unitRanges, this.discrete);
      const moving = (status?.running ?? false) && !reducedMotion.matches && geometry.links.length <= MOST_MOVING;
      if (moving) this.dash -= frame.gradients ? -1.5 : 1.5;
      const selected = this.experiment.selection;
      const parts = [...this.experiment.highlights, ...(selected && selected.kind !== "point" ? [selected] : [])];
      const emphasis = { link: this.hoverLink, unit: this.hoverUnit, parts };
      drawLinks(context, geometry, signalOf(frame), this.widest(), emphasis, moving ? this.dash : null);
    }
    drawUnits(context, geometry, frame, this.atlas, this.inputAtlas, this.widestBias());
    this.refreshTip();
  }

  // ── Changes ────────────────────────────────────────────────────────────────

  private changeLayers(by: 1 | -1): void {
    this.restructure((units, activations) => {
      if (by < 0) {
        units.pop();
        activations.pop();
      } else {
        units.push(units.at(-1) ?? 4);
        activations.push(activations.at(-1) ?? "tanh");
      }
    });
  }

  private changeUnits(layer: number, by: 1 | -1): void {
    this.restructure((units) => {
      units[layer - 1] = Math.max(1, (units[layer - 1] ?? 1) + by);
    });
  }

  private changeActivation(layer: number, name: string): void {
    this.restructure((_, activations) => {
      activations[layer - 1] = name;
    });
  }

  /** Train anew with other hidden layers; one name of an activation stands for all, if they agree. */
  private restructure(change: (units: number[], activations: string[]) => void): void {
    const description = this.experiment.description;
    if (!description) return;
    void this.experiment.change((state) => {
      const stored = state.settings["layers"];
      const units = Array.isArray(stored) ? stored.map(Number) : hiddenLayers(description);
      const one = state.settings["activation"];
      const activations = Array.isArray(one)
        ? one.map(String)
        : units.map((_, i) => (typeof one === "string" ? one : (activationsOf(description)[i] ?? "tanh")));
      change(units, activations);
      const names = new Set(activations);
      const changes: { [name: string]: Json } = { layers: units };
      if (names.size > 1) changes["activation"] = activations;
      else if (activations[0] !== undefined) changes["activation"] = activations[0];
      return withSettings(state, changes);
    });
  }

  // ── Pointer and keyboard ───────────────────────────────────────────────────

  private listen(): void {
    this.overlay.addEventListener("click", (event) => this.onUnitClick(event));
    this.overlay.addEventListener("keydown", (event) => this.onKey(event));
    this.overlay.addEventListener("pointerover", (event) => this.enter(this.unitOf(event.target)));
    this.overlay.addEventListener("pointerout", () => this.enter(null));
    this.overlay.addEventListener("focusin", (event) => {
      const unit = this.unitOf(event.target);
      if ((event.target as HTMLElement).matches(":focus-visible")) this.enter(unit);
    });
    this.overlay.addEventListener("focusout", () => this.enter(null));
    this.canvas.addEventListener("pointermove", (event) => {
      const link = this.geometry && linkAt(this.geometry, event.offsetX, event.offsetY);
      this.stage.classList.toggle("on-link", link !== null || this.biasAt(event.offsetX, event.offsetY) !== null);
      if (link === this.hoverLink) return;
      this.hoverLink = link;
      this.schedule();
    });
    this.canvas.addEventListener("pointerleave", () => {
      this.hoverLink = null;
      this.schedule();
    });
    this.canvas.addEventListener("click", (event) => this.onCanvasClick(event.offsetX, event.offsetY));
  }

  private unitOf(target: EventTarget | null): UnitPlace | null {
    const place = (target as HTMLElement | null)?.dataset?.["place"];
    return place === undefined ? null : (this.geometry?.units[Number(place)] ?? null);
  }

  private biasAt(x: number, y: number): UnitPlace | null {
    const geometry = this.geometry;
    if (!geometry) return null;
    const half = geometry.size / 2;
    return (
      geometry.units.find((u) => u.bias >= 0 && (u.x - half - 1 - x) ** 2 + (u.y + half + 1 - y) ** 2 < 64) ?? null
    );
  }

  private onUnitClick(event: MouseEvent): void {
    const unit = this.unitOf(event.target);
    const geometry = this.geometry;
    if (!unit || !geometry) return;
    this.experiment.select({ kind: "unit", layer: unit.layer, unit: unit.unit });
    if (unit.layer > 0) {
      const half = geometry.size / 2;
      this.edit({ kind: "unit", layer: unit.layer, unit: unit.unit }, unit.x + half, unit.y - half, event.target as HTMLElement);
    }
  }

  private onCanvasClick(x: number, y: number): void {
    const geometry = this.geometry;
    const description = this.experiment.description;
    if (!geometry || !description) return;
    const origin = this.unitPool[this.active] ?? this.element;
    const bias = this.biasAt(x, y);
    if (bias) {
      this.experiment.select({ kind: "bias", layer: bias.layer, row: bias.unit });
      this.edit({ kind: "value", value: description.drawn_values[bias.bias]! }, x, y, origin);
      return;
    }
    const link = linkAt(geometry, x, y);
    if (!link) {
      this.experiment.select(null);
      return;
    }
    this.experiment.select({ kind: "weight", layer: link.layer, row: link.row, column: link.column });
    this.edit({ kind: "value", value: description.drawn_values[link.value]! }, x, y, origin);
  }

  private onKey(event: KeyboardEvent): void {
    const geometry = this.geometry;
    const unit = this.unitOf(event.target);
    if (!geometry || !unit) return;
    const next = neighbour(geometry, unit, event.key);
    if (next === null) return;
    event.preventDefault();
    this.unitPool[this.active]!.tabIndex = -1;
    this.active = geometry.units.indexOf(next);
    const button = this.unitPool[this.active]!;
    button.tabIndex = 0;
    button.focus();
  }

  /** A unit that the pointer or the focus is on is drawn large in the output map. */
  private enter(unit: UnitPlace | null): void {
    if (unit === this.hoverUnit) return;
    this.hoverUnit = unit;
    clearTimeout(this.detailTimer);
    const detail = unit && unit.layer > 0 ? { layer: unit.layer, unit: unit.unit } : null;
    if (detail || this.experiment.view.detail) {
      this.detailTimer = window.setTimeout(() => this.experiment.look({ detail }), detail ? 60 : 120);
    }
    this.schedule();
  }

  private refreshTip(): void {
    const text = this.tipText();
    this.tip.hidden = text === null || (this.editor?.isOpen ?? false);
    if (text === null || !this.geometry) return;
    setText(this.tip, text);
    const [x, y] = this.tipPlace();
    this.tip.style.transform = `translate(${Math.round(Math.min(x, this.geometry.width - 150))}px, ${Math.round(y)}px)`;
  }

  private tipPlace(): [number, number] {
    if (this.hoverUnit) return [this.hoverUnit.x - 20, this.hoverUnit.y + this.geometry!.size / 2 + 8];
    const curve = curveOf(this.hoverLink!, this.geometry!.size);
    return [(curve[0] + curve[6]) / 2 - 40, (curve[1] + curve[7]) / 2 + 10];
  }

  private tipText(): string | null {
    const { frame, description } = this.experiment;
    if (!frame || !description) return null;
    if (this.hoverUnit && this.hoverUnit.layer > 0) {
      const unit = this.hoverUnit;
      const bias = unit.bias >= 0 ? `b${subscript(unit.unit + 1)} = ${short(frame.values[unit.bias], 4)}` : "no bias";
      const delta = frame.deltas && unit.map >= 0 ? `, mean |δ| = ${short(frame.deltas[unit.map])}` : "";
      return bias + delta;
    }
    if (!this.hoverLink) return null;
    const value = `w = ${short(frame.values[this.hoverLink.value], 4)}`;
    return frame.gradients ? `${value}, ∂J/∂w = ${short(frame.gradients[this.hoverLink.value])}` : value;
  }
}

function stepButton(text: string, label: string, act: () => void): HTMLButtonElement {
  return h("button", { class: "step", type: "button", "aria-label": label, title: label, onclick: act }, text);
}

/** A disabled button says why; it stays reachable, so that a reader of the screen hears it. */
function disable(button: HTMLButtonElement, reason: string | null): void {
  button.disabled = reason !== null;
  button.title = reason ?? button.getAttribute("aria-label") ?? "";
}

/** "batch norm", "dropout 0.2" */
function besideName(layer: LayerDescription): string {
  const name = layer.name || layer.kind;
  return layer.kind === "dropout" && layer.detail ? `${name} ${layer.detail}` : name;
}

function fillOptions(select: HTMLSelectElement, names: readonly string[]): void {
  if (select.options.length === names.length && names.every((name, i) => select.options[i]!.value === name)) return;
  select.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
}

/** Return the unit that an arrow key leads to; null: the key is another. */
function neighbour(geometry: Geometry, unit: UnitPlace, key: string): UnitPlace | null {
  const same = geometry.units.filter((other) => other.layer === unit.layer);
  const place = same.indexOf(unit);
  if (key === "ArrowDown") return same[Math.min(place + 1, same.length - 1)]!;
  if (key === "ArrowUp") return same[Math.max(place - 1, 0)]!;
  if (key === "Home") return geometry.units[0]!;
  if (key === "End") return geometry.units.at(-1)!;
  const by = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
  if (by === 0) return null;
  const others = geometry.units.filter((other) => other.layer === unit.layer + by);
  if (others.length === 0) return unit;
  return others.reduce((best, other) => (Math.abs(other.y - unit.y) < Math.abs(best.y - unit.y) ? other : best));
}
