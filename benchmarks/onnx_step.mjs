// An exported codec, frame by frame, in a page or in node; needs the package onnxruntime-web.
//
//   minicodec export-onnx -o . && node onnx_step.mjs < speech.raw > heard.raw    24 kHz, float32

/** The encoder or the decoder. What it remembers is an object that the caller keeps. */
export async function step(ort, about, part, graph, weights) {
  const { input, output, states } = about[part];
  const session = await ort.InferenceSession.create(graph, {
    executionProviders: ["wasm"],
    externalData: [{ path: about.weights.file, data: weights }],
  });
  const each = (value) => Object.fromEntries(states.map((s) => [s.name, value(s)]));
  const zeros = ({ shape }) => {
    const size = shape.reduce((a, b) => a * b);
    return new ort.Tensor("float32", new Float32Array(size), shape);
  };
  return async (x, state = each(zeros)) => {
    const out = await session.run({ [input]: x, ...state });
    return [out[output], each(({ next }) => out[next])];
  };
}

if (import.meta.url === `file://${globalThis.process?.argv[1]}`) {
  const { readFileSync, writeSync } = await import("node:fs");
  const ort = await import("onnxruntime-web");
  const about = JSON.parse(readFileSync("mini_24khz.json"));
  const weights = readFileSync(about.weights.file);
  const open = (part) => step(ort, about, part, readFileSync(about[part].file), weights);
  const [encode, decode] = [await open("encoder"), await open("decoder")];
  const sound = new Float32Array(Uint8Array.from(readFileSync(0)).buffer);
  let codes, audio, there, here;
  for (let start = 0; start + 320 <= sound.length; start += 320) {
    const frame = new ort.Tensor("float32", sound.slice(start, start + 320), [1, 1, 320]);
    [codes, there] = await encode(frame, there);
    [audio, here] = await decode(codes, here); // int32 [1, 16, 1], all levels: 12 kbps
    writeSync(1, new Uint8Array(audio.data.buffer, audio.data.byteOffset, audio.data.byteLength));
  }
}
