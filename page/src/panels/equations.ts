/** The equations of one training step, one at a time, with their numbers. */

import type { Page, Panel, Selection } from "../panel";
import { announcement, button, hasRows, newId, h, labelled, messageOf, replace, select } from "./dom";
import { gradientCheck } from "./gradient_check";
import { type ArrayShown, matrix } from "./matrices";
import { exact, short } from "./numbers";
import { surfaceView } from "./surface";
import { calculation, formula } from "./typesetting";

interface Step {
  phase: "forward" | "cost" | "backward" | "gradients" | "update";
  layer: number | null;
  id: string;
  title: string;
  name: string;
  about: Selection | null;
  /** The unit or weight whose numbers are shown. */
  of?: Selection | null;
  equation: string;
  numbers: string | null;
  result: number | null;
  text: string;
  arrays: ArrayShown[];
}

interface Inspection {
  example: number | null;
  rows: number;
  batch: "example" | "next" | "first";
  epoch: number;
  step: number;
  loss: number | null;
  notes?: string[];
  steps: Step[];
}

const PHASES = ["forward", "cost", "backward", "gradients", "update"] as const;

export const equations: Panel = { id: "equations", title: "Equations", open, fits: (page) => hasRows(page) };

function open(root: HTMLElement, page: Page): () => void {
  let shown: Inspection | null = null;
  let at = 0;
  let asked = 0;
  let seen = page.selection;
  let run = page.description?.run;
  let example: number | null = page.selection?.kind === "point" ? page.selection.index : null;
  let subject: Selection | null = subjectOf(page.selection);

  const about = h("p", { class: "subject" });
  const notes = h("div");
  const failure = announcement("alert");
  const progress = h("p", { class: "note", "aria-live": "polite" });
  const stage = h("div", { class: "equation" });
  const phases = h("ol", { class: "phases", "aria-label": "phases of the step" });
  const back = button("◂ Back", () => move(-1), { "aria-keyshortcuts": "ArrowLeft" });
  const next = button("Next ▸", () => move(1), { "aria-keyshortcuts": "ArrowRight", class: "primary" });
  const list = h("select", { onchange: () => go(Number(list.value)) });
  const stepper = h(
    "div",
    { class: "one-by-one", role: "group", "aria-label": "one equation at a time" },
    h("div", { class: "actions" }, back, next, labelled("Equation", list)),
    phases,
    progress,
    stage,
  );
  const checked = h("div");
  const extras = h("div", { class: "extras" }, checked, closing(surfaceView(page)));
  let checkedFor = "";

  const source = h("div", { class: "source" });
  root.append(
    h(
      "p",
      { class: "help" },
      "Click a unit or a connection of the network to see its equations, or step through all of them. ",
      "The arrow keys move forward and back.",
    ),
    source,
    about,
    notes,
    failure,
    stepper,
    extras,
  );

  function buildSource(): void {
    const number = h("input", {
      type: "number",
      min: 0,
      step: 1,
      value: example === null ? "" : String(example),
      placeholder: "row",
      onchange: () => {
        example = number.value === "" ? null : Number(number.value);
        void load();
      },
    });
    const which = select(
      [
        ["batch", "the next batch"],
        ["row", "one row"],
      ],
      example === null ? "batch" : "row",
      (value) => {
        example = value === "batch" ? null : (firstRow(page) ?? 0);
        buildSource();
        source.querySelector<HTMLElement>("select")?.focus();
        void load();
      },
    );
    replace(
      source,
      labelled("Numbers for", which),
      example === null ? null : labelled("Row", number),
      partOfUnit(subject, page, (part) => {
        choose(part);
        source.querySelector<HTMLElement>(".part select")?.focus();
      }),
      subject ? button("All equations of the step", () => choose(null)) : null,
      button("Update the numbers", () => void load()),
    );
  }

  function choose(selection: Selection | null): void {
    subject = subjectOf(selection);
    at = 0;
    buildSource();
    void load();
  }

  async function load(): Promise<void> {
    asked += 1;
    const mine = asked;
    replace(failure);
    try {
      const answer = await page.request<Inspection>("inspect", { example, subject });
      if (mine !== asked) {
        return;
      }
      shown = answer;
      at = Math.min(at, Math.max(answer.steps.length - 1, 0));
      describe(answer);
      list.replaceChildren(...answer.steps.map((step, i) => h("option", { value: i }, `${i + 1}. ${step.title}`)));
      draw();
    } catch (reason) {
      if (mine === asked) {
        replace(failure, messageOf(reason));
      }
    }
    extra();
  }

  function describe(answer: Inspection): void {
    const of =
      answer.example !== null
        ? `row ${answer.example}`
        : `${answer.batch === "next" ? "the next" : "the first"} batch, ${answer.rows} rows`;
    const loss = answer.loss === null ? null : h("span", { title: exact(answer.loss) }, `, loss ${short(answer.loss)}`);
    replace(notes, ...(answer.notes ?? []).map((note) => h("p", { class: "note" }, note)));
    replace(about, `${subjectText(subject, page)} Step ${answer.step}, epoch ${answer.epoch}: ${of}`, loss, ".");
  }

  function move(by: number): void {
    go(at + by);
  }

  function go(to: number): void {
    if (shown && to >= 0 && to < shown.steps.length) {
      at = to;
      draw();
    }
  }

  function keys(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const outside = target !== document.body && !root.contains(target);
    if (outside || event.altKey || event.ctrlKey || event.metaKey || usesArrows(target)) {
      return;
    }
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      move(by);
    } else if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      go(event.key === "Home" ? 0 : (shown?.steps.length ?? 1) - 1);
    }
  }

  function draw(): void {
    const step = shown?.steps[at];
    // Not `disabled`, which would take the focus, and the arrow keys with it.
    back.setAttribute("aria-disabled", String(at === 0));
    next.setAttribute("aria-disabled", String(!shown || at >= shown.steps.length - 1));
    if (!shown || !step) {
      replace(progress, "There is no equation to show.");
      replace(stage);
      page.highlight([]);
      return;
    }
    list.value = String(at);
    replace(progress, `Equation ${at + 1} of ${shown.steps.length}, ${step.phase}: ${step.title}`);
    replace(
      phases,
      ...PHASES.map((phase) => {
        const first = shown?.steps.findIndex((other) => other.phase === phase) ?? -1;
        const current = phase === step.phase;
        const attributes = { disabled: first < 0, "aria-current": current ? "step" : null };
        return h("li", {}, button(phase, () => go(first), attributes));
      }),
    );
    replace(
      stage,
      h("h3", {}, step.id ? h("span", { class: "equation-id" }, step.id) : null, ` ${step.title}`),
      h("p", {}, step.text),
      formula(step.equation, true),
      step.numbers ? calculation(step.numbers) : null,
      step.result === null
        ? null
        : h("p", { class: "result" }, "All digits: ", h("output", {}, exact(step.result))),
      ...step.arrays.map(matrix),
    );
    page.highlight([step.about, step.of].filter((part) => part !== null && part !== undefined));
  }

  /** A check stays as long as it is about the numbers that are shown. */
  function extra(): void {
    const key = JSON.stringify([subject, example, shown?.epoch, shown?.step]);
    if (key !== checkedFor) {
      checkedFor = key;
      const single = subject?.kind === "weight" || subject?.kind === "bias" ? subject : null;
      replace(checked, single && gradientCheck(page, single, example));
    }
  }

  buildSource();
  void load();
  document.addEventListener("keydown", keys);
  const off = [
    () => document.removeEventListener("keydown", keys),
    page.on("select", () => {
      // Highlights are told as selections, too.
      if (page.selection === seen) {
        return;
      }
      seen = page.selection;
      const chosen = page.selection;
      if (chosen?.kind === "point") {
        example = chosen.index;
        buildSource();
        void load();
      } else if (chosen) {
        choose(chosen);
      }
    }),
    page.on("description", () => {
      // Another plane of the map is a new description of the same network.
      if (page.description?.run !== run) {
        run = page.description?.run;
        choose(null);
      }
    }),
    page.on("status", pausedAgain(page, () => void load())),
  ];
  return () => {
    for (const end of off) {
      end();
    }
    page.highlight([]);
  };
}

