/** Arrays of numbers as tables: short on the page, exact on hover. */

import { h } from "./dom";
import { exact, short } from "./numbers";
import { formula } from "./typesetting";

export interface ArrayShown {
  /** TeX. */
  name: string;
  shape: number[];
  values: (number | null)[][];
  rows: string[] | null;
  columns: string[] | null;
  /** Not all of its rows and columns are here. */
  folded: boolean;
}

export function matrix(array: ArrayShown): HTMLElement {
  const [rows, columns] = [array.rows, array.columns];
  const table = h("table", { class: "matrix" });
  if (columns) {
    const corner = rows ? h("td") : null;
    table.append(h("thead", {}, h("tr", {}, corner, ...columns.map((name) => h("th", { scope: "col" }, name)))));
  }
  const body = h("tbody");
  array.values.forEach((row, i) => {
    const cells = row.map((value) => h("td", { title: exact(value) }, short(value)));
    body.append(h("tr", {}, rows ? h("th", { scope: "row" }, rows[i] ?? "") : null, ...cells));
  });
  table.append(body);
  const size = array.shape.join(" × ");
  return h(
    "figure",
    { class: "array" },
    h("figcaption", {}, formula(array.name), ` ${size}${array.folded ? ", the first rows and columns" : ""}`),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `numbers, ${size}` }, table),
  );
}
