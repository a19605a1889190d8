// The language model in integers: the same frequencies on every machine, to the last bit.
//
// Sums are of integers that a number holds, so no order can change them. All else is elementwise
// and consists of + − × ÷ √ and rounding, whose results IEEE 754 prescribes. Functions are tables.
// It predicts codes; `histogram.mjs` says how a predictor is asked.

import {
  ACTIVATION, ATTENTION, ATTENTION_LIMIT, FRACTION, GELU_MIDDLE, OCTAVE, POSITIONS,
  readLanguageModel,
} from "./language_model_file.mjs";

const LIMIT = 2 ** 15; // nothing that flows between layers is larger
const TOTAL = 2 ** 23; // about what frequencies add up to
const EPSILON = 1e-5; // of the float model's normalization

const { fround } = Math;

/** The nearest integer; from the middle between two to the even one. */
function rint(x) {
  if (!(Math.abs(x) < 2 ** 52)) return x;
  return x < 0 ? x - 2 ** 52 + 2 ** 52 : x + 2 ** 52 - 2 ** 52;
}

const clip = (x, low, high) => Math.min(high, Math.max(low, x));

export class ExactLanguageModel {
  /** bytes: of its safetensors file. Throws an Error with a sentence for any other bytes. */
  constructor(bytes) {
    const { config, codec, fingerprint, tensors } = readLanguageModel(bytes);
    this.config = config;
    this.codec = codec; // the fingerprint of the codec that it was trained for, in hex
    this.fingerprint = fingerprint;
    this.codebookSize = config.codebook_size;
    this.nQ = config.n_q;
    this.layers = Array.from({ length: config.layers }, (_, layer) => ({
      ...Object.fromEntries(["qkv", "out", "up", "down"].map((name) =>
        [name, productOf(tensors, `layers.${layer}.${name}`)])),
      norm1: normOf(tensors, `layers.${layer}.norm1`, config.dim),
      norm2: normOf(tensors, `layers.${layer}.norm2`, config.dim),
    }));
    this.heads = productOf(tensors, "heads");
    this.norm = { ...normOf(tensors, "norm", config.dim), epsilon: tensors["norm.epsilon"][0] };
    this.tables = tensors; // embedding, positions, exp, gelu
  }

  /** The frequencies of frame 0 of a chunk. */
  start(nQ) {
    if (!(nQ >= 1 && nQ <= this.nQ)) {
      throw new Error(`this language model knows 1 to ${this.nQ} codebooks, not ${nQ}.`);
    }
    return new Frequencies(this, nQ);
  }
}

/** A matrix of integers, with a scale and a bias for each row. */
function productOf(tensors, name) {
  const part = (kind) => tensors[`${name}.${kind}`];
  return { weight: part("weight"), scale: part("scale"), bias: part("bias") };
}

function normOf(tensors, name, dim) {
  const epsilon = rint(EPSILON * (FRACTION * dim) ** 2);
  return { gain: tensors[`${name}.gain`], bias: tensors[`${name}.bias`], epsilon };
}

/** Those of the next frame of a chunk, given all frames before. */
class Frequencies {
  constructor(model, nQ) {
    const { config, codebookSize } = model;
    this.model = model;
    this.nQ = nQ;
    this.position = 0;
    this.sums = Array.from({ length: nQ }, () => new Int32Array(codebookSize + 1));
    this.scores = new Float64Array(nQ * codebookSize);
    // The past of each layer begins with a frame whose input was zeros.
    this.past = model.layers.map(({ qkv }) => {
      const past = new Past(config);
      past.put(queryKeyValue(qkv, new Float64Array(config.dim)));
      return past;
    });
    this.advance(new Uint16Array(nQ), 0);
  }

  total(k) {
    return this.sums[k][this.model.codebookSize];
  }

  frequency(k, code) {
    return this.sums[k][code + 1] - this.sums[k][code];
  }

  below(k, code) {
    return this.sums[k][code];
  }

  find(k, place) {
    const sums = this.sums[k];
    let [code, end] = [0, this.model.codebookSize];
    while (end - code > 1) {
      const middle = (code + end) >> 1;
      if (sums[middle] <= place) code = middle;
      else end = middle;
    }
    return code;
  }

  see(codes) {
    this.advance(codes, 1);
  }

  /** codes: of the frame before; `first`: 1, or 0 where there is none. */
  advance(codes, first) {
    const { config, layers, norm, tables } = this.model;
    const { dim } = config;
    let x = new Float64Array(dim);
    for (let k = 0; k < this.nQ; k++) {
      const row = k * (config.codebook_size + 1) + (first ? codes[k] + 1 : 0);
      for (let i = 0; i < dim; i++) x[i] += tables.embedding[row * dim + i];
    }
    x = normalized(norm, x);
    const place = (this.position++ % POSITIONS) * dim;
    for (let i = 0; i < dim; i++) x[i] += tables.positions[place + i];
    layers.forEach((layer, which) => {
      const query = this.past[which].put(queryKeyValue(layer.qkv, x));
      const heard = this.past[which].hear(query, tables.exp);
      x = normalized(layer.norm1, sum(x, linear(layer.out, heard)));
      const up = linear(layer.up, x).map((value) =>
        tables.gelu[clip(rint(value), 0, 2 * GELU_MIDDLE)]);
      x = normalized(layer.norm2, sum(x, linear(layer.down, up)));
    });
    this.tabulate(x);
  }

