/** A table of one's own: brought here, its target and columns chosen, and learned from. */

import type { Page, Panel } from "../panel";
import type { State, TableSummary } from "../protocol/messages";
import { announcement, button, h, labelled, messageOf, newId, replace, select } from "./dom";
import { count, plural } from "../view/format";
import { bytes } from "./numbers";
import { CancelledError, type TableFacts, type Upload, upload } from "./upload";

export const table: Panel = { id: "table", title: "Your table", open, fits: (page) => page.readOnlyReason === null };

function open(root: HTMLElement, page: Page): () => void {
  const failure = announcement("alert");
  const said = announcement("status");
  const known = h("div", { class: "known" });
  const choices = h("div", { class: "choices" });
  let under: Upload | null = null;

  const input = h("input", { type: "file", accept: ".csv,.tsv,.txt,.parquet,.arrow,.feather,.json,.ndjson", onchange: () => take(input.files) });
  const bar = h("progress", { max: 1, value: 0, "aria-label": "upload" });
  const cancel = button("Cancel", () => under?.cancel());
  const moving = h("div", { class: "actions", hidden: true }, bar, cancel);
  const zone = h(
    "div",
    { class: "dropzone", ondragover: over, ondragleave: () => zone.classList.remove("over"), ondrop: drop },
    labelled("Drop a file here, or choose one", input, "CSV, Parquet, Arrow or JSON lines. The file is sent only to the server of this page."),
  );
  const reason = page.readOnlyReason;
  if (reason) {
    input.disabled = true;
    root.append(h("p", { class: "note" }, reason));
  }
  root.append(zone, moving, failure, said, known, choices);

  function over(event: DragEvent): void {
    event.preventDefault();
    zone.classList.add("over");
  }

  function drop(event: DragEvent): void {
    event.preventDefault();
    zone.classList.remove("over");
    take(event.dataTransfer?.files ?? null);
  }

  function take(files: FileList | null): void {
    const file = files?.[0];
    if (!file || page.readOnlyReason) {
      return;
    }
    under?.cancel();
    replace(failure);
    replace(choices);
    const most = page.hello.upload_limit;
    if (most !== undefined && file.size > most) {
      const remedy = "Give its path to chainrule play instead: chainrule play TABLE --target COLUMN.";
      replace(failure, `${file.name} has ${bytes(file.size)}, and the page accepts at most ${bytes(most)}. ${remedy}`);
      return;
    }
    moving.hidden = false;
    bar.value = 0;
    replace(said, `Sending ${file.name}, ${bytes(file.size)} …`);
    const mine = upload(file, page.url("upload", { name: file.name }), (sent, total) => {
      bar.value = total ? sent / total : 0;
      if (sent === total) {
        replace(said, `Reading ${file.name} …`);
      }
    });
    under = mine;
    mine.done.then(received, failed).finally(() => {
      if (under === mine) {
        under = null;
        moving.hidden = true;
        input.value = "";
      }
    });
  }

  function received(facts: TableFacts): void {
    replace(said, `${facts.name}: ${plural(facts.rows, "row")}, ${plural(facts.columns.length, "column")}.`);
    showChoices(facts);
    void list();
  }

  function failed(reason: unknown): void {
    replace(said, reason instanceof CancelledError ? reason.message : "");
    if (!(reason instanceof CancelledError)) {
      replace(failure, messageOf(reason));
    }
  }

  function showChoices(facts: TableFacts, focus = true): void {
    replace(choices, tableForm(facts, page));
    if (focus) choices.querySelector<HTMLElement>("h3")?.focus();
  }

  async function list(): Promise<void> {
    let tables: TableSummary[];
    try {
      const answer = await page.request<TableSummary[] | { tables: TableSummary[] }>("tables");
      tables = Array.isArray(answer) ? answer : answer.tables;
    } catch {
      tables = page.hello.tables;
    }
    if (tables.length === 0) {
      replace(known);
      return;
    }
    const entries = tables.map((entry) =>
      h("li", {}, button(`Use ${entry.name}`, () => void choose(entry.table)), entry.rows === undefined ? null : ` ${plural(entry.rows, "row")}`),
    );
    replace(known, h("h3", {}, "Available tables"), h("ul", { class: "files" }, ...entries));
  }

  async function choose(id: string, focus = true): Promise<void> {
    replace(failure);
    try {
      showChoices(await page.request<TableFacts>("table", { table: id }), focus);
    } catch (reason) {
      replace(failure, messageOf(reason));
    }
  }

  void list();
  const data = page.state?.data;
  if (data?.kind === "table" && !reason) void choose(data.table, false);
  return () => under?.cancel();
}

