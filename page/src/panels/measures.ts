/** How good the network is, and what happens inside it, while it learns. */

import type { Page, Panel } from "../panel";
import type { History } from "../protocol/messages";
import { announcement, h, messageOf, replace } from "./dom";
import { exact, percent, short } from "./numbers";
import { Chart, extent, legend } from "./plot";

interface Histogram {
  low: number;
  high: number;
  counts: number[];
}

interface LayerMeasures {
  layer: number;
  name: string;
  weights: Histogram | null;
  biases: Histogram | null;
  activations: Histogram | null;
  gradients: Histogram | null;
  gradient_norm: number | null;
  error_rms: number | null;
}

export interface Measures {
  task: "classification" | "regression";
  part: "train" | "test";
  rows: number;
  scores: { key: string; name: string; value: number | null; greater_is_better: boolean }[];
  confusion: { classes: string[]; counts: number[][] } | null;
  roc: { class: string; area: number | null; false_positive_rate: number[]; true_positive_rate: number[] }[] | null;
  values: {
    true: number[];
    predicted: number[];
    quantiles: { probability: number[]; residual: number[] };
  } | null;
  layers: LayerMeasures[];
  diagnostics: { kind: string; layer: number | null; message: string }[];
}

/** The server is asked at most this often while the training goes on. */
const PERIOD = 500;

export const measures: Panel = { id: "measures", title: "Measures", open };

function open(root: HTMLElement, page: Page): () => void {
  const failure = announcement("alert");
  const body = h("div", { class: "measures" });
  root.append(failure, body);
  let asking = false;
  let outdated = true;
  let closed = false;

  async function ask(): Promise<void> {
    asking = true;
    outdated = false;
    try {
      const [answer, history] = await Promise.all([
        page.request<Measures>("measures"),
        page.request<History>("history"),
      ]);
      if (!closed) {
        replace(failure);
        keepingFocus(body, () => replace(body, ...sections(answer, history)));
      }
    } catch (reason) {
      replace(failure, messageOf(reason));
    }
    asking = false;
  }

  const timer = window.setInterval(() => {
    if (outdated && !asking && document.visibilityState === "visible") {
      void ask();
    }
  }, PERIOD);
  const off = (["frame", "description", "status"] as const).map((event) => page.on(event, () => (outdated = true)));
  void ask();
  return () => {
    closed = true;
    window.clearInterval(timer);
    for (const end of off) {
      end();
    }
  };
}

/** The parts are built anew; a reader of the one that had the focus stays at its place. */
function keepingFocus(body: HTMLElement, change: () => void): void {
  const open = new Set([...body.querySelectorAll("details[open]")].map((part) => part.id));
  const key = (document.activeElement as HTMLElement | null)?.dataset["key"];
  change();
  for (const part of body.querySelectorAll<HTMLDetailsElement>("details")) {
    part.open ||= open.has(part.id);
  }
  if (key) {
    body.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  }
}

function sections(answer: Measures, history: History): Node[] {
  if (answer.rows === 0) {
    return [h("p", { class: "note" }, "The model is shown without its table: there are no rows to measure it on."), ...answer.layers.map(layer)];
  }
  return [
    h("p", { class: "note" }, `Measured on ${answer.rows} ${answer.part === "test" ? "test rows, which the network is not trained on" : "training rows"}.`),
    scores(answer),
    diagnostics(answer),
    ...(answer.confusion ? [confusion(answer.confusion)] : []),
    ...(answer.roc?.length ? [roc(answer.roc)] : []),
    ...(answer.values ? [predicted(answer.values), quantiles(answer.values.quantiles)] : []),
    ...norms(history),
    ...answer.layers.map(layer),
  ];
}

function section(title: string, key: string, ...children: (Node | null)[]): HTMLElement {
  return h("section", { class: `measure ${key}` }, h("h3", {}, title), ...children);
}

function scores(answer: Measures): HTMLElement {
  const rows = answer.scores.map((score) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, score.name),
      h("td", { title: exact(score.value), "data-score": score.key }, short(score.value)),
      h("td", { class: "muted" }, score.greater_is_better ? "higher is better" : "lower is better"),
    ),
  );
  return section("Scores", "scores", h("table", { class: "plain" }, h("tbody", {}, ...rows)));
}

function diagnostics(answer: Measures): HTMLElement {
  const found = answer.diagnostics.map((each) => h("li", {}, each.message));
  return section(
    "Diagnostics",
    "diagnostics",
    found.length ? h("ul", {}, ...found) : h("p", {}, "The checks found no problem."),
  );
}

