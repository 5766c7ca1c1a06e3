/** One row: its values, its target, and the network's prediction. */

import type { Page, Panel } from "../panel";
import type { Json, PointAnswer } from "../protocol/messages";
import { announcement, button, h, hasRows, labelled, messageOf, replace } from "./dom";
import { exact, percent, short } from "./numbers";

export const point: Panel = { id: "point", title: "Point", open, fits: (page) => hasRows(page) };

function open(root: HTMLElement, page: Page): () => void {
  let index = page.selection?.kind === "point" ? page.selection.index : null;
  let asked = 0;
  let seen = page.selection;
  const failure = announcement("alert");
  const said = announcement("status");
  const answerBox = h("div", { class: "point" });
  const number = h("input", { type: "number", min: 0, step: 1, onchange: () => choose(Number(number.value)) });
  root.append(
    h("p", { class: "help" }, "Click a point of the map or choose a row to see its prediction."),
    h("div", { class: "actions" }, labelled("Row", number), button("Next row", () => neighbour(1)), button("Previous row", () => neighbour(-1))),
    failure,
    said,
    answerBox,
  );

  function choose(row: number): void {
    page.select({ kind: "point", index: row });
  }

  /** Rows in the order of their numbers; only some of a large table are points of the map. */
  function neighbour(by: number): void {
    const rows = [...(page.description?.points.index ?? [])].sort((a, b) => a - b);
    const next = by > 0 ? rows.find((row) => row > (index ?? -1)) : rows.findLast((row) => row < (index ?? Infinity));
    if (next !== undefined) {
      choose(next);
    }
  }

  async function load(): Promise<void> {
    asked += 1;
    const mine = asked;
    replace(failure);
    if (index === null) {
      replace(answerBox);
      return;
    }
    number.value = String(index);
    try {
      const answer = await page.request<PointAnswer>("point", { index });
      if (mine === asked) {
        replace(said, `Row ${index}: target ${brief(answer.target)}, prediction ${brief(answer.prediction)}.`);
        replace(answerBox, ...shown(answer, page));
      }
    } catch (reason) {
      if (mine === asked) {
        replace(failure, messageOf(reason));
      }
    }
  }

  const off = [
    page.on("select", () => {
      // Highlights are told as selections, too.
      if (page.selection !== seen) {
        seen = page.selection;
        index = seen?.kind === "point" ? seen.index : index;
        void load();
      }
    }),
    page.on("description", () => void load()),
    page.on("status", () => page.status && !page.status.running && void load()),
  ];
  void load();
  return () => {
    for (const end of off) {
      end();
    }
  };
}

function shown(answer: PointAnswer, page: Page): Node[] {
  const rows = Object.entries(answer.row).map(([column, value]) =>
    h("tr", {}, h("th", { scope: "row" }, column), h("td", { title: text(value) }, brief(value))),
  );
  const right = answer.target === answer.prediction;
  const classes = page.description?.task === "classification";
  return [
    h(
      "dl",
      { class: "facts" },
      h("dt", {}, "target"),
      h("dd", { title: text(answer.target) }, brief(answer.target)),
      h("dt", {}, "prediction"),
      h("dd", { title: text(answer.prediction), class: classes ? (right ? "right" : "wrong") : "" }, brief(answer.prediction), classes ? (right ? " (correct)" : " (wrong)") : null),
    ),
    ...probabilities(answer, page),
    h("div", { class: "actions" }, button("Show the prediction step by step", () => page.show("equations"), { class: "primary" })),
    h("h3", {}, "Values of the row"),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "values of the row" }, h("table", { class: "plain" }, h("tbody", {}, ...rows))),
  ];
}

function probabilities(answer: PointAnswer, page: Page): Node[] {
  const given = answer.probabilities;
  if (!given) {
    return [];
  }
  const names = page.description?.classes ?? [];
  const pairs: [string, number][] = Array.isArray(given)
    ? given.map((share, i) => [names[i] ?? String(i), share])
    : Object.entries(given);
  const rows = pairs.map(([name, share]) => {
    const bar = h("meter", { min: 0, max: 1, value: share, "aria-label": `probability of ${name}` });
    return h("tr", {}, h("th", { scope: "row" }, name), h("td", { title: exact(share) }, percent(share)), h("td", {}, bar));
  });
  return [h("h3", {}, "Probabilities"), h("table", { class: "plain" }, h("tbody", {}, ...rows))];
}

function text(value: Json): string {
  return typeof value === "number" ? exact(value) : value === null ? "missing" : String(value);
}

function brief(value: Json): string {
  return typeof value === "number" ? short(value) : text(value);
}
