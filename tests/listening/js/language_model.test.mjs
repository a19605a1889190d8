// The exact language model and the files it is read from. Run by: tools/run_tests.py js
//
// That its frequencies are the package's, tests/listening/test_web_codec.py sees.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const WEB = new URL("../../../minicodec/listening/web/codec/", import.meta.url);
const load = (name) => import(new URL(name, WEB));
const { readSafetensors } = await load("safetensors.mjs");
const { ExactLanguageModel } = await load("language_model.mjs");
const { readMcdc } = await load("reader.mjs");
const { writeMcdc } = await load("writer.mjs");

const SHIPPED = readFileSync(
  new URL("../../../minicodec/weights/mini_24khz_lm.safetensors", import.meta.url),
);
const MODEL = new ExactLanguageModel(SHIPPED);

/** A safetensors file of these tensors, {name: [dtype, shape, bytes]}. */
function fileOf(tensors, metadata = {}) {
  const header = { __metadata__: metadata };
  let end = 0;
  for (const [name, [dtype, shape, bytes]] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end += bytes.length] };
  }
  return framed(header, ...Object.values(tensors).map(([, , bytes]) => bytes));
}

function framed(header, ...parts) {
  const head = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(head.length));
  return new Uint8Array(Buffer.concat([size, head, ...parts]));
}

test("a safetensors file gives its tensors, wherever they lie", () => {
  const tensors = {
    a: ["I8", [3], Uint8Array.of(1, 2, 255)], b: ["F32", [1, 1], Uint8Array.of(0, 0, 128, 63)],
    c: ["F64", [], new Uint8Array(8)], d: ["BF16", [1], new Uint8Array(2)],
    e: ["I16", [0, 5], new Uint8Array()],
  };
  const read = readSafetensors(fileOf(tensors, { x: "y" }));
  assert.deepEqual(read.metadata, { x: "y" });
  assert.deepEqual(read.tensors.a.data, Int8Array.of(1, 2, -1));
  assert.deepEqual(read.tensors.b.data, Float32Array.of(1));
  assert.deepEqual(read.tensors.c, {
    dtype: "F64", shape: [], data: Float64Array.of(0), bytes: new Uint8Array(8),
  });
  assert.equal(read.tensors.d.data, null);
  assert.equal(read.tensors.e.data.length, 0);
});

test("no number in a safetensors file is believed", () => {
  const entry = (place, shape = [1], dtype = "I8") => ({ dtype, shape, data_offsets: place });
  const byte = new Uint8Array(1);
  const wrong = [
    [new Uint8Array(7), /whole/], [new Uint8Array(8).fill(255), /whole/],
    [framed("[]"), /no JSON object/], [framed("{"), /no JSON object/],
    [framed({ __metadata__: { x: 1 } }), /not of texts/], [framed({ a: 5 }), /"a" is no tensor/],
    [framed({ a: entry([0, 1]) }), /do not fill/], [framed({ a: entry([1, 2]) }, byte), /not fill/],
    [framed({}, byte), /do not fill/], [framed({ a: entry([1, 0]) }, byte), /no tensor/],
    [framed({ a: entry([0, 1e300]) }, byte), /no tensor/],
    [framed({ a: entry([0, 1], [2 ** 40]) }, byte), /another number of bytes/],
    [framed({ a: entry([0, 1], [-1]) }, byte), /no tensor/],
    [framed({ a: entry([0, 1]), b: entry([0, 1]) }, byte), /do not fill/],
    [framed({ a: entry([0, 1], [1], "F64") }, byte), /another number of bytes/],
    [framed({ a: entry([0, 1], [1], "__proto__") }, byte), null],
    [framed(`{"__proto__": ${JSON.stringify(entry([0, 1]))}}`, byte), null],
  ];
  for (const [bytes, sentence] of wrong) {
    if (sentence) assert.throws(() => readSafetensors(bytes), sentence);
    else readSafetensors(bytes);
    assert.throws(() => new ExactLanguageModel(bytes), (error) => error.constructor === Error);
  }
});

const { metadata, tensors } = readSafetensors(SHIPPED);

/** The shipped model with other metadata, or other tensors, and no right fingerprint. */
function changed(metadataChange, tensorChange = {}) {
  const all = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) =>
    [name, [dtype, shape, bytes]]);
  const entries = { ...Object.fromEntries(all), ...tensorChange };
  for (const name of Object.keys(entries)) if (!entries[name]) delete entries[name];
  return fileOf(entries, { ...metadata, ...metadataChange });
}

const config = (change) =>
  ({ config: JSON.stringify({ ...JSON.parse(metadata.config), ...change }) });
const float = (...values) => new Uint8Array(Float64Array.of(...values).buffer);

