// What is said where something is missing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { whatIsMissing } from "../../../minicodec/listening/web/playground/support.mjs";

const whole = {
  WebAssembly, Worker: class {}, DecompressionStream: class {}, OfflineAudioContext: class {},
  AudioWorkletNode: class {},
};

test("nothing is missing where all is there", () => {
  assert.equal(whatIsMissing(whole), null);
});

for (const [name, word] of [
  ["WebAssembly", /no WebAssembly/], ["Worker", /too old/], ["DecompressionStream", /too old/],
  ["OfflineAudioContext", /too old/], ["AudioWorkletNode", /https/],
]) {
  test(`one sentence says that ${name} is missing`, () => {
    const said = whatIsMissing({ ...whole, [name]: undefined });
    assert.match(said, word);
    assert.equal(said.match(/\.(?: |$)/g).length, 1);
  });
}

test("WebAssembly without vectors is not enough", () => {
  const old = { validate: () => false };
  assert.match(whatIsMissing({ ...whole, WebAssembly: old }), /SIMD/);
});
