// The codec's files in the page: coder, packing, histogram, streams. Run by: tools/run_tests.py js

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { crc32 as zlibCrc32 } from "node:zlib";

const WEB = new URL("../../../minicodec/listening/web/codec/", import.meta.url);
const load = (name) => import(new URL(name, WEB));
const { crc32 } = await load("crc32.mjs");
const { pack, packedSize, unpack } = await load("packing.mjs");
const { RangeDecoder, RangeEncoder } = await load("range_coder.mjs");
const { Sha256 } = await load("sha256.mjs");
const { Histogram } = await load("histogram.mjs");
const { chunkBytes, endBytes, headerBytes } = await load("format.mjs");
const { checkModel, McdcError, readHeader, readMcdc } = await load("reader.mjs");
const { writeMcdc } = await load("writer.mjs");

/** Random numbers that are the same in every run. */
function generator(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const bytesOf = (text) => new TextEncoder().encode(text);

test("checksums are zlib's, and go on where others ended", () => {
  assert.equal(crc32(bytesOf("123456789")), 0xcbf43926);
  assert.equal(crc32(bytesOf("6789"), crc32(bytesOf("12345"))), 0xcbf43926);
  assert.equal(crc32(new Uint8Array()), 0);
  if (!zlibCrc32) return; // node has it since 22
  for (const length of [1, 37, 4096]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31) % 256);
    assert.equal(crc32(bytes, 99), zlibCrc32(bytes, 99));
  }
});

test("fingerprints are the first 8 bytes of SHA-256, of any length and in any pieces", () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 128, 100_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) % 251);
    const wanted = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
    assert.equal(new Sha256().update(bytes).fingerprint(), wanted, `${length} bytes`);
    const [first, second] = [bytes.subarray(0, length / 3), bytes.subarray(length / 3)];
    assert.equal(new Sha256().update(first).update(second).fingerprint(), wanted);
  }
});

test("codes of every width are packed and come back", () => {
  assert.deepEqual(pack(Uint16Array.of(1, 2, 3), 4), Uint8Array.of(0x12, 0x30));
  const random = generator(1);
  for (let bits = 1; bits <= 16; bits++) {
    for (const count of [0, 1, 2, 7, 100]) {
      const codes = Uint16Array.from({ length: count }, () => random(2 ** bits));
      codes.fill(2 ** bits - 1, 0, count > 2 ? 2 : 0);
      const bytes = pack(codes, bits);
      assert.equal(bytes.length, packedSize(count, bits));
      assert.deepEqual(unpack(bytes, bits, count), codes);
    }
  }
});

/** Symbols, with where each begins, its frequency and its total, through the coder and back. */
function coded(parts) {
  const encoder = new RangeEncoder();
  for (const [begin, frequency, total] of parts) encoder.encode(begin, frequency, total);
  const bytes = encoder.finish();
  const decoder = new RangeDecoder(bytes);
  for (const [begin, frequency, total] of parts) {
    const place = decoder.place(total);
    assert.ok(place >= begin && place < begin + frequency);
    decoder.take(begin, frequency);
  }
  decoder.finish();
  return bytes;
}

test("the range coder writes what Python's writes, and reads it", () => {
  assert.deepEqual(coded([[2, 1, 4], [0, 2, 4], [3, 1, 4]]), Uint8Array.of(0x98)); // its example
  assert.equal(coded([]).length, 0);
  assert.equal(coded(Array(1000).fill([0, 2 ** 24 - 1, 2 ** 24])).length, 0);
});

test("carries run through words of ones", () => {
  // The last symbol of a table keeps `low` just under a carry; the one after it brings it.
  const high = [2 ** 24 - 1, 1, 2 ** 24];
  for (let n = 1; n < 20; n++) coded([...Array(n).fill(high), [0, 1, 3], ...Array(n).fill(high)]);
  const random = generator(2);
  for (let turn = 0; turn < 300; turn++) {
    coded(Array.from({ length: random(60) }, () => {
      const total = 1 + random(random(2) ? 2 ** 24 : 5);
      const begin = random(2) ? total - 1 : random(total);
      return [begin, 1 + random(total - begin), total];
    }));
  }
});

