/** Labelled controls, all of one look. */

import "./controls.css";
import { h, newId, setText } from "../../dom";

export function choice(props: { [name: string]: unknown }, options: readonly (readonly [string, string])[] = []): HTMLSelectElement {
  return h("select", props, ...options.map(([value, title]) => h("option", { value }, title)));
}

export interface Segmented {
  element: HTMLElement;
  show(value: string): void;
  disable(reason: string | null): void;
}

/** A few choices side by side, of which one holds: radio buttons that look like one control. */
export function segmented(
  label: string,
  options: readonly (readonly [string, string])[],
  chosen: (value: string) => void,
): Segmented {
  const name = newId("choice");
  const inputs = new Map<string, HTMLInputElement>();
  const element = h("div", { class: "segmented", role: "radiogroup", "aria-label": label });
  for (const [value, title] of options) {
    const input = h("input", { type: "radio", name, value, class: "visually-hidden", onchange: () => chosen(value) });
    inputs.set(value, input);
    element.append(h("label", null, input, h("span", null, title)));
  }
  const show = (value: string): void => {
    const input = inputs.get(value);
    if (input) input.checked = true;
  };
  show(options[0]?.[0] ?? "");
  return {
    element,
    show,
    disable(reason) {
      for (const input of inputs.values()) input.disabled = reason !== null;
      element.title = reason ?? "";
    },
  };
}

export interface Field<T> {
  element: HTMLElement;
  show(value: T): void;
  disable(reason: string | null): void;
}

/** A label above a list of choices. */
export function selectField(
  label: string,
  options: readonly (readonly [string, string])[],
  chosen: (value: string) => void,
  about = "",
): Field<string> & { setOptions(options: readonly (readonly [string, string])[]): void } {
  const id = newId("field");
  const select = choice({ id }, options);
  select.addEventListener("change", () => chosen(select.value));
  const element = h("div", { class: "field", title: about || null }, h("label", { for: id }, label), select);
  let known = JSON.stringify(options);
  return {
    element,
    show(value) {
      // A number that is not among the usual ones (0.02 as a learning rate) joins them.
      if (value !== "" && Number.isFinite(Number(value)) && ![...select.options].some((option) => option.value === value)) {
        select.append(h("option", { value }, value));
      }
      select.value = value;
    },
    disable(reason) {
      select.disabled = reason !== null;
      element.title = reason ?? about;
    },
    setOptions(next) {
      const text = JSON.stringify(next);
      if (text === known) return;
      known = text;
      const value = select.value;
      select.replaceChildren(...next.map(([v, title]) => h("option", { value: v }, title)));
      select.value = value;
    },
  };
}

/** A label, a slider and the value that it stands at. `chosen` comes when the slider is let go. */
export function sliderField(
  label: string,
  range: { min: number; max: number; step: number },
  text: (value: number) => string,
  chosen: (value: number) => void,
): Field<number> & { setRange(range: { min: number; max: number; step: number }): void } {
  const id = newId("slider");
  const input = h("input", { id, type: "range", ...range });
  const output = h("output", { for: id });
  const told = (): void => {
    const words = text(input.valueAsNumber);
    setText(output, words);
    input.setAttribute("aria-valuetext", words);
  };
  input.addEventListener("input", told);
  input.addEventListener("change", () => chosen(input.valueAsNumber));
  const element = h("div", { class: "slider" }, h("label", { for: id }, label), output, input);
  return {
    element,
    show(value) {
      if (document.activeElement !== input || !input.matches(":active")) input.value = String(value);
      told();
    },
    disable(reason) {
      input.disabled = reason !== null;
      element.title = reason ?? "";
    },
    setRange(next) {
      input.min = String(next.min);
      input.max = String(next.max);
      input.step = String(next.step);
    },
  };
}

export function checkbox(label: string, changed: (checked: boolean) => void): Field<boolean> {
  const input = h("input", { type: "checkbox" });
  input.addEventListener("change", () => changed(input.checked));
  const element = h("label", { class: "check" }, input, h("span", null, label));
  return {
    element,
    show(value) {
      input.checked = value;
    },
    disable(reason) {
      input.disabled = reason !== null;
      element.title = reason ?? "";
    },
  };
}
