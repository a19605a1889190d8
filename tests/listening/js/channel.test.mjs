// What happens to codes between encoder and decoder.

import assert from "node:assert/strict";
import { test } from "node:test";

import { BRIDGED, Channel, CONCEALED, DAMAGED, FINE, GAP, knobsFor }
  from "../../../minicodec/listening/web/playground/channel.mjs";

const MODEL = {
  n_q: 4, bits: 10, codebook_size: 1024, frame_rate: 75, silence: [9, 8, 7, 6],
  bandwidths: [{ kbps: 1.5, n_q: 2 }, { kbps: 3, n_q: 4 }],
};
const NOTHING = 1024;
const frame = (...codes) => Uint16Array.from(codes);
const knobs = (changes = {}) => ({ ...knobsFor(MODEL), ...changes });
const never = () => 0.999999;
const always = () => 0;

/** Random numbers that are the same in every run. */
function seeded(state = 1) {
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test("with no knob turned codes pass as they are", () => {
  const channel = new Channel(MODEL, never);
  const { heard, fate } = channel.pass(frame(1, 2, 3, 4), knobs());
  assert.deepEqual([...heard], [1, 2, 3, 4]);
  assert.equal(fate, FINE);
});

test("without 6 kbps the highest bandwidth is where it begins", () => {
  assert.equal(knobs().kept, 4);
  const wide = { ...MODEL, bandwidths: [{ kbps: 6, n_q: 3 }, { kbps: 12, n_q: 4 }] };
  assert.equal(knobsFor(wide).kept, 3);
});

test("of the codebooks only the first are sent", () => {
  const { heard } = new Channel(MODEL, never).pass(frame(1, 2, 3, 4), knobs({ kept: 2 }));
  assert.deepEqual([...heard], [1, 2, NOTHING, NOTHING]);
});

test("a muted codebook says nothing, and only that one", () => {
  const muted = [false, true, false, false];
  const { heard } = new Channel(MODEL, never).pass(frame(1, 2, 3, 4), knobs({ muted }));
  assert.deepEqual([...heard], [1, NOTHING, 3, 4]);
});

test("a frozen codebook stays where it was, until it is let go", () => {
  const channel = new Channel(MODEL, never);
  const frozen = [false, false, true, false];
  channel.pass(frame(1, 2, 3, 4), knobs());
  assert.deepEqual([...channel.pass(frame(5, 6, 7, 8), knobs({ frozen })).heard], [5, 6, 7, 8]);
  assert.deepEqual([...channel.pass(frame(1, 1, 1, 1), knobs({ frozen })).heard], [1, 1, 7, 1]);
  assert.deepEqual([...channel.pass(frame(2, 2, 2, 2), knobs()).heard], [2, 2, 2, 2]);
});

test("a frozen codebook that was not sent says nothing when it is sent no more", () => {
  const channel = new Channel(MODEL, never);
  const frozen = [false, false, false, true];
  channel.pass(frame(1, 2, 3, 4), knobs({ frozen }));
  const { heard } = channel.pass(frame(5, 6, 7, 8), knobs({ frozen, kept: 3 }));
  assert.deepEqual([...heard], [5, 6, 7, NOTHING]);
});

test("a codebook that was frozen before it was sent is held from where it is sent", () => {
  const channel = new Channel(MODEL, never);
  const frozen = [false, false, false, true];
  channel.pass(frame(1, 2, 3, 4), knobs({ frozen, kept: 3 }));
  assert.equal(channel.pass(frame(5, 6, 7, 8), knobs({ frozen })).heard[3], 8);
  assert.equal(channel.pass(frame(9, 9, 9, 9), knobs({ frozen })).heard[3], 8);
});

test("a lost frame is bridged by the last one, and after some there is silence", () => {
  let random = never;
  const channel = new Channel(MODEL, () => random());
  channel.pass(frame(1, 2, 3, 4), knobs());
  random = always;
  const lossy = knobs({ framesLost: 1 });
  for (let n = 0; n < BRIDGED; n++) {
    const { heard, fate } = channel.pass(frame(5, 6, 7, 8), lossy);
    assert.deepEqual([[...heard], fate], [[1, 2, 3, 4], CONCEALED]);
  }
  assert.deepEqual([...channel.pass(frame(5, 6, 7, 8), lossy).heard], [9, 8, 7, 6]);
  random = never;
  assert.deepEqual([...channel.pass(frame(5, 6, 7, 8), lossy).heard], [5, 6, 7, 8]);
});

test("a frame lost before any came is silence", () => {
  const { heard } = new Channel(MODEL, always).pass(frame(1, 2, 3, 4), knobs({ framesLost: 9 }));
  assert.deepEqual([...heard], [9, 8, 7, 6]);
});

test("when more codebooks are sent than the last frame had, the rest says nothing", () => {
  let random = never;
  const channel = new Channel(MODEL, () => random());
  channel.pass(frame(1, 2, 3, 4), knobs({ kept: 2 }));
  random = always;
  const { heard } = channel.pass(frame(5, 6, 7, 8), knobs({ framesLost: 1 }));
  assert.deepEqual([...heard], [1, 2, NOTHING, NOTHING]);
});

test("not concealed, a lost frame is a gap", () => {
  const lossy = knobs({ framesLost: 1, conceal: false });
  assert.equal(new Channel(MODEL, always).pass(frame(1, 2, 3, 4), lossy).fate, GAP);
});

test("as many bits are turned as the knob says, all of them bits that were sent", () => {
  const channel = new Channel(MODEL, seeded());
  const damaged = knobs({ bitsDamaged: 100, kept: 2 });
  let turned = 0;
  for (let n = 0; n < 7500; n++) {
    const { heard, fate } = channel.pass(frame(0, 1023, 5, 5), damaged);
    const bits = [...(heard[0] ^ 0).toString(2), ...(heard[1] ^ 1023).toString(2)];
    const count = bits.filter((digit) => digit === "1").length;
    assert.equal(fate, count || fate === DAMAGED ? DAMAGED : FINE);
    assert.deepEqual([...heard.subarray(2)], [NOTHING, NOTHING]);
    turned += count;
  }
  assert.ok(Math.abs(turned / 10000 - 1) < 0.1, `${turned} of 10000`);
});

test("as many frames get lost as the knob says", () => {
  const channel = new Channel(MODEL, seeded(7));
  const lossy = knobs({ framesLost: 7.5 });
  let lost = 0;
  for (let n = 0; n < 7500; n++) lost += channel.pass(frame(1, 2, 3, 4), lossy).fate === CONCEALED;
  assert.ok(Math.abs(lost / 750 - 1) < 0.1, `${lost} of 750`);
});

test("another place in the sound leaves frozen what is frozen, but bridges nothing", () => {
  const channel = new Channel(MODEL, always);
  const frozen = [true, false, false, false];
  const calm = new Channel(MODEL, never);
  calm.pass(frame(1, 2, 3, 4), knobs({ frozen }));
  calm.restart();
  assert.deepEqual([...calm.pass(frame(5, 6, 7, 8), knobs({ frozen })).heard], [1, 6, 7, 8]);
  channel.pass(frame(1, 2, 3, 4), knobs());
  channel.restart();
  assert.deepEqual([...channel.pass(frame(5, 6, 7, 8), knobs({ framesLost: 1 })).heard],
    [9, 8, 7, 6]);
});

test("a reset forgets what is held and what came last", () => {
  const channel = new Channel(MODEL, always);
  const frozen = [true, true, true, true];
  channel.pass(frame(1, 2, 3, 4), knobs({ frozen }));
  channel.reset();
  assert.deepEqual([...channel.pass(frame(5, 6, 7, 8), knobs({ frozen })).heard], [5, 6, 7, 8]);
});
