/** Which lessons were solved, kept by the browser; private windows may refuse to keep anything. */

const KEY = "chainrule-lessons";

export interface Progress {
  solved: number[];
  /** The lesson that is open; null: the list. */
  open: number | null;
}

export function readProgress(): Progress {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Progress> | null;
    const solved = Array.isArray(kept?.solved) ? kept.solved.filter((number) => Number.isInteger(number)) : [];
    return { solved, open: Number.isInteger(kept?.open) ? (kept?.open ?? null) : null };
  } catch {
    return { solved: [], open: null };
  }
}

export function writeProgress(progress: Progress): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(progress));
  } catch {
    // The lessons work without it.
  }
}
