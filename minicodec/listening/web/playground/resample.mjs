// From one sample rate to another, piece by piece: a windowed sinc, as in every good resampler.
//
// The codec works at 24 kHz, a device at 44.1, 48 or 16. The browser would resample too, but how
// well is its own affair, and not every browser lets a microphone of another rate in.

const ZEROS = 48; // of the sinc on each side, at the lower of both rates
const BETA = 9; // of the Kaiser window: images lie 90 dB down

/** Modified Bessel function of the first kind and order 0, which the Kaiser window is made of. */
function bessel(x) {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function divisor(a, b) {
  return b ? divisor(b, a % b) : a;
}

export class Resampler {
  /** Rates are integers in Hz. The same rate on both sides costs nothing and changes nothing. */
  constructor(from, to) {
    const common = divisor(from, to);
    this.up = to / common; // output n lies at n * down / up inputs
    this.down = from / common;
    const width = Math.max(1, from / to);
    this.half = Math.ceil(ZEROS * width);
    // The transition ends at half of the lower rate; it is as wide as the window asks for.
    const cutoff = (1 - 2.9 / ZEROS) / width;
    this.taps = this.up === this.down ? null
      : Array.from({ length: this.up }, (_, phase) => this.kernel(phase / this.up, cutoff));
    this.reset();
  }

  /** Weights of the inputs around a place `shift` behind one of them; they add up to 1. */
  kernel(shift, cutoff) {
    const weights = Float32Array.from({ length: 2 * this.half }, (_, i) => {
      const t = i - this.half + 1 - shift;
      const sinc = t ? Math.sin(Math.PI * t * cutoff) / (Math.PI * t) : cutoff;
      return sinc * bessel(BETA * Math.sqrt(Math.max(0, 1 - (t / this.half) ** 2)));
    });
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => weight / sum);
  }

  reset() {
    // Zeros before the first sample, so that output 0 lies where input 0 does.
    this.ahead = this.taps ? new Float32Array(this.half - 1) : null;
    this.step = 0; // place of the next output, in steps of 1 / up, behind the first in `ahead`
  }

  /** Input samples that must have come before an output can be made of them. */
  get delay() {
    return this.taps ? this.half : 0;
  }

  /** The next input samples; gives the outputs that are now certain. */
  push(samples) {
    if (!this.taps) return samples;
    const { up, down, half, taps } = this;
    const input = new Float32Array(this.ahead.length + samples.length);
    input.set(this.ahead);
    input.set(samples, this.ahead.length);
    const last = input.length - 2 * half; // first tap of the last output that has all its inputs
    const count = last < 0 ? 0 : Math.max(0, Math.floor((last * up + up - 1 - this.step) / down) + 1);
    const output = new Float32Array(count);
    for (let n = 0; n < count; n++) {
      const weights = taps[this.step % up];
      const first = Math.floor(this.step / up);
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i] * input[first + i];
      output[n] = sum;
      this.step += down;
    }
    const used = Math.min(input.length, Math.floor(this.step / up));
    this.ahead = input.slice(used);
    this.step -= used * up;
    return output;
  }
}
