// What the blind tests decide, apart from any page or sound. Tests: listening/js/blind.test.mjs.

// ITU-R BS.1534-3: five bands of 20 points each.
export const BANDS = ["Bad", "Poor", "Fair", "Good", "Excellent"];

function randomWord() {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

/** An integer from 0 to count - 1, all equally likely; `random` gives integers of 32 bits. */
export function draw(count, random = randomWord) {
  // A plain remainder would favour small numbers, so what lies above the last full round is
  // drawn again.
  const limit = 2 ** 32 - (2 ** 32 % count);
  let word = random();
  while (word >= limit) word = random();
  return word % count;
}

/** The list in a random order, all orders equally likely (Fisher and Yates). */
export function shuffled(list, random = randomWord) {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = draw(i + 1, random);
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

/** Chance of `correct` or more right answers in `trials` tosses of a fair coin. */
export function binomialTail(correct, trials) {
  let term = 0.5 ** trials; // of all right; the smallest come first, so no digit is lost
  let sum = 0;
  for (let k = trials; k >= correct; k--) {
    sum += term;
    term *= k / (trials - k + 1);
  }
  return sum;
}

/** Right answers that a guesser reaches with a chance of at most `level`; Infinity if none do. */
export function correctNeeded(trials, level = 0.05) {
  for (let k = 0; k <= trials; k++) {
    if (binomialTail(k, trials) <= level) return k;
  }
  return Infinity;
}

/** 0.0193 → "0.019", and no "0.000". */
export function probability(p) {
  return p < 0.001 ? "less than 0.001" : p.toFixed(3);
}

/** The word for a rating; a boundary belongs to the band above it. */
export function bandOf(rating) {
  return BANDS[Math.min(4, Math.floor(rating / 20))];
}

/** A listener's name as it may stand in a table: a spreadsheet would run what begins with "=". */
export function cleanName(text) {
  return text.normalize("NFC").replace(/[^\p{L}\p{N} ._-]/gu, "").replace(/^[\s._-]+/, "")
    .trim().slice(0, 40);
}

/** Comma-separated values as in RFC 4180: fields with commas, quotes or line breaks are quoted.
 *
 * A spreadsheet runs what begins with "=", so such text gets an apostrophe, as `tables.py` does and
 * undoes. Numbers stay as they are.
 */
export function csvOf(columns, rows) {
  const field = (value) => {
    const formula = typeof value === "string" && /^'*[=+\-@\t\r\n]/.test(value);
    const text = `${formula ? "'" : ""}${value ?? ""}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  return lines.map((line) => `${line.map(field).join(",")}\r\n`).join("");
}

/** Mean rating of each condition, best first: [[condition, mean], …]. */
export function meansOf(rows) {
  const groups = new Map();
  for (const { condition, rating } of rows) {
    groups.set(condition, [...(groups.get(condition) ?? []), rating]);
  }
  const mean = (ratings) => ratings.reduce((sum, rating) => sum + rating, 0) / ratings.length;
  return [...groups].map(([condition, ratings]) => [condition, mean(ratings)])
    .sort((a, b) => b[1] - a[1]);
}
