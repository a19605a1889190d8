// The modules as a whole: they load, and they can be laid one after another in a page.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const WEB = new URL("../../../minicodec/listening/web/", import.meta.url);
const modulesOf = (folder) => readdirSync(new URL(folder, WEB))
  .filter((name) => name.endsWith(".mjs")).map((name) => folder + name);
const NAMES = modulesOf("./"); // those of the players
const ALL = [...NAMES, ...modulesOf("./codec/"), ...modulesOf("./playground/")];
const source = (name) => readFileSync(new URL(name, WEB), "utf8");

test("every module loads, and finds what it imports", async () => {
  globalThis.document = { querySelectorAll: () => [] }; // a page without players
  globalThis.self = globalThis; // as a worker has it
  for (const name of ALL) await import(new URL(name, WEB));
});

test("no name is defined in two modules, for a page has one scope", () => {
  const defined = NAMES.flatMap((name) => [
    ...source(name).matchAll(/^(?:export )?(?:async )?(?:function|class|const|let) (\w+)/gm),
  ].map(([, found]) => found));
  const twice = defined.filter((found, index) => defined.indexOf(found) !== index);
  assert.deepEqual(twice, []);
});

test("every import is used", () => {
  for (const name of ALL) {
    const text = source(name);
    for (const [whole, names] of text.matchAll(/^import \{([^}]*)\} from .*;$/gm)) {
      const rest = text.replace(whole, "");
      for (const used of names.split(",").map((part) => part.trim()).filter(Boolean)) {
        assert.match(rest, new RegExp(`\\b${used}\\b`), `${name} imports ${used} for nothing`);
      }
    }
  }
});

test("nothing that a page, a reader or a network would mind", () => {
  for (const name of ALL) {
    const text = source(name);
    for (const word of ["</", "<!--", "://", "console.", "innerHTML", "eval(", "debugger"]) {
      assert.ok(!text.includes(word), `${name} has ${word}`);
    }
    const long = text.split("\n").findIndex((line) => line.length > 100);
    assert.equal(long, -1, `${name}, line ${long + 1} has more than 100 characters`);
  }
});
