/** What reproduces or uses this very network: files, code, the command line. */

import type { Page, Panel } from "../panel";
import { announcement, button, h, messageOf, replace } from "./dom";

interface Code {
  python: string;
  command: string;
  toml: string;
  /** Running the Python code gives the same network to the last bit. */
  exact: boolean;
  /** So does the command, and so does run.toml. */
  command_exact: boolean;
  why?: string | null;
}

const FILES: readonly (readonly [kind: string, name: string, about: string])[] = [
  ["model.safetensors", "Model file", "For predictions and further training in chainrule; contains data only, no code."],
  ["model.onnx", "ONNX", "For predictions in ONNX Runtime and other programs that read ONNX."],
  ["code.py", "Python code", "Trains the same network again."],
  ["run.toml", "run.toml", "The settings, for chainrule train --config run.toml."],
  ["data.csv", "Data", "The table, with all rows and columns."],
  ["history.csv", "History", "Losses and scores of each epoch, as CSV; those of the test rows are called validation."],
];

/** A training that runs elsewhere can be saved there; its page has the curves alone. */
const ONLY_SHOWN = "history.csv";

export const exports: Panel = { id: "export", title: "Export", open, fits: (page) => !isModel(page) };

function isModel(page: Page): boolean {
  return page.readOnlyReason !== null && page.hello.mode !== "live" && page.status?.epochs === null;
}

function open(root: HTMLElement, page: Page): () => void {
  const failure = announcement("alert");
  const said = announcement("status");
  const code = h("div", { class: "code" });
  if (page.hello.mode === "live") {
    const history = FILES.filter(([kind]) => kind === ONLY_SHOWN);
    root.append(
      h("p", { class: "help" }, "The network is saved by the program that trains it."),
      h("ul", { class: "files" }, ...history.map((file) => entry(page, file, failure))),
      failure,
    );
    return () => undefined;
  }
  root.append(
    h("p", { class: "help" }, "Files, code and commands for the network as it is shown now."),
    h("ul", { class: "files" }, ...FILES.map((file) => entry(page, file, failure))),
    failure,
    said,
    code,
  );

  async function load(): Promise<void> {
    replace(failure);
    try {
      const answer = await page.request<Code>("code");
      replace(
        code,
        h("p", { class: answer.exact ? "verdict agree" : "verdict undecided" }, exactness(answer)),
        block("Command line", answer.command, said),
        block("Python", answer.python, said),
        block("run.toml", answer.toml, said),
      );
    } catch (reason) {
      replace(failure, messageOf(reason));
    }
  }

  void load();
  const off = [page.on("description", () => void load()), page.on("status", changes(page, () => void load()))];
  return () => {
    for (const end of off) {
      end();
    }
  };
}

/** The code depends on the epoch: it is asked for again when the training pauses or ends. */
function changes(page: Page, listener: () => void): () => void {
  let before = JSON.stringify([page.status?.running, page.status?.travel]);
  return () => {
    const now = JSON.stringify([page.status?.running, page.status?.travel, page.status?.running || page.status?.epoch]);
    if (now !== before) {
      before = now;
      listener();
    }
  };
}

function exactness(code: Code): string {
  const reason = code.why ? ` ${code.why}` : "";
  if (!code.exact) {
    return `Not exact: the code and the command train a different network.${reason}`;
  }
  return code.command_exact
    ? `Exact: the code and the command train the same network, to the bit.${reason}`
    : `The Python code is exact: it trains the same network, to the bit. The command and run.toml are not.${reason}`;
}

function entry(page: Page, [kind, name, about]: (typeof FILES)[number], failure: HTMLElement): HTMLElement {
  const link = h("a", { class: "button", href: page.url(`download/${kind}`), download: kind }, name);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    replace(failure);
    save(link.href, kind).catch((reason: unknown) => replace(failure, messageOf(reason)));
  });
  return h("li", {}, link, ` ${about}`);
}

/** A link alone would save the server's refusal as if it were the file. */
async function save(url: string, name: string): Promise<void> {
  const answer = await fetch(url).catch(() => {
    throw new Error("The server did not answer: is it still running?");
  });
  if (!answer.ok) {
    throw new Error((await answer.text()) || `The server refused ${name}.`);
  }
  const content = URL.createObjectURL(await answer.blob());
  const given = /filename\*=UTF-8''([^;]+)/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1];
  h("a", { href: content, download: given ? decodeURIComponent(given) : name }).click();
  window.setTimeout(() => URL.revokeObjectURL(content), 60_000);
}

function block(title: string, text: string, said: HTMLElement): HTMLElement {
  const copy = button(`Copy ${title}`, () => {
    copied(text).then(
      () => replace(said, `${title} copied.`),
      () => {
        getSelection()?.selectAllChildren(pre);
        replace(said, `The browser does not allow the page to copy. The text of ${title} is selected: press Ctrl+C.`);
      },
    );
  });
  const pre = h("pre", { tabindex: 0, role: "region", "aria-label": title, class: text.includes("\n") ? "" : "wrapped" }, h("code", {}, text));
  return h("section", { class: "code-block" }, h("h3", {}, title), copy, pre);
}

/** The clipboard exists on https and on this machine only. */
async function copied(text: string): Promise<void> {
  if (!navigator.clipboard) {
    throw new Error("There is no clipboard.");
  }
  await navigator.clipboard.writeText(text);
}
