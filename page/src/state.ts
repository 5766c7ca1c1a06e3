/**
 * The state of the page in the URL's hash, written so that a person can read and change it:
 *
 *   #data=toy&name=circle&noise=10&inputs=x1,x2&layers=[4,2]&learning_rate=0.03&hide=data,run
 *
 * Entries of run.toml stand under their own names. With `b.` in front of them they belong to the
 * second of two trainings that are compared.
 */

import type { Data, Description, Hello, Json, Settings, State } from "./protocol/messages";

export interface PageState {
  a: State | null;
  /** The second training of a comparison. */
  b: State | null;
  /** Names of the groups of controls that are not shown: for lessons and talks. */
  hide: string[];
  /** The panel that is open. */
  panel: string | null;
}

const DATA_FIELDS = ["name", "noise", "rows", "data_seed", "table", "target"] as const;

/** Only what would end an entry, or be changed on the way, is escaped. */
function escaped(text: string): string {
  return text.replace(/[%&#=+\s"<>`]/g, encodeURIComponent);
}

function written(value: Json): string {
  if (typeof value !== "string") return JSON.stringify(value);
  return isPlain(value) ? value : JSON.stringify(value);
}

/** A text that reads as a number, a list or null is quoted. */
function isPlain(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch {
    return text !== "";
  }
}

function read(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function stateEntries(state: State, prefix: string): string[] {
  const entries: [string, Json][] = [["data", state.data.kind]];
  const { kind: _, ...fields } = state.data;
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) entries.push([name === "seed" ? "data_seed" : name, value]);
  }
  if (state.inputs !== null) entries.push(["inputs", state.inputs.some((name) => /^\[|,/.test(name) || name === "") ? state.inputs : state.inputs.join(",")]);
  for (const [name, value] of Object.entries(state.settings)) {
    if (value !== undefined) entries.push([name, value]);
  }
  return entries.map(([name, value]) => `${escaped(prefix + name)}=${escaped(written(value))}`);
}

function stateFrom(entries: Map<string, string>): State | null {
  const kind = entries.get("data");
  if (kind !== "toy" && kind !== "sample" && kind !== "table") return null;
  const data: { [name: string]: Json } = { kind };
  const settings: Settings = {};
  for (const [name, text] of entries) {
    if (name === "data" || name === "inputs") continue;
    if ((DATA_FIELDS as readonly string[]).includes(name)) {
      const value = name === "name" || name === "table" || name === "target" ? unquoted(text) : read(text);
      data[name === "data_seed" ? "seed" : name] = value;
    } else settings[name] = read(text);
  }
  const inputs = entries.get("inputs");
  const state = { data: data as unknown as Data, settings };
  // What a toy's address leaves open, the server decides: x1 and x2.
  if (inputs === undefined) return (kind === "toy" ? state : { ...state, inputs: null }) as State;
  const listed = read(inputs);
  if (Array.isArray(listed)) return { ...state, inputs: listed.map(String) };
  return { ...state, inputs: inputs.split(",").filter((name) => name !== "") };
}

function unquoted(text: string): string {
  const value = read(text);
  return typeof value === "string" ? value : text;
}

export function hashOf(page: PageState): string {
  const entries: string[] = [];
  if (page.a) entries.push(...stateEntries(page.a, ""));
  if (page.b) entries.push(...stateEntries(page.b, "b."));
  if (page.hide.length) entries.push(`hide=${page.hide.map(escaped).join(",")}`);
  if (page.panel) entries.push(`panel=${escaped(page.panel)}`);
  return entries.length ? `#${entries.join("&")}` : "";
}

/** Return what a hash says; what it does not say is null or empty. The server checks the values. */
export function pageStateOf(hash: string): PageState {
  const a = new Map<string, string>();
  const b = new Map<string, string>();
  let hide: string[] = [];
  let panel: string | null = null;
  for (const entry of hash.replace(/^#/, "").split("&")) {
    const at = entry.indexOf("=");
    if (at < 1) continue;
    const name = decoded(entry.slice(0, at));
    const value = decoded(entry.slice(at + 1));
    if (name === "hide") hide = value.split(",").filter((part) => part !== "");
    else if (name === "panel") panel = value || null;
    else if (name.startsWith("b.")) b.set(name.slice(2), value);
    else a.set(name, value);
  }
  return { a: stateFrom(a), b: stateFrom(b), hide, panel };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Return a state of another version without the settings that this one has not, and their names. */
export function understood(state: State, hello: Hello): { state: State; unknown: string[] } {
  const known = new Set(hello.catalog.settings.map((row) => row.name));
  const unknown = Object.keys(state.settings).filter((name) => !known.has(name));
  return { state: withSettings(state, Object.fromEntries(unknown.map((name) => [name, undefined]))), unknown };
}

/** The value of a setting: the state's, or the one that holds where the state leaves it open. */
export function inForce(known: { state: State | null; description: Description | null; hello: Hello }, name: string): Json {
  const { state, description } = known;
  const given = state?.settings[name];
  if (given !== undefined && given !== null) return given;
  const { catalog } = known.hello;
  const usual = state?.data.kind === "toy" ? catalog.toy_settings : catalog.table_settings;
  return description?.settings?.[name] ?? usual?.[name] ?? catalog.settings.find((row) => row.name === name)?.default ?? null;
}

/** Whether two states are the same, whatever the order of their entries. */
export function sameState(one: State | null, other: State | null): boolean {
  return canonical(one as unknown as Json) === canonical(other as unknown as Json);
}

function canonical(value: Json): string {
  return JSON.stringify(value, (_, part: Json) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([x], [y]) => (x < y ? -1 : 1)))
      : part,
  );
}

/** Return a state with some settings replaced; undefined removes one. */
export function withSettings(state: State, changes: { [name: string]: Json | undefined }): State {
  const settings: Settings = { ...state.settings };
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete settings[name];
    else settings[name] = value;
  }
  return { ...state, settings };
}
