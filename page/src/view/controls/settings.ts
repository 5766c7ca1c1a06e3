/** The settings that people change most, above the network; the rest is in the panel "Settings". */

import { h, setText } from "../../dom";
import type { Experiment } from "../../experiment";
import type { Json, State, Task } from "../../protocol/messages";
import { inForce, withSettings } from "../../state";
import { short } from "../format";
import { hiddenLayers } from "../network/layers";
import { dataOf, firstOfTask, taskOf } from "./catalog";
import { selectField } from "./field";

const RATES = [0.00001, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const PENALTIES = [0, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

const numbers = (values: readonly number[]): (readonly [string, string])[] => values.map((v) => [String(v), plain(v)] as const);
const names = (values: readonly string[]): (readonly [string, string])[] => values.map((name) => [name, name.replaceAll("_", " ")] as const);

function plain(value: number): string {
  return value !== 0 && value < 0.0001 ? short(value, 2) : String(value);
}

export class SettingsBar {
  readonly element = h("div", { class: "settings", role: "group", "aria-label": "Settings", "data-group": "settings" });
  private readonly rate = selectField("Learning rate", numbers(RATES), (v) => this.live({ learning_rate: Number(v) }), "Length of a step relative to the gradient; can be changed without a reset");
  private readonly rateNow = h("span", { class: "now" });
  private readonly activation = selectField("Activation", [], (v) => this.set({ activation: v }), "Activation function of all hidden layers; the network below lets you choose one for each layer");
  private readonly optimizer = selectField("Optimizer", [], (v) => this.set({ optimizer: v }));
  private readonly penalty = selectField("Regularization", [["none", "none"], ["l1", "L1"], ["l2", "L2"]], (v) => this.setPenalty(v, this.penaltyRate()), "Penalty on large weights, which reduces overfitting");
  private readonly strength = selectField("Regularization rate", numbers(PENALTIES), (v) => this.setPenalty(this.penaltyKind(), Number(v)));
  private readonly task = selectField("Problem", [["classification", "classification"], ["regression", "regression"]], (v) => this.setTask(v as Task));
  private readonly offs: (() => void)[];
  private kind: "none" | "l1" | "l2" = "none";

  constructor(private readonly experiment: Experiment) {
    for (const field of this.fields()) this.element.append(field.element);
    this.rate.element.append(this.rateNow);
    this.offs = [
      experiment.on("hello", () => this.show()),
      experiment.on("description", () => this.show()),
      experiment.on("frame", () => this.showRate()),
    ];
    this.show();
  }

  destroy(): void {
    for (const off of this.offs) off();
  }

  private fields(): ReturnType<typeof selectField>[] {
    return [this.rate, this.activation, this.optimizer, this.penalty, this.strength, this.task];
  }

  private show(): void {
    const { experiment } = this;
    if (!experiment.connected) return;
    const { catalog } = experiment.hello;
    this.optimizer.setOptions(names(catalog.optimizers));
    const state = experiment.state;
    const description = experiment.description;
    if (state) {
      const setting = (name: string, otherwise: Json): Json => inForce(experiment, name) ?? otherwise;
      this.rate.show(String(setting("learning_rate", 0.03)));
      this.optimizer.show(String(setting("optimizer", "sgd")));
      const activation = setting("activation", "relu");
      const mixed = Array.isArray(activation) && new Set(activation).size > 1;
      const one = mixed ? "mixed" : String(Array.isArray(activation) ? (activation[0] ?? "") : activation);
      const own = one === "" || catalog.activations.includes(one) ? [] : [[one, mixed ? "several" : one] as const];
      this.activation.setOptions([...names(catalog.activations), ...own]);
      this.activation.show(one);
      const l1 = Number(setting("l1", 0));
      const l2 = Number(setting("l2", 0));
      if (l1 > 0) this.kind = "l1";
      else if (l2 > 0) this.kind = "l2";
      this.penalty.show(this.kind);
      this.strength.show(String(this.kind === "l1" ? l1 : this.kind === "l2" ? l2 : 0));
    }
    if (description) this.task.show(description.task);
    const reason = experiment.readOnlyReason;
    for (const field of this.fields()) field.disable(reason);
    const noHidden = description && hiddenLayers(description).length === 0 ? "There is no hidden layer." : null;
    this.activation.disable(reason ?? noHidden);
    this.strength.disable(reason ?? (this.kind === "none" ? "Choose L1 or L2 first." : null));
    // A table's target decides what kind of problem it is.
    this.task.disable(reason ?? (state?.data.kind === "table" ? "The target column determines this." : null));
  }

  /** A schedule, or a rule that watches the loss, may have changed the rate on the way. */
  private showRate(): void {
    const now = this.experiment.frame?.learningRate ?? NaN;
    const state = this.experiment.state;
    const begun = state ? Number(inForce(this.experiment, "learning_rate")) : NaN;
    const differs = Math.abs(now - begun) > 1e-3 * begun;
    setText(this.rateNow, differs ? `now ${short(now, 2)}` : "");
  }

  private set(changes: { [name: string]: Json }): void {
    if (changes["activation"] === "mixed") return;
    void this.experiment.change((state) => withSettings(state, changes));
  }

  private live(changes: { [name: string]: number }): void {
    void this.experiment.changeLive(changes);
  }

  private penaltyKind(): "none" | "l1" | "l2" {
    return this.kind;
  }

  private penaltyRate(): number {
    const { experiment } = this;
    return Number(inForce(experiment, "l1") ?? 0) || Number(inForce(experiment, "l2") ?? 0) || 0.003;
  }

  private setPenalty(kind: string, rate: number): void {
    this.kind = kind as "none" | "l1" | "l2";
    this.live({ l1: kind === "l1" ? rate : 0, l2: kind === "l2" ? rate : 0 });
  }

  private setTask(task: Task): void {
    const data = firstOfTask(this.experiment.hello.catalog, task);
    if (!data) return;
    void this.experiment.change((state) => ({ ...otherData(state), data: keepNoise(state, dataOf(data)) }));
  }
}

/** Inputs and losses belong to the data before. */
export function otherData(state: State): State {
  const settings = { ...state.settings };
  delete settings["loss"];
  delete settings["metric"];
  return { ...state, settings };
}

function keepNoise(state: State, data: State["data"]): State["data"] {
  if (state.data.kind === "toy" && data.kind === "toy" && state.data.noise !== undefined) {
    return { ...data, noise: state.data.noise };
  }
  return data;
}

export { taskOf };
