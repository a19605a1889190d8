// Sound from a file, as the codec wants it: one channel, its own rate, numbers that are sound.

import { Resampler } from "../resample.mjs";
import { rateOf } from "../wav.mjs";

export const LONGEST = 600; // seconds: ten minutes, 58 MB of samples
const MOST_BYTES = 500e6; // ten minutes, whatever they are stored as; the browser decodes all

/** All that a chosen file holds. */
export async function bytesOf(file) {
  if (file.size > MOST_BYTES) {
    throw new Error(`this file has ${Math.round(file.size / 1e6)} MB, and ${MOST_BYTES / 1e6} is `
      + "the most here: cut out a part of it.");
  }
  try {
    return await file.arrayBuffer();
  } catch {
    throw new Error("this cannot be read: is it a file, and still there?");
  }
}

/** Samples of a sound file's bytes, and what is to be said about it.
 *  progress: called with the share that is done, once the browser has decoded the file. */
export async function samplesOf(bytes, rate, progress = () => {}) {
  if (!bytes.byteLength) throw new Error("this file is empty.");
  const own = rateOf(bytes); // at another one the browser would resample, and take highs away
  let buffer;
  try {
    buffer = await new OfflineAudioContext(1, 1, own).decodeAudioData(bytes);
  } catch {
    throw new Error("this is not audio that the browser can read: try WAV, FLAC, MP3, OGG or "
      + ".mcdc.");
  }
  const length = Math.min(buffer.length, LONGEST * own);
  if (!length) throw new Error("this file holds no sound.");
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, c) =>
    buffer.getChannelData(c));
  const { mono, peak } = await mixed(channels, length, own, rate, progress);
  const notes = [];
  if (channels.length > 1) notes.push(`its ${channels.length} channels are mixed`);
  if (buffer.length > length) notes.push(`only its first ${LONGEST / 60} minutes are taken`);
  if (peak > 1) {
    mono.forEach((value, i) => { mono[i] = value / peak; });
    notes.push(`turned down by ${(20 * Math.log10(peak)).toFixed(1)} dB to stay within full scale`);
  }
  if (peak < 1e-4) notes.push("it is silent");
  return { mono, notes };
}

/** The mean of all channels at another rate, and its peak, second by second, so that the page stays
 *  alive. */
async function mixed(channels, length, from, to, progress) {
  const resampler = new Resampler(from, to);
  const mono = new Float32Array(Math.ceil((length * to) / from));
  let [at, peak] = [0, 0];
  const put = (samples) => {
    peak = Math.max(peak, checkedPeak(samples));
    mono.set(samples.subarray(0, mono.length - at), at);
    at = Math.min(mono.length, at + samples.length);
  };
  for (let begin = 0; begin < length; begin += from) {
    const second = new Float32Array(Math.min(from, length - begin));
    for (const channel of channels) {
      for (let i = 0; i < second.length; i++) second[i] += channel[begin + i] / channels.length;
    }
    put(resampler.push(second));
    progress(begin / length);
    if (begin % (10 * from) === 0) await new Promise((resolve) => { setTimeout(resolve); });
  }
  if (resampler.delay) put(resampler.push(new Float32Array(resampler.delay)));
  return { mono, peak };
}

function checkedPeak(samples) {
  let peak = 0;
  for (const value of samples) {
    if (!Number.isFinite(value)) throw new Error("this file holds samples that are no numbers.");
    peak = Math.max(peak, Math.abs(value));
  }
  return peak;
}
