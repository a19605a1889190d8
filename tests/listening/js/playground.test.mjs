// The parts of the playground that need no page: what goes in and out of the codec, names, turns.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Client } from "../../../minicodec/listening/web/playground/client.mjs";
import {
  Encoder, framesFirst, levelsFirst,
} from "../../../minicodec/listening/web/playground/codec.mjs";
import { fetchBytes, fetchJson } from "../../../minicodec/listening/web/playground/fetching.mjs";
import { Costs, Files } from "../../../minicodec/listening/web/playground/files.mjs";
import { bytesOf, LONGEST, samplesOf } from "../../../minicodec/listening/web/playground/intake.mjs";
import {
  latencyParts, Smooth, total,
} from "../../../minicodec/listening/web/playground/latency.mjs";
import { Latest } from "../../../minicodec/listening/web/playground/latest.mjs";
import { savedName, shownName } from "../../../minicodec/listening/web/playground/names.mjs";
import { colourOfCode } from "../../../minicodec/listening/web/playground/views.mjs";
import { Histogram } from "../../../minicodec/listening/web/codec/histogram.mjs";

// Codes

test("codes are turned from levels to frames and back", () => {
  const levels = [10, 11, 12, 20, 21, 22]; // two codebooks, three frames
  assert.deepEqual([...framesFirst(levels, 2)], [10, 20, 11, 21, 12, 22]);
  assert.deepEqual([...levelsFirst(framesFirst(levels, 2), 2)], levels);
  assert.deepEqual([...framesFirst([7], 1)], [7]);
  assert.deepEqual([...framesFirst([], 4)], []);
});

test("each sound has states of its own, which begin as zeros and go on from step to step", async () => {
  class Tensor {
    constructor(type, data, dims) { Object.assign(this, { type, data, dims }); }
  }
  const session = { // counts its steps in its state
    async run({ audio, memory }) {
      const next = new Tensor("float32", memory.data.map((value) => value + 1), [2]);
      return { codes: { data: [audio.data.length, next.data[0]] }, memory_next: next };
    },
  };
  const about = { input: "audio", output: "codes", levels: 2,
    states: [{ name: "memory", next: "memory_next", shape: [1, 2] }] };
  const one = new Encoder({ Tensor }, session, about);
  const other = one.fresh();
  assert.deepEqual([...await one.encode(new Float32Array(9))], [9, 1]);
  assert.deepEqual([...await one.encode(new Float32Array(9))], [9, 2]);
  assert.deepEqual([...await other.encode(new Float32Array(3))], [3, 1]);
  assert.deepEqual([...one.fresh().states.memory.data], [0, 0]);
});

test("counted codes cost what their counts say, and less each time they come again", () => {
  const costs = new Costs(new Histogram(4, 3), 3);
  const codes = Uint16Array.from([0, 1, 2]);
  assert.equal(costs.see(codes, 2), 4); // two codes of four that are alike: two bits each
  assert.ok(costs.see(codes, 2) < 2); // a count of 9 in 12
  assert.equal(costs.see(codes, 0), 0);
  const few = new Costs(new Histogram(4, 3), 1); // a file with fewer codebooks
  assert.equal(few.see(codes, 3), 2);
});

test("a predictor that this copy lacks is named", async () => {
  const files = new Files({ sizes: {} }, {}, "http:");
  assert.equal(await files.predictor("none"), null);
  await assert.rejects(files.predictor("lm"), /came without what “lm” needs/);
});

test("codes beside one another have colours far apart; a new one is brighter", () => {
  const light = (colour) => Math.max(...colour) + Math.min(...colour);
  for (let code = 0; code < 1024; code++) {
    const [fresh, still] = [colourOfCode(code, true), colourOfCode(code, false)];
    assert.ok([...fresh, ...still].every((v) => Number.isInteger(v) && v >= 0 && v <= 255));
    assert.ok(light(fresh) > light(still) + 100);
    const next = colourOfCode(code + 1, true);
    assert.ok(Math.hypot(...fresh.map((value, i) => value - next[i])) > 60, `${code}`);
  }
});

// Delay

const LATE = {
  track: { latency: 0.01 }, delays: { toCodec: 0.001, toEar: 0.002 },
  context: { sampleRate: 48000, baseLatency: 0.005, outputLatency: 0.02 },
  report: { trip: 0.004, queued: 0.03 }, model: { sample_rate: 24000, hop_length: 240 },
};

