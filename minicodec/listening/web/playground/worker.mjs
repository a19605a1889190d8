// The codec in a thread of its own: opens it, encodes sounds, plays them through the knobs, and
// keeps up with a microphone.

import { Channel, GAP, knobsFor } from "./channel.mjs";
import { openCodec } from "./codec.mjs";
import { fetchBytes, fetchJson } from "./fetching.mjs";
import { Costs, Files } from "./files.mjs";

const STEP = 38; // frames that are encoded at a time, half a second
const BLOCK = 6; // frames that are decoded at a time while a sound plays, 80 ms
const AHEAD = 3; // such blocks that wait to be heard: a knob is heard a quarter of a second later
const WARM = 38; // frames before the place where a sound begins, for the decoder to come to rest
const MOST_WAITING = 8; // frames of the microphone that are made up for; older ones are let go

const asked = {};
let index, model, codec, files, channel, knobs, sound, worklet;
let counts = null; // what predicts codes by counting them, to tell what they cost
let run = 0; // which playback or live loop is the present one; 0: none
let wake = () => {}; // the loop that waits for something looks again
let newest = 0; // which source was asked for last

/** Let other messages in: a step of the codec is one long call. */
const pause = () => new Promise((resolve) => { setTimeout(resolve); });

/** From now on this playback or live loop is the present one; the one before ends. */
function begin(which) {
  run = which;
  wake();
}

/** Until something has happened: a block was heard, a frame came, another loop began. */
const something = () => new Promise((resolve) => { wake = resolve; });

/** Progress that ends the work once its sound has made room for another. */
const onlyWhile = (wanted, tell) => (progress) => {
  if (!wanted()) throw new Error("another sound has taken its place.");
  tell(progress);
};

/** One step at a time, whoever asks for it. */
let turn = Promise.resolve();
function inTurn(step) {
  const mine = turn.then(step);
  turn = mine.catch(() => {});
  return mine;
}

/** Fetch and open everything. */
asked.open = async ({ address }, tell) => {
  const began = performance.now();
  index = await fetchJson(new URL("index.json", address));
  if (!index.runtime) throw new Error(index.why);
  const at = (name) => new URL(name, address).href;
  const { runtime } = index;
  const bytes = (name) => index.sizes[name];
  const names = [runtime.wasm, ...index.codec];
  const total = names.reduce((sum, name) => sum + bytes(name), 0);
  let came = 0;
  const progress = (count) => {
    came += count;
    tell({ came: Math.min(came, total), total });
  };
  const fetched = await Promise.all(names.map(async (name) =>
    [name.split("/").at(-1), await fetchBytes(at(name), progress)]));
  const unpacked = Object.fromEntries(fetched);
  const ort = await import(at(runtime.module));
  ort.env.wasm.numThreads = 1; // more would ask for headers that few hosts send
  ort.env.wasm.wasmBinary = unpacked[runtime.wasm.split("/").at(-1)];
  const fetchedAt = performance.now();
  model = JSON.parse(new TextDecoder().decode(unpacked[index.model.split("/").at(-1)]));
  codec = await openCodec(ort, model, unpacked);
  channel = new Channel(model);
  knobs = knobsFor(model);
  files = new Files(index, model, address);
  if (index.histogram) counts = await files.predictor("histogram");
  const warm = new Float32Array(model.hop_length); // the first call is the slowest
  await codec.decoder.decode(Int32Array.from(await codec.encoder.encode(warm)));
  return { model, index, ms: { fetch: fetchedAt - began, open: performance.now() - fetchedAt } };
};

asked.knobs = (changed) => {
  knobs = changed.knobs;
};

/** Take a sound and encode it. It can be played as far as it has come. */
asked.encode = async ({ audio }, tell) => {
  newest += 1;
  begin(0);
  const { hop_length: hop, n_q } = model;
  const frames = Math.ceil(audio.length / hop);
  sound = { audio, codes: new Uint16Array(frames * n_q), frames, known: 0, levels: n_q,
    length: audio.length };
  const mine = sound;
  channel.reset();
  const encoder = codec.encoder.fresh();
  let ms = 0;
  while (mine.known < frames) {
    await pause();
    if (mine !== sound) return { stopped: true };
    const end = Math.min(frames, mine.known + STEP);
    const samples = new Float32Array((end - mine.known) * hop);
    samples.set(audio.subarray(mine.known * hop, end * hop));
    const began = performance.now();
    mine.codes.set(await inTurn(() => encoder.encode(samples)), mine.known * n_q);
    ms += performance.now() - began;
    mine.known = end;
    tell({ known: end, frames });
  }
  return { frames, ms, length: audio.length };
};

