// Another sampling rate. Browsers draw straight lines between the samples of a buffer whose rate is
// not the device's, which takes highs away and puts their mirror images above them; and where they
// decode for the device, they take away what lies near the edge. So players bring sounds to the
// device's rate themselves, by a windowed sinc, which is the same in all browsers.

const REACH = 32; // samples of the lower rate that count, to each side
const BETA = 8; // of Kaiser's window: what lies behind the edge is 80 dB down
const NOTHING = 1e-9; // a weight that no 16 bits show

/** Samples at the rate `to`, in Hz, of samples at the rate `from`: as long, and with no delay. */
export function resampled(samples, from, to) {
  if (from === to) return samples;
  const common = divisor(from, to);
  const [up, down] = [to / common, from / common];
  const reach = Math.ceil(REACH * Math.max(1, down / up));
  const padded = new Float64Array(samples.length + 2 * reach);
  padded.set(samples, reach);
  const result = new Float32Array(Math.ceil((samples.length * up) / down));
  for (let phase = 0; phase < Math.min(up, result.length); phase++) {
    // Every `up` samples the same place between two old ones comes again, with the same weights.
    const after = (phase * down) % up;
    const { skip, weights } = sincWeights(after / up, reach, Math.min(1, up / down));
    for (let n = phase; n < result.length; n += up) {
      const first = (n * down - after) / up + 1 + skip;
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * padded[first + k];
      result[n] = sum;
    }
  }
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
