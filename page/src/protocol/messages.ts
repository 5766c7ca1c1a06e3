/** What the page and the server tell each other as JSON text over the WebSocket. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What is trained: it decides, with the seed, every number of the training. It stands in the URL. */
export interface State {
  data: Data;
  /** Names of the inputs; null: all that the table has. */
  inputs: string[] | null;
  /** Entries of run.toml: layers, activation, loss, optimizer, learning_rate, … */
  settings: Settings;
}

export type Data =
  | { kind: "toy"; name: string; noise?: number; rows?: number; seed?: number }
  | { kind: "sample"; name: string }
  | { kind: "table"; table: string; target?: string };

export type Settings = { [name: string]: Json };

/** One setting, as the command line and run.toml have it. */
export interface SettingRow {
  name: string;
  about: string;
  kind: string;
  choices?: Json[] | null;
  limits?: Json;
  default?: Json;
  section?: string;
  /** It only matters where another setting has one of these values. */
  needs?: { setting: string; values: string[] } | null;
}

/**
 * A set of data that can be chosen; `points` draw its thumbnail: [x, y, target] each. x and y are in
 * [-1, 1]; of two classes the targets are -1 and 1, of more their numbers.
 */
export interface CatalogData {
  name: string;
  title?: string;
  about?: string;
  task?: Task;
  points?: [number, number, number][];
  classes?: string[] | null;
}

export interface Catalog {
  toys: (CatalogData | string)[];
  samples: (CatalogData | string)[];
  inputs: ({ name: string; title?: string } | string)[];
  settings: SettingRow[];
  activations: string[];
  optimizers: string[];
  schedules: string[];
  initialisers: string[];
  losses: { classification: string[]; regression: string[] };
  /** What settings are that a state leaves open. */
  toy_settings: Settings;
  table_settings: Settings;
}

export type Task = "classification" | "regression";

export type Mode = "play" | "live" | "replay";

export interface TableSummary {
  table: string;
  name: string;
  rows?: number;
  target?: string | null;
}

export interface Hello {
  type: "hello";
  protocol: number;
  version: string;
  mode: Mode;
  catalog: Catalog;
  /** What the command line asked for, if anything. */
  start: State | null;
  tables: TableSummary[];
  read_only: boolean;
  /** The most bytes of an uploaded table. */
  upload_limit?: number;
}

export interface LayerDescription {
  kind: string;
  name: string;
  units: number;
  activation: string;
  /** More about it: the share that dropout drops. */
  detail?: string;
  /** Indices of the units that are drawn: at most 8. */
  drawn: number[];
}

export interface DrawnValue {
  name: "W" | "b";
  /** 1-based number of the dense layer. */
  layer: number;
  row: number;
  column: number;
}

export interface Axis {
  name: string;
  lo: number;
  hi: number;
}

export type PlaneChoice = { kind: "pair"; x: string; y: string } | { kind: "pca" };

/** Where the rows lie in the plane; `part`: 0 training, 1 test, 2 set aside; `index`: numbers of rows. */
export interface Points {
  x: number[];
  y: number[];
  target: number[];
  part: number[];
  index: number[];
}

export interface Description {
  type: "description";
  run: number;
  /** null: what is trained was not asked for by a page. */
  state: State | null;
  /** The value of every setting, also of those that the state leaves open; null: not known. */
  settings?: Settings | null;
  task: Task;
  target?: string;
  classes: string[] | null;
  inputs: { name: string; column: string }[];
  layers: LayerDescription[];
  n_parameters: number;
  drawn_values: DrawnValue[];
  points: Points;
  plane: { kind: "pair" | "pca"; x: Axis; y: Axis; columns?: [string, string]; note?: string };
  /** Columns that can span a plane. */
  pair_columns?: string[];
  /** Numbers of rows: training, test, set aside. */
  rows?: number[];
  /** Columns of W[1] whose inputs are drawn. */
  drawn_inputs?: number[];
  output: { channels: number; lo: number; hi: number };
  metrics: string[];
  notes: string[];
  /** Maps of the drawn inputs, which no training changes: `size`² bytes each, in base64. */
  input_maps?: { size: number; maps: { lo: number; hi: number; data: string }[] } | null;
}

export interface Status {
  type: "status";
  running: boolean;
  epoch: number;
  step: number;
  epochs: number | null;
  epochs_per_second: number | null;
  /** Why the training ended; null: it goes on, or waits. */
  stopped: string | null;
  /** The earlier epoch that is looked at; null: the present. */
  travel: number | null;
  message: string | null;
}

export interface Reply {
  type: "reply";
  id: number;
  value: Json;
}

export interface ErrorReply {
  type: "error";
  id?: number | null;
  message: string;
}

export type ServerMessage = Hello | Description | Status | Reply | ErrorReply;

export interface History {
  epochs: number[];
  train: (number | null)[];
  test: (number | null)[];
  metrics: { [name: string]: (number | null)[] };
  gradient_norm: { [name: string]: (number | null)[] };
}

export interface PointAnswer {
  row: { [column: string]: Json };
  target: Json;
  prediction: Json;
  probabilities?: { [name: string]: number } | number[] | null;
}

export interface Weights {
  layers: { W: number[][]; b: number[] }[];
}

/** What a page looks at; the server keeps it for each page. */
export interface ViewSettings {
  plane: PlaneChoice | null;
  detail: { layer: number; unit: number } | null;
  signal: "forward" | "backward";
  hidden: boolean;
}