/** Codes from a file take the place of a sound. */
asked.read = async ({ bytes }, tell) => {
  const { n_q, codebook_size: nothing } = model;
  const me = ++newest;
  const stream = await files.read(bytes, onlyWhile(() => me === newest, tell));
  begin(0);
  channel.reset();
  const { frames, levels } = stream;
  const codes = new Uint16Array(frames * n_q).fill(nothing);
  for (let t = 0; t < frames; t++) {
    codes.set(stream.codes.subarray(t * levels, (t + 1) * levels), t * n_q);
  }
  sound = { audio: null, codes, frames, known: frames, levels, length: stream.length };
  return { frames, levels, length: stream.length, notes: stream.notes, entropy: stream.entropy };
};

/** The sound's codes as a `.mcdc`, with the codebooks that are kept now. */
asked.write = async ({ entropy }, tell) => {
  const mine = wholeSound();
  const { codes, frames, length } = mine;
  const kept = Math.min(knobs.kept, sound.levels);
  const chosen = new Uint16Array(frames * kept);
  for (let t = 0; t < frames; t++) {
    chosen.set(codes.subarray(t * model.n_q, t * model.n_q + kept), t * kept);
  }
  const progress = onlyWhile(() => mine === sound, tell);
  const bytes = await files.write(chosen, kept, length, entropy, progress);
  return { bytes, seconds: length / model.sample_rate };
};

/** All codes of the sound, frame by frame. */
asked.codes = () => ({ codes: wholeSound().codes.slice() });

/** The whole sound as it is heard with the knobs as they are, for a file. */
asked.render = async (_, tell) => {
  const mine = wholeSound();
  const { frames, length } = mine;
  const progress = onlyWhile(() => mine === sound, tell);
  const decoder = codec.decoder.fresh();
  const settings = knobs;
  const line = new Channel(model);
  line.held = [...channel.held];
  const audio = new Float32Array(frames * model.hop_length);
  for (let t = 0; t < frames; t += STEP) {
    progress({ known: t, frames });
    const count = Math.min(STEP, frames - t);
    const { wet } = await heardOf(mine.codes, t, count, line, decoder, settings);
    audio.set(wet, t * model.hop_length);
    await pause();
  }
  return { audio: audio.slice(0, length) };
};

/** Play from a frame on, block by block, as the worklet asks for them. */
asked.play = async ({ frame, run: me }) => {
  begin(me);
  await pause(); // while a slider is drawn, one place follows another: only the last is worth it
  const mine = sound;
  if (run !== me || !mine) return {};
  const decoder = codec.decoder.fresh();
  const hop = model.hop_length;
  channel.restart();
  const costs = counts && new Costs(counts, mine.levels);
  let waiting = 0;
  worklet.onmessage = ({ data }) => {
    if (data.run !== me) return;
    waiting -= 1;
    wake();
  };
  const before = Math.max(0, frame - WARM);
  if (before < frame) await heardOf(mine.codes, before, frame - before, channel, decoder);
  let at = frame;
  while (run === me && mine === sound && at < mine.frames) {
    const count = Math.min(BLOCK, mine.known - at);
    if (waiting >= AHEAD) await something();
    else if (count <= 0) await pause();
    else {
      const began = performance.now();
      const { wet, codes, fates } = await heardOf(mine.codes, at, count, channel, decoder);
      const ms = (performance.now() - began) / count;
      if (run !== me || mine !== sound) return {};
      // The last frame is longer than what is left of the sound.
      const [from, to] = [at * hop, Math.min((at + count) * hop, mine.length)];
      const block = { run: me, frame: at, wet: wet.slice(0, to - from),
        dry: mine.audio && mine.audio.slice(from, to) };
      self.postMessage({ frames: { run: me, frame: at, count, codes, fates, wet,
        dry: block.dry && padded(block.dry, count * hop), decodeMs: ms, encodeMs: null,
        bits: bitsOf(mine.codes, at, count, costs) } });
      worklet.postMessage(block, [block.wet.buffer, ...block.dry ? [block.dry.buffer] : []]);
      waiting += 1;
      at += count;
      await pause();
    }
  }
  if (run === me) worklet.postMessage({ run: me, end: true });
  return {};
};

