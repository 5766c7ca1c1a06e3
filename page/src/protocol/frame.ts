/** The binary snapshot, version 1; its layout stands in chainrule/playground/session/layout.py. */

const MAGIC = 0x31465243;
const VERSION = 1;
const HEADER = 56;

export interface Frame {
  running: boolean;
  travelling: boolean;
  run: number;
  epoch: number;
  step: number;
  trainLoss: number;
  /** NaN: there are no test rows. */
  testLoss: number;
  learningRate: number;
  gradientNorm: number;
  metrics: Float32Array;
  /** ‖∂J/∂W[l]‖ of each dense layer. */
  gradientNorms: Float32Array;
  /** In the order of the description's drawn_values. */
  values: Float32Array;
  /** ∂J/∂value, and the mean |δ| of each drawn unit; null unless the view is "backward". */
  gradients: Float32Array | null;
  deltas: Float32Array | null;
  /** Lowest and highest value of each unit map, one pair after the other. */
  unitRanges: Float32Array;
  output: OutputMap;
  /** Maps of the drawn hidden and output units, layer by layer, `unitSize`² bytes each. */
  unitSize: number;
  unitMaps: Uint8Array;
  nUnits: number;
  detail: DetailMap | null;
}

export interface OutputMap {
  size: number;
  channels: number;
  /** One plane after the other; row 0 is the top, where y is largest. */
  data: Uint8Array;
}

export interface DetailMap {
  layer: number;
  unit: number;
  size: number;
  lo: number;
  hi: number;
  data: Uint8Array;
}

/** Floats start at a multiple of 4 bytes; they are copied only where the machine is big-endian. */
const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

function floats(buffer: ArrayBuffer, offset: number, length: number): Float32Array {
  if (littleEndian) return new Float32Array(buffer, offset, length);
  const view = new DataView(buffer);
  return Float32Array.from({ length }, (_, i) => view.getFloat32(offset + 4 * i, true));
}

/** Return what a frame holds, as views of its bytes; throws if it is none. */
export function decodeFrame(buffer: ArrayBuffer): Frame {
  if (buffer.byteLength < HEADER) throw new Error("A frame is too short.");
  const view = new DataView(buffer);
  if (view.getUint32(0, true) !== MAGIC) throw new Error("A binary message is no frame.");
  const version = view.getUint16(4, true);
  if (version !== VERSION) {
    throw new Error(`A frame has version ${version}; this page reads ${VERSION}. Reload the page.`);
  }
  const flags = view.getUint16(6, true);
  const size = view.getUint16(36, true);
  const channels = view.getUint16(38, true);
  const unitSize = view.getUint16(40, true);
  const nUnits = view.getUint16(42, true);
  const nValues = view.getUint16(44, true);
  const nMetrics = view.getUint16(46, true);
  const detailSize = view.getUint16(48, true);
  const nNorms = view.getUint16(54, true);
  const backward = (flags & 4) !== 0;

  let offset = HEADER;
  const nextFloats = (length: number): Float32Array => {
    const taken = floats(buffer, offset, length);
    offset += 4 * length;
    return taken;
  };
  const nextBytes = (length: number): Uint8Array => {
    const taken = new Uint8Array(buffer, offset, length);
    offset += length;
    return taken;
  };

  const metrics = nextFloats(nMetrics);
  const gradientNorms = nextFloats(nNorms);
  const values = nextFloats(nValues);
  const gradients = backward ? nextFloats(nValues) : null;
  const deltas = backward ? nextFloats(nUnits) : null;
  const unitRanges = nextFloats(2 * nUnits);
  const detailRange = detailSize > 0 ? nextFloats(2) : null;
  const output = { size, channels, data: nextBytes(channels * size * size) };
  const unitMaps = nextBytes(nUnits * unitSize * unitSize);
  const detail = detailRange && {
    layer: view.getUint16(50, true),
    unit: view.getUint16(52, true),
    size: detailSize,
    lo: detailRange[0]!,
    hi: detailRange[1]!,
    data: nextBytes(detailSize * detailSize),
  };
  return {
    running: (flags & 1) !== 0,
    travelling: (flags & 2) !== 0,
    run: view.getUint32(8, true),
    epoch: view.getUint32(12, true),
    step: view.getUint32(16, true),
    trainLoss: view.getFloat32(20, true),
    testLoss: view.getFloat32(24, true),
    learningRate: view.getFloat32(28, true),
    gradientNorm: view.getFloat32(32, true),
    metrics,
    gradientNorms,
    values,
    gradients,
    deltas,
    unitRanges,
    output,
    unitSize,
    unitMaps,
    nUnits,
    detail,
  };
}
