// The codes of one chunk as bytes, and back: packed, or coded with a predictor if that is shorter.

import { McdcError } from "./format.mjs";
import { pack, packedSize, unpack } from "./packing.mjs";
import { RangeDecoder, RangeEncoder } from "./range_coder.mjs";

const WORK = 30; // milliseconds in which a page can wait for its turn

/** Lets the page draw and hear while there is much to do, and tells it how much is done. */
export class Turns {
  /** progress: called now and then with the share that is done; what it throws ends the work. */
  constructor(progress = () => {}) {
    this.progress = progress;
    this.since = performance.now();
  }

  async after(share) {
    if (performance.now() - this.since < WORK) return;
    this.progress(share);
    await new Promise((resolve) => setTimeout(resolve));
    this.since = performance.now();
  }
}

/** Refuse a predictor of other codes than those of a stream. */
export function checkFits(predictor, { bits, nQ }) {
  if (predictor.codebookSize !== 2 ** bits || predictor.nQ < nQ) {
    throw new McdcError(`this predictor is for ${predictor.nQ} codebooks of `
      + `${predictor.codebookSize} entries, but the stream has ${nQ} of ${2 ** bits}.`);
  }
}

/**
 * codes: of a chunk, frame by frame; predictor: null to pack them; shareAt: the share of all work
 * that is done after so many frames of the chunk.
 */
export async function toBytes(codes, { bits, nQ }, predictor, turns, shareAt) {
  const packed = pack(codes, bits);
  if (!predictor) return packed;
  const encoder = new RangeEncoder();
  const chunk = predictor.start(nQ);
  const frames = codes.length / nQ;
  for (let t = 0; t < frames; t++) {
    const frame = codes.subarray(t * nQ, (t + 1) * nQ);
    frame.forEach((code, k) =>
      encoder.encode(chunk.below(k, code), chunk.frequency(k, code), chunk.total(k)));
    if (t < frames - 1) chunk.see(frame);
    await turns.after(shareAt(t + 1));
  }
  const coded = encoder.finish();
  return coded.length < packed.length ? coded : packed;
}

/** The codes of a chunk {index, frames} back. Their length tells whether they are packed. */
export async function fromBytes(bytes, { index, frames }, header, predictor, turns, shareAt) {
  const { bits, nQ } = header;
  if (!predictor || bytes.length === packedSize(frames * nQ, bits)) {
    return unpack(bytes, bits, frames * nQ);
  }
  const codes = new Uint16Array(frames * nQ);
  const decoder = new RangeDecoder(bytes);
  const chunk = predictor.start(nQ);
  try {
    for (let t = 0; t < frames; t++) {
      const frame = codes.subarray(t * nQ, (t + 1) * nQ);
      for (let k = 0; k < nQ; k++) {
        const code = chunk.find(k, decoder.place(chunk.total(k)));
        decoder.take(chunk.below(k, code), chunk.frequency(k, code));
        frame[k] = code;
      }
      if (t < frames - 1) chunk.see(frame);
      await turns.after(shareAt(t + 1));
    }
    decoder.finish();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new McdcError(`chunk ${index} cannot be decoded: ${error.message}.`);
  }
  return codes;
}
