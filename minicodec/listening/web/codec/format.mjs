// The numbers of a `.mcdc` stream: its header, the heads of its chunks, and its limits.

import { crc32 } from "./crc32.mjs";
import { packedSize } from "./packing.mjs";

/** Bytes that are not a whole, undamaged stream, or not one that can be read here. */
export class McdcError extends Error {
  constructor(sentence) {
    super(sentence);
    this.name = "McdcError";
  }
}

export const ENTROPY = ["none", "histogram", "lm"];
export const CHUNK_HEAD = 17; // bytes, with its checksum

const FIXED_HEAD = 37; // bytes of a header before its name
const MOST_BYTES = 65535; // of packed codes in a chunk
const MOST_FRAMES = 65535; // in a chunk
const MOST_SECONDS = 60; // in a chunk
const MOST_BITS = 16; // of a code

const MAGIC = [0x4d, 0x43, 0x44, 0x43];
const SYNC = [0x43, 0x48, 0x4e, 0x4b];

const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const starts = (bytes, word) => word.every((byte, i) => bytes[i] === byte);
const lastCrc = (bytes) => viewOf(bytes).getUint32(bytes.length - 4);
const isWhole = (bytes, seed) => crc32(bytes.subarray(0, -4), seed) === lastCrc(bytes);

function withCrc(bytes, seed) {
  viewOf(bytes).setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4), seed));
  return bytes;
}

/**
 * The header of a stream that is about to be written: the same fields as `readHeader` gives.
 * model: {name, fingerprint (hex), sampleRate, channels, hopLength, bits}.
 */
export function headerFor(model, nQ, entropy, entropyFingerprint, chunkSeconds) {
  const { sampleRate, hopLength, bits } = model;
  // So fast that the samples of a chunk still have room in 32 bits.
  const limits = { sampleRate: 2 ** 26, hopLength: 2 ** 26, bits: MOST_BITS, channels: 255 };
  for (const [name, most] of Object.entries(limits)) checkCount(name, model[name], most);
  checkCount("nQ", nQ, 65535);
  if (!ENTROPY.includes(entropy)) {
    throw new McdcError(`entropy is one of ${ENTROPY.join(", ")}, but this is ${entropy}.`);
  }
  if (!(chunkSeconds > 0 && chunkSeconds <= MOST_SECONDS)) {
    throw new McdcError(`a chunk lasts more than 0 and at most ${MOST_SECONDS} seconds, not `
      + `${chunkSeconds}.`);
  }
  const most = Math.min(
    Math.floor((8 * MOST_BYTES) / (nQ * bits)), MOST_FRAMES,
    Math.floor((MOST_SECONDS * sampleRate) / hopLength),
  );
  const wanted = roundHalfEven((chunkSeconds * sampleRate) / hopLength);
  const chunkFrames = Math.min(Math.max(1, wanted), most);
  if (chunkFrames < 1) {
    throw new McdcError(`${nQ} codebooks of ${bits} bits are too many for a stream.`);
  }
  const header = {
    entropy, channels: model.channels, bits, nQ, chunkFrames, chunkSamples: chunkFrames * hopLength,
    sampleRate, fingerprint: model.fingerprint, entropyFingerprint, name: model.name,
  };
  return parseHeader(headerBytes(header));
}

function checkCount(name, value, most) {
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new McdcError(`${name} is an integer from 1 to ${most}, not ${value}.`);
  }
}

function roundHalfEven(x) {
  const low = Math.floor(x);
  return x - low > 0.5 || (x - low === 0.5 && low % 2) ? low + 1 : low;
}