test("the delay is told by parts, in ms, and their sum is that of what is known", () => {
  const parts = latencyParts(LATE);
  assert.deepEqual(parts.map(([, ms]) => Math.round(ms)), [10, 3, 10, 4, 30, 25]);
  assert.match(parts[1][0], /48 to 24 kHz/);
  assert.equal(Math.round(total(parts)), 82);
  const silent = latencyParts({ ...LATE, track: {}, context: { sampleRate: 44100 },
    report: { trip: null, queued: 0.03 } });
  assert.deepEqual(silent.map(([, ms]) => ms === null), [true, false, false, true, false, true]);
  assert.equal(Math.round(total(silent)), 43);
});

test("a mean follows what it is told and passes over what is no number", () => {
  const mean = new Smooth(0.5);
  assert.equal(mean.add(null), null);
  assert.deepEqual([4, NaN, 8, null, Infinity].map((value) => mean.add(value)), [4, 4, 6, 6, 6]);
});

// Sound in

/** The browser's decoder: gives these channels at the rate it is asked for. */
function decodes(channels, length = channels[0]?.length ?? 0) {
  globalThis.OfflineAudioContext = class {
    constructor(_, __, rate) { this.sampleRate = rate; }

    async decodeAudioData() {
      if (!channels.length) throw new Error("EncodingError");
      return { length, sampleRate: this.sampleRate, numberOfChannels: channels.length,
        getChannelData: (c) => channels[c] };
    }
  };
}

test("channels are mixed, at the codec's rate, as loud as they are", async () => {
  const tone = Float32Array.from({ length: 48000 }, (_, n) => Math.sin(n / 50));
  decodes([tone, tone.map((value) => value / 2)]);
  const told = [];
  const { mono, notes } = await samplesOf(new ArrayBuffer(9), 24000, (share) => told.push(share));
  assert.deepEqual(notes, ["its 2 channels are mixed"]);
  assert.equal(mono.length, 24000);
  for (let n = 100; n < 23900; n += 97) {
    assert.ok(Math.abs(mono[n] - 0.75 * tone[2 * n]) < 1e-4, `${n}`);
  }
  assert.ok(told.every((share) => share >= 0 && share < 1));
});

test("one sample is a sound; none, an empty file and noise are none", async () => {
  decodes([new Float32Array([0.5])]);
  assert.equal((await samplesOf(new ArrayBuffer(9), 24000)).mono.length, 1);
  await assert.rejects(samplesOf(new ArrayBuffer(0), 24000), /this file is empty/);
  decodes([new Float32Array(0)]);
  await assert.rejects(samplesOf(new ArrayBuffer(9), 24000), /holds no sound/);
  decodes([]);
  await assert.rejects(samplesOf(new ArrayBuffer(9), 24000), /not audio that the browser can read/);
  decodes([new Float32Array(100).fill(NaN)]);
  await assert.rejects(samplesOf(new ArrayBuffer(9), 24000), /samples that are no numbers/);
});

test("what is too long is cut, too loud turned down, silent named", async () => {
  decodes([new Float32Array(8000 * (LONGEST + 1)).fill(2)]);
  const head = new ArrayBuffer(44); // a WAV of 8 kHz, so that the test is short
  const view = new DataView(head);
  [..."RIFF"].forEach((c, i) => view.setUint8(i, c.charCodeAt(0)));
  [..."WAVEfmt "].forEach((c, i) => view.setUint8(8 + i, c.charCodeAt(0)));
  view.setUint32(24, 8000, true);
  const { mono, notes } = await samplesOf(head, 8000);
  assert.equal(mono.length, 8000 * LONGEST);
  assert.equal(mono[5], 1);
  assert.deepEqual(notes, ["only its first 10 minutes are taken",
    "turned down by 6.0 dB to stay within full scale"]);
  decodes([new Float32Array(480)]);
  assert.deepEqual((await samplesOf(new ArrayBuffer(9), 24000)).notes, ["it is silent"]);
});

test("a file that is gone, a folder, and one that is too large are said to be so", async () => {
  const gone = { size: 9, arrayBuffer: () => Promise.reject(Object.assign(new Error("no"),
    { name: "NotFoundError" })) };
  await assert.rejects(bytesOf(gone), { name: "Error", message: /is it a file, and still there/ });
  await assert.rejects(bytesOf({ size: 6e8 }), /600 MB, and 500 is the most/);
});

// Names

test("a name stands in a sentence whatever it is", () => {
  assert.equal(shownName("a voice.wav"), "a voice.wav");
  assert.equal(shownName("a\nb\u202Egpj.wav\u0000"), "abgpj.wav");
  assert.equal(shownName("\u200B\n"), "this file");
  const long = shownName(`${"x".repeat(300)}.wav`);
  assert.ok(long.length === 60 && long.endsWith("….wav".slice(1)) && long.includes("…"), long);
});

