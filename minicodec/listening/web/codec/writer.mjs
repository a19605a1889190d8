// Codes in, a `.mcdc` stream out.

import { checkFits, Turns, toBytes } from "./codes.mjs";
import { chunkBytes, endBytes, headerBytes, headerFor, McdcError } from "./format.mjs";
import { joined } from "./packing.mjs";

/**
 * The bytes of a stream, as the Python package writes them for the same codes.
 *
 * model: {name, fingerprint (hex), sampleRate, channels, hopLength, bits}; its codes are coded
 * frame by frame, without segments and scales.
 * codes: Uint16Array, frame by frame, and in a frame codebook by codebook.
 * length: samples of the clip, of which the codes are all frames.
 * entropy: "none", "histogram" or "lm"; but for "none" with a predictor (see `histogram.mjs`).
 * chunkSeconds: seconds of sound in a chunk, about; at most 60.
 * progress: called now and then with the share that is done; what it throws ends the work.
 *
 * Throws McdcError for what is none of this.
 */
export async function writeMcdc(clip) {
  const { model, nQ, codes, length, entropy, progress, chunkSeconds = 5 } = clip;
  const predictor = entropy === "none" ? null : clip.predictor;
  if (predictor === undefined) throw new McdcError(`${entropy} needs a predictor of the codes.`);
  const fingerprint = predictor?.fingerprint ?? "0".repeat(16);
  const header = headerFor(model, nQ, entropy, fingerprint, chunkSeconds);
  checkCodes(codes, header, length);
  if (predictor) checkFits(predictor, header);
  const turns = new Turns(progress);
  const parts = [headerBytes(header)];
  const frames = codes.length / nQ;
  let index = 0;
  for (let begin = 0; begin < frames; begin += header.chunkFrames) {
    const end = Math.min(frames, begin + header.chunkFrames);
    const part = codes.subarray(begin * nQ, end * nQ);
    const payload = await toBytes(part, header, predictor, turns, (t) => (begin + t) / frames);
    parts.push(chunkBytes(header, index++, end - begin, payload));
  }
  parts.push(endBytes(header, index, length));
  progress?.(1);
  return joined(parts, Uint8Array);
}

function checkCodes(codes, header, length) {
  if (!Number.isSafeInteger(length) || length < 1) {
    throw new McdcError(`a clip has at least one sample, not ${length}.`);
  }
  const wanted = Math.ceil(length / header.hopLength) * header.nQ;
  if (!(codes instanceof Uint16Array) || codes.length !== wanted) {
    throw new McdcError(`${length} samples take ${wanted} codes in a Uint16Array, but these are `
      + `${codes.length}.`);
  }
  const largest = codes.reduce((most, code) => Math.max(most, code), 0);
  if (largest >= 2 ** header.bits) {
    throw new McdcError(`a code of ${header.bits} bits is never ${largest}.`);
  }
}
