/** One field of the form of settings: how a setting is shown, read and refused. */

import type { SettingRow } from "../protocol/messages";
import { newId, h } from "./dom";

/** Text that a field cannot be read from, with the sentence to show. */
export class Unreadable extends Error {}

export interface Field {
  readonly setting: SettingRow;
  readonly element: HTMLElement;
  /** The value, or undefined if the default is left; throws Unreadable. */
  read(): unknown;
  refuse(message: string): void;
  /** Called when the field's value changes. */
  onchange(listener: () => void): void;
}

const LISTS = new Set(["texts", "wholes", "numbers"]);

/** The field of a setting; `given` is its value in the state, undefined if the default holds. */
export function settingField(setting: SettingRow, given: unknown): Field {
  const id = newId(`setting-${setting.name}`);
  const help = h("p", { class: "help", id: `${id}-help` }, helpOf(setting));
  const error = h("p", { class: "error", id: `${id}-error`, role: "alert" });
  const control = controlOf(setting, given, id);
  control.id = id;
  control.setAttribute("aria-describedby", `${id}-help ${id}-error`);
  const label = h("label", { for: id }, setting.name.replace(/_/g, " "));
  const element = h("div", { class: "labelled", "data-setting": setting.name }, label, control, help, error);
  return {
    setting,
    element,
    read: () => {
      error.textContent = "";
      control.removeAttribute("aria-invalid");
      return valueOf(setting, control.value);
    },
    refuse: (message) => {
      error.textContent = message;
      control.setAttribute("aria-invalid", "true");
    },
    onchange: (listener) => control.addEventListener("input", listener),
  };
}

function helpOf(setting: SettingRow): string {
  const limits = typeof setting.limits === "string" ? setting.limits : "";
  const chosen = setting.kind === "flag" || Boolean(setting.choices?.length);
  const start = hasDefault(setting) ? `Default: ${asText(setting.default)}.` : "";
  return [setting.about, limits && !chosen ? `Allowed: ${limits}.` : "", chosen ? "" : start].filter(Boolean).join(" ");
}

function hasDefault(setting: SettingRow): boolean {
  return setting.default !== null && setting.default !== undefined && setting.default !== "";
}

function controlOf(setting: SettingRow, given: unknown, id: string): HTMLInputElement | HTMLSelectElement {
  const choices = setting.kind === "flag" ? ["true", "false"] : LISTS.has(setting.kind) ? [] : (setting.choices ?? []).map(String);
  const text = given === undefined || given === null ? "" : asText(given);
  // A value with settings of its own, such as leaky_relu(slope=0.2), is typed, with the names as suggestions.
  if (choices.length && (text === "" || choices.includes(text))) {
    const control = h("select", {}, h("option", { value: "" }, `default (${label(asText(setting.default))})`));
    for (const choice of choices) {
      const option = h("option", { value: choice }, label(choice));
      option.selected = choice === text;
      control.append(option);
    }
    return control;
  }
  const numeric = setting.kind === "whole" || setting.kind === "number";
  const placeholder = hasDefault(setting) ? asText(setting.default) : "";
  return h("input", {
    type: "text",
    value: text,
    placeholder,
    inputmode: numeric ? "decimal" : "text",
    autocomplete: "off",
    spellcheck: "false",
    name: id,
  });
}

function label(choice: string): string {
  return { true: "on", false: "off" }[choice] ?? choice;
}

export function asText(value: unknown): string {
  if (Array.isArray(value)) {
    return value.length ? value.map(asText).join(", ") : "none";
  }
  return value === null || value === undefined ? "none" : String(value);
}

function valueOf(setting: SettingRow, typed: string): unknown {
  const text = typed.trim();
  if (text === "") {
    return undefined;
  }
  if (setting.kind === "flag") {
    return text === "true";
  }
  if (LISTS.has(setting.kind)) {
    const parts = text === "none" ? [] : splitList(text);
    return setting.kind === "texts" ? parts : parts.map((part) => numberOf(setting.kind, part));
  }
  return setting.kind === "text" || setting.kind === "choice" ? text : numberOf(setting.kind, text);
}

/** Split at commas outside parentheses: `tanh, leaky_relu(slope=0.2)` has two parts. */
function splitList(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter(Boolean);
}

function numberOf(kind: string, text: string): number {
  const value = Number(text.replace("−", "-"));
  const whole = kind === "whole" || kind === "wholes";
  if (Number.isNaN(value) || (whole && !Number.isInteger(value))) {
    throw new Unreadable(`"${text}" is not a ${whole ? "whole " : ""}number.`);
  }
  return value;
}
