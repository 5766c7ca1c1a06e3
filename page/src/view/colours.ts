/** Colours: one diverging palette (orange, white, blue) that colour-blind people can read, and classes. */

type Rgb = readonly [number, number, number];

const ORANGE: Rgb = [217, 105, 10];
const PALE_ORANGE: Rgb = [249, 190, 128];
const WHITE: Rgb = [246, 247, 248];
const PALE_BLUE: Rgb = [143, 196, 232];
const BLUE: Rgb = [14, 98, 165];

/** After Okabe and Ito; neighbours differ in lightness too. Blue and orange are the first two. */
const CLASS_COLOURS: readonly Rgb[] = [
  [217, 105, 10],
  [14, 98, 165],
  [12, 140, 104],
  [190, 72, 140],
  [118, 92, 200],
  [168, 146, 0],
  [60, 160, 214],
  [140, 74, 47],
  [104, 114, 128],
  [206, 60, 80],
];

function mixed(one: Rgb, other: Rgb, share: number): Rgb {
  return [0, 1, 2].map((i) => Math.round(one[i]! + (other[i]! - one[i]!) * share)) as unknown as Rgb;
}

const STOPS: readonly Rgb[] = [ORANGE, PALE_ORANGE, WHITE, PALE_BLUE, BLUE];

function atStops(place: number): Rgb {
  const scaled = Math.min(Math.max(place, 0), 1) * (STOPS.length - 1);
  const left = Math.min(Math.floor(scaled), STOPS.length - 2);
  return mixed(STOPS[left]!, STOPS[left + 1]!, scaled - left);
}

/** ImageData wants R, G, B, A in the order of bytes; written as one 32-bit number. */
function packed([r, g, b]: Rgb): number {
  return littleEndian ? ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0 : ((r << 24) | (g << 16) | (b << 8) | 255) >>> 0;
}

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

const STEPS = 512;

/** The palette from -1 to 1 in steps of 1/STEPS: as pixels, and as CSS colours. */
const PIXELS = Uint32Array.from({ length: 2 * STEPS + 1 }, (_, i) => packed(atStops(i / (2 * STEPS))));
const TEXTS = Array.from({ length: 65 }, (_, i) => css(atStops(i / 64)));

/** From -1 (orange) over 0 (white) to 1 (blue). */
export function diverging(value: number): string {
  return TEXTS[Math.round((Math.min(Math.max(value, -1), 1) + 1) * 32)]!;
}

/** What bytes stand for. `strength`: how deep the colours of the ends are; points on a map are deeper. */
export interface Range {
  lo: number;
  hi: number;
  middle: number;
  strength?: number;
}

export const MAP_STRENGTH = 0.72;

/** Write bytes that stand for lo … hi as pixels; white is at `middle`. */
export function paintDiverging(
  words: Uint32Array,
  start: number,
  bytes: Uint8Array,
  first: number,
  length: number,
  range: Range,
  discrete: boolean,
): void {
  const { lo, hi, middle } = range;
  const reach = (Math.max(Math.abs(hi - middle), Math.abs(lo - middle)) || 1) / (range.strength ?? 1);
  const zero = STEPS * (1 + (lo - middle) / reach);
  const slope = (STEPS * (hi - lo)) / (255 * reach);
  const [low, high] = [Math.round(0.3 * STEPS), Math.round(1.7 * STEPS)];
  for (let i = 0; i < length; i++) {
    const place = zero + slope * bytes[first + i]!;
    words[start + i] = PIXELS[discrete ? (place >= STEPS ? high : low) : (place + 0.5) | 0]!;
  }
}

export function css([r, g, b]: Rgb): string {
  return `rgb(${r} ${g} ${b})`;
}

/** The colour of a class by its number. */
export function classColour(number: number): string {
  return css(classRgb(number));
}

function classRgb(number: number): Rgb {
  return CLASS_COLOURS[number % CLASS_COLOURS.length]!;
}

/** Colours of a class at 64 levels of confidence, each class 64 entries. */
export function classPalette(classes: number, discrete: boolean): Uint32Array {
  const colours = new Uint32Array(classes * 64);
  for (let number = 0; number < classes; number++) {
    for (let level = 0; level < 64; level++) {
      // A guess among all classes is pale, certainty is the full colour.
      const least = 1 / Math.max(classes, 2);
      const confidence = Math.max(0, (level / 63 - least) / (1 - least));
      const share = discrete ? 0.62 : 0.08 + 0.62 * confidence;
      colours[number * 64 + level] = packed(mixed(WHITE, classRgb(number), share));
    }
  }
  return colours;
}

export interface ThemeColours {
  fg: string;
  muted: string;
  border: string;
  surface: string;
  sunken: string;
  orange: string;
  blue: string;
  accent: string;
  test: string;
}

let known: ThemeColours | null = null;
const listeners = new Set<() => void>();

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  known = null;
  for (const listener of [...listeners]) listener();
});

/** The colours of the sheet, for what is drawn on a canvas. */
export function theme(): ThemeColours {
  if (!known) {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    known = {
      fg: colour("fg"),
      muted: colour("muted"),
      border: colour("border"),
      surface: colour("surface"),
      sunken: colour("sunken"),
      orange: colour("orange"),
      blue: colour("blue"),
      accent: colour("accent"),
      test: colour("test"),
    };
  }
  return known;
}

export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
