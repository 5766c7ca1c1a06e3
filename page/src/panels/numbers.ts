/** Numbers as text: short in tables and drawings, exact in titles and in exports. */

/** Four significant digits, with a true minus sign. */
export function short(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined) {
    return "–";
  }
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  }
  const size = Math.abs(value);
  const text =
    size !== 0 && (size >= 1e6 || size < 1e-4)
      ? value.toExponential(Math.max(digits - 2, 1))
      : Number.isInteger(value)
        ? String(value)
        : String(Number(value.toPrecision(digits)));
  return text.replace(/-/g, "−");
}

/** The shortest text that reads back as the same double: what `repr` prints in Python. */
export function exact(value: number | null | undefined): string {
  return value === null || value === undefined ? "none" : String(value);
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

export function bytes(count: number): string {
  if (count < 1e3) {
    return `${count} B`;
  }
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}
