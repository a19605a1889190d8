// The simplest model of codes that saves anything: count them.
//
// What predicts codes, this one and `language_model.mjs`, is a *predictor*:
//
//     predictor.codebookSize, predictor.nQ           entries of a codebook; codebooks at most
//     predictor.fingerprint                          in hex, as it stands in a header
//     const chunk = predictor.start(nQ)              anew for each chunk; throws a sentence
//
//     chunk.total(k)                what the frequencies of codebook k in the next frame add up to
//     chunk.frequency(k, code)      of a code, at least 1
//     chunk.below(k, code)          the sum of the frequencies of all codes before it
//     chunk.find(k, place)          the code with below ≤ place < below + frequency
//     chunk.see(codes)              the nQ codes of this frame; now the tables are the next one's
//
// The tables of frame 0 are there at once. `see` is not called after the last frame.

import { Sha256 } from "./sha256.mjs";

const MOST_TOTAL = 2 ** 24;
const MOST_COUNTS = 2 ** 24; // of all codebooks together: 128 MB

export class Histogram {
  /**
   * codebookSize: entries of a codebook; nQ: codebooks it is for, at most;
   * prior: nQ rows of codebookSize counts to begin with, of which none adds up to more than 2^24;
   *   null for ones;
   * increment: what an occurrence adds, by default 8, or 32 with a prior.
   */
  constructor(codebookSize, nQ, prior = null, increment = prior ? 32 : 8) {
    const whole = (x, most) => Number.isInteger(x) && x >= 1 && x <= most;
    if (!whole(codebookSize, 2 ** 16) || !whole(nQ, 2 ** 16) || codebookSize * nQ > MOST_COUNTS) {
      throw new Error(`${nQ} codebooks of ${codebookSize} entries cannot be counted.`);
    }
    if (!whole(increment, MOST_TOTAL / 4)) {
      throw new Error(`an increment is from 1 to ${MOST_TOTAL / 4}, not ${increment}.`);
    }
    const fits = (row) => row?.length === codebookSize
      && row.every((count) => whole(count, MOST_TOTAL))
      && row.reduce((sum, count) => sum + count, 0) <= MOST_TOTAL;
    if (prior && !(prior.length >= nQ && prior.every(fits))) {
      throw new Error(`a prior has ${nQ} rows of ${codebookSize} counts from 1 on, which add up to `
        + `${MOST_TOTAL} at most.`);
    }
    this.codebookSize = codebookSize;
    this.nQ = nQ;
    this.prior = prior;
    this.increment = increment;
    this.fingerprint = prior ? fingerprintOf(prior) : "0".repeat(16);
  }

  /** The one that begins with a model's prior; file: what `minicodec.bits.prior_file` wrote. */
  static withPrior(file) {
    const { counts, fingerprint } = file ?? {};
    if (!Array.isArray(counts) || !Array.isArray(counts[0])) {
      throw new Error("this file holds no prior: it has no rows of counts.");
    }
    const histogram = new Histogram(counts[0].length, counts.length, counts);
    if (histogram.fingerprint !== fingerprint) {
      throw new Error("this prior is damaged: its counts are not those that its fingerprint was "
        + "taken of.");
    }
    return histogram;
  }

  start(nQ) {
    if (!(nQ >= 1 && nQ <= this.nQ)) {
      throw new Error(`this histogram knows 1 to ${this.nQ} codebooks, not ${nQ}.`);
    }
    return new Counts(this, nQ);
  }
}

/** Of all rows of a prior, also of those that are not in use: little-endian 64-bit integers. */
function fingerprintOf(prior) {
  const hash = new Sha256();
  for (const row of prior) {
    const view = new DataView(new ArrayBuffer(8 * row.length));
    row.forEach((count, i) => view.setUint32(8 * i, count, true));
    hash.update(new Uint8Array(view.buffer));
  }
  return hash.fingerprint();
}

/** The counts of one chunk. Their running sums stand in a tree (Fenwick's), one for each codebook:
 * node i holds the sum of the `i & -i` counts that end with the i-th. */
class Counts {
  constructor({ codebookSize, prior, increment }, nQ) {
    this.size = codebookSize;
    this.increment = increment;
    this.top = 2 ** Math.floor(Math.log2(codebookSize));
    this.counts = Array.from({ length: nQ }, (_, k) =>
      prior ? Int32Array.from(prior[k]) : new Int32Array(codebookSize).fill(1));
    this.trees = this.counts.map(() => new Int32Array(codebookSize + 1));
    this.totals = new Int32Array(nQ);
    for (let k = 0; k < nQ; k++) this.sum(k);
  }

  sum(k) {
    const tree = this.trees[k];
    tree.set(this.counts[k], 1);
    for (let i = 1; i <= this.size; i++) {
      const above = i + (i & -i);
      if (above <= this.size) tree[above] += tree[i];
    }
    this.totals[k] = this.below(k, this.size);
  }

  total(k) {
    return this.totals[k];
  }

  frequency(k, code) {
    return this.counts[k][code];
  }

  below(k, code) {
    let sum = 0;
    for (let i = code; i > 0; i -= i & -i) sum += this.trees[k][i];
    return sum;
  }

  find(k, place) {
    let code = 0;
    for (let step = this.top; step; step >>= 1) {
      if (code + step <= this.size && this.trees[k][code + step] <= place) {
        code += step;
        place -= this.trees[k][code];
      }
    }
    return code;
  }

  see(codes) {
    for (let k = 0; k < this.counts.length; k++) {
      const counts = this.counts[k];
      counts[codes[k]] += this.increment;
      this.totals[k] += this.increment;
      if (this.totals[k] > MOST_TOTAL - this.increment) {
        for (let i = 0; i < this.size; i++) counts[i] = (counts[i] + 1) >> 1;
        this.sum(k);
      } else {
        for (let i = codes[k] + 1; i <= this.size; i += i & -i) this.trees[k][i] += this.increment;
      }
    }
  }
}
