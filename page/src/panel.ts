/** What a panel is (equations, lessons, measures, …), and what it may ask of the page. */

import type { Frame } from "./protocol/frame";
import type { Description, Hello, State, Status } from "./protocol/messages";

/** A part of the drawing. Layer 0 are the inputs; layers 1 … L are the dense ones. */
export type Selection =
  | { kind: "unit"; layer: number; unit: number }
  | { kind: "weight"; layer: number; row: number; column: number }
  | { kind: "bias"; layer: number; row: number }
  | { kind: "layer"; layer: number }
  | { kind: "point"; index: number };

export type PageEvent = "hello" | "description" | "status" | "frame" | "select" | "view";

/** One training and its view; two of them stand side by side in a comparison. */
export interface Page {
  /** The newest of each message; hello is there before a panel opens. */
  readonly hello: Hello;
  readonly state: State | null;
  readonly description: Description | null;
  readonly status: Status | null;
  readonly frame: Frame | null;
  readonly sessionId: string;
  /** Why controls are disabled, in a sentence; null: they are not. */
  readonly readOnlyReason: string | null;
  /** Rejects with an Error that has the server's sentence. */
  request<T>(type: string, fields?: object): Promise<T>;
  /** Train anew from this state; it then stands in the URL. */
  configure(state: State): Promise<State>;
  /** Call the listener at each such event; returns a function that ends this. */
  on(event: PageEvent, listener: () => void): () => void;
  readonly selection: Selection | null;
  select(selection: Selection | null): void;
  /** Emphasise these parts of the drawing; [] ends it. */
  highlight(parts: Selection[]): void;
  /** Open a panel by its id. */
  show(panel: string): void;
  /** Say something in the page's live region; errors stay until they are dismissed. */
  say(message: string, kind?: "note" | "error"): void;
  /** Address of a file of the server: `url("download/model.onnx")`, `url("upload", {name})`. */
  url(path: string, fields?: Record<string, string>): string;
}

export interface Panel {
  id: string;
  /** The name of its tab. */
  title: string;
  /** Whether it has something to show of a training; without it, always. */
  fits?(page: Page): boolean;
  /** Build the panel into `root`, which is empty and is the tab's panel; returns what closes it. */
  open(root: HTMLElement, page: Page): () => void;
}
