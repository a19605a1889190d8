// Another sampling rate: tones come out as loud, in time and without images, in pieces too.

import assert from "node:assert/strict";
import { test } from "node:test";

import { resampled, Resampler } from "../../../minicodec/listening/web/resample.mjs";

const tone = (hz, rate, seconds = 0.5) => Float32Array.from({ length: seconds * rate }, (_, i) =>
  Math.sin((2 * Math.PI * hz * i) / rate));

/** Amplitude of a frequency in the middle of some samples, seen through a Blackman window. */
function amplitude(samples, hz, rate) {
  const part = samples.subarray(2000, samples.length - 2000);
  let [re, im, norm] = [0, 0, 0];
  part.forEach((value, i) => {
    const t = (2 * Math.PI * i) / part.length;
    const w = 0.42 - 0.5 * Math.cos(t) + 0.08 * Math.cos(2 * t);
    re += w * value * Math.cos((2 * Math.PI * hz * i) / rate);
    im += w * value * Math.sin((2 * Math.PI * hz * i) / rate);
    norm += w / 2;
  });
  return Math.hypot(re, im) / norm;
}

const dB = (x) => 20 * Math.log10(x + 1e-12);

for (const rate of [16000, 44100, 48000, 96000]) {
  for (const hz of [100, 1000, 4000, 7000, 8000, 10000]) {
    if (hz > 0.44 * rate) continue;
    test(`24000 to ${rate} Hz keeps a tone of ${hz} Hz and adds no image`, () => {
      const sound = new Resampler(24000, rate).push(tone(hz, 24000, 2));
      assert.ok(Math.abs(dB(amplitude(sound, hz, rate))) < 0.05, "level");
      const image = 24000 - hz;
      if (image < rate / 2) assert.ok(dB(amplitude(sound, image, rate)) < -80, "image");
    });
    test(`${rate} to 24000 Hz keeps a tone of ${hz} Hz`, () => {
      const sound = new Resampler(rate, 24000).push(tone(hz, rate, 2));
      assert.ok(Math.abs(dB(amplitude(sound, hz, 24000))) < 0.05);
    });
  }
}

test("what the lower rate cannot hold is not folded back", () => {
  for (const hz of [13000, 15000, 20000]) {
    const sound = new Resampler(48000, 24000).push(tone(hz, 48000, 2));
    assert.ok(dB(amplitude(sound, 24000 - hz, 24000)) < -80, `${hz}`);
  }
});

test("pieces of any length give the same samples", () => {
  for (const [from, to] of [[24000, 44100], [44100, 24000], [48000, 24000], [24000, 48000]]) {
    const sound = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i * i));
    const whole = new Resampler(from, to).push(sound);
    const resampler = new Resampler(from, to);
    const pieces = [];
    for (let at = 0, size = 0; at < sound.length; at += size) {
      size = [1, 128, 0, 320, 7, 33][pieces.length % 6] || 1;
      pieces.push(...resampler.push(sound.subarray(at, at + size)));
    }
    assert.deepEqual(Float32Array.from(pieces), whole);
  }
});

test("output is in time with input, and complete but for the delay", () => {
  const click = new Float32Array(4000);
  click[2000] = 1;
  const resampler = new Resampler(24000, 48000);
  const sound = resampler.push(click);
  assert.equal(sound.indexOf(Math.max(...sound)), 4000);
  assert.ok(Math.abs(sound.length - 2 * (4000 - resampler.delay)) <= 2);
});

test("equal rates pass through", () => {
  const sound = tone(1000, 24000);
  assert.equal(new Resampler(24000, 24000).push(sound), sound);
});

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
