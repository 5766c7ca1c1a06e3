/** All settings of the training, as a form made from the server's catalogue. */

import type { Json, Settings, SettingRow } from "../protocol/messages";
import { inForce } from "../state";
import type { Page, Panel } from "../panel";
import { announcement, button, h, labelled, messageOf, replace } from "./dom";
import { type Field, settingField, Unreadable } from "./settings_fields";
import { type LayersField, layersField } from "./settings_layers";

export const settings: Panel = { id: "settings", title: "All settings", open, fits: (page) => page.readOnlyReason === null };

function open(root: HTMLElement, page: Page): () => void {
  let fields: Field[] = [];
  let stateShown = "";
  const message = announcement("status");
  const failure = announcement("alert");
  const sections = h("div", { class: "sections" });
  const filter = h("input", { type: "search", autocomplete: "off", oninput: () => narrow() });
  const form = h(
    "form",
    { novalidate: true, "aria-label": "All settings", onsubmit: (event: SubmitEvent) => void apply(event) },
    labelled("Find a setting", filter, "Part of a name or of its description."),
    sections,
    h(
      "div",
      { class: "actions" },
      h("button", { type: "submit", class: "primary", disabled: page.readOnlyReason !== null }, "Apply and restart the training"),
      button("Restore the defaults", () => void configure({}), { disabled: page.readOnlyReason !== null }),
    ),
    failure,
    message,
  );

  function shownNow(): string {
    return JSON.stringify([page.state?.data, page.state?.settings]);
  }

  function build(): void {
    stateShown = shownNow();
    const given = (page.state?.settings ?? {}) as Record<string, unknown>;
    fields = page.hello.catalog.settings.map((row) => ({ ...row, default: usual(row, given) })).map((setting) =>
      setting.kind === "names"
        ? layersField(setting, given[setting.name], page.hello.catalog.activations, hiddenLayers(page))
        : settingField(setting, given[setting.name]),
    );
    const known = new Set(fields.map((field) => field.setting.section));
    const names = [...known].sort((a, b) => Number(b === "training") - Number(a === "training"));
    replace(
      sections,
      ...names.map((name, i) =>
        h(
          "details",
          { open: i === 0 },
          h("summary", {}, name || "other"),
          h(
            "div",
            { class: "fields" },
            ...fields.filter((field) => field.setting.section === name).map((field) => field.element),
          ),
        ),
      ),
    );
    for (const field of fields) {
      field.onchange(relate);
      if (field.setting.name === "layers") {
        field.onchange(() => resize(field));
      }
    }
    relate();
    narrow();
  }

  /** What holds where the state leaves a setting open, which may depend on the table. */
  function usual(row: SettingRow, given: Record<string, unknown>): Json {
    return given[row.name] === undefined ? inForce(page, row.name) : (row.default ?? null);
  }

  /** As many activations as hidden layers, while their units are being typed. */
  function resize(layers: Field): void {
    const typed = tryRead(layers) ?? layers.setting.default;
    for (const field of fields) {
      if ("resize" in field && Array.isArray(typed)) {
        (field as LayersField).resize(typed.length);
      }
    }
  }

  /** Hide what the chosen values of other settings do not use. */
  function relate(): void {
    for (const field of fields) {
      const needs = field.setting.needs;
      if (needs) {
        const chosen = fields.find((other) => other.setting.name === needs.setting);
        const value = chosen && (tryRead(chosen) ?? chosen.setting.default);
        const used = !chosen || needs.values.includes(String(value).replace(/\(.*/, ""));
        field.element.hidden = !used;
      }
    }
  }

  function narrow(): void {
    const wanted = filter.value.trim().toLowerCase();
    for (const field of fields) {
      const text = `${field.setting.name} ${field.setting.name.replace(/_/g, " ")} ${field.setting.about}`.toLowerCase();
      field.element.classList.toggle("filtered", wanted !== "" && !text.includes(wanted));
    }
    for (const [i, section] of [...sections.querySelectorAll("details")].entries()) {
      const found = section.querySelector(".labelled:not(.filtered):not([hidden])") !== null;
      section.classList.toggle("filtered", !found);
      section.open = wanted === "" ? section.open || i === 0 : found;
    }
  }

  async function apply(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const values: Record<string, unknown> = {};
    for (const field of fields) {
      try {
        const value = field.element.hidden ? undefined : field.read();
        if (value !== undefined) {
          values[field.setting.name] = value;
        }
      } catch (reason) {
        if (!(reason instanceof Unreadable)) {
          throw reason;
        }
        refuse(field, reason.message);
        return;
      }
    }
    await configure(values);
  }

  async function configure(values: Record<string, unknown>): Promise<void> {
    replace(failure);
    replace(message, "Restarting the training …");
    try {
      if (page.state) {
        await page.configure({ ...page.state, settings: values as Settings });
      }
      build();
      replace(message, "The training has restarted with these settings.");
    } catch (reason) {
      replace(message);
      const text = messageOf(reason);
      const field = fields.find((candidate) => names(text, candidate.setting));
      if (field) {
        refuse(field, text);
      } else {
        replace(failure, text);
      }
    }
  }

  function refuse(field: Field, text: string): void {
    field.element.closest("details")?.setAttribute("open", "");
    field.refuse(text);
    field.element.querySelector<HTMLElement>("input, select")?.focus();
  }

  build();
  root.append(form);
  // What other controls change is changed here too, or the next "apply" would undo it.
  const follow = (): void => {
    if (stateShown !== shownNow()) build();
  };
  const offs = [page.on("hello", build), page.on("description", follow)];
  return () => {
    for (const off of offs) off();
  };
}

function hiddenLayers(page: Page): number {
  const dense = page.description?.layers.filter((layer) => layer.kind === "dense").length ?? 1;
  return Math.max(dense - 1, 0);
}

function tryRead(field: Field): unknown {
  try {
    return field.read();
  } catch {
    return undefined;
  }
}

/** Errors of the server begin with the name of the argument, or of its option (`--batch-size`). */
function names(text: string, setting: SettingRow): boolean {
  const start = text.slice(0, 80).replace(/--?/g, "_");
  return new RegExp(`(^|[^a-z0-9])_?${setting.name}([^a-z0-9_]|$)`, "i").test(start);
}
