/** Twelve lessons: each sets up a training, tells something about it and asks a question. */

import type { Page, Panel } from "../panel";
import type { State } from "../protocol/messages";
import { announcement, append, button, h, labelled, messageOf, newId, replace } from "./dom";
import { type Progress, readProgress, writeProgress } from "./progress";
import { prose } from "./prose";

interface Listed {
  number: number;
  title: string;
  summary: string;
}

interface Lesson {
  number: number;
  count: number;
  title: string;
  text: string;
  state: State;
  task: string;
  hints: string[];
  question: { kind: "choice" | "number" | "session"; text: string; choices: string[] | null; unit: string | null };
}

interface Answered {
  correct: boolean;
  explanation: string;
  hint: string | null;
}

export const lessons: Panel = { id: "lessons", title: "Lessons", open, fits: (page) => page.readOnlyReason === null };

function open(root: HTMLElement, page: Page): () => void {
  const failure = announcement("alert");
  const body = h("div", { class: "lessons" });
  const progress = readProgress();
  let closed = false;
  root.append(failure, body);

  async function list(): Promise<void> {
    replace(failure);
    remember(null);
    try {
      const answer = await page.request<Listed[]>("lessons");
      if (!closed) {
        replace(body, contents(answer, progress, (number) => void begin(number)));
      }
    } catch (reason) {
      replace(failure, messageOf(reason));
    }
  }

  /** Show a lesson; `fresh` sets up its training, which a reload must not do again. */
  async function begin(number: number, fresh = true): Promise<void> {
    replace(failure);
    try {
      const lesson = await page.request<Lesson>("lesson", { number });
      if (closed) {
        return;
      }
      remember(number);
      const ready = fresh ? setUp(lesson) : Promise.resolve();
      replace(body, view(lesson));
      if (fresh) {
        body.querySelector<HTMLElement>("h3")?.focus();
      }
      await ready;
    } catch (reason) {
      replace(failure, messageOf(reason));
    }
  }

  async function setUp(lesson: Lesson): Promise<void> {
    if (page.readOnlyReason) {
      return;
    }
    body.setAttribute("aria-busy", "true");
    try {
      await page.configure(lesson.state);
    } finally {
      body.removeAttribute("aria-busy");
    }
  }

  function remember(number: number | null): void {
    progress.open = number;
    writeProgress(progress);
  }

  function view(lesson: Lesson): HTMLElement {
    const solved = (): void => {
      progress.solved = [...new Set([...progress.solved, lesson.number])].sort((a, b) => a - b);
      writeProgress(progress);
      next.classList.add("primary");
    };
    const again = (): void => void setUp(lesson).catch((reason: unknown) => replace(failure, messageOf(reason)));
    const next = button("Next lesson", () => void begin(lesson.number + 1), { disabled: lesson.number >= lesson.count });
    return h(
      "article",
      { class: "lesson" },
      h("p", { class: "note" }, `Lesson ${lesson.number} of ${lesson.count}`),
      h("h3", { tabindex: -1 }, lesson.title),
      prose(lesson.text),
      h("section", { class: "task", "aria-label": "Task" }, h("h4", {}, "Try it"), prose(lesson.task), button("Set up the lesson's network again", again, { disabled: page.readOnlyReason !== null })),
      question(lesson, page, solved),
      h(
        "div",
        { class: "actions" },
        button("Previous lesson", () => void begin(lesson.number - 1), { disabled: lesson.number <= 1 }),
        button("All lessons", () => void list()),
        next,
      ),
    );
  }

  if (progress.open === null) {
    void list();
  } else {
    void begin(progress.open, false);
  }
  return () => {
    closed = true;
  };
}

function contents(listed: Listed[], progress: Progress, begin: (number: number) => void): HTMLElement {
  const entries = listed.map((lesson) => {
    const done = progress.solved.includes(lesson.number);
    return h(
      "li",
      { class: done ? "solved" : "" },
      h("button", { type: "button", class: "link", onclick: () => begin(lesson.number) }, lesson.title),
      done ? h("span", { class: "tick" }, " ✓ solved") : null,
      h("p", { class: "help" }, lesson.summary),
    );
  });
  return h(
    "div",
    {},
    h("p", {}, `${progress.solved.length} of ${listed.length} solved. A lesson replaces the current network by its own.`),
    h("ol", { class: "contents" }, ...entries),
  );
}

function question(lesson: Lesson, page: Page, solved: () => void): HTMLElement {
  const { question: asked } = lesson;
  const verdict = h("div", { class: "verdict", "aria-live": "polite" });
  const failure = announcement("alert");
  const fields = h("div", { class: "answer" });
  const hints = h("div", { class: "hints", "aria-live": "polite" });
  let shown = 0;
  const hint = button("Show a hint", () => {
    const text = lesson.hints[shown];
    if (text !== undefined) {
      shown += 1;
      append(hints, prose(text));
    }
    hint.disabled = shown >= lesson.hints.length;
  });
  hint.disabled = lesson.hints.length === 0;
  const name = newId("answer");
  const number = h("input", { type: "text", inputmode: "decimal", autocomplete: "off", size: 12 });
  if (asked.kind === "choice") {
    fields.append(
      h(
        "fieldset",
        {},
        h("legend", { class: "visually-hidden" }, "Answers"),
        ...(asked.choices ?? []).map((choice, i) => {
          const box = h("input", { type: "radio", name, value: i, id: newId("choice") });
          const label = h("label", { for: box.id }, ...prose(choice).childNodes[0]!.childNodes);
          return h("div", { class: "option" }, box, label);
        }),
      ),
    );
  } else if (asked.kind === "number") {
    fields.append(labelled(`Your answer${asked.unit ? ` (${asked.unit})` : ""}`, number));
  }

  /** Undefined if nothing is answered yet. */
  function given(): number | null | undefined {
    if (asked.kind === "session") {
      return null;
    }
    if (asked.kind === "choice") {
      const box = fields.querySelector<HTMLInputElement>("input:checked");
      return box ? Number(box.value) : undefined;
    }
    const text = number.value.trim().replace("−", "-").replace(/^(-?\d*),(\d+)$/, "$1.$2");
    return text === "" || Number.isNaN(Number(text)) ? undefined : Number(text);
  }

  async function check(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    replace(failure);
    replace(verdict);
    const answer = given();
    if (answer === undefined) {
      replace(failure, asked.kind === "choice" ? "Choose one of the answers." : "Type a number.");
      return;
    }
    try {
      const { correct, explanation, hint: next } = await page.request<Answered>("answer", { number: lesson.number, answer });
      verdict.className = `verdict ${correct ? "agree" : "differ"}`;
      replace(verdict, h("p", {}, h("strong", {}, correct ? "Correct." : "Not correct yet.")), prose(explanation), !correct && next ? prose(next) : null);
      if (correct) {
        solved();
      }
    } catch (reason) {
      replace(failure, messageOf(reason));
    }
  }

  return h(
    "form",
    { class: "question", novalidate: true, "aria-label": "Question", onsubmit: (event: SubmitEvent) => void check(event) },
    h("h4", {}, "Question"),
    prose(asked.text),
    fields,
    h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, asked.kind === "session" ? "Check my network" : "Check my answer"), hint),
    failure,
    verdict,
    hints,
  );
}