  /** From scores, which alone are float32, to running sums of frequencies. */
  tabulate(x) {
    const { codebookSize: size, heads, tables: { exp } } = this.model;
    const peak = fround(product(heads.weight, x, this.scores));
    for (let k = 0; k < this.nQ; k++) {
      const scores = this.scores.subarray(k * size, (k + 1) * size);
      let best = -Infinity;
      for (let j = 0; j < size; j++) {
        const scaled = fround(scores[j] * fround(heads.scale[k * size + j]));
        scores[j] = rint(fround(fround(scaled * peak) + fround(heads.bias[k * size + j])));
        if (scores[j] > best) best = scores[j];
      }
      let total = 0;
      for (let j = 0; j < size; j++) {
        scores[j] = exp[Math.min(fround(best - scores[j]), exp.length - 1)];
        total += scores[j];
      }
      const share = fround(TOTAL / total);
      const sums = this.sums[k];
      for (let j = 0; j < size; j++) {
        sums[j + 1] = sums[j] + Math.floor(fround(scores[j] * share)) + 1;
      }
    }
  }
}

/** Keys and values of the frames that a layer sees, the present one and `context` before it. */
class Past {
  constructor({ context, dim, heads }) {
    this.room = context + 1;
    this.heads = heads;
    this.size = dim / heads;
    this.keys = new Float64Array(this.room * dim);
    this.values = new Float64Array(this.room * dim);
    this.count = 0;
    this.octaves = (1.4426950408889634 * OCTAVE) / ATTENTION ** 2 / Math.sqrt(this.size);
  }

  /** Keep a frame in place of the oldest: no sum of integers depends on their order. */
  put([query, key, value]) {
    const place = (this.count++ % this.room) * key.length;
    this.keys.set(key, place);
    this.values.set(value, place);
    return query;
  }

  /** The mean of the values, weighted by 2^(query · key). */
  hear(query, exp) {
    const { heads, size, keys, values } = this;
    const seen = Math.min(this.count, this.room);
    const heard = new Float64Array(query.length);
    const scores = new Float64Array(seen);
    for (let first = 0; first < heads * size; first += size) {
      let best = -Infinity;
      for (let t = 0; t < seen; t++) {
        let score = 0;
        for (let i = first, at = t * query.length; i < first + size; i++) {
          score += query[i] * keys[at + i];
        }
        scores[t] = score;
        if (score > best) best = score;
      }
      let total = 0;
      for (let t = 0; t < seen; t++) {
        const weight = exp[rint(Math.min((best - scores[t]) * this.octaves, exp.length - 1))];
        if (!weight) continue;
        total += weight;
        for (let i = first, at = t * query.length; i < first + size; i++) {
          heard[i] += weight * values[at + i];
        }
      }
      for (let i = first; i < first + size; i++) heard[i] /= total;
    }
    return heard;
  }
}

function queryKeyValue(qkv, x) {
  const all = linear(qkv, x).map((value) =>
    clip(rint(value), -ATTENTION_LIMIT, ATTENTION_LIMIT));
  return [0, 1, 2].map((part) => all.subarray(part * x.length, (part + 1) * x.length));
}

/** x + the nearest integers to y. */
const sum = (x, y) => x.map((value, i) => value + rint(y[i]));

/** Weights times x, plus bias. */
function linear({ weight, scale, bias }, x) {
  const y = new Float64Array(bias.length);
  const peak = product(weight, x, y);
  for (let row = 0; row < y.length; row++) y[row] = y[row] * (peak * scale[row]) + bias[row];
  return y;
}

/** Fill `y` with the first rows of a matrix times x, which is rounded to integers of its peak. */
function product(weight, x, y) {
  let peak = 1;
  for (const value of x) peak = Math.max(peak, Math.abs(value));
  const share = ACTIVATION / peak;
  const n = x.length;
  const integers = Int32Array.from(x, (value) => rint(value * share));
  // Four rows at a time; all sums stay below 2^24.
  let row = 0;
  for (; row + 4 <= y.length; row += 4) {
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0, at = row * n; i < n; i++, at++) {
      const value = integers[i];
      a = (a + Math.imul(weight[at], value)) | 0;
      b = (b + Math.imul(weight[at + n], value)) | 0;
      c = (c + Math.imul(weight[at + 2 * n], value)) | 0;
      d = (d + Math.imul(weight[at + 3 * n], value)) | 0;
    }
    y[row] = a;
    y[row + 1] = b;
    y[row + 2] = c;
    y[row + 3] = d;
  }
  for (; row < y.length; row++) {
    y[row] = 0;
    for (let i = 0; i < n; i++) y[row] += weight[row * n + i] * integers[i];
  }
  return peak;
}

/** Mean 0 and variance 1, then gain and bias; the root is an integer. */
function normalized({ gain, bias, epsilon }, x) {
  const n = x.length;
  let [total, squares] = [0, 0];
  for (let i = 0; i < n; i++) {
    x[i] = clip(x[i], -LIMIT, LIMIT);
    total += x[i];
    squares += x[i] * x[i];
  }
  const root = rint(Math.sqrt(squares * n - total * total + epsilon));
  for (let i = 0; i < n; i++) x[i] = rint(((x[i] * n - total) / root) * gain[i] + bias[i]);
  return x;
}
