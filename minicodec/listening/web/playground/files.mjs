// `.mcdc` files of the codec that is open: written and read with what predicts its codes, which is
// fetched when it is first needed.

import { Histogram } from "../codec/histogram.mjs";
import { ExactLanguageModel } from "../codec/language_model.mjs";
import { checkModel, readHeader, readMcdc } from "../codec/reader.mjs";
import { writeMcdc } from "../codec/writer.mjs";
import { fetchBytes } from "./fetching.mjs";

export class Files {
  /** index: what the book's folder holds; address: where that is. */
  constructor(index, model, address) {
    Object.assign(this, { index, model, address, predictors: {} });
    this.known = {
      name: model.name, fingerprint: model.fingerprint, sampleRate: model.sample_rate,
      channels: model.channels, hopLength: model.hop_length, bits: model.bits, nQ: model.n_q,
    };
  }

  /** What predicts codes in this way of coding; null for packed ones. */
  async predictor(entropy, tell = () => {}) {
    if (entropy === "none") return null;
    const name = this.index[entropy];
    if (!name) throw new Error(`this copy of the book came without what “${entropy}” needs.`);
    this.predictors[entropy] ??= this.load(entropy, name, tell).catch((error) => {
      this.predictors[entropy] = null; // the next try may find the network
      throw error;
    });
    return this.predictors[entropy];
  }

  async load(entropy, name, tell) {
    let done = 0;
    const of = this.index.sizes[name];
    const bytes = await fetchBytes(new URL(name, this.address), (count) => {
      done += count;
      tell({ done: Math.min(done, of), of });
    });
    if (entropy === "histogram") {
      return Histogram.withPrior(JSON.parse(new TextDecoder().decode(bytes)));
    }
    return new ExactLanguageModel(bytes);
  }

  /** codes: frame by frame, nQ in each. */
  async write(codes, nQ, length, entropy, tell) {
    const predictor = await this.predictor(entropy, tell);
    const progress = (done) => tell({ done, of: 1 });
    return writeMcdc({ model: this.known, nQ, codes, length, entropy, predictor, progress });
  }

  /** {codes, levels, frames, length, notes, entropy}; what is damaged is silence, and noted. */
  async read(buffer, tell) {
    const bytes = new Uint8Array(buffer);
    const header = readHeader(bytes, { tolerant: true });
    checkModel(header, this.known);
    const fresh = header.entropy === "histogram" && /^0+$/.test(header.entropyFingerprint);
    const predictor = fresh ? new Histogram(this.model.codebook_size, this.model.n_q)
      : await this.predictor(header.entropy, tell);
    const { codes, frames, length, notes } = await readMcdc(bytes, {
      predictorFor: () => predictor, tolerant: true, silence: this.model.silence,
      progress: (done) => tell({ done, of: 1 }),
    });
    return { codes, levels: header.nQ, frames, length, notes, entropy: header.entropy };
  }
}

/** What codes would cost if each were coded by how often it has come so far. */
export class Costs {
  constructor(histogram, levels) {
    this.counts = histogram.start(levels);
    this.levels = levels;
    this.frame = new Uint16Array(levels);
  }

  /** Bits of the first `kept` codes of a frame. */
  see(codes, kept) {
    this.frame.set(codes.subarray(0, this.levels));
    let bits = 0;
    for (let k = 0; k < Math.min(kept, this.levels); k++) {
      bits += Math.log2(this.counts.total(k) / this.counts.frequency(k, this.frame[k]));
    }
    this.counts.see(this.frame);
    return bits;
  }
}
