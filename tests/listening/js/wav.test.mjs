// What is sent to Python. Run by: tools/run_tests.py js

import assert from "node:assert/strict";
import { test } from "node:test";

import { base64, sentenceFor, wavOf } from "../../../minicodec/listening/web/wav.mjs";

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