/** A unit, its bias or one of its weights: for keyboards, which cannot click a line. */
function partOfUnit(subject: Selection | null, page: Page, choose: (part: Selection) => void): HTMLElement | null {
  if (!subject || subject.kind === "layer" || subject.kind === "point" || subject.layer === 0) {
    return null;
  }
  const layer = subject.layer;
  const row = subject.kind === "unit" ? subject.unit : subject.row;
  const chosen = subject.kind === "weight" ? String(subject.column) : subject.kind;
  const dense = page.description?.layers.filter((each) => each.kind === "dense") ?? [];
  const inputs = page.description?.inputs.map((input) => input.name) ?? [];
  const below = layer === 1 ? inputs : Array.from({ length: dense[layer - 2]?.units ?? 0 }, (_, i) => `unit ${i + 1}`);
  const options = below.map((name, i) => [String(i), `weight from ${name}`] as const);
  const parts = select([["unit", "the whole unit"], ["bias", "its bias"], ...options], chosen, (value) => {
    const weight = { kind: "weight", layer, row, column: Number(value) } as const;
    choose(value === "unit" ? { kind: "unit", layer, unit: row } : value === "bias" ? { kind: "bias", layer, row } : weight);
  });
  const field = labelled("Part", parts);
  field.classList.add("part");
  return field;
}