test("what could leave the exact range is refused", () => {
  const wrong = [
    [changed({ format: "minicodec 1" }), /no language model of ours/],
    [changed({ codec: "xyz" }), /no language model of ours/],
    [changed({ config: "{" }), /n_q is from 1/], [changed(config({ dim: 514 })), /dim is from 4/],
    [changed(config({ seconds: 60 })), /looks back over 1 to 4095 frames, not 4500/],
    [changed(config({ heads: 7 })), /multiple of its heads/], [changed(config({ x: 1 })), /no "x"/],
    [changed(config({ toString: 1 })), /no "toString"/],
    [changed(config({ layers: 4 })), /a tensor "layers.3/],
    [changed(config({ codebook_size: 512 })), /should be I8/],
    [changed({}, { gelu: null }), /a tensor "gelu"/],
    [changed({}, { constructor: ["I8", [1], new Uint8Array(1)] }), /no tensor "constructor"/],
    [changed({}, { "norm.epsilon": ["F64", [], float(0.5)] }), /norm.epsilon is an integer/],
    [changed({}, { "norm.gain": ["F64", [120], float(...Array(120).fill(NaN))] }), /not finite/],
    [changed({}, { exp: ["I32", [1473], new Uint8Array(4 * 1473)] }), /should fall from 2\^22/],
    [changed(config({ frame_rate: 74 })), /its fingerprint was taken of/],
  ];
  for (const [bytes, sentence] of wrong) {
    assert.throws(() => new ExactLanguageModel(bytes), sentence);
  }
});

test("its tables add up, and each place in them finds its code", () => {
  const chunk = MODEL.start(2);
  for (let t = 0; t < 3; t++) {
    for (let k = 0; k < 2; k++) {
      assert.ok(chunk.total(k) <= 2 ** 24 && chunk.total(k) > 2 ** 22);
      for (const code of [0, 1, 511, 1022, 1023]) {
        const below = chunk.below(k, code);
        assert.ok(chunk.frequency(k, code) >= 1);
        assert.equal(chunk.find(k, below), code);
        assert.equal(chunk.find(k, below + chunk.frequency(k, code) - 1), code);
      }
      assert.equal(chunk.below(k, 1023) + chunk.frequency(k, 1023), chunk.total(k));
    }
    chunk.see(Uint16Array.of(t, 1023 - t));
  }
  assert.throws(() => MODEL.start(17), /1 to 16 codebooks, not 17/);
});

test("its frequencies are those of the page, also far into a chunk", () => {
  const page = readFileSync(
    new URL("../../../book/exact-language-model.md", import.meta.url), "utf8",
  );
  const rows = [...page.matchAll(/^(\d+) +(\d+) +([0-9a-f]{16}) +([\d ]+)$/gm)];
  assert.equal(rows.length, 10);
  for (const nQ of [2, 16]) {
    const told = new Map(rows.filter((row) => Number(row[1]) === nQ).map((row) =>
      [Number(row[2]), [row[3], row[4].split(/ +/).map(Number)]]));
    const chunk = MODEL.start(nQ);
    const hash = createHash("sha256");
    const codes = (t) => Uint16Array.from({ length: nQ }, (_, k) => (37 * t + 11 * k) % 1024);
    for (let t = 0; t <= Math.max(...told.keys()); t++) {
      if (t) chunk.see(codes(t - 1));
      for (let k = 0; k < nQ; k++) {
        hash.update(new Uint8Array(
          Uint32Array.from({ length: 1024 }, (_, code) => chunk.frequency(k, code)).buffer,
        ));
      }
      if (!told.has(t)) continue;
      const [first, second] = [0, 1].map((k) =>
        [...[0, 1, 2, 3].map((code) => chunk.frequency(k, code)), chunk.total(k)]);
      const found = [hash.copy().digest("hex").slice(0, 16), [...first, ...second]];
      assert.deepEqual(found, told.get(t), `frame ${t} of ${nQ} codebooks`);
    }
  }
});

test("two chunks at once do not disturb each other", () => {
  const [one, two] = [MODEL.start(2), MODEL.start(2)];
  one.see(Uint16Array.of(5, 6));
  two.see(Uint16Array.of(700, 800));
  const alone = MODEL.start(2);
  alone.see(Uint16Array.of(5, 6));
  for (let code = 0; code < 1024; code++) {
    assert.equal(one.frequency(1, code), alone.frequency(1, code));
  }
});

test("a page gets its turn while a stream is coded, and can end the work", async (t) => {
  let clock = 0; // a clock of its own: a millisecond for each look at it
  t.mock.method(performance, "now", () => clock++);
  const model = {
    name: "mini_24khz", fingerprint: MODEL.codec, sampleRate: 24000, channels: 1, hopLength: 320,
    bits: 10, nQ: 16,
  };
  const codes = Uint16Array.from({ length: 60 * 16 }, (_, i) => (i * 37) % 1024);
  const clip = { model, nQ: 16, codes, length: 60 * 320, entropy: "lm", predictor: MODEL };
  const shares = [];
  let turns = 0;
  const progress = (share) => {
    shares.push(share);
    setTimeout(() => turns++); // comes before the work goes on, if others get their turn
  };
  const data = await writeMcdc({ ...clip, progress });
  assert.equal(turns, shares.length - 1);
  assert.ok(shares.length > 2 && shares.at(-1) === 1, `${shares}`);
  assert.ok(shares.every((share, i) => i === 0 || share >= shares[i - 1]));
  const read = await readMcdc(data, { predictorFor: () => MODEL });
  assert.deepEqual(read.codes, codes);
  const stop = () => {
    throw new Error("stopped");
  };
  await assert.rejects(readMcdc(data, { predictorFor: () => MODEL, progress: stop }), /stopped/);
});