test("bytes that no encoder wrote end in an error, or in wrong symbols", () => {
  const most = Uint8Array.from({ length: 8 }, () => 255);
  assert.throws(() => new RangeDecoder(most).place(3), /past the last code/);
  const empty = new RangeDecoder(new Uint8Array());
  assert.throws(() => {
    for (let i = 0; i < 99; i++) {
      empty.place(2 ** 24);
      empty.take(0, 1);
    }
  }, /too few/);
  assert.throws(() => new RangeDecoder(Uint8Array.of(1, 2, 3)).finish(), /1 bytes are left/);
  new RangeDecoder(Uint8Array.of(1, 2)).finish();
});

test("a histogram's sums are those of its counts, also when they are halved", () => {
  const random = generator(3);
  const prior = [1, 2].map(() => Array.from({ length: 37 }, () => 1 + random(50)));
  const histogram = new Histogram(37, 2, prior, 2 ** 21);
  const chunk = histogram.start(2);
  let halved = false;
  for (let t = 0; t < 40; t++) {
    for (let k = 0; k < 2; k++) {
      let below = 0;
      for (let code = 0; code < 37; code++) {
        const frequency = chunk.frequency(k, code);
        assert.equal(chunk.below(k, code), below);
        assert.equal(chunk.find(k, below), code);
        assert.equal(chunk.find(k, below + frequency - 1), code);
        below += frequency;
      }
      assert.equal(chunk.total(k), below);
      assert.ok(below <= 2 ** 24);
    }
    const before = chunk.total(0);
    chunk.see(Uint16Array.of(random(37), random(5)));
    halved ||= chunk.total(0) < before;
  }
  assert.ok(halved);
  assert.equal(histogram.start(2).frequency(0, 0), prior[0][0], "each chunk begins anew");
});

test("a histogram refuses what it cannot count with", () => {
  assert.equal(new Histogram(4, 3).fingerprint, "0".repeat(16));
  assert.throws(() => new Histogram(4, 3, [[1, 1, 1, 1]]), /3 rows of 4 counts/);
  assert.throws(() => new Histogram(4, 1, [[1, 1, 1, 0]]), /counts from 1/);
  assert.throws(() => new Histogram(4, 1, [[1, 1, 1, 0.5]]), /counts from 1/);
  new Histogram(4, 1, [[2 ** 24 - 3, 1, 1, 1]]);
  assert.throws(() => new Histogram(4, 1, [[2 ** 24 - 2, 1, 1, 1]]), /add up to 16777216 at most/);
  assert.throws(() => new Histogram(4, 1, null, 2 ** 23), /an increment is/);
  assert.throws(() => new Histogram(2 ** 16, 2 ** 16), /cannot be counted/);
  assert.throws(() => new Histogram(4, 1).start(2), /1 to 1 codebooks, not 2/);
});

test("a prior is read from its file, and not if it is damaged", () => {
  const counts = [[1, 2, 3, 4], [5, 6, 7, 8]];
  const { fingerprint } = new Histogram(4, 2, counts);
  const file = { fingerprint, counts };
  assert.equal(Histogram.withPrior(file).increment, 32);
  assert.throws(() => Histogram.withPrior({ ...file, fingerprint: "0" }), /prior is damaged/);
  assert.throws(() => Histogram.withPrior({ ...file, counts: [[1, 2], [1]] }), /rows of 2 counts/);
  for (const wrong of [null, {}, [], { counts: [] }, { counts: [5] }]) {
    assert.throws(() => Histogram.withPrior(wrong), /holds no prior/);
  }
});

// The example in the specification.

const PAGE = readFileSync(new URL("../../../book/bitstream.md", import.meta.url), "utf8");
const DUMP = [...PAGE.matchAll(/^[0-9a-f]{4} {2}((?:[0-9a-f]{2} {1,3}){1,16}) +\S+$/gm)];
const DIGITS = DUMP.map(([, row]) => row.replaceAll(" ", "")).join("");
const EXAMPLE = new Uint8Array(Buffer.from(DIGITS, "hex"));
const TOY = {
  name: "toy", fingerprint: "0123456789abcdef", sampleRate: 24000, channels: 1, hopLength: 320,
  bits: 4, nQ: 2,
};
const TOY_CODES = Uint16Array.of(
  3, 5, 1, 3, 4, 5, 1, 8, 5, 9, 9, 7, 2, 9, 6, 3, 7, 12, 7, 12, 7, 12, 7, 12, 7, 12, 7, 12,
);
const predictorFor = (header) => {
  checkModel(header, TOY);
  return header.entropy === "histogram" ? new Histogram(16, 2) : null;
};

