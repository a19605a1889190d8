// What tests/listening/test_web_codec.py asks of the JavaScript codec.
//
//     node web_codec.mjs FOLDER      does the jobs in FOLDER/jobs.json, writes FOLDER/results.json
//
// Bytes travel as base64, codes as little-endian 16-bit integers. An error of the kind that a job
// may end in is told as `error`; any other as `crash`.

import { readFileSync, writeFileSync } from "node:fs";

const WEB = new URL("../../minicodec/listening/web/codec/", import.meta.url);
const load = (name) => import(new URL(name, WEB));
const { Histogram } = await load("histogram.mjs");
const { ExactLanguageModel } = await load("language_model.mjs");
const { checkModel, McdcError, readMcdc } = await load("reader.mjs");
const { writeMcdc } = await load("writer.mjs");

const folder = process.argv[2];
const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64"));
const codesOf = (text) => new Uint16Array(bytesOf(text).buffer);
const textOf = (array) =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");

const opened = new Map(); // language models, by path

function languageModel(path) {
  if (!opened.has(path)) opened.set(path, new ExactLanguageModel(readFileSync(path)));
  return opened.get(path);
}

function predictorOf(entropy, { model, prior, lm }) {
  if (entropy === "none") return null;
  if (entropy === "lm") return lm ? languageModel(lm) : null;
  return prior ? Histogram.withPrior(prior) : new Histogram(2 ** model.bits, model.nQ);
}

const DO = {
  async read(job) {
    const { model, stream, tolerant, silence } = job;
    const predictorFor = (header) => {
      checkModel(header, model);
      const fresh = header.entropyFingerprint === "0".repeat(16);
      return predictorOf(header.entropy, fresh ? { ...job, prior: null } : job);
    };
    const read = await readMcdc(bytesOf(stream), { tolerant, silence, predictorFor });
    return { codes: textOf(read.codes), length: read.length, damaged: read.damaged };
  },
  async write(job) {
    const predictor = predictorOf(job.entropy, job);
    const stream = await writeMcdc({ ...job, codes: codesOf(job.codes), predictor });
    return { stream: textOf(stream) };
  },
  /** All frequencies, [frames, nQ, codebookSize]. */
  async tables({ lm, codes, nQ }) {
    const model = languageModel(lm);
    const chunk = model.start(nQ);
    const all = codesOf(codes);
    const tables = new Int32Array(all.length * model.codebookSize);
    let at = 0;
    for (let t = 0; t < all.length; t += nQ) {
      if (t) chunk.see(all.subarray(t - nQ, t));
      for (let k = 0; k < nQ; k++) {
        for (let j = 0; j < model.codebookSize; j++) tables[at++] = chunk.frequency(k, j);
      }
    }
    return { tables: textOf(tables), fingerprint: model.fingerprint };
  },
  async open({ file }) {
    return { fingerprint: new ExactLanguageModel(bytesOf(file)).fingerprint };
  },
};

const results = [];
for (const job of JSON.parse(readFileSync(`${folder}/jobs.json`))) {
  try {
    results.push(await DO[job.do](job));
  } catch (error) {
    const expected = error instanceof McdcError || error.constructor === Error;
    results.push(expected ? { error: error.message } : { crash: error.stack });
  }
}
writeFileSync(`${folder}/results.json`, JSON.stringify(results));
