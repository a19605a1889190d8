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
const { CrossFade, Queue } =
  await import("../../../minicodec/listening/web/playground/worklet.mjs");

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

test("a switch fades in 5 ms and then is complete", () => {
  const fade = new CrossFade();
  assert.deepEqual([...fade.mix(block(0, 0.5), 0, 4)], [0.5, 0.5, 0.5, 0.5]);
  fade.wanted = 1;
  const mixed = fade.mix(block(0, 0.5), 0, HOP);
  const steps = mixed.slice(1).map((value, i) => Math.abs(value - mixed[i]));
  assert.ok(Math.max(...steps) < 0.01);
  assert.ok(mixed[118] > -0.5 && mixed[121] === -0.5);
});

test("where there is no original the codec is heard", () => {
  const fade = new CrossFade();
  fade.wanted = 1;
  assert.deepEqual([...fade.mix(block(0, 0.5, 1, null), 0, 2)], [0.5, 0.5]);
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
  run(1);
});

test("recording sends frames to the page", () => {
  const { one, toWorker, run, say } = processor();
  say({ say: "record", run: 3 });
  run(40, [new Float32Array(128).fill(0.5)]);
  const frames = one.port.sent.filter(({ samples }) => samples);
  assert.ok(frames.length >= 7 && frames.every(({ run: of }) => of === 3));
  assert.equal(toWorker.length, 0);
});