/** Keep up with the microphone: each frame through encoder, knobs and decoder, and back. */
asked.live = async ({ run: me }) => {
  begin(me);
  newest += 1;
  sound = null; // and what was being encoded ends
  const { n_q, hop_length: hop } = model;
  const [encoder, decoder] = [codec.encoder.fresh(), codec.decoder.fresh()];
  channel.reset();
  const costs = counts && new Costs(counts, n_q);
  let waiting = [];
  worklet.onmessage = ({ data }) => {
    if (data.run !== me) return;
    waiting.push(data);
    wake();
  };
  while (run === me) {
    if (!waiting.length) {
      await something();
      continue;
    }
    const frames = waiting.slice(-MOST_WAITING);
    waiting = [];
    const count = frames.length;
    const dry = new Float32Array(count * hop);
    frames.forEach(({ samples }, i) => dry.set(samples, i * hop));
    const began = performance.now();
    const codes = await inTurn(() => encoder.encode(dry.slice()));
    const encoded = performance.now();
    const { wet, codes: heard, fates } = await heardOf(codes, 0, count, channel, decoder);
    const done = performance.now();
    if (run !== me) break;
    const frame = frames[0].frame;
    self.postMessage({ frames: { run: me, frame, count, codes: heard, fates, wet: wet.slice(),
      dry: dry.slice(), bits: bitsOf(codes, 0, count, costs), encodeMs: (encoded - began) / count,
      decodeMs: (done - encoded) / count } });
    // One block for each frame, so that the worklet can let single ones go.
    for (let i = 0; i < count; i++) {
      worklet.postMessage({ run: me, frame: frame + i, wet: wet.slice(i * hop, (i + 1) * hop),
        dry: dry.slice(i * hop, (i + 1) * hop), sentAt: frames[i].sentAt });
    }
    await pause();
  }
  return {};
};

asked.stop = () => begin(0);

asked.worklet = ({ port }) => {
  worklet = port;
};

/** What is heard of `count` frames from `first` on, through `line` and `decoder`. */
async function heardOf(codes, first, count, line, decoder, settings = knobs) {
  const { n_q, hop_length: hop } = model;
  const heard = new Int32Array(count * n_q);
  const fates = new Uint8Array(count);
  for (let t = 0; t < count; t++) {
    const frame = codes.subarray((first + t) * n_q, (first + t + 1) * n_q);
    const passed = line.pass(frame, settings);
    heard.set(passed.heard, t * n_q);
    fates[t] = passed.fate;
  }
  const wet = new Float32Array(count * hop);
  // A gap that nobody conceals is no call of the decoder: it goes on where it was.
  for (let start = 0, end; start < count; start = end) {
    const gap = fates[start] === GAP;
    end = start + 1;
    while (end < count && (fates[end] === GAP) === gap) end++;
    const part = heard.subarray(start * n_q, end * n_q);
    if (!gap) wet.set(await inTurn(() => decoder.decode(part)), start * hop);
  }
  return { wet, codes: heard, fates };
}

/** With zeros behind, if the sound ends within these samples. */
function padded(samples, length) {
  if (samples.length === length) return samples;
  const longer = new Float32Array(length);
  longer.set(samples);
  return longer;
}

/** What each of these frames costs when codes are counted, as a mean; null if nothing counts. */
function bitsOf(codes, first, count, costs) {
  if (!costs) return null;
  let bits = 0;
  for (let t = first; t < first + count; t++) {
    bits += costs.see(codes.subarray(t * model.n_q, (t + 1) * model.n_q), knobs.kept);
  }
  return bits / count;
}

function wholeSound() {
  if (!sound) throw new Error("there is no sound yet: choose one first.");
  if (sound.known < sound.frames) {
    throw new Error("the sound is still being encoded: wait a moment.");
  }
  return sound;
}

self.onmessage = async ({ data: { id, ask, ...rest } }) => {
  const tell = (progress) => self.postMessage({ id, progress });
  try {
    self.postMessage({ id, result: await asked[ask](rest, tell) });
  } catch (error) {
    self.postMessage({ id, error: { name: error.name, message: error.message } });
  }
};