function confusion({ classes, counts }: NonNullable<Measures["confusion"]>): HTMLElement {
  const body = counts.map((row, i) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, j) => {
      const share = total ? count / total : 0;
      const text = `${count} of ${total} rows of class ${classes[i]} were predicted as ${classes[j]} (${percent(share)})`;
      const cell = h("td", { title: text, class: i === j ? "right" : "wrong" }, String(count));
      cell.style.setProperty("--share", share.toFixed(3));
      return cell;
    });
    return h("tr", {}, h("th", { scope: "row" }, classes[i] ?? ""), ...cells);
  });
  const head = h("tr", {}, h("th", {}, "true ↓ predicted →"), ...classes.map((name) => h("th", { scope: "col" }, name)));
  const table = h("table", { class: "confusion" }, h("thead", {}, head), h("tbody", {}, ...body));
  const box = { class: "scroll", tabindex: 0, role: "region", "aria-label": "confusion matrix", "data-key": "confusion" };
  return section("Confusion matrix", "confusion-matrix", h("div", box, table));
}

function roc(curves: NonNullable<Measures["roc"]>): HTMLElement {
  const summary = curves.map((curve) => `${curve.class}: AUC ${short(curve.area)}`).join(", ");
  const chart = new Chart(
    "ROC curve: true positive rate against false positive rate for all thresholds",
    summary,
    { label: "false positive rate", lo: 0, hi: 1 },
    { label: "true positive rate", lo: 0, hi: 1 },
  );
  curves.slice(0, 8).forEach((curve, i) => {
    const points = curve.false_positive_rate.map((x, k) => [x, curve.true_positive_rate[k] ?? Number.NaN] as const);
    chart.line(points, i, curve.class);
  });
  const names = curves.slice(0, 8).map((curve) => `${curve.class} (AUC ${short(curve.area)})`);
  const more = curves.length > names.length ? h("p", { class: "note" }, `The first ${names.length} classes are drawn.`) : null;
  return section("ROC", "roc", chart.element, legend(names), more);
}

function predicted(values: NonNullable<Measures["values"]>): HTMLElement {
  const [lo, hi] = extent([...values.true, ...values.predicted]);
  const chart = new Chart(
    "Predicted against true values",
    `${values.true.length} rows; on the dashed line, both are equal`,
    { label: "true", lo, hi },
    { label: "predicted", lo, hi },
  );
  chart.line([[lo, lo], [hi, hi]], 7, "", true).dots(values.true, values.predicted);
  return section("Predicted and true", "predicted", chart.element);
}

function quantiles({ probability, residual }: NonNullable<Measures["values"]>["quantiles"]): HTMLElement {
  const [lo, hi] = extent(residual);
  const chart = new Chart(
    "Quantiles of the errors (predicted − true)",
    "at a share of 0.5, the curve shows the median error",
    { label: "share of the rows", lo: 0, hi: 1 },
    { label: "error", lo, hi },
  );
  chart.line(probability.map((p, i) => [p, residual[i] ?? Number.NaN]));
  return section("Errors", "errors", chart.element);
}

function norms(history: History): HTMLElement[] {
  const names = Object.keys(history.gradient_norm);
  const all = names.flatMap((name) => history.gradient_norm[name] ?? []).filter((v): v is number => v !== null && v > 0);
  if (!all.length) {
    return [];
  }
  const [lo, hi] = extent(all);
  const [first, last] = extent(history.epochs);
  const chart = new Chart(
    "Gradient norm of each layer over the epochs",
    names.map((name) => `${name}: ${short(history.gradient_norm[name]?.at(-1))}`).join(", "),
    { label: "epoch", lo: Math.max(first, 0), hi: last },
    { label: "gradient norm", lo: Math.max(lo, hi * 1e-8), hi, log: true },
  );
  names.forEach((name, i) => {
    const points = (history.gradient_norm[name] ?? []).map((y, k) => [history.epochs[k] ?? k, y ?? Number.NaN] as const);
    chart.line(points, i, name);
  });
  return [section("Gradient norms", "norms", chart.element, legend(names))];
}

function layer(measured: LayerMeasures): HTMLElement {
  const kinds = ["weights", "biases", "activations", "gradients"] as const;
  const charts = kinds.flatMap((kind) => {
    const found = measured[kind];
    return found ? [histogram(kind, found)] : [];
  });
  const facts = [
    measured.gradient_norm === null ? null : `gradient norm ${short(measured.gradient_norm)}`,
    measured.error_rms === null ? null : `root mean square of δ ${short(measured.error_rms)}`,
  ].filter(Boolean);
  return h(
    "details",
    { id: `measures-layer-${measured.layer}`, open: measured.layer === 1 },
    h("summary", { "data-key": `layer-${measured.layer}` }, `Layer ${measured.layer}, ${measured.name}${facts.length ? `: ${facts.join(", ")}` : ""}`),
    h("div", { class: "charts" }, ...charts),
  );
}

function histogram(kind: string, found: Histogram): HTMLElement {
  const bins = found.counts.length;
  const edges = Array.from({ length: bins + 1 }, (_, i) => found.low + ((found.high - found.low) * i) / bins);
  const chart = new Chart(
    kind[0]!.toUpperCase() + kind.slice(1),
    `${found.counts.reduce((sum, count) => sum + count, 0)} values from ${short(found.low)} to ${short(found.high)}`,
    { label: "value", lo: found.low, hi: found.high },
    { label: "count", lo: 0, hi: Math.max(...found.counts, 1) },
  );
  return chart.bars(edges, found.counts).element;
}
