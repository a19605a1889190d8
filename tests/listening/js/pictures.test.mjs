// The numbers behind the pictures. Run by: tools/run_tests.py js

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  diverging, envelope, fft, magma, melOfHz, melSpectrogram,
} from "../../../minicodec/listening/web/pictures.mjs";

const RATE = 24000;
const tone = (hz, seconds = 1, level = 1) => Float32Array.from(
  { length: RATE * seconds }, (_, i) => level * Math.sin((2 * Math.PI * hz * i) / RATE));
const loudestBand = ({ mels, values }, frame) => {
  const column = [...values.slice(frame * mels, (frame + 1) * mels)];
  return column.indexOf(Math.max(...column));
};

test("the transform equals its definition", () => {
  const x = Array.from({ length: 16 }, (_, i) => Math.sin(i * i) + 0.3 * i);
  const [re, im] = [Float64Array.from(x), new Float64Array(16)];
  fft(re, im);
  for (let k = 0; k < 16; k++) {
    const [cos, sin] = [Math.cos, Math.sin].map((f) =>
      x.reduce((sum, value, n) => sum + value * f((2 * Math.PI * k * n) / 16), 0));
    assert.ok(Math.abs(re[k] - cos) < 1e-9 && Math.abs(im[k] + sin) < 1e-9, `bin ${k}`);
  }
});

test("a tone lights the band of its pitch", () => {
  for (const hz of [300, 1000, 5000]) {
    const expected = (melOfHz(hz) / melOfHz(RATE / 2)) * 81 - 1;
    const found = loudestBand(melSpectrogram(tone(hz), RATE, 10), 5);
    assert.ok(Math.abs(found - expected) <= 1, `${hz} Hz in band ${found}, not ${expected}`);
  }
});

test("ten times the amplitude is 20 dB more, and silence is the floor", () => {
  const [loud, soft, none] = [1, 0.1, 0].map((level) =>
    Math.max(...melSpectrogram(tone(1000, 1, level), RATE, 4).values));
  assert.ok(Math.abs(loud - soft - 20) < 1e-3);
  assert.equal(none, -60);
});

test("frames follow the clip from its beginning to its end", () => {
  const clip = new Float32Array(RATE);
  clip.set(tone(500, 0.5), 0);
  clip.set(tone(4000, 0.5), RATE / 2);
  const picture = melSpectrogram(clip, RATE, 10);
  assert.ok(loudestBand(picture, 1) < loudestBand(picture, 8) - 20);
});

test("clips shorter than a window, and other rates, have a picture too", () => {
  for (const rate of [8000, 16000, 44100, 48000]) {
    const { values } = melSpectrogram(new Float32Array(10).fill(0.1), rate, 3);
    assert.ok(values.every(Number.isFinite), `${rate} Hz`);
  }
});

test("an envelope has every extreme, also with fewer samples than columns", () => {
  assert.deepEqual(envelope([0.5, -1, 0, 0.25], 2), [[-1, 0.5], [0, 0.25]]);
  assert.equal(envelope([1], 4).length, 4);
});

test("colours run from black to pale yellow, and from one hue through the ground to the other", () => {
  assert.deepEqual(magma(-99), [0, 0, 4]);
  assert.deepEqual(magma(99), [252, 253, 191]);
  const [ground, blue, orange] = [[255, 255, 255], [0, 114, 178], [213, 94, 0]];
  assert.deepEqual(diverging(0, ground, blue, orange), ground);
  assert.deepEqual(diverging(-40, ground, blue, orange), blue);
  assert.deepEqual(diverging(40, ground, blue, orange), orange);
});
