/**
 * A small part of Markdown as nodes: paragraphs, `-` and `1.` lists, `###` headings, fenced code,
 * **strong**, *emphasis*, `code`, $TeX$ and $$TeX$$. Anything else stays the text that it is.
 */

import { h } from "./dom";
import { formula } from "./typesetting";

const INLINE = /\$\$([\s\S]+?)\$\$|\$([^$\n]+?)\$|`([^`]+)`|\*\*([\s\S]+?)\*\*|\*([^*\s][^*]*?)\*/;

function inline(text: string): Node[] {
  const nodes: Node[] = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    if (found.index > 0) {
      nodes.push(document.createTextNode(rest.slice(0, found.index)));
    }
    const [all, display, tex, code, strong, emphasis] = found;
    if (display !== undefined) {
      nodes.push(formula(display.trim(), true));
    } else if (tex !== undefined) {
      nodes.push(formula(tex));
    } else if (code !== undefined) {
      nodes.push(h("code", {}, code));
    } else if (strong !== undefined) {
      nodes.push(h("strong", {}, ...inline(strong)));
    } else {
      nodes.push(h("em", {}, ...inline(emphasis ?? "")));
    }
    rest = rest.slice(found.index + all.length);
  }
  if (rest) {
    nodes.push(document.createTextNode(rest));
  }
  return nodes;
}

function block(text: string): HTMLElement {
  const lines = text.split("\n");
  const first = lines[0] ?? "";
  if (first.startsWith("```")) {
    const body = lines.slice(1, lines.at(-1)?.startsWith("```") ? -1 : undefined).join("\n");
    return h("pre", { tabindex: 0 }, h("code", {}, body));
  }
  if (/^#{1,6} /.test(first)) {
    return h("h4", {}, ...inline(text.replace(/^#+ /, "")));
  }
  for (const [tag, mark] of [
    ["ul", /^[-*] /],
    ["ol", /^\d+[.)] /],
  ] as const) {
    if (mark.test(first)) {
      return h(tag, {}, ...items(lines, mark).map((item) => h("li", {}, ...inline(item))));
    }
  }
  const display = /^\$\$([\s\S]+)\$\$$/.exec(text);
  if (display) {
    return formula((display[1] ?? "").trim(), true);
  }
  // A display formula is a <div>, which may not stand inside a <p>.
  return h(text.includes("$$") ? "div" : "p", {}, ...inline(text));
}

function items(lines: string[], mark: RegExp): string[] {
  const found: string[] = [];
  for (const line of lines) {
    if (mark.test(line)) {
      found.push(line.replace(mark, ""));
    } else {
      found[found.length - 1] += ` ${line.trim()}`;
    }
  }
  return found;
}

/** Split at empty lines, except inside fenced code. */
function blocks(text: string): string[] {
  const found: string[] = [];
  let current: string[] = [];
  let fenced = false;
  for (const line of text.replace(/\r\n/g, "\n").split("\n")) {
    if (line.startsWith("```")) {
      fenced = !fenced;
    }
    if (line.trim() === "" && !fenced) {
      if (current.length) {
        found.push(current.join("\n"));
      }
      current = [];
    } else {
      current.push(line);
    }
  }
  return current.length ? [...found, current.join("\n")] : found;
}

export function prose(text: string): HTMLElement {
  return h("div", { class: "prose" }, ...blocks(text).map(block));
}
