/** The field of a setting that has one name for all hidden layers, or one for each. */

import type { SettingRow } from "../protocol/messages";
import { h, newId, replace, select } from "./dom";
import { asText, type Field } from "./settings_fields";

/** `resize` follows the number of hidden layers. */
export interface LayersField extends Field {
  resize(count: number): void;
}

export function layersField(setting: SettingRow, given: unknown, choices: readonly string[], count: number): LayersField {
  const help = newId("help");
  const error = h("p", { class: "error", role: "alert" });
  const boxes = h("div", { class: "per-layer" });
  const element = h(
    "fieldset",
    { class: "labelled", "data-setting": setting.name, "aria-describedby": help },
    h("legend", {}, setting.name.replace(/_/g, " ")),
    boxes,
    h("p", { class: "help", id: help }, setting.about),
    error,
  );
  const standard = asText(setting.default);
  let values = asArray(given);
  const listeners: (() => void)[] = [];

  function resize(layers: number): void {
    values = Array.from({ length: Math.min(layers, 24) }, (_, i) => values[i] ?? values.at(-1) ?? "");
    replace(
      boxes,
      ...values.map((value, i) => {
        const others = value === "" || choices.includes(value) ? choices : [value, ...choices];
        const options = [["", `default (${standard})`] as const, ...others.map((name) => [name, name] as const)];
        const box = select(options, value, (chosen) => {
          values[i] = chosen;
          for (const listener of listeners) {
            listener();
          }
        });
        box.id = newId("layer");
        return h("div", { class: "layer" }, h("label", { for: box.id }, `layer ${i + 1}`), box);
      }),
    );
    if (layers === 0) {
      replace(boxes, h("p", { class: "note" }, "There are no hidden layers."));
    }
  }

  resize(count);
  return {
    setting,
    element,
    resize,
    read: () => {
      error.textContent = "";
      if (values.every((value) => value === "")) {
        return undefined;
      }
      const names = values.map((value) => value || standard);
      return names.every((name) => name === names[0]) ? names[0] : names;
    },
    refuse: (message) => {
      error.textContent = message;
    },
    onchange: (listener) => listeners.push(listener),
  };
}

function asArray(given: unknown): string[] {
  return given === undefined || given === null ? [] : Array.isArray(given) ? given.map(String) : [String(given)];
}
