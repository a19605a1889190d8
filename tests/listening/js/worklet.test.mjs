// What waits to be heard, and the switch between original and codec; then the processor itself, with
// a clock of our own.

import assert from "node:assert/strict";
import { test } from "node:test";

const RATE = 48000;
const made = {};
globalThis.sampleRate = RATE;
globalThis.currentTime = 0;
globalThis.AudioWorkletProcessor = class {
  port = { sent: [], postMessage(data) { this.sent.push(data); } };
};
globalThis.registerProcessor = (name, kind) => { made[name] = kind; };
const PLAYGROUND = "../../../minicodec/listening/web/playground/";
const { CrossFade, Fall, Queue, Row } = await import(`${PLAYGROUND}waiting.mjs`);
const { resampled } = await import(`${PLAYGROUND}../resample.mjs`);
await import(`${PLAYGROUND}worklet.mjs`);

const HOP = 320;
const block = (frame, value, frames = 1, dry = -value) => ({
  frame, wet: new Float32Array(frames * HOP).fill(value),
  dry: dry === null ? null : new Float32Array(frames * HOP).fill(dry),
});

test("a queue gives back what was put in, in pieces", () => {
  const queue = new Queue();
  queue.put(block(0, 0.1));
  queue.put(block(1, 0.2));
  assert.equal(queue.length, 640);
  const seen = [];
  while (queue.length) {
    const { block: { frame }, start, end, finished } = queue.take(100);
    seen.push([frame, start, end, finished]);
  }
  assert.deepEqual(seen.slice(0, 5), [[0, 0, 100, false], [0, 100, 200, false],
    [0, 200, 300, false], [0, 300, 320, true], [1, 0, 100, false]]);
});

test("squeezing makes one block of two, without a step", () => {
  const queue = new Queue();
  for (let n = 0; n < 4; n++) queue.put(block(n, n));
  queue.squeeze();
  assert.equal(queue.length, 3 * HOP);
  assert.deepEqual(queue.blocks.map(({ frame }) => frame), [0, 2, 3]);
  const { wet, dry } = queue.blocks[1];
  assert.equal(wet[0], 1);
  assert.ok(wet[HOP - 1] > 1.99 && wet[HOP / 2] === 1.5 && dry[HOP / 2] === -1.5);
});

test("two blocks are too few to squeeze", () => {
  const queue = new Queue();
  queue.put(block(0, 1));
  queue.put(block(1, 1));
  queue.squeeze();
  assert.equal(queue.length, 2 * HOP);
});

test("a row gives back what was put in, also if it is long", () => {
  const row = new Row();
  const sound = Float32Array.from({ length: 10000 }, (_, n) => n);
  row.append(sound.subarray(0, 3000));
  row.drop(1000);
  row.append(sound.subarray(3000));
  assert.deepEqual([row.length, row.samples[0], row.samples[8999]], [9000, 1000, 9999]);
  row.drop(9000);
  assert.equal(row.length, 0);
});

test("a fall goes down from what was heard last; a second one in the midst of it adds up", () => {
  const fall = new Fall(4);
  const row = new Row();
  row.append(Float32Array.of(2, 4)); // then nothing more, which the last value stands for
  fall.begin(row, 0.5, 1);
  const speaker = new Float32Array(3);
  fall.addTo(speaker, 1);
  assert.deepEqual([...speaker], [0, 0.75, 1]);
  row.drop(2);
  fall.begin(row, 1, 4);
  const rest = new Float32Array(6);
  fall.addTo(rest);
  assert.deepEqual([...rest], [3 + 0.5, 2, 1, 0, 0, 0]);
});

test("a switch fades in 5 ms and then is complete", () => {
  const fade = new CrossFade();
  const mixed = new Float32Array(HOP);
  fade.mix(block(0, 0.5), 0, 4, mixed);
  assert.deepEqual([...mixed.slice(0, 5)], [0.5, 0.5, 0.5, 0.5, 0]);
  fade.wanted = 1;
  fade.mix(block(0, 0.5), 0, HOP, mixed);
  const steps = mixed.slice(1).map((value, i) => Math.abs(value - mixed[i]));
  assert.ok(Math.max(...steps) < 0.01);
  assert.ok(mixed[118] > -0.5 && mixed[121] === -0.5);
});

