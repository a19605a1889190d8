// What an exact language model is made of, read from its file and checked: nothing in it may let a
// sum leave the range in which numbers hold every integer.

import { readSafetensors } from "./safetensors.mjs";
import { Sha256 } from "./sha256.mjs";

export const FRACTION = 1024; // between layers, 1.0 is this many units
export const ACTIVATION = 255; // the largest input of a product
export const ATTENTION = 256; // 1.0 in queries, keys and values
export const ATTENTION_LIMIT = 2 ** 19;
export const OCTAVE = 64; // steps of the table of 2^-x for each factor of two
export const GELU_MIDDLE = 1024; // where in the table of GELU 0 lies
export const POSITIONS = 1024; // after so many frames, positions begin at 0 again

const FORMAT = "minicodec language model 1";
const EXP_ONE = 2 ** 22; // what 2^0 is in the table of 2^-x
const EXP_STEPS = 23 * OCTAVE + 1;

const RANGES = {
  n_q: [1, 1024], codebook_size: [1, 2 ** 14], frame_rate: [1, 2 ** 16], dim: [4, 512],
  layers: [1, 64], heads: [1, 2 ** 16], hidden: [1, 2 ** 16], seconds: [0, 10_000],
};

/** {config, codec, fingerprint, tensors: {name: typed array}}; throws an Error with a sentence. */
export function readLanguageModel(bytes) {
  const { metadata, tensors } = readSafetensors(bytes);
  const { codec = "" } = metadata;
  if (metadata.format !== FORMAT || !/^([0-9a-f]{2})*$/.test(codec)) {
    throw new Error("this file holds no language model of ours.");
  }
  const config = configOf(metadata.config ?? "");
  checkTensors(config, tensors);
  const hash = new Sha256().update(new TextEncoder().encode(metadata.config));
  for (const name of Object.keys(tensors).sort()) {
    hash.update(new TextEncoder().encode(name)).update(tensors[name].bytes);
  }
  const fingerprint = hash.fingerprint();
  if (fingerprint !== metadata.fingerprint) {
    throw new Error("this language model is damaged: its numbers are not those that its "
      + "fingerprint was taken of.");
  }
  const arrays = Object.entries(tensors).map(([name, { data }]) => [name, data]);
  return { config, codec, fingerprint, tensors: Object.fromEntries(arrays) };
}

/** Sizes, and `context`: frames before the present one that a frame sees. */
function configOf(text) {
  let config = null;
  try {
    config = JSON.parse(text);
  } catch {
    // told below
  }
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = config?.[name];
    const whole = name === "seconds" || Number.isInteger(value);
    if (!(typeof value === "number" && whole && value >= least && value <= most)) {
      throw new Error(`a language model's ${name} is from ${least} to ${most}, not ${value}.`);
    }
  }
  const unknown = Object.keys(config).find((name) => !Object.hasOwn(RANGES, name));
  if (unknown) throw new Error(`a language model has no ${JSON.stringify(unknown)}.`);
  if (config.dim % config.heads || config.dim % 2) {
    throw new Error(`a language model's dim is even and a multiple of its heads, but it is `
      + `${config.dim} with ${config.heads} heads.`);
  }
  const context = Math.floor(config.seconds * config.frame_rate);
  const most = 2 ** 53 / (EXP_ONE * ATTENTION_LIMIT) - 1;
  if (context < 1 || context > most) {
    throw new Error(`a language model looks back over 1 to ${most} frames, not ${context}.`);
  }
  return { ...config, context };
}

function checkTensors(config, tensors) {
  const { n_q: nQ, codebook_size: size, dim, layers, hidden } = config;
  const wanted = Object.assign(Object.create(null), {
    embedding: ["I8", nQ * (size + 1), dim], positions: ["I16", POSITIONS, dim],
    exp: ["I32", EXP_STEPS], gelu: ["I16", 2 * GELU_MIDDLE + 1], "norm.epsilon": ["F64"],
  });
  const norm = (name) => {
    wanted[`${name}.gain`] = wanted[`${name}.bias`] = ["F64", dim];
  };
  const product = (name, rows, columns) => {
    wanted[`${name}.weight`] = ["I8", rows, columns];
    wanted[`${name}.scale`] = wanted[`${name}.bias`] = ["F64", rows];
  };
  norm("norm");
  product("heads", nQ * size, dim);
  for (let layer = 0; layer < layers; layer++) {
    const stem = `layers.${layer}`;
    product(`${stem}.qkv`, 3 * dim, dim);
    product(`${stem}.out`, dim, dim);
    product(`${stem}.up`, hidden, dim);
    product(`${stem}.down`, dim, hidden);
    norm(`${stem}.norm1`);
    norm(`${stem}.norm2`);
  }
  for (const name of new Set([...Object.keys(wanted), ...Object.keys(tensors)])) {
    checkTensor(name, wanted[name], tensors[name]);
  }
  const epsilon = tensors["norm.epsilon"].data[0];
  if (!(Number.isInteger(epsilon) && epsilon >= 1 && epsilon < 2 ** 40)) {
    throw new Error(`norm.epsilon is an integer from 1 to 2^40, not ${epsilon}.`);
  }
  const powers = tensors.exp.data;
  const falls = powers.every((value, i) => i === 0 || value <= powers[i - 1]);
  if (powers[0] !== EXP_ONE || powers.at(-1) !== 0 || !falls) {
    throw new Error("the table of 2^-x should fall from 2^22 to 0.");
  }
}

function checkTensor(name, wanted, tensor) {
  if (!wanted || !tensor) {
    throw new Error(`a language model of this config has ${wanted ? "a" : "no"} tensor `
      + `${JSON.stringify(name)}.`);
  }
  const [is, should] = [[tensor.dtype, ...tensor.shape], wanted].map((parts) => parts.join(" "));
  if (is !== should) throw new Error(`${name} should be ${should}, but is ${is}.`);
  if (tensor.dtype === "F64" && !tensor.data.every((value) => Math.abs(value) < 1e9)) {
    throw new Error(`${name} holds values that are not finite, or far too large.`);
  }
  if (!name.endsWith(".weight")) return;
  const [, columns] = tensor.shape;
  for (let at = 0; at < tensor.data.length; at += columns) {
    let sum = 0;
    for (let i = at; i < at + columns; i++) sum += Math.abs(tensor.data[i]);
    if (sum * ACTIVATION >= 2 ** 24) {
      throw new Error(`a row of ${name} could add up to ${sum * ACTIVATION}, not below 2^24.`);
    }
  }
}
