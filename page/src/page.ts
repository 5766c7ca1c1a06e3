/** The whole page: its head, one training or two side by side, the panels, and the messages. */

import { h, setText } from "./dom";
import { Experiment } from "./experiment";
import type { ConnectionState } from "./connection";
import type { Panel } from "./panel";
import { hashOf, pageStateOf, sameState, type PageState } from "./state";
import { segmented } from "./view/controls/field";
import { ExperimentView } from "./view/experiment_view";
import type { LinkDialog } from "./view/link";
import { LiveRegion } from "./view/live_region";
import { Tabs } from "./view/tabs";

type Slot = "a" | "b";

const MODES = { play: "", live: "live", replay: "replay" } as const;

export class WholePage {
  readonly element = h("div", { class: "page" });
  private readonly live = new LiveRegion();
  private readonly views = new Map<Slot, ExperimentView>();
  private readonly stage = h("main", { class: "stage-of-experiments" });
  private readonly banner = h("div", { class: "banner", role: "status", hidden: true });
  private readonly badge = h("span", { class: "badge", hidden: true });
  private readonly comparing: HTMLButtonElement;
  private readonly both: HTMLElement;
  private readonly all: HTMLButtonElement;
  private readonly link = h("button", { type: "button", class: "tool", onclick: () => void this.openLink() }, "Link…");
  private readonly which = segmented(
    "Panels show",
    [
      ["a", "Left"],
      ["b", "Right"],
    ],
    (slot) => this.choose(slot as Slot),
  );
  private dialog: LinkDialog | null = null;
  private tabs: Tabs | null = null;
  private panelsOf: Slot = "a";
  private hide: string[];
  private wantedPanel: string | null;
  private timer = 0;
  private written = "";

  constructor() {
    const given = pageStateOf(location.hash);
    this.hide = given.hide;
    this.wantedPanel = given.panel;
    this.comparing = h("button", { type: "button", class: "tool", onclick: () => this.toggleComparison() }, "Compare");
    this.comparing.title = "Train two networks side by side";
    this.all = h("button", { type: "button", class: "tool", onclick: () => this.setHidden([]) }, "Show all controls");
    this.both = h(
      "div",
      { class: "both", role: "group", "aria-label": "Both networks", hidden: true },
      h("button", { type: "button", class: "tool", onclick: () => this.askBoth("run") }, "Run both"),
      h("button", { type: "button", class: "tool", onclick: () => this.askBoth("pause") }, "Pause both"),
      h("button", { type: "button", class: "tool", onclick: () => this.askBoth("reset") }, "Reset both"),
      h("span", { class: "grow" }),
      h("span", { class: "muted" }, "Panels show"),
      this.which.element,
    );
    this.element.append(
      h(
        "header",
        { class: "head-of-page" },
        h("a", { class: "skip", href: "#", onclick: (event: Event) => this.skip(event) }, "Skip to the network"),
        h("h1", null, mark(), h("span", null, "chainrule ", h("span", { class: "light" }, "playground"))),
        this.badge,
        h("span", { class: "grow" }),
        this.all,
        this.comparing,
        this.pictures(),
        this.link,
      ),
      this.banner,
      this.both,
      this.stage,
      this.live.element,
    );
    this.stage.tabIndex = -1;
    this.setHidden(this.hide);
    this.add("a", given.a);
    if (given.b) this.add("b", given.b);
    window.addEventListener("hashchange", () => this.onHash());
  }

  /** The panels come after the first paint. */
  addPanels(panels: readonly Panel[]): void {
    this.tabs = new Tabs(
      panels,
      () => {
        const experiment = this.views.get(this.panelsOf)?.experiment;
        return experiment?.connected ? experiment : null;
      },
      () => this.changed(),
    );
    this.stage.after(this.tabs.element);
    this.openWanted();
  }

  private get first(): Experiment {
    return this.views.get("a")!.experiment;
  }