for (const [name, saved] of [
  ["voice.wav", "voice.mcdc"], ["Speech, English", "Speech English.mcdc"],
  ["../../etc/passwd", "etcpasswd.mcdc"], ["<img src=x>.wav", "img srcx.mcdc"],
  ["$(rm -rf ~).wav", "rm -rf.mcdc"], [".hidden", "hidden.mcdc"], ["Mr. Smith talks", "Mr. Smith talks.mcdc"], ["", "sound.mcdc"],
  ["a\nb\u202Ecod.exe", "abcod.mcdc"], ["नमस्ते.wav", "नमस्ते.mcdc"], ["e\u0301.wav", "é.mcdc"],
  ["no ending", "no ending.mcdc"], [" . .wav", "sound.mcdc"],
]) {
  test(`${JSON.stringify(name)} is saved as ${saved}`, () => {
    assert.equal(savedName(name, "mcdc"), saved);
  });
}

test("a long name is saved shorter than file systems allow", () => {
  assert.ok(Buffer.byteLength(savedName(`${"é".repeat(300)}.wav`, "mcdc")) < 255);
});

// Turns, and the worker

test("of several turns only the last goes on", async () => {
  const latest = new Latest();
  const first = latest.begin();
  assert.equal(await first.until(5), 5);
  const still = latest.still();
  assert.ok(first.wanted() && still());
  const waiting = first.until(Promise.resolve(1));
  const second = latest.begin();
  await assert.rejects(waiting, /meanwhile/);
  assert.ok(!first.wanted() && !still() && second.wanted());
});

test("a worker answers by number; when it has died every question fails with one sentence", async () => {
  const sent = [];
  globalThis.Worker = class {
    postMessage(data) { sent.push(data); }

    terminate() { sent.push("terminated"); }
  };
  const gone = [];
  const frames = [];
  const client = new Client((some) => frames.push(some), (error) => gone.push(error.message));
  const { worker } = client;
  const told = [];
  const one = client.ask("encode", { audio: 1 }, (progress) => told.push(progress));
  const two = client.ask("write");
  worker.onmessage({ data: { id: 2, error: { name: "McdcError", message: "no" } } });
  worker.onmessage({ data: { id: 1, progress: { known: 3 } } });
  worker.onmessage({ data: { id: 1, result: "done" } });
  worker.onmessage({ data: { id: 1, result: "again" } });
  worker.onmessage({ data: { frames: "some" } });
  await assert.rejects(two, { name: "McdcError", message: "no" });
  assert.equal(await one, "done");
  assert.deepEqual([told, frames], [[{ known: 3 }], ["some"]]);
  const waiting = client.ask("play");
  worker.onerror({ message: "out of memory" });
  worker.onerror({ message: "and again" });
  const sentence = "the codec's thread has ended (out of memory): load this page anew.";
  await assert.rejects(waiting, { message: sentence });
  await assert.rejects(client.ask("play"), { message: sentence });
  client.tell("stop"); // and nobody is told that it failed
  assert.deepEqual(gone, [sentence]);
  assert.equal(sent.at(-1), "terminated");
});

// Fetching

const answers = (body, status = 200) => {
  globalThis.fetch = async () => new Response(body, { status });
};
const ADDRESS = "http://here.invalid/a/index.json";

test("files come whole, unpacked and counted", async () => {
  const text = JSON.stringify({ a: 1 });
  answers(text);
  let count = 0;
  await fetchBytes(ADDRESS, (more) => { count += more; });
  assert.equal(count, text.length);
  assert.deepEqual(await fetchJson(ADDRESS), { a: 1 });
  answers(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")));
  assert.deepEqual(await fetchJson(ADDRESS), { a: 1 });
});

test("one sentence says what is wrong with a file", async () => {
  globalThis.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  await assert.rejects(fetchBytes(ADDRESS), /^Error: index.json could not be fetched/);
  answers("", 404);
  await assert.rejects(fetchBytes(ADDRESS), /not where the book keeps it \(404\)/);
  answers("<!DOCTYPE html>");
  await assert.rejects(fetchJson(ADDRESS), /^Error: index.json is not what the book keeps there/);
  answers(new ReadableStream({ pull(to) { to.error(new TypeError("network error")); } }));
  await assert.rejects(fetchBytes(ADDRESS), /did not come whole/);
  answers(Uint8Array.of(0x1f, 0x8b, 1, 2, 3));
  await assert.rejects(fetchBytes(ADDRESS), /is damaged: it cannot be unpacked/);
});
