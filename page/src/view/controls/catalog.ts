/** What the catalog of the server offers, whether its entries are names or more. */

import type { Catalog, CatalogData, Data, Task } from "../../protocol/messages";

export interface Choice extends CatalogData {
  kind: "toy" | "sample";
}

function entry(kind: "toy" | "sample", given: CatalogData | string): Choice {
  return typeof given === "string" ? { kind, name: given } : { ...given, kind };
}

export function choices(catalog: Catalog): Choice[] {
  return [...catalog.toys.map((t) => entry("toy", t)), ...catalog.samples.map((s) => entry("sample", s))];
}

export function taskOf(choice: CatalogData): Task {
  return choice.task ?? "classification";
}

export function firstOfTask(catalog: Catalog, task: Task): Choice | undefined {
  return choices(catalog).find((choice) => taskOf(choice) === task);
}

export function dataOf(choice: Choice): Data {
  return { kind: choice.kind, name: choice.name };
}
