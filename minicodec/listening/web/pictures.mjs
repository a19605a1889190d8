// Waveforms and mel spectrograms as numbers and colours. Levels are those of minicodec.spectral.

export const MELS = 80;
const FLOOR = -60; // dB; what is fainter is hardly heard, and would blur the picture
const CEILING = 20;
// Ten stops of the map "magma": even steps in lightness, told apart with any colour vision.
const MAGMA = [
  [0, 0, 4], [24, 15, 61], [68, 15, 118], [114, 31, 129], [158, 47, 127],
  [205, 64, 113], [241, 96, 93], [253, 150, 104], [254, 202, 141], [252, 253, 191],
];

export const melOfHz = (hz) => 2595 * Math.log10(1 + hz / 700);
const hzOfMel = (mel) => 700 * (10 ** (mel / 2595) - 1);

/** Fourier transform in place: `re` and `im` have 2^n elements. */
export function fft(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k++) {
      const cos = Math.cos((2 * Math.PI * k) / size);
      const sin = -Math.sin((2 * Math.PI * k) / size);
      for (let a = k; a < n; a += size) {
        const b = a + half;
        const x = re[b] * cos - im[b] * sin;
        const y = re[b] * sin + im[b] * cos;
        re[b] = re[a] - x;
        im[b] = im[a] - y;
        re[a] += x;
        im[a] += y;
      }
    }
  }
}

/** Triangles that are evenly spaced in mels: for each band its first bin and its weights. */
function melFilters(rate, size) {
  const top = melOfHz(rate / 2);
  const edge = (i) => hzOfMel((top * i) / (MELS + 1));
  return Array.from({ length: MELS }, (_, band) => {
    const [low, mid, high] = [edge(band), edge(band + 1), edge(band + 2)];
    const first = Math.ceil((low * size) / rate);
    const weights = [];
    for (let bin = first; (bin * rate) / size < high; bin++) {
      const hz = (bin * rate) / size;
      weights.push(Math.min((hz - low) / (mid - low), (high - hz) / (high - mid)));
    }
    return { first, weights };
  });
}

/** Decibels in 80 bands, low to high, of what one window sees; for one sample rate. */
export class MelWindow {
  constructor(rate) {
    this.size = 2 ** Math.round(Math.log2(rate / 23));
    this.filters = melFilters(rate, this.size);
    this.window = Float64Array.from({ length: this.size }, (_, i) =>
      0.5 - 0.5 * Math.cos((2 * Math.PI * i) / this.size));
    this.norm = Math.hypot(...this.window);
  }

  /** Written to `values` from place `at` on; what lies outside of `samples` is silence. */
  look(samples, start, values, at) {
    const re = this.window.map((w, i) => (w * (samples[start + i] ?? 0)) / this.norm);
    const im = new Float64Array(this.size);
    fft(re, im);
    this.filters.forEach(({ first, weights }, band) => {
      let sum = 0;
      weights.forEach((w, i) => { sum += w * Math.hypot(re[first + i], im[first + i]); });
      values[at + band] = Math.max(FLOOR, 20 * Math.log10(sum + 1e-9));
    });
  }
}

/** Decibels, `frames` columns of 80 bands, low to high, of the samples of one channel. */
export function melSpectrogram(samples, rate, frames) {
  const mel = new MelWindow(rate);
  const values = new Float32Array(frames * MELS);
  for (let frame = 0; frame < frames; frame++) {
    const start = Math.round(((frame + 0.5) * samples.length) / frames) - mel.size / 2;
    mel.look(samples, start, values, frame * MELS);
  }
  return { frames, mels: MELS, values };
}

/** Lowest and highest sample in each of `columns` equal pieces. */
export function envelope(samples, columns) {
  return Array.from({ length: columns }, (_, column) => {
    const end = Math.max(((column + 1) * samples.length) / columns, column + 1);
    let [low, high] = [0, 0];
    for (let i = Math.floor((column * samples.length) / columns); i < end; i++) {
      if (samples[i] < low) low = samples[i];
      if (samples[i] > high) high = samples[i];
    }
    return [low, high];
  });
}

const mix = (from, to, share) => from.map((value, i) => value + (to[i] - value) * share);

/** Red, green and blue for a level in dB. */
export function magma(decibel) {
  const place = Math.min(1, Math.max(0, (decibel - FLOOR) / (CEILING - FLOOR))) * 9;
  const stop = Math.min(8, Math.floor(place));
  return mix(MAGMA[stop], MAGMA[stop + 1], place - stop);
}

/** Colour of a difference in dB: the ground for none, `less` below zero, `more` above. */
export function diverging(decibel, ground, less, more) {
  return mix(ground, decibel < 0 ? less : more, Math.min(1, Math.abs(decibel) / 24));
}

/** Pixels, top row first, of a spectrogram whose cell i has the colour `colour(i)`. */
export function pixels({ frames, mels }, colour) {
  const image = new ImageData(frames, mels);
  for (let frame = 0; frame < frames; frame++) {
    for (let band = 0; band < mels; band++) {
      const place = 4 * ((mels - 1 - band) * frames + frame);
      image.data.set([...colour(frame * mels + band), 255], place);
    }
  }
  return image;
}