  private state(): PageState {
    return {
      a: this.first.state,
      b: this.views.get("b")?.experiment.state ?? null,
      hide: this.hide,
      panel: this.tabs ? this.tabs.open : this.wantedPanel,
    };
  }

  private add(slot: Slot, state: PageState["a"]): void {
    const experiment = new Experiment(slot, state, {
      connection: (now) => this.showConnection(slot, now),
      say: (message, kind) => this.live.say(message, kind),
      changed: () => this.changed(),
      show: (panel) => {
        if (this.views.has(slot) && this.panelsOf !== slot) this.choose(slot);
        this.tabs?.show(panel, true);
      },
      panelIsOpen: () => this.tabs?.open != null,
    });
    experiment.on("hello", () => this.onHello(experiment));
    for (const event of ["description", "status"] as const) experiment.on(event, () => this.follow(slot));
    const view = new ExperimentView(experiment, slot === "a" ? "Training" : "Second training");
    this.views.set(slot, view);
    this.stage.append(view.element);
    this.showComparison();
  }

  private onHello(experiment: Experiment): void {
    if (experiment !== this.first) return;
    const { mode } = experiment.hello;
    this.follow("a");
    this.badge.hidden = mode === "play";
    this.badge.title = experiment.readOnlyReason ?? "";
    this.comparing.hidden = this.link.hidden = experiment.hello.read_only;
    this.openWanted();
  }

  /** What the page offers depends on what is shown: a training, a replay, or a model alone. */
  private follow(slot: Slot): void {
    const { first } = this;
    if (first.connected) setText(this.badge, first.isModel ? "model" : MODES[first.hello.mode]);
    if (slot === this.panelsOf) this.tabs?.offer();
  }

  private openWanted(): void {
    if (!this.tabs || !this.first.connected) return;
    this.tabs.offer();
    if (this.wantedPanel && !this.tabs.open) this.tabs.show(this.wantedPanel);
    this.wantedPanel = null;
  }

  // ── Two trainings ──────────────────────────────────────────────────────────

  private toggleComparison(): void {
    if (this.views.has("b")) {
      if (this.panelsOf === "b") this.choose("a");
      const view = this.views.get("b")!;
      this.views.delete("b");
      void view.experiment.request("pause").catch(() => undefined);
      view.destroy();
      view.experiment.close();
      this.showComparison();
    } else this.add("b", structuredClone(this.first.state));
    this.changed();
  }

  private showComparison(): void {
    const two = this.views.has("b");
    this.stage.classList.toggle("two", two);
    for (const view of this.views.values()) view.compare(two);
    this.both.hidden = !two;
    setText(this.comparing, two ? "End comparison" : "Compare");
  }

  private askBoth(what: "run" | "pause" | "reset"): void {
    for (const { experiment } of this.views.values()) void (what === "reset" ? experiment.reset() : experiment.ask(what));
  }

  private choose(slot: Slot): void {
    this.panelsOf = slot;
    this.which.show(slot);
    this.tabs?.renew();
  }

  // ── URL ────────────────────────────────────────────────────────────────────

  private setHidden(hide: string[]): void {
    this.hide = hide;
    this.element.dataset["hide"] = hide.join(" ");
    this.all.hidden = hide.length === 0;
    this.changed();
  }

