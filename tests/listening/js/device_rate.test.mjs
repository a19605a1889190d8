// Tones at another rate: as loud, in time, and without images. Run by: tools/run_tests.py js

import assert from "node:assert/strict";
import { test } from "node:test";

import { resampled } from "../../../minicodec/listening/web/device_rate.mjs";

const tone = (hz, rate, seconds = 0.5) => Float32Array.from({ length: seconds * rate }, (_, i) =>
  Math.sin((2 * Math.PI * hz * i) / rate));

/** Level of a tone, what is beside it, both in dB, and how late it is, in samples. */
function measured(samples, hz, rate) {
  const inside = [...samples.keys()].slice(0.1 * rate, 0.4 * rate); // whole periods, no ends
  const angle = (i) => (2 * Math.PI * hz * i) / rate;
  const mean = (of) => inside.reduce((sum, i) => sum + of(i), 0) / inside.length;
  const sine = 2 * mean((i) => samples[i] * Math.sin(angle(i)));
  const cosine = 2 * mean((i) => samples[i] * Math.cos(angle(i)));
  const rest = mean((i) =>
    (samples[i] - sine * Math.sin(angle(i)) - cosine * Math.cos(angle(i))) ** 2);
  return {
    level: 20 * Math.log10(Math.hypot(sine, cosine)),
    beside: 10 * Math.log10(2 * rest),
    late: (Math.atan2(-cosine, sine) * rate) / (2 * Math.PI * hz),
  };
}

test("up to 11/12 of the lower rate's half, tones stay as they are, and nothing comes beside", () => {
  for (const [from, to] of [[24000, 48000], [24000, 44100], [48000, 44100], [48000, 24000],
    [44100, 48000], [24000, 96000], [8000, 44100], [24000, 22050], [24001, 24000]]) {
    for (const share of [1 / 120, 1 / 3, 2 / 3, 11 / 12]) {
      const hz = 10 * Math.round((share * Math.min(from, to)) / 20);
      const { level, beside, late } = measured(resampled(tone(hz, from), from, to), hz, to);
      const what = `${hz} Hz, from ${from} to ${to}`;
      assert.ok(Math.abs(level) < 0.01, `${what}: ${level} dB`);
      assert.ok(beside < -75, `${what}: ${beside} dB beside it`);
      assert.ok(Math.abs(late) < 0.001, `${what}: late by ${late}`);
    }
  }
});

test("what the lower rate cannot hold is gone, and not folded down", () => {
  for (const [from, to] of [[48000, 24000], [48000, 44100], [44100, 8000]]) {
    const loudest = resampled(tone(0.55 * to, from), from, to).slice(0.1 * to, 0.4 * to)
      .reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    assert.ok(loudest < 1e-3, `${from} to ${to}: ${loudest}`);
  }
});

test("a sound keeps its length, and the same rate keeps it as it is", () => {
  for (const [length, from, to, wanted] of [[24000, 24000, 48000, 48000],
    [24001, 24000, 44100, 44102], [1, 24000, 44100, 2], [1, 48000, 24000, 1], [0, 8000, 48000, 0]]) {
    assert.equal(resampled(new Float32Array(length), from, to).length, wanted);
  }
  const samples = tone(1000, 24000);
  assert.equal(resampled(samples, 24000, 24000), samples);
});

test("samples that are at the same moment are the same", () => {
  const samples = Float32Array.from({ length: 500 }, (_, i) => Math.sin(i * i));
  const twice = resampled(samples, 24000, 48000);
  assert.deepEqual(twice.filter((_, i) => i % 2 === 0), samples);
});

test("a constant stays one", () => {
  const level = resampled(new Float32Array(1000).fill(0.5), 24000, 44100).slice(200, 1600);
  assert.ok(level.every((value) => Math.abs(value - 0.5) < 1e-6));
});