/** A header as it stands in the stream, checksum included. */
export function headerBytes(header) {
  const name = new TextEncoder().encode(header.name);
  let size = Math.min(name.length, 255);
  while (size < name.length && (name[size] & 0xc0) === 0x80) size--; // no character is cut
  const bytes = new Uint8Array(FIXED_HEAD + size + 4);
  const view = viewOf(bytes);
  bytes.set(MAGIC);
  bytes.set([1, ENTROPY.indexOf(header.entropy), header.channels, header.bits], 4);
  view.setUint16(8, header.nQ);
  view.setUint16(10, header.chunkFrames);
  view.setUint32(12, header.chunkSamples);
  view.setUint32(16, header.sampleRate);
  bytes.set(bytesOfHex(header.fingerprint), 20);
  bytes.set(bytesOfHex(header.entropyFingerprint), 28);
  bytes[36] = size;
  bytes.set(name.subarray(0, size), FIXED_HEAD);
  return withCrc(bytes);
}

function bytesOfHex(text) {
  if (!/^[0-9a-f]{16}$/.test(text)) {
    throw new McdcError(`a fingerprint is 8 bytes in hex, not ${JSON.stringify(text)}.`);
  }
  return Uint8Array.from({ length: 8 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/**
 * What a stream says about itself: {entropy, channels, bits, nQ, chunkFrames, chunkSamples,
 * sampleRate, hopLength, fingerprint, entropyFingerprint, name, crc, size, mended}; fingerprints in
 * hex, `size` in bytes. `tolerant` mends one flipped bit, and `mended` tells that it did.
 */
export function readHeader(bytes, { tolerant = false } = {}) {
  if (!(bytes instanceof Uint8Array)) throw new McdcError("a stream is bytes, a Uint8Array.");
  if (bytes.length < FIXED_HEAD) {
    throw new McdcError(`${bytes.length} bytes are too few for a stream: its header alone has more `
      + `than ${FIXED_HEAD}.`);
  }
  const sizeOf = (data) => FIXED_HEAD + data[FIXED_HEAD - 1] + 4;
  let head = bytes.subarray(0, sizeOf(bytes));
  const longest = bytes.subarray(0, FIXED_HEAD + 255 + 4);
  const mended = tolerant && !isWhole(head) ? mend(new Uint8Array(longest), sizeOf) : null;
  if (mended) head = mended;
  if (!starts(head, MAGIC)) {
    throw new McdcError("this is no minicodec stream: it does not begin with MCDC.");
  }
  if (head[4] !== 1) {
    throw new McdcError(`this stream is of version ${head[4]}; only version 1 is known.`);
  }
  if (head.length < sizeOf(head)) throw new McdcError("this stream breaks off in its header.");
  if (!isWhole(head)) {
    throw new McdcError("this stream's header is damaged: its checksum does not match.");
  }
  return { ...parseHeader(head), mended: mended !== null };
}

/** The header with one bit flipped back, if that makes it right; else null. */
function mend(bytes, sizeOf) {
  for (let place = 0; place < 8 * bytes.length; place++) {
    const bit = 0x80 >> place % 8;
    bytes[place >> 3] ^= bit;
    const trial = bytes.subarray(0, sizeOf(bytes));
    if (trial.length === sizeOf(bytes) && isWhole(trial)) return trial;
    bytes[place >> 3] ^= bit;
  }
  return null;
}

function parseHeader(head) {
  const view = viewOf(head);
  const [, , , , , entropy, channels, bits] = head;
  const [nQ, chunkFrames] = [view.getUint16(8), view.getUint16(10)];
  const [chunkSamples, sampleRate] = [view.getUint32(12), view.getUint32(16)];
  let name = "";
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    name = decoder.decode(head.subarray(FIXED_HEAD, -4));
  } catch {
    throw new McdcError("this stream's header names its model in no known letters.");
  }
  if (!(channels && bits && nQ && chunkFrames && chunkSamples && sampleRate)) {
    throw new McdcError("this stream's header holds a zero where none can be.");
  }
  if (bits > MOST_BITS) {
    throw new McdcError(`this stream's codes have ${bits} bits; ${MOST_BITS} is the most.`);
  }
  if (entropy >= ENTROPY.length) {
    throw new McdcError(`this stream's entropy coding, ${entropy}, is not known.`);
  }
  if (chunkSamples > MOST_SECONDS * sampleRate) {
    throw new McdcError(`this stream claims chunks of ${Math.round(chunkSamples / sampleRate)} s; `
      + `${MOST_SECONDS} s is the most.`);
  }
  return {
    entropy: ENTROPY[entropy], channels, bits, nQ, chunkFrames, chunkSamples, sampleRate,
    hopLength: chunkSamples / chunkFrames, fingerprint: hexOf(head.subarray(20, 28)),
    entropyFingerprint: hexOf(head.subarray(28, 36)), name, crc: lastCrc(head), size: head.length,
  };
}

/** Refuse a stream that this program cannot read. */
export function checkReadable(header) {
  if (!Number.isInteger(header.hopLength)) {
    throw new McdcError("this stream's model codes in segments, which only the program minicodec "
      + "reads.");
  }
}

/**
 * Refuse a stream that another model has made, or whose header contradicts its model.
 * model: as for `headerFor`, and nQ: the codebooks it has.
 */
export function checkModel(header, model) {
  if (header.fingerprint !== model.fingerprint) {
    const [theirs, ours] = [header.name, model.name].map((name) => JSON.stringify(name));
    throw new McdcError(`this stream was made by other weights (${theirs}) than ${ours} has.`);
  }
  const words = { bits: "number of bits in a code", channels: "number of channels",
    sampleRate: "sample rate", hopLength: "hop in samples" };
  for (const [name, word] of Object.entries(words)) {
    if (header[name] !== model[name]) {
      throw new McdcError(`this stream has ${header[name]} as its ${word}, but its model `
        + `${model[name]}.`);
    }
  }
  if (header.nQ > model.nQ) {
    throw new McdcError(`this stream has ${header.nQ} codebooks, but its model ${model.nQ}.`);
  }
}

/** One chunk as it stands in the stream; this program writes none with scales. */
export function chunkBytes(header, index, frames, codes) {
  const bytes = new Uint8Array(CHUNK_HEAD + codes.length + 4);
  const view = viewOf(bytes);
  bytes.set(SYNC);
  view.setUint32(4, index);
  view.setUint16(8, frames);
  view.setUint16(10, codes.length);
  withCrc(bytes.subarray(0, CHUNK_HEAD), header.crc);
  bytes.set(codes, CHUNK_HEAD);
  return withCrc(bytes, header.crc);
}

/** The chunk that ends a stream of `chunks` chunks and `length` samples. */
export function endBytes(header, chunks, length) {
  const codes = new Uint8Array(8);
  viewOf(codes).setUint32(0, Math.floor(length / 2 ** 32));
  viewOf(codes).setUint32(4, length % 2 ** 32);
  return chunkBytes(header, chunks, 0, codes);
}

/** The head of the chunk that begins here, {index, frames, codes, scales, size}; null for none. */
export function headAt(bytes, at, header) {
  const head = bytes.subarray(at, at + CHUNK_HEAD);
  if (head.length < CHUNK_HEAD || !starts(head, SYNC) || !isWhole(head, header.crc)) return null;
  const view = viewOf(head);
  const [codes, scales] = [view.getUint16(10), head[12]];
  const size = CHUNK_HEAD + 4 * scales + codes + 4;
  return { index: view.getUint32(4), frames: view.getUint16(8), codes, scales, size };
}

/** Refuse a head whose numbers are lies, although its checksum is right. */
export function checkClaims(header, { frames, codes, scales }, name) {
  if (!frames) {
    if (codes !== 8 || scales) {
      throw new McdcError(`${name} ends the stream, but not with 8 bytes.`);
    }
    return;
  }
  const packed = packedSize(frames * header.nQ, header.bits);
  if (frames > 2 * header.chunkFrames || packed > MOST_BYTES) {
    throw new McdcError(`${name} claims to hold ${frames} frames: too many for a chunk.`);
  }
  if (codes > packed || (codes < packed && header.entropy === "none")) {
    throw new McdcError(`${name} holds ${codes} bytes of codes, but its ${frames} frames call for `
      + `${packed}.`);
  }
}

/** Whether the whole chunk, and not its head alone, has come as it was written. */
export const isWholeChunk = (chunk, header) => isWhole(chunk, header.crc);
