// A `.mcdc` stream in, codes out; damaged or not.

import { checkFits, fromBytes, Turns } from "./codes.mjs";
import {
  checkClaims, CHUNK_HEAD, checkReadable, headAt, isWholeChunk, McdcError, readHeader,
} from "./format.mjs";
import { joined } from "./packing.mjs";

export { checkModel, McdcError, readHeader } from "./format.mjs";

// What may be missing in tolerant mode: so many seconds, or so many for each that is there.
const MOST_LOST = 60;
const LOST_FOR_EACH = 10;
const VAIN = 64; // bytes checked in vain for each that came; honest damage costs about one
const MOST_OVERLAP = 10; // chunks by which a clip may be longer than its chunks; the model tells
const MOST_CODES = 2 ** 26; // that a page should hold: 15 hours at 12 kbps

/**
 * The codes of a stream: {header, codes, frames, length, damaged, notes}.
 *
 * codes: Uint16Array, frame by frame; length: samples of the clip; damaged: the indexes of the
 * chunks in whose place stand the codes of silence; notes: sentences that say what is not as it
 * should be.
 *
 * predictorFor(header): asked once, for every stream; gives what predicted its codes (see
 *   `histogram.mjs`), null if the header's entropy coding is "none", or throws a sentence, as for a
 *   model that is not known (`checkModel`).
 * tolerant: go on behind damage.
 * silence: the codes of a silent frame, at least nQ; they stand in for what is lost.
 * progress: called now and then with the share that is done; what it throws ends the work.
 *
 * Throws McdcError.
 */
export async function readMcdc(bytes, options = {}) {
  const { predictorFor = () => null, tolerant = false, silence = null, progress } = options;
  const header = readHeader(bytes, { tolerant });
  checkReadable(header);
  const predictor = predictorFor(header);
  checkPredictor(header, predictor);
  const turns = new Turns(progress);
  const clip = new Clip(header, silence);
  if (header.mended) clip.notes.push("one bit of the header was flipped; it is mended.");
  for (const { chunk, at } of chunksOf(bytes, header, tolerant, clip.notes)) {
    if (!chunk.frames) {
      clip.end(chunk.index, chunk.length);
      break;
    }
    if (chunk.scales) throw new McdcError(`chunk ${chunk.index} has scales, unlike its model.`);
    if (chunk.frames > header.chunkFrames) {
      throw new McdcError(`chunk ${chunk.index} has ${chunk.frames} frames, and `
        + `${header.chunkFrames} are the most in this stream.`);
    }
    const payload = bytes.subarray(at + CHUNK_HEAD, at + CHUNK_HEAD + chunk.codes);
    const shareAt = (t) => (at + (chunk.size * t) / chunk.frames) / bytes.length;
    clip.place(chunk);
    clip.add(await fromBytes(payload, chunk, header, predictor, turns, shareAt));
  }
  if (clip.length === null) clip.breakOff();
  progress?.(1);
  const { damaged, notes, length } = clip;
  return { header, codes: clip.codes(), frames: clip.frames, length, damaged, notes };
}

function checkPredictor(header, predictor) {
  if (!predictor && header.entropy !== "none") {
    throw new McdcError(`this stream's codes were predicted by the ${header.entropy} model `
      + `${header.entropyFingerprint}, which is not here.`);
  }
  const here = header.entropy === "none" ? "0".repeat(16) : predictor.fingerprint;
  if (here !== header.entropyFingerprint) {
    throw new McdcError(`this stream's codes were predicted by the ${header.entropy} model `
      + `${header.entropyFingerprint}, but the one here is ${here}.`);
  }
  if (header.entropy !== "none") checkFits(predictor, header);
}

/** The chunks that came whole, in order, {chunk: its head, at: where}; the first that is not whole
 * is an error, or in tolerant mode a note. The one that ends the stream has its `length`. */
