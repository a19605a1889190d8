// What the players decide: places, regions, keys. Run by: tools/run_tests.py js

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  actionOfKey, clock, gainWords, levels, positionAt, regionBetween, regionWithEdge, spoken,
  startPlace,
} from "../../../minicodec/listening/web/logic.mjs";

const span = { startedAt: 10, offset: 1, start: 0, end: 4, loop: false };

test("a position runs with the clock and stops at the end", () => {
  assert.equal(positionAt(span, 10), 1);
  assert.equal(positionAt(span, 12.5), 3.5);
  assert.equal(positionAt(span, 99), 4);
});

test("before the first sample sounds, the position waits", () => {
  assert.equal(positionAt(span, 9.9), 1);
});

test("a loop goes on at its start, as often as it takes", () => {
  const loop = { ...span, offset: 2, start: 1, end: 3, loop: true };
  assert.equal(positionAt(loop, 10.5), 2.5);
  assert.equal(positionAt(loop, 11), 1);
  assert.ok(Math.abs(positionAt(loop, 10 + 1 + 2 * 7 + 0.25) - 1.25) < 1e-9);
});

test("a loop whose playback began before its start runs into it first", () => {
  const loop = { ...span, offset: 0, start: 2, end: 3, loop: true };
  assert.equal(positionAt(loop, 11), 1);
  assert.equal(positionAt(loop, 13.5), 2.5);
});

test("a region has its edges in order and inside the clip", () => {
  assert.deepEqual(regionBetween(3, 1, 5), { start: 1, end: 3 });
  assert.deepEqual(regionBetween(-2, 9, 5), { start: 0, end: 5 });
  assert.equal(regionBetween(2, 2.01, 5), null);
});

test("keys move one edge of the region", () => {
  assert.deepEqual(regionWithEdge(null, "start", 2, 5), { start: 2, end: 5 });
  assert.deepEqual(regionWithEdge(null, "end", 2, 5), { start: 0, end: 2 });
  assert.deepEqual(regionWithEdge({ start: 1, end: 3 }, "start", 2, 5), { start: 2, end: 3 });
  assert.deepEqual(regionWithEdge({ start: 1, end: 3 }, "end", 2, 5), { start: 1, end: 2 });
});

test("an edge that passes the other one begins a new region", () => {
  assert.deepEqual(regionWithEdge({ start: 1, end: 3 }, "start", 4, 5), { start: 4, end: 5 });
  assert.deepEqual(regionWithEdge({ start: 2, end: 3 }, "end", 1, 5), { start: 0, end: 1 });
  assert.equal(regionWithEdge(null, "end", 0, 5), null);
});

test("play starts over at the end, and inside the region", () => {
  assert.equal(startPlace(2, { start: 0, end: 4 }), 2);
  assert.equal(startPlace(4, { start: 0, end: 4 }), 0);
  assert.equal(startPlace(0.5, { start: 1, end: 2 }), 1);
  assert.equal(startPlace(3, { start: 1, end: 2 }), 1);
});

test("keys have their meanings", () => {
  const meanings = {
    1: ["choose", 0], 9: ["choose", 8], " ": ["toggle"], ArrowLeft: ["skip", -1],
    ArrowRight: ["skip", 1], ArrowUp: ["step", -1], ArrowDown: ["step", 1], Home: ["seek", 0],
    a: ["edge", "start"], B: ["edge", "end"], l: ["loop"], m: ["match"], Escape: ["clear"],
  };
  for (const [key, meaning] of Object.entries(meanings)) {
    assert.deepEqual(actionOfKey({ key }), meaning, key);
  }
});

test("all other keys stay the page's", () => {
  for (const key of ["0", "Tab", "Enter", "x", "F1", "Shift", "constructor"]) {
    assert.equal(actionOfKey({ key }), null, key);
  }
  assert.equal(actionOfKey({ key: "1", ctrlKey: true }), null);
  assert.equal(actionOfKey({ key: "l", metaKey: true }), null);
  assert.equal(actionOfKey({ key: "ArrowLeft", altKey: true }), null);
});

test("exactly one version is heard", () => {
  assert.deepEqual(levels([1, 1, 1], 1), [0, 1, 0]);
  assert.deepEqual(levels([0.5, 2, 1], 1), [0, 2, 0]);
});

test("a gain is said in words", () => {
  const said = [0, 0.04, -0.04, 6.02, -3].map(gainWords);
  assert.deepEqual(said, ["as it is", "as it is", "as it is", "turned up by 6.0 dB",
    "turned down by 3.0 dB"]);
});

test("times are written for eyes and for ears", () => {
  assert.equal(clock(0), "0:00.0");
  assert.equal(clock(9.96), "0:10.0");
  assert.equal(clock(59.97), "1:00.0");
  assert.equal(clock(61.26), "1:01.3");
  assert.equal(spoken(1.26), "1.3 seconds");
});
