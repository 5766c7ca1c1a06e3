import "./style.css";
import { panels } from "./panels";
const rnd = (i: number) => Math.sin(i * 12.9898) * 43758.5453 % 1;
const mat = (n: number, m: number) => Array.from({ length: n }, (_, i) => Array.from({ length: m }, (_, j) => rnd(i * m + j + 1)));
const H = (s: number) => ({ low: -1.2345678901234567 * s, high: 1.1 * s, counts: Array.from({ length: 20 }, (_, i) => Math.round(30 * Math.exp(-((i - 9) ** 2) / 20))) });
const steps = [
  { phase: "forward", layer: 1, id: "F1", title: "weighted sums of layer 1", name: "z^{[1]}_{1}", about: { kind: "layer", layer: 1 }, equation: "Z^{[1]} = W^{[1]} \\cdot A^{[0]} + b^{[1]}", numbers: "z_1 = 0.1234 \\cdot 0.5 + (-0.4321) \\cdot 1.25 + 0.0815 + 0.1234 \\cdot 0.5 + (-0.4321) \\cdot 1.25 + 0.0815 = -0.3969", result: -0.39689123456789, text: "Each unit of layer 1 adds up its inputs, weighted, and its bias.", arrays: [{ name: "W^{[1]}", shape: [4, 2], values: mat(4, 2), rows: null, columns: ["x1", "x2"], folded: false }, { name: "Z^{[1]}", shape: [4, 10], values: mat(4, 10), rows: ["unit 1", "unit 2", "unit 3", "unit 4"], columns: null, folded: true }] },
  { phase: "backward", layer: 1, id: "BP2", title: "errors of layer 1", name: "\\delta", about: null, equation: "\\delta^{[1]} = \\left(W^{[2]\\mathsf{T}} \\delta^{[2]}\\right) \\odot \\sigma'(Z^{[1]})", numbers: null, result: null, text: "…", arrays: [] },
  { phase: "update", layer: 1, id: "O1", title: "update", name: "W", about: null, equation: "W := W - \\alpha V", numbers: null, result: null, text: "…", arrays: [] },
];
const answers: Record<string, unknown> = {
  inspect: { example: null, rows: 10, batch: "next", epoch: 12, step: 301, loss: 0.4321, steps },
  gradient_check: { backpropagation: 0.0123456789012, difference: 0.0123456789, h: 1e-5, loss_plus: 1, loss_minus: 1, relative: 1e-9, bound: 1e-7, agree: true, equation: "\\frac{\\partial C}{\\partial w} \\approx \\frac{C(w+h) - C(w-h)}{2h}", numbers: "\\frac{0.43 - 0.42}{2 \\cdot 10^{-5}} = 0.0123", text: "Both agree to within rounding." },
  surface: { directions: "path", seed: 0, rows: 250, alpha: Array.from({ length: 21 }, (_, i) => i / 10 - 1), beta: Array.from({ length: 21 }, (_, i) => i / 10 - 1), loss: Array.from({ length: 21 }, (_, j) => Array.from({ length: 21 }, (_, i) => 0.3 + 4 * (i / 10 - 1) ** 2 + ((j / 10 - 1) + 0.5 * (i / 10 - 1) ** 2) ** 2)), loss_here: 0.3, path: [[-0.9, 0.8], [-0.7, 0.3], [-0.3, 0.1], [-0.1, 0.02], [0, 0]], epochs: [0, 1, 2, 3, 4], share: 0.93, complete: true, text: "The plane of the path: 93 % of its variance lies in it." },
  measures: { task: "classification", part: "test", rows: 250, scores: [{ key: "accuracy", name: "accuracy", value: 0.9523809523, greater_is_better: true }, { key: "log_loss", name: "log loss", value: 0.123, greater_is_better: false }], confusion: { classes: ["blue", "orange", "green"], counts: [[80, 3, 1], [2, 78, 0], [4, 0, 82]] }, roc: ["blue", "orange", "green"].map((c, k) => ({ class: c, area: 0.97 - k / 20, false_positive_rate: [0, 0.02, 0.1, 0.3, 1], true_positive_rate: [0, 0.7 - k / 10, 0.95 - k / 10, 0.99, 1] })), values: { true: mat(1, 300)[0], predicted: mat(1, 300)[0]!.map((v, i) => v + rnd(i + 999) / 5), quantiles: { probability: [0, 0.25, 0.5, 0.75, 1], residual: [-0.3, -0.1, 0.01, 0.12, 0.4] } }, layers: [1, 2].map((l) => ({ layer: l, name: `layer ${l}`, weights: H(1), biases: H(0.1), activations: H(2), gradients: H(1e-3), gradient_norm: 0.0123, error_rms: 0.001 })), diagnostics: [{ kind: "dead", layer: 1, message: "2 of 4 units of layer 1 output 0 for every row: their gradients are 0, so they no longer learn." }] },
  history: { epochs: Array.from({ length: 100 }, (_, i) => i), train: [], test: [], metrics: {}, gradient_norm: { "layer 1": Array.from({ length: 100 }, (_, i) => Math.exp(-i / 20)), "layer 2": Array.from({ length: 100 }, (_, i) => 2 * Math.exp(-i / 30)) } },
  code: { python: "import chainrule as cr\n\nrun = cr.train('data.csv', target='class', layers=(4, 2), activation='tanh')\n", command: "chainrule train data.csv --target class --layers 4,2", toml: "[training]\nlayers = [4, 2]\n", exact: true, command_exact: true, why: null },
  point: { row: { x1: 1.2345678901234, x2: -0.5 }, target: "blue", prediction: "blue", probabilities: { blue: 0.93, orange: 0.07 } },
  tables: [{ table: "a", name: "adult.csv", rows: 48842 }],
  table: { table: "a", name: "adult.csv", rows: 48842, suggested_target: "income", columns: ["age", "workclass", "education", "hours", "income"].map((name, i) => ({ name, kind: i % 2 ? "categorical" : "numeric", missing: i === 1 ? 2799 : 0 })) },
  lessons: Array.from({ length: 12 }, (_, i) => ({ number: i + 1, title: `Lesson about ${["one weighted sum", "XOR", "vanishing gradients"][i % 3]}`, summary: "What one unit computes, and what it cannot." })),
  lesson: { number: 2, count: 12, title: "XOR needs a hidden layer", text: "A unit computes $z = w \\cdot a + b$, **one** weighted sum, and *one* line:\n\n$$z = w_1 x_1 + w_2 x_2 + b$$\n\n- first `code`\n- second\n\n<script>alert(1)</script>", state: {}, task: "Press **Run** and watch the loss.", hints: ["Look at the map."], question: { kind: "choice", text: "How many units are needed at least?", choices: ["one", "two, as $2^1$", "three"], unit: null } },
  answer: { correct: true, explanation: "Two lines cut out the band.", hint: null },
};
const sets = [
  { name: "layers", about: "Units of the hidden layers (128,64), or none.", kind: "wholes", default: [4, 2], section: "Network", limits: "whole numbers ≥ 1" },
  { name: "activation", about: "Activation of the hidden layers.", kind: "text", choices: ["relu", "tanh"], default: "tanh", section: "Network" },
  { name: "optimizer", about: "How weights follow gradients.", kind: "text", choices: ["sgd", "adam"], default: "sgd", section: "Descent" },
  { name: "momentum", about: "Share of the step before.", kind: "number", default: 0.9, section: "Descent", limits: "a number from 0 to 1", needs: { setting: "optimizer", values: ["sgd"] } },
  { name: "batch_norm", about: "Normalise.", kind: "flag", default: false, section: "Network" },
];
const page: any = {
  hello: { catalog: { settings: sets }, tables: [], read_only: false },
  state: { data: { kind: "toy", name: "circle" }, inputs: null, settings: { layers: [4, 2] } },
  description: { task: "classification", classes: ["blue", "orange"], inputs: [{ name: "x1", column: "x1" }, { name: "x2", column: "x2" }], points: { index: [3, 5, 9] } },
  status: { running: false, epoch: 12, step: 300, travel: null }, frame: null, sessionId: "0", readOnlyReason: null, selection: { kind: "weight", layer: 1, row: 0, column: 1 },
  request: async (type: string) => structuredClone(answers[type]),
  configure: async (s: any) => { if (s.settings.momentum > 1) throw new Error("momentum must be a number from 0 to 1, got 2."); page.state = s; return s; }, on: () => () => {}, select: (s: any) => { page.selection = s; }, highlight() {}, show: (id: string) => open(id), say() {}, url: (p: string) => p,
};
let close = () => {};
function open(id: string) { close(); const root = document.getElementById("p")!; root.replaceChildren(); root.setAttribute("aria-labelledby", `t-${id}`); for (const b of document.querySelectorAll("[role=tab]")) b.setAttribute("aria-selected", String(b.id === `t-${id}`)); close = panels.find((p) => p.id === id)!.open(root, page); }
for (const p of panels) { const b = document.createElement("button"); b.textContent = p.title; b.id = `t-${p.id}`; b.setAttribute("role", "tab"); b.onclick = () => open(p.id); document.getElementById("tabs")!.append(b); }
(window as any).page = page;
page.selection = location.hash === "#point" ? { kind: "point", index: 3 } : page.selection;
open(location.hash.slice(1) || "equations");
