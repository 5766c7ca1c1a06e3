/** Where the page says what happened: notes go by themselves, errors stay until they are dismissed. */

import { h } from "../dom";

const NOTE_SECONDS = 5;
const MOST = 4;

export class LiveRegion {
  readonly element = h("div", { class: "messages", role: "region", "aria-label": "Messages" });
  private readonly list = h("div", { role: "status", "aria-live": "polite", class: "message-list" });

  constructor() {
    this.element.append(this.list);
  }

  say(message: string, kind: "note" | "error"): void {
    for (const known of [...this.list.children]) {
      if (known instanceof HTMLElement && known.dataset["text"] === message) known.remove();
    }
    const item = h("div", { class: `message ${kind}` }, h("span", null, message));
    item.dataset["text"] = message;
    item.append(h("button", { type: "button", class: "icon", "aria-label": "Dismiss", onclick: () => item.remove() }, "×"));
    this.list.append(item);
    while (this.list.childElementCount > MOST) this.list.firstElementChild!.remove();
    if (kind === "note") setTimeout(() => item.remove(), 1000 * NOTE_SECONDS);
  }
}
