/** Mathematics, typeset by KaTeX, which is loaded when the first formula is shown. */

import { h } from "./dom";

type Katex = typeof import("katex").default;

let loading: Promise<Katex> | undefined;

function katex(): Promise<Katex> {
  loading ??= Promise.all([import("katex"), import("katex/dist/katex.min.css")]).then(([module]) => module.default);
  return loading;
}

/**
 * An element with a formula. Until KaTeX is there, and if it cannot read the formula, its TeX is
 * shown. KaTeX builds nodes, and takes no HTML and no links from the formula (`trust: false`).
 */
export function formula(tex: string, display = false): HTMLElement {
  const element = h(display ? "div" : "span", { class: display ? "formula display" : "formula" }, tex);
  if (display) {
    // A long formula scrolls inside its own box, which the keyboard must reach too.
    element.tabIndex = 0;
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", "formula");
  }
  katex()
    .then((library) => {
      element.replaceChildren();
      library.render(tex, element, { displayMode: display, throwOnError: false, trust: false, strict: "ignore" });
    })
    .catch(() => {
      element.textContent = tex;
    });
  return element;
}

/** A formula with its numbers, on lines of its own: it breaks after an operator where it is too wide. */
export function calculation(tex: string): HTMLElement {
  const element = formula(String.raw`\displaystyle ${tex}`);
  element.classList.add("calculation");
  return element;
}