test("the page's example is read, and written again to the byte", async () => {
  const read = await readMcdc(EXAMPLE, { predictorFor });
  assert.deepEqual(read.codes, TOY_CODES);
  assert.equal(read.length, 4400);
  assert.equal(read.frames, 14);
  assert.deepEqual([read.damaged, read.notes], [[], []]);
  assert.equal(read.header.entropy, "histogram");
  const written = await writeMcdc({
    model: TOY, nQ: 2, codes: TOY_CODES, length: 4400, entropy: "histogram",
    predictor: new Histogram(16, 2), chunkSeconds: 8 * 320 / 24000,
  });
  assert.deepEqual(Buffer.from(written), Buffer.from(EXAMPLE));
});

const flipped = (bytes, ...places) => {
  const wrong = bytes.slice();
  for (const place of places) wrong[place >> 3] ^= 0x80 >> place % 8;
  return wrong;
};
const refused = (bytes, options, sentence) =>
  assert.rejects(readMcdc(bytes, { predictorFor, ...options }), (error) => {
    assert.ok(error instanceof McdcError, error);
    assert.match(error.message, sentence);
    assert.match(error.message, /^[^\n]*[.]$/);
    return true;
  });

test("a stream is not decoded with a predictor of other codes", async () => {
  await refused(EXAMPLE, { predictorFor: () => new Histogram(16, 1) }, /for 1 codebooks of 16/);
  await refused(EXAMPLE, { predictorFor: () => new Histogram(32, 2) }, /2 codebooks of 32/);
  const prior = [1, 2].map(() => Array(16).fill(3));
  await refused(EXAMPLE, { predictorFor: () => new Histogram(16, 2, prior) }, /the one here is/);
  await refused(EXAMPLE, { predictorFor: () => null }, /which is not here/);
  await refused(EXAMPLE, {
    predictorFor: () => {
      throw new McdcError("this model is not known.");
    },
  }, /not known/);
});

test("every single flipped bit is found, and costs one chunk at most", async () => {
  for (let place = 0; place < 8 * EXAMPLE.length; place++) {
    const wrong = flipped(EXAMPLE, place);
    await refused(wrong, {}, /chunk|header|minicodec stream|version|of this stream/);
    const { codes, damaged, notes } = await readMcdc(wrong, {
      predictorFor, tolerant: true, silence: [1, 2],
    });
    assert.ok(notes.length, `bit ${place}`);
    assert.ok(damaged.length <= 1, `bit ${place}: ${damaged}`);
    const wanted = TOY_CODES.slice();
    const [begin, end] = damaged[0] === 0 ? [0, 16] : [16, 28];
    if (damaged.length) for (let i = begin; i < end; i++) wanted[i] = 1 + i % 2;
    assert.deepEqual(codes, wanted, `bit ${place}`);
  }
});

test("a stream that breaks off gives what came", async () => {
  for (let size = 0; size < EXAMPLE.length; size++) {
    const part = EXAMPLE.subarray(0, size);
    await refused(part, {}, /breaks off|too few/);
    const options = { predictorFor, tolerant: true, silence: [1, 2] };
    if (size < 0x49) {
      await refused(part, options, /breaks off|too few|no whole chunk/);
      continue;
    }
    const { frames, length, notes } = await readMcdc(part, options);
    assert.deepEqual([frames, length], size < 0x60 ? [8, 2560] : [14, 4480]);
    assert.match(notes.at(-1), /breaks off at 0\.1\d s: its end is missing/);
  }
});

test("bytes behind the end are said", async () => {
  const more = Uint8Array.from([...EXAMPLE, 0]);
  await refused(more, {}, /more bytes behind the end/);
  const { codes, notes } = await readMcdc(more, { predictorFor, tolerant: true });
  assert.deepEqual(codes, TOY_CODES);
  assert.match(notes[0], /more bytes behind/);
  const worse = await readMcdc(flipped(more, 5, 8 * 0x40), {
    predictorFor, tolerant: true, silence: [1, 2],
  });
  assert.equal(worse.notes.length, 4, "each thing is said, and once");
  const said = [/bit of the header/, /chunk 0 .* checksum/, /silence from 0.00 s/, /more bytes/];
  said.forEach((sentence) => assert.ok(worse.notes.some((text) => sentence.test(text))));
});

