/** One session of the server and what the page knows of it: the newest message of each kind. */

import { Connection, ConnectionLostError, RequestError, serverUrl, sessionId, socketUrl, type ConnectionState } from "./connection";
import type { Page, PageEvent, Selection } from "./panel";
import { decodeFrame, type Frame } from "./protocol/frame";
import type {
  Description,
  Hello,
  Json,
  ServerMessage,
  State,
  Status,
  ViewSettings,
} from "./protocol/messages";
import { sameState, understood, withSettings } from "./state";

/** What an experiment tells the page around it. */
export interface Surroundings {
  connection(state: ConnectionState): void;
  say(message: string, kind: "note" | "error"): void;
  /** The state changed: the URL follows. */
  changed(): void;
  show(panel: string): void;
  /** Whether a panel is open, which may be about what is selected. */
  panelIsOpen(): boolean;
}

const READ_ONLY = {
  play: "This page is read-only.",
  live: "This page shows the training of another program and cannot change it.",
  replay: "This page replays a finished run and cannot change it.",
} as const;

export class Experiment implements Page {
  readonly sessionId: string;
  private readonly connection: Connection;
  private readonly listeners = new Map<PageEvent, Set<() => void>>();
  private newest: { hello: Hello | null; bytes: ArrayBuffer | null } = { hello: null, bytes: null };
  /** A frame that came before the description of its training. */
  private early: Frame | null = null;
  private scheduled = 0;
  /** Whether the training waits until the page is looked at again. */
  private waiting = false;
  /** Epochs per second that were asked for; null: as many as can be. */
  private speed: number | null = 30;
  /** The next description is the first of a connection. */
  private introduced = false;
  private highlighted: Selection[] = [];

  description: Description | null = null;
  status: Status | null = null;
  frame: Frame | null = null;
  selection: Selection | null = null;
  view: ViewSettings = { plane: null, detail: null, signal: "forward", hidden: false };

