// The codec as `minicodec export-onnx` wrote it: two steps with states that the caller sees.

/** One half of the codec: frames in, frames out, and what it remembers in between. */
class Half {
  /** At the beginning of a sound all states are zeros. */
  constructor(ort, session, about) {
    Object.assign(this, { ort, session, about });
    this.states = Object.fromEntries(about.states.map(({ name, shape }) => {
      const zeros = new Float32Array(shape.reduce((a, b) => a * b));
      return [name, new ort.Tensor("float32", zeros, shape)];
    }));
  }

  /** The same half at the beginning of another sound; both may go on. */
  fresh() {
    return new this.constructor(this.ort, this.session, this.about);
  }

  async step(tensor) {
    const { input, output, states } = this.about;
    const results = await this.session.run({ [input]: tensor, ...this.states });
    this.states = Object.fromEntries(states.map(({ name, next }) => [name, results[next]]));
    return results[output].data;
  }
}

export class Encoder extends Half {
  /** Samples, whole frames of them, to codes: all codebooks, frame by frame. */
  async encode(samples) {
    const { Tensor } = this.ort;
    const codes = await this.step(new Tensor("float32", samples, [1, 1, samples.length]));
    return framesFirst(codes, this.about.levels);
  }
}

export class Decoder extends Half {
  /** Codes of all codebooks, frame by frame, to samples. */
  async decode(codes) {
    const { Tensor } = this.ort;
    const { levels } = this.about;
    const rows = levelsFirst(codes, levels);
    return this.step(new Tensor("int32", rows, [1, levels, rows.length / levels]));
  }
}

/** [K, N] as the model has codes → frame by frame, as a stream has them. */
export function framesFirst(codes, levels) {
  const frames = codes.length / levels;
  return Uint16Array.from({ length: codes.length }, (_, i) =>
    codes[(i % levels) * frames + Math.floor(i / levels)]);
}

/** The way back. */
export function levelsFirst(codes, levels) {
  const frames = codes.length / levels;
  return Int32Array.from({ length: codes.length }, (_, i) =>
    codes[(i % frames) * levels + Math.floor(i / frames)]);
}

/** Open both halves.
 *  ort: ONNX Runtime Web; model: what was written about the codec; files: name → bytes. */
export async function openCodec(ort, model, files) {
  const { file } = model.weights;
  const open = async (about) => ort.InferenceSession.create(files[about.file], {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
    externalData: [{ path: file, data: files[file] }],
  });
  const about = (half) => ({ ...half, levels: model.n_q });
  // One after another: each needs the weights in memory twice while it opens.
  const encoder = new Encoder(ort, await open(model.encoder), about(model.encoder));
  const decoder = new Decoder(ort, await open(model.decoder), about(model.decoder));
  return { encoder, decoder };
}