test("where there is no original the codec is heard", () => {
  const fade = new CrossFade();
  fade.wanted = 1;
  const mixed = new Float32Array(2);
  fade.mix(block(0, 0.5, 1, null), 0, 2, mixed);
  assert.deepEqual([...mixed], [0.5, 0.5]);
});

/** A processor and what it says; `run(n)` lets n quanta of the device pass. */
function processor() {
  const Kind = made["minicodec-playground"];
  const one = new Kind({ processorOptions: { rate: 24000, hop: HOP } });
  const toWorker = [];
  const port = { postMessage: (data) => toWorker.push(data) };
  one.port.onmessage({ data: { say: "worker", port } });
  const run = (quanta, input = []) => {
    const heard = [];
    for (let n = 0; n < quanta; n++) {
      const speaker = new Float32Array(128);
      assert.equal(one.process([input], [[speaker]]), true);
      heard.push(...speaker);
      globalThis.currentTime += 128 / RATE;
    }
    return heard;
  };
  const say = (data) => one.port.onmessage({ data });
  const bring = (data) => port.onmessage({ data });
  return { one, toWorker, run, say, bring };
}

test("it plays blocks at the device's rate, tells when each is over, and ends", () => {
  const { one, toWorker, run, say, bring } = processor();
  say({ say: "play", run: 1, target: HOP });
  bring({ run: 1, ...block(0, 0.25, 6) });
  bring({ run: 1, end: true });
  const heard = run(60);
  const loud = heard.filter((value) => Math.abs(value - 0.25) < 0.01).length;
  assert.ok(Math.abs(loud - 2 * 6 * HOP) < 200, `${loud}`);
  assert.deepEqual(toWorker, [{ run: 1, done: 0 }]);
  const last = one.port.sent.at(-1);
  assert.ok(last.finished && last.underruns === 0);
  assert.equal(Math.max(...one.port.sent.map(({ played }) => played)), 6 * HOP);
  const before = one.port.sent.length;
  run(40);
  assert.equal(one.port.sent.length, before, "it goes on reporting");
});

/** A tone as the worker brings it, from a frame on, and the largest step between its samples. */
const tone = (frame, frames) => {
  const at = (n) => 0.5 * Math.cos((2 * Math.PI * 220 * (n + frame * HOP)) / 24000);
  const wet = Float32Array.from({ length: frames * HOP }, (_, n) => at(n));
  return { frame, wet, dry: wet.map((value) => -value) };
};
const STEP = 0.5 * 2 * Math.PI * 220 / RATE;
const FADED = 2 / (0.005 * RATE); // what a fade adds to that, from one side to the other
const steps = (heard) => heard.slice(1).map((value, n) => Math.abs(value - heard[n]));

test("what is played is the whole sound, to its last sample and as loud as it is", () => {
  const { run, say, bring } = processor();
  for (const length of [1, 100, HOP, 6 * HOP, 6 * HOP - 37]) {
    say({ say: "play", run: 1, target: 12 * HOP });
    const sound = tone(0, 6);
    sound.wet = sound.wet.slice(0, length);
    bring({ run: 1, ...sound });
    bring({ run: 1, end: true });
    const heard = run(60);
    const expected = resampled(sound.wet, 24000, RATE);
    expected.forEach((value, n) => {
      assert.ok(Math.abs(value - heard[n]) < 1e-6, `${length}: sample ${n} of ${expected.length}`);
    });
    assert.ok(heard.slice(expected.length).every((value) => value === 0));
  }
});

test("no click where it is stopped, sought, runs short, or begins in the middle", () => {
  const { one, run, say, bring } = processor();
  const heard = [];
  const hear = (quanta) => heard.push(...run(quanta));
  say({ say: "play", run: 1, target: HOP });
  bring({ run: 1, ...tone(30, 6) });
  hear(7);
  say({ say: "play", run: 2, target: HOP }); // sought
  hear(1);
  say({ say: "play", run: 3, target: HOP }); // and again
  bring({ run: 3, ...tone(77, 6) });
  hear(80); // it runs short
  assert.equal(one.underruns, 1);
  bring({ run: 3, ...tone(83, 6) });
  hear(5);
  say({ say: "original", on: true });
  hear(9);
  say({ say: "stop" });
  hear(20);
  assert.ok(Math.max(...heard.map(Math.abs)) > 0.4);
  assert.ok(heard.slice(-900).every((value) => value === 0), "it is silent at last");
  assert.ok(Math.max(...steps(heard)) < STEP + 2 * FADED, `${Math.max(...steps(heard))}`);
});

