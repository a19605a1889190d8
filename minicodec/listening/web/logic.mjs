// What the players decide, apart from any page or sound: tested in listening/js/logic.test.mjs.

export const SHORTEST_REGION = 0.05; // seconds; a shorter drag is a click
export const FADE = 0.005; // seconds that a switch from one version to another takes

/** Where playback is, in seconds into the clip.
 *  span: when it began on the audio clock, at which offset, and between which bounds it runs. */
export function positionAt(span, now) {
  const reached = span.offset + Math.max(0, now - span.startedAt);
  if (!span.loop || reached < span.end) return Math.min(reached, span.end);
  return span.start + ((reached - span.start) % (span.end - span.start));
}

/** The stretch between two places in either order, inside the clip; null if it is too short. */
export function regionBetween(a, b, duration) {
  const start = Math.max(0, Math.min(a, b));
  const end = Math.min(duration, Math.max(a, b));
  return end - start < SHORTEST_REGION ? null : { start, end };
}

/** Move one edge of the region to `place`, as the keys A and B do; null if nothing is left. */
export function regionWithEdge(region, edge, place, duration) {
  const { start, end } = region ?? { start: 0, end: duration };
  return edge === "start"
    ? regionBetween(place, end > place ? end : duration, duration)
    : regionBetween(start < place ? start : 0, place, duration);
}

/** Where to start when play is pressed: not at the end, and not outside the region. */
export function startPlace(place, { start, end }) {
  return place < start || place > end - 0.02 ? start : place;
}

/** What a key does: [name, value], or null for keys that are not ours. */
export function actionOfKey({ key, ctrlKey, metaKey, altKey }) {
  if (ctrlKey || metaKey || altKey) return null;
  if (/^[1-9]$/.test(key)) return ["choose", Number(key) - 1];
  const actions = {
    " ": ["toggle"],
    ArrowLeft: ["skip", -1],
    ArrowRight: ["skip", 1],
    ArrowUp: ["step", -1],
    ArrowDown: ["step", 1],
    Home: ["seek", 0],
    a: ["edge", "start"],
    b: ["edge", "end"],
    l: ["loop"],
    m: ["match"],
    Escape: ["clear"],
  };
  const name = key.length === 1 ? key.toLowerCase() : key;
  return Object.hasOwn(actions, name) ? actions[name] : null;
}

/** How loud each version is while version `active` is chosen; `gains` are their factors. */
export function levels(gains, active) {
  return gains.map((gain, index) => (index === active ? gain : 0));
}

/** What equal loudness does to a version, whose gain is in dB. */
export function gainWords(decibel) {
  const amount = Math.abs(decibel).toFixed(1);
  return amount === "0.0" ? "as it is" : `turned ${decibel > 0 ? "up" : "down"} by ${amount} dB`;
}

/** 61.26 → "1:01.3" */
export function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const rest = (tenths % 600) / 10;
  return `${Math.floor(tenths / 600)}:${rest < 10 ? "0" : ""}${rest.toFixed(1)}`;
}

/** 1.25 → "1.3 seconds", for screen readers. */
export function spoken(seconds) {
  return `${seconds.toFixed(1)} seconds`;
}