  /** The state stands in the URL; of many changes in a moment, the first and the last are written. */
  private changed(): void {
    if (!this.views.get("a")?.experiment.state || this.timer) return;
    this.write();
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.write();
    }, 200);
  }

  private write(): void {
    const hash = hashOf(this.state());
    if (hash === this.written) return;
    this.written = hash;
    history.replaceState(null, "", `${location.pathname}${location.search}${hash}`);
    document.title = titleOf(this.state());
  }

  /** A link was pasted into the address bar of this page. */
  private onHash(): void {
    if (location.hash === this.written) return;
    const given = pageStateOf(location.hash);
    this.setHidden(given.hide);
    if (this.tabs && given.panel !== this.tabs.open) this.tabs.show(given.panel);
    for (const slot of ["a", "b"] as const) {
      const state = given[slot];
      const view = this.views.get(slot);
      if (state && view && !sameState(state, view.experiment.state)) {
        view.experiment.configureFromLink(state).catch((reason: unknown) => view.experiment.fail(reason));
      } else if (state && !view) this.add(slot, state);
      else if (!state && view && slot === "b") this.toggleComparison();
    }
  }

  /** Loaded when it is asked for, as the pictures are: the first paint needs neither. */
  private async openLink(): Promise<void> {
    const { LinkDialog } = await import("./view/link");
    if (!this.dialog) {
      this.dialog = new LinkDialog(
        () => this.state(),
        (message) => this.live.say(message, "note"),
      );
      this.element.append(this.dialog.element);
    }
    this.dialog.open();
  }

  private skip(event: Event): void {
    event.preventDefault();
    this.stage.focus();
  }

  // ── Connection ─────────────────────────────────────────────────────────────

  private showConnection(slot: Slot, state: ConnectionState): void {
    if (state.kind === "open") {
      this.banner.hidden = true;
      this.element.classList.remove("disconnected");
      return;
    }
    if (state.kind !== "lost") return;
    this.element.classList.add("disconnected");
    this.banner.hidden = false;
    const why = state.reason ? `${state.reason.replace(/\.?$/, ".")} ` : "There is no connection to the server. ";
    this.banner.replaceChildren(
      h("span", null, `${why}Is \`chainrule play\` still running? The page reconnects automatically, and then shows the current state of the training if the server still has it.`),
      h("button", { type: "button", class: "tool", onclick: () => this.views.get(slot)?.experiment.retryNow() }, "Try now"),
    );
  }

  // ── Pictures ───────────────────────────────────────────────────────────────

  private pictures(): HTMLElement {
    const menu = h("details", { class: "menu" });
    const entry = (text: string, part: "network" | "output", format: "svg" | "png"): HTMLElement =>
      h(
        "button",
        {
          type: "button",
          onclick: () => {
            menu.open = false;
            void this.savePicture(part, format);
          },
        },
        text,
      );
    menu.append(
      h("summary", { class: "tool" }, "Picture"),
      h(
        "div",
        { class: "menu-list" },
        entry("Network as SVG", "network", "svg"),
        entry("Network as PNG", "network", "png"),
        entry("Output map as SVG", "output", "svg"),
        entry("Output map as PNG", "output", "png"),
      ),
    );
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary")!.focus();
    });
    document.addEventListener("pointerdown", (event) => {
      if (menu.open && !menu.contains(event.target as Node)) menu.open = false;
    });
    return menu;
  }

  private async savePicture(part: "network" | "output", format: "svg" | "png"): Promise<void> {
    const view = this.views.get(this.panelsOf)!;
    const { savedPicture } = await import("./view/download");
    try {
      await savedPicture(view, part, format);
    } catch (reason) {
      this.live.say(reason instanceof Error ? reason.message : String(reason), "error");
    }
  }
}

function titleOf(state: PageState): string {
  const data = state.a?.data;
  const name = !data ? "" : data.kind === "table" ? (data.target ?? "table") : data.name;
  return name ? `${name} – chainrule playground` : "chainrule playground";
}

/** Two inputs, two outputs and their links. */
function mark(): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 32 32");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("mark");
  const add = (tag: string, attributes: Record<string, string>): void => {
    const element = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    svg.append(element);
  };
  add("path", { d: "M7 9C16 9 16 23 25 23", class: "o" });
  add("path", { d: "M7 23C16 23 16 9 25 9M7 9H25", class: "b" });
  for (const [cx, cy, kind] of [["7", "9", "b"], ["25", "23", "b"], ["7", "23", "o"], ["25", "9", "o"]] as const) {
    add("circle", { cx, cy, r: "4.5", class: `dot-${kind}` });
  }
  return svg;
}