test("live, no click where what piled up is let go", () => {
  const { run, say, bring } = processor();
  const heard = [];
  say({ say: "live", run: 1, target: 2 * HOP });
  for (let n = 0; n < 3; n++) bring({ run: 1, ...tone(n, 1) });
  heard.push(...run(6));
  for (let n = 3; n < 30; n++) bring({ run: 1, ...tone(n, 1) });
  heard.push(...run(20));
  assert.ok(Math.max(...steps(heard)) < STEP + 2 * FADED, `${Math.max(...steps(heard))}`);
});

test("original and codec are in time with each other", () => {
  const { run, say, bring } = processor();
  const sound = tone(0, 12);
  sound.dry = sound.wet.slice();
  say({ say: "play", run: 1, target: HOP });
  say({ say: "original", on: false });
  bring({ run: 1, ...sound });
  bring({ run: 1, end: true });
  const heard = run(10);
  say({ say: "original", on: true });
  heard.push(...run(30));
  const expected = resampled(sound.wet, 24000, RATE);
  for (let n = 0; n < heard.length; n++) assert.ok(Math.abs(heard[n] - expected[n]) < 1e-6);
});

test("what was meant for another run is not heard", () => {
  const { run, say, bring } = processor();
  say({ say: "play", run: 2, target: HOP });
  bring({ run: 1, ...block(0, 0.25, 6) });
  assert.ok(run(20).every((value) => value === 0));
});

test("nothing is played before enough waits, and a gap is counted once", () => {
  const { one, run, say, bring } = processor();
  say({ say: "play", run: 1, target: 2 * HOP });
  bring({ run: 1, ...block(0, 0.25) });
  assert.ok(run(10).every((value) => value === 0));
  bring({ run: 1, ...block(1, 0.25) });
  run(30);
  assert.equal(one.underruns, 1);
});

test("a microphone is cut into frames at the codec's rate", () => {
  const { one, toWorker, run, say } = processor();
  say({ say: "live", run: 1, target: 2 * HOP });
  const stereo = [new Float32Array(128).fill(0.5), new Float32Array(128).fill(0.1)];
  run(75, stereo); // 0.2 s
  assert.equal(toWorker.length, Math.floor((75 * 64 - 48) / HOP));
  assert.ok(toWorker.every(({ samples, run: of }, n) => samples.length === HOP && of === 1
    && toWorker[n].frame === n));
  assert.ok(Math.abs(toWorker.at(-1).samples[100] - 0.3) < 1e-4, "channels are mixed");
  assert.ok(toWorker.every(({ sentAt }, n) => n === 0 || sentAt > toWorker[n - 1].sentAt));
  one.port.onmessage({ data: { say: "stop" } });
  const before = toWorker.length;
  run(20, stereo);
  assert.equal(toWorker.length, before);
});

test("live, a calm queue is shortened and a gap makes it longer", () => {
  const { one, run, say, bring } = processor();
  say({ say: "live", run: 1, target: 4 * HOP });
  let frame = 0;
  const calm = (seconds) => {
    for (let n = 0; n < seconds * 75; n++) {
      bring({ run: 1, ...block(frame++, 0.25) });
      run(5);
    }
  };
  for (let n = 0; n < 5; n++) bring({ run: 1, ...block(frame++, 0.25) });
  calm(8);
  assert.equal(one.underruns, 0);
  const { target } = one;
  assert.ok(target < 4 * HOP && one.queue.length < 5 * HOP, `${target} ${one.queue.length}`);
  run(60);
  assert.equal(one.underruns, 1);
  assert.equal(one.target, target + HOP);
});

test("live, what piled up during a halt is let go", () => {
  const { one, run, say, bring } = processor();
  say({ say: "live", run: 1, target: 2 * HOP });
  for (let n = 0; n < 30; n++) bring({ run: 1, ...block(n, 0.25) });
  assert.ok(one.queue.length <= 6 * HOP);
  run(40);
  assert.equal(one.leftOut, 24, "frames that are not heard are counted");
});

test("recording sends frames to the page", () => {
  const { one, toWorker, run, say } = processor();
  say({ say: "record", run: 3 });
  run(40, [new Float32Array(128).fill(0.5)]);
  const frames = one.port.sent.filter(({ samples }) => samples);
  assert.ok(frames.length >= 7 && frames.every(({ run: of }) => of === 3));
  assert.equal(toWorker.length, 0);
});
