// What is sent to Python. Run by: tools/run_tests.py js

import assert from "node:assert/strict";
import { test } from "node:test";

import { base64, rateOf, sentenceFor, wavOf } from "../../../minicodec/listening/web/wav.mjs";

test("a WAV file has its header and its samples", () => {
  const bytes = wavOf(Float32Array.of(0, 1, -1, 2, 0.5), 24000);
  const view = new DataView(bytes.buffer);
  const text = String.fromCharCode(...bytes.subarray(0, 16));
  assert.equal(text.slice(0, 4) + text.slice(8), "RIFFWAVEfmt ");
  assert.equal(view.getUint32(4, true), bytes.length - 8);
  assert.equal(view.getUint32(24, true), 24000);
  assert.equal(view.getUint32(40, true), 10);
  const samples = [0, 1, 2, 3, 4].map((i) => view.getInt16(44 + 2 * i, true));
  assert.deepEqual(samples, [0, 32767, -32767, 32767, 16384]);
});

test("the rate of a file is in its first bytes, or taken for that of most", () => {
  const flac = (rate) => {
    const bytes = new Uint8Array(42);
    bytes.set([0x66, 0x4c, 0x61, 0x43, 0, 0, 0, 34]); // "fLaC", and a block of 34 bytes
    new DataView(bytes.buffer).setUint32(18, (rate << 12) | 0x1f0);
    return bytes.buffer;
  };
  for (const rate of [8000, 22050, 24000, 44100, 48000, 96000]) {
    assert.equal(rateOf(wavOf(Float32Array.of(1), rate).buffer), rate);
    assert.equal(rateOf(flac(rate)), rate);
  }
  const list = wavOf(Float32Array.of(1), 24000);
  list.set([0x4c, 0x49, 0x53, 0x54], 12); // "LIST" stands where the format is looked for
  for (const data of [list, wavOf(Float32Array.of(1), 1), wavOf(Float32Array.of(1), 192000),
    new Uint8Array(0), new Uint8Array(27), new Uint8Array(4000)]) {
    assert.equal(rateOf(data.buffer), 48000);
  }
});

test("base64 of any length comes back", () => {
  for (const length of [0, 1, 4095, 4096, 4097, 100_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) % 256);
    assert.deepEqual(new Uint8Array(Buffer.from(base64(bytes), "base64")), bytes);
  }
});

test("each error has its sentence, and an unknown one speaks for itself", () => {
  const of = (name) => sentenceFor(Object.assign(new Error("why"), { name }));
  assert.match(of("NotFoundError"), /No microphone was found/);
  assert.match(of("NotAllowedError"), /not allowed/);
  assert.match(of("EncodingError"), /not audio/);
  assert.match(of("NoKernel"), /Colab or JupyterLab/);
  assert.match(of("NoMicrophoneHere"), /choose a file/);
  assert.equal(of("Odd"), "It did not work: why");
});