test("only bytes are a stream", async () => {
  for (const other of [EXAMPLE.buffer, "MCDC", null, [...EXAMPLE]]) {
    await refused(other, {}, /a stream is bytes/);
  }
});

test("what is lost needs the codes of silence", async () => {
  await refused(flipped(EXAMPLE, 8 * 0x40), { tolerant: true }, /codes of silence are not known/);
});

const HEADER = { ...readHeader(EXAMPLE), entropy: "none" };
const streamOf = (header, ...parts) => {
  const head = headerBytes(header);
  const full = { ...header, crc: crc32(head.subarray(0, -4)) };
  return new Uint8Array(Buffer.concat([head, ...parts.map((part) => part(full))]));
};

test("numbers with a right checksum may be lies", async () => {
  const some = (index, frames, bytes) => (full) =>
    chunkBytes(full, index, frames, new Uint8Array(bytes));
  const end = (chunks, length) => (full) => endBytes(full, chunks, length);
  const options = { predictorFor: () => null, tolerant: true, silence: [0, 0] };
  const strict = (bytes, sentence) => refused(bytes, { predictorFor: () => null }, sentence);
  await strict(streamOf(HEADER, some(0, 60000, 60000)), /too many for a chunk/);
  await strict(streamOf(HEADER, some(0, 9, 9)), /chunk 0 has 9 frames, and 8 are the most/);
  await refused(streamOf(HEADER, some(0, 9, 9)), options, /chunk 0 has 9 frames, and 8 are/);
  await strict(streamOf(HEADER, some(0, 8, 7)), /call for 8/);
  await strict(streamOf(HEADER, some(0, 8, 9)), /call for 8/);
  await strict(streamOf(HEADER, some(0, 0, 7)), /not with 8 bytes/);
  await strict(streamOf(HEADER, some(0, 8, 8), some(1, 3, 3), some(2, 8, 8)), /chunk 1 is short/);
  await strict(streamOf(HEADER, some(0, 8, 8), end(1, 2 ** 52)), /claims .* samples/);
  await strict(streamOf(HEADER, some(0, 8, 8), end(1, 2561)), /claims 2561 samples, which take 2/);
  const other = streamOf(HEADER, some(0, 8, 8), some(1, 5, 5), end(2, 4400));
  await strict(other, /6 are the end of 4400/);
  await strict(streamOf(HEADER, end(0, 0)), /claims 0 samples/);
  const early = streamOf(HEADER, some(0, 3, 3), end(4, 4 * 2560));
  await refused(early, options, /chunk 0 is short, yet not the last one/);
  // A minute may be missing, or ten times what came: no few bytes fill a page with silence.
  const far = streamOf(HEADER, some(0, 8, 8), some(600, 8, 8));
  await refused(far, options, /599 chunks, 63\.9 s, are missing/);
  const near = streamOf(HEADER, some(0, 8, 8), some(500, 8, 8), end(501, 501 * 2560));
  assert.equal((await readMcdc(near, options)).damaged.length, 499);
});

