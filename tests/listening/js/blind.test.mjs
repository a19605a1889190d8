// What the blind tests decide: chance, orders, ratings, tables. Run by: tools/run_tests.py js

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bandOf, binomialTail, cleanName, correctNeeded, csvOf, draw, meansOf, probability, shuffled,
} from "../../../minicodec/listening/web/blind.mjs";
import { Store } from "../../../minicodec/listening/web/store.mjs";

const close = (a, b, tolerance = 1e-12) => Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));

test("p is exact", () => {
  assert.equal(binomialTail(0, 12), 1);
  assert.equal(binomialTail(12, 12), 2 ** -12);
  assert.equal(binomialTail(10, 12), 79 / 4096); // 66 + 12 + 1 ways of 4096
  assert.equal(binomialTail(1, 1), 0.5);
  assert.ok(close(binomialTail(50, 100), 0.5397946186935895));
  assert.ok(close(binomialTail(100, 100) * 2 ** 100, 1));
});

test("the number to reach is the first whose p is small enough", () => {
  assert.equal(correctNeeded(12), 10);
  assert.equal(correctNeeded(16), 12);
  assert.equal(correctNeeded(5), 5);
  assert.equal(correctNeeded(4), Infinity); // even all of four have p = 1/16
  for (let n = 5; n <= 100; n++) {
    const k = correctNeeded(n);
    assert.ok(binomialTail(k, n) <= 0.05 && binomialTail(k - 1, n) > 0.05, `${n} trials`);
  }
});

test("a probability is never written as nothing", () => {
  assert.equal(probability(0.01929), "0.019");
  assert.equal(probability(1), "1.000");
  assert.equal(probability(0.0002), "less than 0.001");
});

test("the coin is fair, each time anew", () => {
  const tosses = Array.from({ length: 20000 }, () => draw(2));
  const ones = tosses.reduce((sum, value) => sum + value);
  assert.ok(Math.abs(ones - 10000) < 5 * Math.sqrt(5000), `${ones} of 20000`); // 5 sigma
  const same = tosses.filter((value, i) => i && value === tosses[i - 1]).length;
  assert.ok(Math.abs(same - 10000) < 5 * Math.sqrt(5000), `${same} repeats`);
});

test("numbers are drawn without a bias to small ones", () => {
  const words = [2 ** 32 - 1, 7]; // the first lies above the last full round of three
  assert.equal(draw(3, () => words.shift()), 1);
  assert.equal(words.length, 0);
  assert.equal(draw(4, () => 2 ** 32 - 1), 3);
  assert.equal(draw(1), 0);
});

test("all orders are equally likely, and nothing is lost", () => {
  const counts = new Map();
  for (let i = 0; i < 24000; i++) {
    const order = shuffled("abcd").join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 24);
  for (const [order, count] of counts) {
    assert.ok(Math.abs(count - 1000) < 5 * Math.sqrt(1000), `${order}: ${count}`);
  }
});

test("shuffling leaves the list alone", () => {
  const list = [1, 2, 3];
  shuffled(list);
  assert.deepEqual(list, [1, 2, 3]);
  assert.deepEqual(shuffled([]), []);
});

test("ratings fall into five bands of twenty", () => {
  const words = [0, 19, 20, 39, 40, 59, 60, 79, 80, 100].map(bandOf);
  assert.deepEqual(words, ["Bad", "Bad", "Poor", "Poor", "Fair", "Fair", "Good", "Good",
    "Excellent", "Excellent"]);
});

test("fields of a table are quoted where they must be", () => {
  const rows = [{ a: 1, b: 'say "hi", twice' }, { a: "line\nbreak" }, { a: 0, b: null }];
  assert.equal(csvOf(["a", "b"], rows),
    'a,b\r\n1,"say ""hi"", twice"\r\n"line\nbreak",\r\n0,\r\n');
});

test("a spreadsheet runs no field, and numbers stay numbers", () => {
  const rows = ["=cmd|' /C calc'!A0", "+1", "-1", "@a", "\t=1", "'=1", "'a", "a=1", -1, 0].map(
    (a) => ({ a }));
  assert.deepEqual(csvOf(["a"], rows).split("\r\n").slice(1, -1),
    ["'=cmd|' /C calc'!A0", "'+1", "'-1", "'@a", "'\t=1", "''=1", "'a", "a=1", "-1", "0"]);
});

test("a name is a name, and no formula for a spreadsheet", () => {
  assert.equal(cleanName("  Zoë B. "), "Zoë B.");
  assert.equal(cleanName('=HYPERLINK("x")'), "HYPERLINKx");
  assert.equal(cleanName("-1+2"), "12");
  assert.equal(cleanName("<b>李</b>"), "b李b");
  assert.equal(cleanName("x".repeat(99)).length, 40);
  assert.equal(cleanName("@@"), "");
});

test("means are sorted, best first", () => {
  const rows = [["a", 10], ["b", 90], ["a", 20], ["b", 80]].map(
    ([condition, rating]) => ({ condition, rating }));
  assert.deepEqual(meansOf(rows), [["b", 85], ["a", 15]]);
});

const memory = () => {
  const kept = new Map();
  return { kept, getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value) };
};
const session = (name, rows, left = []) => ({ session: name, listener: "L", rows, left });

test("sessions outlive the page, and one is kept once", () => {
  const storage = memory();
  const store = new Store("t", storage);
  store.keep(session("s1", [{ rating: 1 }], [1]));
  store.keep(session("s2", [{ rating: 2 }]));
  store.keep(session("s1", [{ rating: 1 }, { rating: 3 }]));
  assert.deepEqual(new Store("t", storage).rows.map((row) => row.rating).sort(), [1, 2, 3]);
  assert.equal(new Store("t", storage).sessions.length, 2);
  assert.deepEqual(new Store("another", storage).rows, []);
  store.clear();
  assert.deepEqual(new Store("t", storage).rows, []);
});

test("what is kept does not change with what the page does later", () => {
  const store = new Store("t", memory());
  const mine = session("s", [{ rating: 1 }]);
  store.keep(mine);
  mine.rows.push({ rating: 2 });
  assert.equal(store.rows.length, 1);
});

test("two tabs do not overwrite each other", () => {
  const storage = memory();
  const [one, two] = [new Store("t", storage), new Store("t", storage)];
  one.keep(session("s1", [{ rating: 1 }]));
  two.keep(session("s2", [{ rating: 2 }]));
  assert.deepEqual(new Store("t", storage).rows.map((row) => row.rating), [1, 2]);
});

test("without storage, or with rubbish in it, a test can go on", () => {
  const full = { getItem: () => null, setItem: () => { throw new Error("full"); } };
  for (const storage of [null, full]) {
    const store = new Store("t", storage);
    store.keep(session("s", [{ rating: 1 }]));
    assert.equal(store.lasting, false);
    assert.equal(store.rows.length, 1);
  }
  for (const rubbish of ["{", "7", '[{"rows": 1}, null, 3]']) {
    const storage = memory();
    storage.kept.set("t", rubbish);
    assert.deepEqual(new Store("t", storage).rows, [], rubbish);
  }
});
