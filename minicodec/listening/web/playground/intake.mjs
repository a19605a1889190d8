// Sound from a file, as the codec wants it: one channel, its own rate, numbers that are sound.

export const LONGEST = 600; // seconds: ten minutes, 58 MB of samples

/** Samples of a sound file's bytes, and what is to be said about it. */
export async function samplesOf(bytes, rate) {
  if (!bytes.byteLength) throw new Error("this file is empty.");
  let buffer;
  try {
    // At the codec's rate the browser resamples, with images 86 dB down.
    buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes);
  } catch {
    throw new Error("this is not audio that the browser can read: try WAV, FLAC, MP3, OGG or .mcdc.");
  }
  const length = Math.min(buffer.length, LONGEST * rate);
  if (!length) throw new Error("this file holds no sound.");
  const mono = new Float32Array(length);
  for (let c = 0; c < buffer.numberOfChannels; c++) {
    const channel = buffer.getChannelData(c);
    for (let i = 0; i < length; i++) mono[i] += channel[i] / buffer.numberOfChannels;
  }
  const notes = [];
  if (buffer.numberOfChannels > 1) notes.push(`its ${buffer.numberOfChannels} channels are mixed`);
  if (buffer.length > length) notes.push(`only its first ${LONGEST / 60} minutes are taken`);
  const peak = checkedPeak(mono);
  if (peak > 1) {
    mono.forEach((value, i) => { mono[i] = value / peak; });
    notes.push(`turned down by ${(20 * Math.log10(peak)).toFixed(1)} dB to stay within full scale`);
  }
  if (peak < 1e-4) notes.push("it is silent");
  return { mono, notes };
}

function checkedPeak(samples) {
  let peak = 0;
  for (const value of samples) {
    if (!Number.isFinite(value)) throw new Error("this file holds samples that are no numbers.");
    peak = Math.max(peak, Math.abs(value));
  }
  return peak;
}
