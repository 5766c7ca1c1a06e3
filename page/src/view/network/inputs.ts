/** The maps of the inputs, which come once with the description. */

import type { Description } from "../../protocol/messages";
import type { UnitAtlas } from "./draw";

export function updateInputs(atlas: UnitAtlas, description: Description, discrete: boolean): void {
  const given = description.input_maps;
  if (!given || given.maps.length === 0) {
    atlas.update(0, 0, new Uint8Array(0), [], discrete);
    return;
  }
  const area = given.size * given.size;
  const bytes = new Uint8Array(area * given.maps.length);
  const ranges: number[] = [];
  given.maps.forEach((map, i) => {
    bytes.set(decoded(map.data).subarray(0, area), i * area);
    ranges.push(map.lo, map.hi);
  });
  atlas.update(given.size, given.maps.length, bytes, ranges, discrete);
}

function decoded(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
