// What a sound is called: in a sentence, and as a file. Names of files are others' text.

const SHOWN = 60; // characters, of which a sentence can hold so many
const SAVED = 100; // file systems take 255 bytes, of which a character may need two or more
// They break a line, turn the sentence round, or are not seen.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A name as it may stand in a sentence. */
export function shownName(name) {
  const seen = [...name.replace(UNSEEN, "").trim()];
  if (!seen.length) return "this file";
  if (seen.length <= SHOWN) return seen.join("");
  const half = SHOWN / 2;
  return `${seen.slice(0, half).join("")}…${seen.slice(-half + 1).join("")}`;
}

/** A name for what comes out: letters, digits and a few signs, whatever the sound was called. */
export function savedName(name, ending) {
  const plain = name.replace(/\.[\p{L}\p{N}]{1,5}$/u, "").normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N} ._-]/gu, "");
  const stem = [...plain].slice(0, SAVED).join("").replace(/^[ .]+|[ .]+$/g, "");
  return `${stem || "sound"}.${ending}`;
}