test("headers are not believed", async () => {
  const of = (change) => streamOf({ ...HEADER, ...change }, (full) => endBytes(full, 1, 1));
  const options = { predictorFor: () => null, tolerant: true, silence: [0, 0] };
  for (const name of ["channels", "bits", "nQ", "chunkFrames", "chunkSamples", "sampleRate"]) {
    await refused(of({ [name]: 0 }), options, /a zero where none can be/);
  }
  await refused(of({ bits: 200 }), options, /200 bits; 16 is the most/);
  await refused(of({ chunkSamples: 2561 }), options, /in segments/);
  await refused(of({ chunkSamples: 61 * 24000 }), options, /chunks of 61 s; 60 s is the most/);
  await refused(of({ entropy: "lm" }), options, /predicted by the lm model 0000/);
  await refused(of({ entropyFingerprint: "1".repeat(16) }), options, /predicted by the none model/);
  for (const change of [{ fingerprint: "f".repeat(16) }, { nQ: 3 }, { sampleRate: 48000 },
    { channels: 2 }, { bits: 5 }, { chunkSamples: 5120 }]) {
    await refused(of(change), {}, /this stream('s| was| has) /);
  }
});

test("a page does not hold more codes than it can", async () => {
  // One sample a frame, four thousand million samples a second: a minute would be a terabyte.
  const header = { ...HEADER, chunkFrames: 30000, chunkSamples: 30000, sampleRate: 2 ** 32 - 1 };
  const chunk = (index) => (full) => chunkBytes(full, index, 30000, new Uint8Array(30000));
  const options = { predictorFor: () => null, tolerant: true, silence: [0, 0] };
  await refused(streamOf(header, chunk(0), chunk(2000)), options, /67108864 is the most here/);
});

test("looking for the next chunk ends, also where heads of chunks are everywhere", async () => {
  const options = { predictorFor: () => null, tolerant: true, silence: [0, 0] };
  const head = (full) => chunkBytes(full, 0, 8, new Uint8Array(8)).subarray(0, 17);
  const liar = { ...HEADER, chunkFrames: 30000, chunkSamples: 30000 };
  const claim = (full) => chunkBytes(full, 0, 30000, new Uint8Array(30000)).subarray(0, 17);
  await refused(streamOf(HEADER, ...Array(5000).fill(head)), options, /no whole chunk|everywhere/);
  await refused(streamOf(liar, ...Array(6000).fill(claim)), options, /damaged everywhere/);
  const sync = () => bytesOf("CHNK".repeat(2 ** 15));
  await refused(streamOf(HEADER, sync), options, /no whole chunk/);
});

test("the writer refuses what is no clip", async () => {
  const right = { model: TOY, nQ: 2, codes: TOY_CODES, length: 4400, entropy: "none" };
  const wrong = [
    [{ length: 0 }, /at least one sample/], [{ length: 9 }, /9 samples take 2 codes/],
    [{ length: 4481 }, /take 30 codes/], [{ codes: [...TOY_CODES] }, /in a Uint16Array/],
    [{ codes: TOY_CODES.map(() => 16) }, /is never 16/],
    [{ entropy: "zip", predictor: new Histogram(16, 2) }, /entropy is one of none/],
    [{ entropy: "histogram" }, /needs a predictor/], [{ nQ: 0 }, /nQ is an integer/],
    [{ entropy: "histogram", predictor: new Histogram(32, 2) }, /2 codebooks of 32 entries, but/],
    [{ entropy: "histogram", predictor: new Histogram(16, 1) }, /1 codebooks of 16 entries, but/],
    [{ model: { ...TOY, bits: 17 } }, /bits is an integer from 1 to 16/],
    [{ model: { ...TOY, fingerprint: "x" } }, /8 bytes in hex/],
    [{ chunkSeconds: 61 }, /at most 60 seconds/],
  ];
  for (const [change, sentence] of wrong) {
    await assert.rejects(writeMcdc({ ...right, ...change }), (error) => {
      assert.ok(error instanceof McdcError, error);
      return sentence.test(error.message) || assert.fail(error.message);
    });
  }
  const data = await writeMcdc({ ...right, model: { ...TOY, name: "ä".repeat(200) } });
  assert.equal(readHeader(data).name, "ä".repeat(127)); // no character is cut
});

test("progress ends at 1, and what it throws ends the work", async () => {
  const clip = {
    model: TOY, nQ: 2, codes: TOY_CODES, length: 4400, entropy: "histogram",
    predictor: new Histogram(16, 2),
  };
  const shares = [];
  const data = await writeMcdc({ ...clip, progress: (share) => shares.push(share) });
  await readMcdc(data, { predictorFor, progress: (share) => shares.push(share) });
  assert.equal(shares.filter((share) => share === 1).length, 2);
  const stop = () => {
    throw new Error("stopped");
  };
  await assert.rejects(writeMcdc({ ...clip, progress: stop }), /stopped/);
});

test("the modules are as the players' are", () => {
  for (const name of readdirSync(WEB).filter((each) => each.endsWith(".mjs"))) {
    const text = readFileSync(new URL(name, WEB), "utf8");
    for (const word of ["</", "<!--", "://", "console.", "innerHTML", "eval(", "debugger"]) {
      assert.ok(!text.includes(word), `${name} has ${word}`);
    }
    const long = text.split("\n").findIndex((line) => line.length > 100);
    assert.equal(long, -1, `${name}, line ${long + 1} has more than 100 characters`);
    assert.ok(text.split("\n").length < 320, `${name} is long`);
    for (const [whole, names] of text.matchAll(/^import \{([^}]*)\} from .*;$/gm)) {
      for (const used of names.split(",").map((part) => part.trim()).filter(Boolean)) {
        assert.match(text.replace(whole, ""), new RegExp(`\\b${used}\\b`), `${name}: ${used}`);
      }
    }
  }
});
