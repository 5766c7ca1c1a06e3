/** The gradient of one weight by backpropagation, beside the one by central differences. */

import type { Page, Selection } from "../panel";
import { announcement, button, h, messageOf, replace } from "./dom";
import { exact } from "./numbers";
import { calculation, formula } from "./typesetting";

interface Check {
  backpropagation: number;
  difference: number;
  h: number;
  loss_plus: number;
  loss_minus: number;
  relative: number;
  bound: number;
  /** null: a kink lies between the two points, so the difference says nothing. */
  agree: boolean | null;
  equation: string;
  numbers: string;
  text: string;
}

export function gradientCheck(
  page: Page,
  subject: Extract<Selection, { kind: "weight" | "bias" }>,
  example: number | null,
): HTMLElement {
  const result = h("div", { "aria-live": "polite" });
  const failure = announcement("alert");

  async function check(): Promise<void> {
    replace(failure);
    try {
      const answer = await page.request<Check>("gradient_check", {
        name: subject.kind === "weight" ? "W" : "b",
        layer: subject.layer,
        row: subject.row,
        column: subject.kind === "weight" ? subject.column : 0,
        example,
      });
      replace(result, ...shown(answer));
    } catch (reason) {
      replace(failure, messageOf(reason));
    }
  }

  return h(
    "section",
    { class: "gradient-check", "aria-label": "Gradient check" },
    h("h3", {}, "Gradient check"),
    h(
      "p",
      { class: "help" },
      `Increases and decreases this ${subject.kind} slightly, and compares the change of the loss with the gradient.`,
    ),
    button("Check this gradient", () => void check()),
    failure,
    result,
  );
}

function shown(check: Check): Node[] {
  const verdict = check.agree === null ? "undecided" : check.agree ? "agree" : "differ";
  return [
    h("p", { class: `verdict ${verdict}` }, check.text),
    formula(check.equation, true),
    calculation(check.numbers),
    h(
      "dl",
      { class: "facts" },
      ...facts([
        ["by backpropagation", check.backpropagation],
        ["by central differences", check.difference],
        ["h", check.h],
        ["relative difference", check.relative],
        ["tolerance for rounding", check.bound],
      ]),
    ),
  ];
}

function facts(rows: [string, number][]): Node[] {
  return rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, exact(value))]);
}