/** Calls back when the training has just paused, and after each single step. */
function pausedAgain(page: Page, listener: () => void): () => void {
  const standing = (): string => {
    const status = page.status;
    return status && !status.running ? `${status.epoch} ${status.step} ${status.travel}` : "";
  };
  let before = standing();
  return () => {
    const now = standing();
    if (now && before !== now) {
      listener();
    }
    before = now;
  };
}

/** The loss surface costs thousands of evaluations: it is computed when its part is opened. */
function closing(view: { element: HTMLElement; start: () => void }): HTMLElement {
  const id = newId("surface");
  return h(
    "details",
    {
      id,
      ontoggle: (event: Event) => {
        if ((event.currentTarget as HTMLDetailsElement).open) {
          view.start();
        }
      },
    },
    h("summary", {}, "A slice of the loss surface"),
    view.element,
  );
}

function subjectOf(selection: Selection | null): Selection | null {
  return selection && selection.kind !== "point" ? selection : null;
}

function subjectText(subject: Selection | null, page: Page): string {
  const inputs = page.description?.inputs.map((input) => input.name) ?? [];
  switch (subject?.kind) {
    case "unit":
      return subject.layer === 0
        ? `Equations of the input ${inputs[subject.unit] ?? subject.unit + 1}.`
        : `Equations of unit ${subject.unit + 1} of layer ${subject.layer}.`;
    case "weight":
      return `Equations of the weight W[${subject.row + 1}, ${subject.column + 1}] of layer ${subject.layer}.`;
    case "bias":
      return `Equations of the bias of unit ${subject.row + 1} of layer ${subject.layer}.`;
    case "layer":
      return `Equations of layer ${subject.layer}.`;
    default:
      return "All equations of one step.";
  }
}

function firstRow(page: Page): number | undefined {
  return page.description?.points.index[0];
}

function usesArrows(element: HTMLElement): boolean {
  const types = element.matches("select, input, textarea, canvas, [role='tab'], [role='slider']");
  return types || scrolls(element);
}

function scrolls(element: HTMLElement): boolean {
  return element.scrollWidth > element.clientWidth && element.tabIndex === 0 && element.tagName === "DIV";
}
