// Times the codec's files in JavaScript; `web_codec.py` prepares the folder and reads what this prints.

import { readFileSync } from "node:fs";

import { Histogram } from "../minicodec/listening/web/codec/histogram.mjs";
import { ExactLanguageModel } from "../minicodec/listening/web/codec/language_model.mjs";
import { readMcdc } from "../minicodec/listening/web/codec/reader.mjs";
import { writeMcdc } from "../minicodec/listening/web/codec/writer.mjs";

const [folder, lm] = process.argv.slice(2);
const { model, streams } = JSON.parse(readFileSync(`${folder}/streams.json`));
const opening = process.cpuUsage();
const languageModel = new ExactLanguageModel(readFileSync(lm));
const opened = process.cpuUsage(opening).user / 1e3;
const prior = JSON.parse(readFileSync(`${folder}/prior.json`));
const predictors = { none: null, histogram: Histogram.withPrior(prior), lm: languageModel };

/** Seconds of the processor, of the fastest of three. */
async function best(work) {
  let least = Infinity;
  for (let turn = 0; turn < 3; turn++) {
    const start = process.cpuUsage();
    await work();
    least = Math.min(least, process.cpuUsage(start).user / 1e6);
  }
  return least;
}

const results = [];
for (const { file, entropy, nQ } of streams) {
  const bytes = new Uint8Array(readFileSync(`${folder}/${file}`));
  const predictor = predictors[entropy];
  const read = () => readMcdc(bytes, { predictorFor: () => predictor });
  const { codes, length, frames } = await read();
  const write = () => writeMcdc({ model, nQ, codes, length, entropy, predictor });
  if (Buffer.compare(Buffer.from(await write()), Buffer.from(bytes))) throw new Error(file);
  results.push({ entropy, nQ, frames, write: await best(write), read: await best(read) });
}
console.log(JSON.stringify({ opened, node: process.version, results }));
