/** What the colours of the map mean: a scale with numbers, or the names of the classes. */

import { h, setText } from "../../dom";
import type { Description } from "../../protocol/messages";
import { classColour, diverging, MAP_STRENGTH, onTheme } from "../colours";
import { clipped, short } from "../format";
import { fit } from "../maps";

export class Legend {
  private readonly bar = h("canvas", { class: "scale-bar", "aria-hidden": "true" });
  private readonly numbers = h("div", { class: "scale-numbers" });
  private readonly scale = h("div", { class: "scale" }, this.bar, this.numbers);
  private readonly classes = h("ul", { class: "classes" });
  readonly element = h("div", { class: "legend" }, this.scale, this.classes);
  private description: Description | null = null;
  private drawn = "";

  constructor() {
    onTheme(() => {
      this.drawn = "";
    });
  }

  describe(description: Description): void {
    this.description = description;
    this.drawn = "";
    const { classes } = description;
    this.classes.replaceChildren(
      ...(classes ?? []).map((name, i) => {
        const dot = h("span", { class: "dot" });
        dot.style.background = classColour(i);
        return h("li", { title: name }, dot, clipped(name, 20));
      }),
    );
    this.showOutput();
  }

  showOutput(): void {
    const description = this.description;
    if (!description) return;
    const { channels, lo, hi } = description.output;
    this.classes.hidden = description.classes === null;
    if (channels === 1) this.showRange(lo, hi, (lo + hi) / 2, description.classes !== null, MAP_STRENGTH);
    else this.scale.hidden = true;
  }

  showRange(lo: number, hi: number, middle: number, withClasses = false, strength = 1): void {
    this.scale.hidden = false;
    this.classes.hidden = !withClasses;
    const key = [lo, hi, middle, strength].map((value) => short(value)).join(" ");
    if (key === this.drawn || this.bar.clientWidth === 0) return;
    this.drawn = key;
    fit(this.bar, this.bar.clientWidth, 10);
    const context = this.bar.getContext("2d")!;
    const width = this.bar.clientWidth;
    const reach = Math.max(hi - middle, middle - lo) || 1;
    for (let x = 0; x < width; x++) {
      context.fillStyle = diverging((strength * (lo + ((hi - lo) * (x + 0.5)) / width - middle)) / reach);
      context.fillRect(x, 0, 1.5, 10);
    }
    const values = [lo, lo + (hi - lo) / 4, (lo + hi) / 2, lo + (3 * (hi - lo)) / 4, hi];
    if (this.numbers.childElementCount === 0) this.numbers.append(...values.map(() => h("span")));
    values.forEach((value, i) => setText(this.numbers.children[i]!, onScale(value, hi - lo)));
  }
}

/** Return a number with as many decimals as the steps of the scale need. */
function onScale(value: number, range: number): string {
  const step = range / 4;
  if (!(step > 0) || Math.max(Math.abs(value), range) >= 1e5 || range < 1e-3) return short(value, 2);
  const decimals = Math.max(0, 1 - Math.floor(Math.log10(step)));
  return value.toFixed(Math.min(decimals, 4)).replace(/^-(?=[0.]*$)/, "").replaceAll("-", "−");
}
