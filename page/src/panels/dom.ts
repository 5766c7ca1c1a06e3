/** Pieces that several panels are built from; text from the server is never parsed as HTML. */

import { h, newId } from "../dom";
import type { Page } from "../panel";

export { h, newId, svg } from "../dom";

export type Child = Node | string | number | null | undefined | false;
export type Attributes = { [name: string]: unknown };

export function append(element: Element, ...children: Child[]): void {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) {
      element.append(child instanceof Node ? child : String(child));
    }
  }
}

/** Replace everything inside an element. */
export function replace(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, ...children);
}

export function button(label: string, onclick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  return h("button", { type: "button", onclick, ...attributes }, label);
}

/** A labelled field: the label above, a help text below, both known to screen readers. */
export function labelled(label: string, field: HTMLElement, help = ""): HTMLElement {
  const id = field.id || newId("field");
  field.id = id;
  const row = h("div", { class: "labelled" }, h("label", { for: id }, label), field);
  if (help) {
    const helpId = `${id}-help`;
    field.setAttribute("aria-describedby", helpId);
    row.append(h("p", { class: "help", id: helpId }, help));
  }
  return row;
}

export function select(
  options: readonly (readonly [value: string, label: string])[],
  chosen: string,
  onchange: (value: string) => void,
): HTMLSelectElement {
  const element = h("select", { onchange: () => onchange(element.value) });
  for (const [value, label] of options) {
    const option = h("option", { value }, label);
    option.selected = value === chosen;
    element.append(option);
  }
  return element;
}

/** A paragraph that screen readers announce when its text changes. */
export function announcement(kind: "status" | "alert" = "status"): HTMLElement {
  return h("p", { role: kind, class: kind === "alert" ? "error" : "note" });
}

export function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

/** Whether there are rows; a model may be shown without its table. */
export function hasRows(page: Page): boolean {
  return page.description === null || page.description.points.index.length > 0;
}
