// The resampler between codec and device: tones come out as tones, and pieces do not matter.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Resampler } from "../../../minicodec/listening/web/playground/resample.mjs";

const tone = (hz, rate, count) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));

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
      const sound = new Resampler(24000, rate).push(tone(hz, 24000, 48000));
      assert.ok(Math.abs(dB(amplitude(sound, hz, rate))) < 0.05, "level");
      const image = 24000 - hz;
      if (image < rate / 2) assert.ok(dB(amplitude(sound, image, rate)) < -80, "image");
    });
    test(`${rate} to 24000 Hz keeps a tone of ${hz} Hz`, () => {
      const sound = new Resampler(rate, 24000).push(tone(hz, rate, 2 * rate));
      assert.ok(Math.abs(dB(amplitude(sound, hz, 24000))) < 0.05);
    });
  }
}

test("what the lower rate cannot hold is not folded back", () => {
  for (const hz of [13000, 15000, 20000]) {
    const sound = new Resampler(48000, 24000).push(tone(hz, 48000, 96000));
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
  const sound = tone(1000, 24000, 100);
  assert.equal(new Resampler(24000, 24000).push(sound), sound);
});
