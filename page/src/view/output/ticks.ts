/** Round numbers along an axis. */

const MINUS = "−";

/** Return about `most` multiples of 1, 2 or 5 times a power of ten, with their places from 0 to 1. */
export function ticksOf(lo: number, hi: number, most: number): { share: number; text: string }[] {
  const span = hi - lo;
  if (!(span > 0) || !Number.isFinite(span)) return [];
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const digits = Math.max(0, Math.min(12, -Math.floor(Math.log10(step) + 1e-9)));
  const far = Math.max(Math.abs(lo), Math.abs(hi));
  const ticks: { share: number; text: string }[] = [];
  for (let i = Math.ceil(lo / step - 1e-9); i * step <= hi + 1e-9 * span; i++) {
    const value = i * step;
    const text = far >= 1e5 || far < 1e-3 ? value.toExponential(0) : value.toFixed(digits);
    ticks.push({ share: (value - lo) / span, text: (i === 0 ? "0" : text).replaceAll("-", MINUS) });
  }
  return ticks;
}