  /** `wanted`: the state that the URL names; the server's own, if it names none. */
  constructor(
    readonly slot: "a" | "b",
    private wanted: State | null,
    private readonly surroundings: Surroundings,
  ) {
    this.sessionId = sessionId(slot);
    this.connection = new Connection(socketUrl(this.sessionId), {
      message: (message) => this.receive(message),
      frame: (buffer) => this.receiveFrame(buffer),
      state: (state) => this.surroundings.connection(state),
    });
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  get hello(): Hello {
    if (!this.newest.hello) throw new Error("The server has not answered yet.");
    return this.newest.hello;
  }

  get connected(): boolean {
    return this.newest.hello !== null;
  }

  get state(): State | null {
    return this.wanted ?? this.description?.state ?? this.newest.hello?.start ?? null;
  }

  get readOnlyReason(): string | null {
    const hello = this.newest.hello;
    return hello?.read_only ? READ_ONLY[hello.mode] : null;
  }

  /** Why the training cannot be run, paused and stepped; a replay can. */
  get transportReason(): string | null {
    if (this.isModel) return "This is a trained model, which is not being trained.";
    return this.newest.hello?.mode === "replay" ? null : this.readOnlyReason;
  }

  /** Whether a model is shown without a training. */
  get isModel(): boolean {
    return this.readOnlyReason !== null && this.newest.hello?.mode !== "live" && this.status?.epochs === null;
  }

  get highlights(): readonly Selection[] {
    return this.highlighted;
  }

  request<T = Json>(type: string, fields: object = {}): Promise<T> {
    return this.connection.request<T>(type, fields);
  }

  /** Ask, and say in the page what went wrong, if something did: for buttons. */
  async ask<T = Json>(type: string, fields: object = {}): Promise<T | null> {
    try {
      return await this.request<T>(type, fields);
    } catch (reason) {
      this.fail(reason);
      return null;
    }
  }

  fail(reason: unknown): void {
    if (reason instanceof ConnectionLostError) return;
    if (reason instanceof RequestError) this.say(reason.message, "error");
    else throw reason;
  }

  async configure(state: State): Promise<State> {
    const value = await this.request<{ state: State }>("configure", { state });
    this.wanted = value.state;
    this.surroundings.changed();
    return value.state;
  }

  /** As `configure`, of a state that may come from another version of the program. */
  async configureFromLink(state: State): Promise<State> {
    const { state: known, unknown } = understood(state, this.hello);
    const found = await this.configure(known);
    if (unknown.length > 0) {
      const names = unknown.map((name) => name.slice(0, 60)).slice(0, 5).join(", ");
      this.say(`The link has settings that this version does not know; they are left out: ${names}.`, "error");
    }
    return found;
  }

  /** Train anew from the present state with some of it replaced; errors are said in the page. */
  async change(changed: (state: State) => State): Promise<boolean> {
    const { state } = this;
    if (!state) return false;
    const next = changed(structuredClone(state));
    if (sameState(next, state)) return true;
    // The next click starts from this one, even if the server has not answered yet.
    const before = this.wanted;
    this.wanted = next;
    try {
      await this.configure(next);
      return true;
    } catch (reason) {
      this.wanted = before;
      this.fail(reason);
      this.emit("description");
      return false;
    }
  }

  /**
   * Change settings that take effect at once, without a reset. They stand in the URL, and the next
   * reset trains with them from the beginning.
   */
  async changeLive(changes: { [name: string]: number }): Promise<void> {
    const state = this.state;
    if (!state) return;
    const begun = (this.frame?.step ?? this.status?.step ?? 0) > 0;
    if (!begun) {
      await this.change((now) => withSettings(now, changes));
      return;
    }
    this.wanted = withSettings(state, changes);
    this.emit("description");
    try {
      await this.request("set", changes);
    } catch (reason) {
      this.wanted = state;
      this.emit("description");
      this.fail(reason);
    }
    this.surroundings.changed();
  }

  /** Begin again, with what was changed on the way. */
  async reset(): Promise<void> {
    if (this.wanted && !sameState(this.wanted, this.description?.state ?? null)) {
      await this.configure(this.wanted).catch((reason: unknown) => this.fail(reason));
    } else await this.ask("reset");
  }

  /** Train at most so many epochs a second; null: as many as can be, even while nobody looks. */
  async setSpeed(speed: number | null): Promise<void> {
    this.speed = speed;
    await this.ask("speed", { epochs_per_second: speed });
  }

  /** Look at something else: another plane, a unit in detail, the backward pass. */
  look(changes: Partial<ViewSettings>): void {
    this.view = { ...this.view, ...changes };
    this.emit("view");
    void this.ask("view", changes);
  }

  on(event: PageEvent, listener: () => void): () => void {
    let known = this.listeners.get(event);
    if (!known) this.listeners.set(event, (known = new Set()));
    known.add(listener);
    return () => known.delete(listener);
  }

  select(selection: Selection | null): void {
    this.selection = selection;
    this.emit("select");
  }

  /** An editor was closed: without a panel that is about it, nothing stays selected. */
  release(): void {
    if (this.selection && this.selection.kind !== "point" && !this.surroundings.panelIsOpen()) this.select(null);
  }

  highlight(parts: Selection[]): void {
    this.highlighted = parts;
    this.emit("select");
  }

  show(panel: string): void {
    this.surroundings.show(panel);
  }

  say(message: string, kind: "note" | "error" = "note"): void {
    this.surroundings.say(message, kind);
  }

  url(path: string, fields: Record<string, string> = {}): string {
    return serverUrl(path, this.sessionId, fields);
  }

  retryNow(): void {
    this.connection.retryNow();
  }

  close(): void {
    document.removeEventListener("visibilitychange", this.onVisibility);
    cancelAnimationFrame(this.scheduled);
    this.listeners.clear();
    this.connection.close();
  }

  /** A hidden page gets no frames; a training at a speed to be looked at waits for its reader. */
  private readonly onVisibility = (): void => {
    if (!this.connected) return;
    const hidden = document.visibilityState === "hidden";
    if (hidden && this.speed !== null && this.status?.running && !this.readOnlyReason) {
      this.waiting = true;
      void this.ask("pause");
    } else if (!hidden && this.waiting) {
      this.waiting = false;
      void this.ask("run");
    }
    this.look({ hidden });
  };

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case "hello":
        this.newest.hello = message;
        this.introduced = true;
        this.emit("hello");
        this.restoreView();
        break;
      case "description":
        this.receiveDescription(message);
        break;
      case "status":
        this.status = message;
        this.emit("status");
        break;
      case "error":
        this.say(message.message, "error");
        break;
      case "reply":
        break;
    }
  }

  /** After a reconnection the server has forgotten what this page looks at. */
  private restoreView(): void {
    const { plane, ...view } = this.view;
    const hidden = document.visibilityState === "hidden";
    const changed = plane !== null || view.detail !== null || view.signal !== "forward" || hidden;
    if (changed) void this.ask("view", { ...view, hidden, ...(plane ? { plane } : {}) });
  }

  private receiveDescription(description: Description): void {
    const first = this.introduced;
    this.introduced = false;
    // The URL of a shared link names what to train, and so does the page to a server that was started
    // anew. A reload finds it already there, perhaps with a learning rate that was changed on the way.
    const other = this.wanted !== null && !sameState(sinceBegin(this.wanted), sinceBegin(description.state));
    if (first && this.wanted && other && !this.readOnlyReason) {
      const wanted = this.wanted;
      if (this.description) this.say("The server was restarted, so this training starts again.");
      this.wanted = null;
      this.configureFromLink(wanted).catch((reason: unknown) => {
        this.fail(reason);
        this.take(description);
      });
      return;
    }
    this.take(description);
  }

  private take(description: Description): void {
    const known = this.description;
    const another = known !== null && known.run !== description.run;
    if (another) this.frame = null;
    this.description = description;
    if (another || this.wanted === null || this.readOnlyReason || !sameState(sinceBegin(this.wanted), sinceBegin(description.state))) {
      this.wanted = description.state;
    }
    // The server sends no other frame of a training that waits.
    const early = this.early;
    this.early = null;
    if (early && this.frame === null && this.fits(early)) this.frame = early;
    this.emit("description");
    if (this.frame === early && early) this.emit("frame");
    this.surroundings.changed();
  }

  /** Only the newest frame is drawn, and only when the browser draws. */
  private receiveFrame(buffer: ArrayBuffer): void {
    this.newest.bytes = buffer;
    if (!this.scheduled) this.scheduled = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.scheduled = 0;
    const bytes = this.newest.bytes;
    this.newest.bytes = null;
    if (!bytes) return;
    this.connection.acknowledge();
    const frame = decodeFrame(bytes);
    if (this.fits(frame)) {
      this.frame = frame;
      this.emit("frame");
    } else this.early = frame;
  }

  /** A frame may be of the training before the description, or after it. */
  private fits(frame: Frame): boolean {
    return frame.run === this.description?.run && frame.values.length === this.description.drawn_values.length;
  }

  private emit(event: PageEvent): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) listener();
  }
}

/** A state without the settings that change while training goes on. */
function sinceBegin(state: State | null): State | null {
  return state && withSettings(state, { learning_rate: undefined, l1: undefined, l2: undefined });
}