function* chunksOf(bytes, header, tolerant, notes) {
  const search = new Search(bytes, header);
  let noted = false;
  const note = (error) => {
    if (!tolerant) throw error;
    if (!noted) notes.push(error.message); // the others come of it, or are told by `Clip`
    noted = true;
  };
  let [expected, came, lost, short] = [0, 0, 0, -1];
  for (;;) {
    let chunk;
    try {
      chunk = search.next(expected, note);
    } catch (error) {
      if (!(error instanceof McdcError)) throw error;
      note(error);
      if (!search.find()) return;
      continue;
    }
    if (chunk.frames && short >= 0) {
      note(new McdcError(`chunk ${short} is short, yet not the last one.`));
    }
    if (chunk.frames !== header.chunkFrames) short = chunk.index;
    came += chunk.frames;
    lost += chunk.index - expected;
    checkLoss(header, came, lost);
    expected = chunk.index + 1;
    if (!chunk.frames && search.at < bytes.length) {
      noted = false; // this is another thing
      note(new McdcError("there are more bytes behind the end of this stream."));
    }
    yield { chunk, at: search.at - chunk.size };
    if (!chunk.frames) return;
  }
}

function checkLoss(header, frames, chunks) {
  const missing = secondsTo(header, chunks);
  const there = (frames / header.chunkFrames) * secondsTo(header, 1);
  if (missing > Math.max(there ? MOST_LOST : 0, LOST_FOR_EACH * there)) {
    throw new McdcError(`of this stream ${chunks} chunks, ${missing.toFixed(1)} s, are missing and `
      + `only ${there.toFixed(1)} s are there: too few.`);
  }
}

const secondsTo = (header, index) => (index * header.chunkSamples) / header.sampleRate;

/** A place in the bytes, which moves on from chunk to chunk. */
class Search {
  constructor(bytes, header) {
    this.bytes = bytes;
    this.header = header;
    this.at = header.size;
    this.vain = 0;
  }

  /** The chunk here; the place stays where it is unless that is whole and not out of order. */
  next(expected, note) {
    const { bytes, header, at } = this;
    const name = `chunk ${expected} (from ${secondsTo(header, expected).toFixed(1)} s)`;
    if (at >= bytes.length) {
      throw new McdcError(`this stream breaks off before ${name}: its end is missing.`);
    }
    if (bytes.length - at < CHUNK_HEAD) throw new McdcError(`this stream breaks off in ${name}.`);
    const chunk = headAt(bytes, at, header);
    if (!chunk) throw new McdcError(`${name} is damaged: it does not begin as a chunk does.`);
    if (chunk.index !== expected) {
      const missing = new McdcError(`${name} is missing: chunk ${chunk.index} stands in its `
        + "place.");
      if (chunk.index < expected) throw missing;
      note(missing);
    }
    checkClaims(header, chunk, name);
    const data = bytes.subarray(at, at + chunk.size);
    if (data.length < chunk.size) throw new McdcError(`this stream breaks off in ${name}.`);
    if (!isWholeChunk(data, header)) {
      this.vain += chunk.size;
      throw new McdcError(`${name} is damaged: its checksum does not match.`);
    }
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    for (let i = 0; i < chunk.scales; i++) {
      const scale = view.getFloat32(CHUNK_HEAD + 4 * i);
      if (!(scale >= 0 && scale < Infinity)) {
        throw new McdcError(`${name} holds a scale that is no loudness: ${scale}.`);
      }
    }
    if (!chunk.frames) {
      chunk.length = view.getUint32(CHUNK_HEAD) * 2 ** 32 + view.getUint32(CHUNK_HEAD + 4);
      this.checkLength(chunk);
    }
    this.at += chunk.size;
    return chunk;
  }

  checkLength({ index, length }) {
    const step = this.header.chunkSamples;
    const fits = (index - 1) * step < length && length < (index + MOST_OVERLAP) * step;
    if (!index || !fits || length >= 2 ** 53) {
      throw new McdcError(`this stream has ${index} chunks, but claims ${length} samples, which is `
        + "not so many.");
    }
  }