function tableForm(facts: TableFacts, page: Page): HTMLElement {
  const failure = announcement("alert");
  const current = page.state?.data;
  const begun = current?.kind === "table" && current.table === facts.table ? current.target : undefined;
  let target = begun ?? facts.suggested_target ?? facts.columns.at(-1)?.name ?? "";
  const boxes = h("div", { class: "table-columns" });
  const chosen = new Set(page.state?.inputs && begun ? page.state.inputs : facts.columns.map((column) => column.name));

  function showColumns(): void {
    const others = facts.columns.filter((column) => column.name !== target);
    replace(
      boxes,
      ...others.map((column) => {
        const box = h("input", {
          type: "checkbox",
          id: newId("column"),
          checked: chosen.has(column.name),
          onchange: () => (box.checked ? chosen.add(column.name) : chosen.delete(column.name)),
        });
        return h("div", { class: "option" }, box, h("label", { for: box.id }, column.name, h("span", { class: "muted" }, ` ${about(column)}`)));
      }),
    );
  }

  function all(on: boolean): void {
    for (const column of facts.columns) {
      if (on) {
        chosen.add(column.name);
      } else {
        chosen.delete(column.name);
      }
    }
    showColumns();
  }

  async function start(): Promise<void> {
    replace(failure);
    const names = facts.columns.map((column) => column.name).filter((name) => name !== target);
    const used = names.filter((name) => chosen.has(name));
    if (used.length === 0) {
      replace(failure, "No column is chosen: the network needs at least one input column.");
      return;
    }
    const state: State = {
      data: { kind: "table", table: facts.table, target },
      inputs: used.length === names.length ? null : used,
      settings: begun === undefined ? {} : (page.state?.settings ?? {}),
    };
    try {
      const { run } = page.description ?? { run: -1 };
      await page.configure(state);
      sayOnceReady(page, run, `The network learns to predict ${target} from ${plural(used.length, "column")} of ${facts.name}.`);
    } catch (reason) {
      replace(failure, messageOf(reason));
    }
  }

  showColumns();
  const targets = select(
    facts.columns.map((column) => [column.name, `${column.name} (${about(column)})`] as const),
    target,
    (value) => {
      target = value;
      showColumns();
    },
  );
  return h(
    "section",
    { "aria-label": `Choices for ${facts.name}` },
    h("h3", { tabindex: -1 }, `${facts.name}: ${plural(facts.rows, "row")}`),
    labelled("Target: the column to predict", targets),
    h("fieldset", {}, h("legend", {}, "Input columns"), h("div", { class: "actions" }, button("All", () => all(true)), button("None", () => all(false))), boxes),
    failure,
    h("div", { class: "actions" }, button("Train on this table", () => void start(), { class: "primary", disabled: page.readOnlyReason !== null })),
    h("p", { class: "help" }, "Below the output map, you can choose what its axes show: two columns, or the first two principal components."),
  );
}

/** Said once the network is there; if the table cannot be learned from, the page says why. */
function sayOnceReady(page: Page, before: number, text: string): void {
  const offs: (() => void)[] = [];
  const look = (): void => {
    const ready = page.description !== null && page.description.run !== before;
    if (ready) page.say(text);
    if (ready || page.status?.stopped === "failed") for (const off of offs) off();
  };
  offs.push(page.on("description", look), page.on("status", look));
  look();
}

function about(column: TableFacts["columns"][number]): string {
  const missing = column.missing ? `, ${count(column.missing)} missing` : "";
  return `${column.about ?? column.kind}${missing}`;
}
