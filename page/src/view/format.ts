/** Numbers as people read them. */

const MINUS = "−";

/** Return a value with about `digits` significant digits: 0.0312, −12.4, 3.1e−7. */
export function short(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  const size = Math.abs(value);
  if (size === 0) return "0";
  let text: string;
  if (size < 1e-4 || size >= 1e6) text = value.toExponential(Math.max(digits - 2, 1));
  else {
    const whole = Math.floor(Math.log10(size)) + 1;
    text = value.toFixed(Math.max(0, Math.min(6, digits - whole)));
  }
  return text.replaceAll("-", MINUS);
}

/** Return a loss: always so many digits that a change shows and the width stays the same. */
export function loss(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return "∞";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)) {
    return value.toExponential(2).replaceAll("-", MINUS);
  }
  return value.toFixed(value >= 100 ? 1 : value >= 10 ? 2 : 4);
}

/** Return a count with thin spaces between thousands. */
export function count(value: number): string {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, "\u2009");
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** x1_squared → x₁², as the field writes it; other names stay. */
export function inputTitle(name: string): string {
  const parts = /^(sin_)?x(\d+)(_squared)?(?:_times_x(\d+))?$/.exec(name);
  if (!parts) return name;
  const [, sine, first, squared, second] = parts;
  const other = second === undefined ? "" : `x${subscript(Number(second))}`;
  return `${sine ? "sin " : ""}x${subscript(Number(first))}${squared ? "²" : ""}${other}`;
}

export function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

export function subscript(number: number): string {
  return String(number).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]!);
}
