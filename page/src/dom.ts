/** Elements in one line each: `h("button", { class: "primary", onclick: run }, "Run")`. */

type Child = Node | string | number | null | undefined | false;
type Props = { [name: string]: unknown };

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props | null = null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  assign(element, props);
  append(element, children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  props: Props | null = null,
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  assign(element, props);
  append(element, children);
  return element;
}

/** Functions become listeners (`onclick`), true an empty attribute, null and false none. */
function assign(element: Element, props: Props | null): void {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value as EventListener);
    } else element.setAttribute(name, value === true ? "" : String(value));
  }
}

function append(element: Element, children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    element.append(typeof child === "number" ? String(child) : child);
  }
}

let last = 0;

/** Return an id for `for`, `aria-labelledby` and the like. */
export function newId(name = "id"): string {
  last += 1;
  return `${name}-${last}`;
}

/** Set the text only where it changes: the browser then has nothing to lay out. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
