/** A link to this state of the page, with only the controls that a class or an audience needs. */

import { h, newId } from "../dom";
import { hashOf, type PageState } from "../state";

/** The groups of controls that can be left out; `data-group` marks them in the page. */
export const GROUPS: readonly (readonly [string, string])[] = [
  ["run", "Reset, run, steps and speed"],
  ["settings", "Learning rate and other settings above the network"],
  ["data", "Data and inputs"],
  ["network", "The network"],
  ["output", "Losses and output"],
  ["timeline", "Look back at earlier epochs"],
  ["panels", "Panels below"],
];

export class LinkDialog {
  readonly element: HTMLDialogElement;
  private readonly address: HTMLInputElement;
  private readonly boxes = new Map<string, HTMLInputElement>();

  constructor(
    private readonly state: () => PageState,
    private readonly say: (message: string) => void,
  ) {
    const title = newId("link");
    const id = newId("address");
    this.address = h("input", { id, type: "text", readonly: true, onfocus: () => this.address.select() });
    const list = h("fieldset", null, h("legend", null, "Show in the linked page"));
    for (const [name, words] of GROUPS) {
      const box = h("input", { type: "checkbox", onchange: () => this.refresh() });
      this.boxes.set(name, box);
      list.append(h("label", { class: "check" }, box, h("span", null, words)));
    }
    this.element = h(
      "dialog",
      { class: "dialog", "aria-labelledby": title },
      h("h2", { id: title }, "Link to this training"),
      h("p", { class: "muted" }, "The link contains the settings of the data, the network and the training: whoever opens it trains the same network. An uploaded table is not part of the link: it must be uploaded again. Leave out the controls that your audience does not need."),
      list,
      h("div", { class: "field" }, h("label", { for: id }, "Address"), this.address),
      h(
        "div",
        { class: "dialog-foot" },
        h("button", { type: "button", class: "primary", onclick: () => void this.copy() }, "Copy"),
        h("a", { class: "tool", target: "_blank", rel: "noopener" }, "Open"),
        h("button", { type: "button", class: "tool", onclick: () => this.element.close() }, "Close"),
      ),
    );
  }

  open(): void {
    const hidden = new Set(this.state().hide);
    for (const [name, box] of this.boxes) box.checked = !hidden.has(name);
    this.refresh();
    this.element.showModal();
  }

  private refresh(): void {
    const hide = [...this.boxes].filter(([, box]) => !box.checked).map(([name]) => name);
    const url = new URL(location.href);
    url.hash = hashOf({ ...this.state(), hide });
    this.address.value = url.href;
    this.element.querySelector("a")!.href = url.href;
  }

  private async copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.address.value);
      this.say("The link was copied.");
      this.element.close();
    } catch {
      // Browsers forbid the clipboard where the page did not come over HTTPS or from this machine.
      this.address.focus();
      this.address.select();
    }
  }
}
