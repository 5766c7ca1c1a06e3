/** The panels below the network: tabs of which one, or none, is open. */

import { h, newId } from "../dom";
import type { Page, Panel } from "../panel";

export class Tabs {
  readonly element = h("section", { class: "panels", "data-group": "panels", "aria-label": "More about this training" });
  private readonly list = h("div", { class: "tabs", role: "tablist", "aria-label": "Panels" });
  private readonly body = h("div", { class: "panel", role: "tabpanel", tabindex: "0" });
  private readonly buttons = new Map<string, HTMLButtonElement>();
  private close: (() => void) | null = null;
  private shown: string | null = null;

  constructor(
    private readonly panels: readonly Panel[],
    private readonly page: () => Page | null,
    private readonly changed: () => void,
  ) {
    this.body.id = newId("panel");
    for (const panel of panels) {
      const button = h(
        "button",
        { type: "button", role: "tab", id: newId("tab"), "aria-controls": this.body.id, "aria-selected": "false", tabindex: "-1", onclick: () => this.toggle(panel.id) },
        panel.title,
      );
      this.buttons.set(panel.id, button);
      this.list.append(button);
    }
    this.list.addEventListener("keydown", (event) => this.onKey(event));
    this.body.hidden = true;
    this.element.append(this.list, this.body);
    this.mark();
  }

  /** Offer the panels that have something to show of this training. */
  offer(): void {
    const page = this.page();
    for (const panel of this.panels) this.buttons.get(panel.id)!.hidden = page !== null && panel.fits?.(page) === false;
    if (this.shown && this.buttons.get(this.shown)!.hidden) this.show(null);
    this.mark();
  }

  get open(): string | null {
    return this.shown;
  }

  /** Open a panel, or close all with null; `focus`: whether the reader is taken there. */
  show(id: string | null, focus = false): void {
    const panel = this.panels.find((other) => other.id === id && !this.buttons.get(other.id)!.hidden);
    const page = this.page();
    if (this.shown !== (panel?.id ?? null)) {
      this.close?.();
      this.close = null;
      this.body.replaceChildren();
      this.shown = panel?.id ?? null;
      this.body.hidden = !panel;
      this.mark();
      this.changed();
      if (panel && page) this.close = panel.open(this.body, page);
    }
    if (panel && focus) {
      const smooth = !matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.element.scrollIntoView({ block: "start", behavior: smooth ? "smooth" : "auto" });
      this.buttons.get(panel.id)?.focus({ preventScroll: true });
    }
  }

  /** The page is another one: the open panel begins anew. */
  renew(): void {
    const shown = this.shown;
    if (!shown) return;
    this.close?.();
    this.close = null;
    this.body.replaceChildren();
    const page = this.page();
    const panel = this.panels.find((other) => other.id === shown);
    if (panel && page) this.close = panel.open(this.body, page);
  }

  private toggle(id: string): void {
    this.show(this.shown === id ? null : id);
  }

  private mark(): void {
    let reachable = false;
    for (const [id, button] of this.buttons) {
      const selected = id === this.shown;
      button.setAttribute("aria-selected", String(selected));
      button.tabIndex = selected ? 0 : -1;
      reachable ||= selected;
      if (selected) this.body.setAttribute("aria-labelledby", button.id);
    }
    if (!reachable) {
      const first = [...this.buttons.values()].find((button) => !button.hidden);
      if (first) first.tabIndex = 0;
    }
  }

  private onKey(event: KeyboardEvent): void {
    const all = [...this.buttons.values()].filter((button) => !button.hidden);
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    const next: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 };
    const to = next[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    all[(to + all.length) % all.length]!.focus();
  }
}
