// Another sampling rate, for a whole sound or piece by piece. Browsers draw straight lines between
// the samples of a buffer whose rate is not the device's, which takes highs away and puts their
// mirror images above them; and where they decode for the device, they take away what lies near the
// edge. So sounds are brought to another rate here, by a windowed sinc, which is the same in all
// browsers.

const REACH = 32; // samples of the lower rate that count, to each side
const BETA = 8; // of Kaiser's window: what lies behind the edge is 80 dB down
const NOTHING = 1e-9; // a weight that no 16 bits show

export class Resampler {
  /** Rates in Hz, integers. What is pushed at the rate `from` comes out at the rate `to`. */
  constructor(from, to) {
    const common = divisor(from, to);
    this.up = to / common; // output n lies at n * down / up inputs
    this.down = from / common;
    this.reach = Math.ceil(REACH * Math.max(1, from / to));
    this.phases = Array(this.up); // weights: after every `up` outputs the same come again
    this.reset();
  }

  /** Begin another sound. */
  reset() {
    this.place = 0; // of the next output, in steps of 1 / up behind the first sample kept
    this.kept = new Float32Array(this.reach - 1); // silence: output 0 lies where input 0 does
  }

  /** Samples that must follow an input before all outputs up to it are there. */
  get delay() {
    return this.up === this.down ? 0 : this.reach;
  }

  /** The next samples of any number; gives those that are now certain. */
  push(samples) {
    const { up, down, reach } = this;
    if (up === down) return samples;
    const input = new Float32Array(this.kept.length + samples.length);
    input.set(this.kept);
    input.set(samples, this.kept.length);
    const places = Math.max(0, input.length - 2 * reach + 1) * up; // where all inputs are there
    const output = new Float32Array(Math.max(0, Math.ceil((places - this.place) / down)));
    for (let n = 0; n < output.length; n++) {
      const phase = this.place % up;
      const { skip, weights } = this.phases[phase] ?? this.weightsAt(phase);
      const first = (this.place - phase) / up + skip;
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * input[first + k];
      output[n] = sum;
      this.place += down;
    }
    const past = Math.min(input.length, Math.floor(this.place / up));
    this.kept = input.slice(past);
    this.place -= past * up;
    return output;
  }

  weightsAt(phase) {
    const cutoff = Math.min(1, this.up / this.down);
    this.phases[phase] = sincWeights(phase / this.up, this.reach, cutoff);
    return this.phases[phase];
  }
}

/** A whole sound at the rate `to`, in Hz: as long as at the rate `from`, and with no delay. */
export function resampled(samples, from, to) {
  if (from === to) return samples;
  const resampler = new Resampler(from, to);
  const length = Math.ceil((samples.length * resampler.up) / resampler.down);
  const result = new Float32Array(length);
  const begin = resampler.push(samples);
  result.set(begin);
  const rest = resampler.push(new Float32Array(resampler.delay));
  result.set(rest.subarray(0, length - begin.length), begin.length);
  return result;
}

/** Weights of the `reach` samples before a place and behind it; it lies `after` (0 to 1) behind the
 *  last one before. Zeros at both ends are skipped: a place where a sample is has one weight. */
function sincWeights(after, reach, cutoff) {
  const all = Float64Array.from({ length: 2 * reach }, (_, k) => {
    const x = k - reach + 1 - after;
    return sinc(x * cutoff) * bessel(BETA * Math.sqrt(Math.max(0, 1 - (x / reach) ** 2)));
  });
  const sum = all.reduce((total, weight) => total + weight, 0);
  const counts = (weight) => Math.abs(weight) > NOTHING * sum;
  const skip = all.findIndex(counts);
  const weights = all.subarray(skip, all.findLastIndex(counts) + 1);
  return { skip, weights: weights.map((weight) => weight / sum) };
}

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** The modified Bessel function of order zero: (x/2)²ᵏ / k!², summed over k. */
function bessel(x) {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

const divisor = (a, b) => (b === 0 ? a : divisor(b, a % b));