  /** Go to the next place where a chunk begins; false at the end. */
  find() {
    if (this.vain > VAIN * this.at + 2 ** 20) {
      throw new McdcError("this stream is damaged everywhere: it is not worth the time.");
    }
    const { bytes, header } = this;
    for (this.at++; this.at + CHUNK_HEAD <= bytes.length; this.at++) {
      this.at = bytes.indexOf(0x43, this.at); // the C of CHNK
      if (this.at < 0) break;
      if (headAt(bytes, this.at, header)) return true;
    }
    this.at = bytes.length;
    return false;
  }
}

/** All codes so far, each chunk at its time. */
class Clip {
  constructor(header, silence) {
    this.header = header;
    this.silence = silence;
    this.parts = [];
    this.frames = 0;
    this.last = null; // the head of the last chunk that came
    this.length = null; // in samples, once the end has been read
    this.damaged = [];
    this.notes = [];
  }

  /** Make room for the next chunk, with silence where those before it are missing. */
  place(chunk) {
    this.checkFull();
    this.lose(chunk.index, this.header.chunkFrames);
    this.last = chunk;
  }

  /** The last chunk that came is not the last one, so it is as long as the others. */
  checkFull() {
    const { last, header } = this;
    if (last && last.frames !== header.chunkFrames) {
      throw new McdcError(`chunk ${last.index} is short, yet not the last one.`);
    }
  }

  add(codes) {
    this.parts.push(codes);
    this.frames += codes.length / this.header.nQ;
    this.checkSize(0);
  }

  checkSize(frames) {
    const count = (this.frames + frames) * this.header.nQ;
    if (count > MOST_CODES) {
      throw new McdcError(`this stream has ${count} codes or more; ${MOST_CODES} is the most `
        + "here.");
    }
  }

  /** Silence up to chunk `stop`, of which the last has so many frames. */
  lose(stop, lastFrames) {
    const { header, silence } = this;
    const start = this.last ? this.last.index + 1 : 0;
    if (start >= stop) return;
    const frames = (stop - start - 1) * header.chunkFrames + lastFrames;
    this.checkSize(frames);
    if (!(silence?.length >= header.nQ)) {
      throw new McdcError(`chunk ${start} is missing, and the codes of silence are not known.`);
    }
    const codes = new Uint16Array(frames * header.nQ);
    for (let i = 0; i < codes.length; i++) codes[i] = silence[i % header.nQ];
    for (let index = start; index < stop; index++) this.damaged.push(index);
    this.add(codes);
    const which = stop - start > 1 ? `chunks ${start} to ${stop - 1} are` : `chunk ${start} is`;
    const [from, to] = [start, stop].map((index) => secondsTo(header, index));
    const until = Math.min(to, (this.length ?? Infinity) / header.sampleRate).toFixed(2);
    this.notes.push(`${which} damaged: silence from ${from.toFixed(2)} s to ${until} s.`);
  }

  /** The end of a stream that claims so many chunks and samples. */
  end(claimed, length) {
    const { header, last } = this;
    const chunks = Math.ceil(length / header.chunkSamples);
    if (chunks !== claimed) {
      throw new McdcError(`this stream has ${claimed} chunks, but claims ${length} samples, which `
        + `take ${chunks}.`);
    }
    const rest = length - (chunks - 1) * header.chunkSamples;
    const lastFrames = Math.ceil(rest / header.hopLength);
    if (last && last.index < chunks - 1) {
      this.checkFull();
    } else if (last && last.frames !== lastFrames) {
      throw new McdcError(`chunk ${last.index} has ${last.frames} frames, but ${lastFrames} are `
        + `the end of ${length} samples.`);
    }
    this.length = length;
    this.lose(chunks, lastFrames);
  }

  /** The end is missing, and with it how many samples there were: all frames are real. */
  breakOff() {
    const { header, last } = this;
    if (!last) throw new McdcError("this stream has no whole chunk from here on.");
    this.length = this.frames * header.hopLength;
    const seconds = this.length / header.sampleRate;
    this.notes.push(`this stream breaks off at ${seconds.toFixed(2)} s: its end is missing.`);
  }

  codes() {
    return joined(this.parts, Uint16Array);
  }
}
