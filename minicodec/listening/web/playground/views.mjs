// What is heard, as pictures that run from right to left: spectrograms of what goes in and what
// comes out, and between them the codes, which are all that is sent.

import { element } from "../dom.mjs";
import { magma, MELS, MelWindow } from "../pictures.mjs";
import { CONCEALED, DAMAGED, FINE, GAP } from "./channel.mjs";

const COLUMNS = 375; // frames that are seen at a time: five seconds
const FATES = { [DAMAGED]: [230, 159, 0], [CONCEALED]: [86, 180, 233], [GAP]: [213, 94, 0] };

/** A picture to which columns are added on the right. */
class Strip {
  constructor(rows, name, label) {
    this.canvas = element("canvas",
      { class: `mc-strip ${name}`, role: "img", "aria-label": label });
    Object.assign(this.canvas, { width: COLUMNS, height: rows });
    this.rows = rows;
    this.pen = this.canvas.getContext("2d");
    this.waiting = [];
  }

  /** colours: one [red, green, blue] for each row, from the bottom up; null is left clear. */
  add(colours) {
    this.waiting.push(colours);
  }

  draw() {
    const columns = this.waiting.slice(-COLUMNS);
    this.waiting = [];
    if (!columns.length) return;
    const image = new ImageData(columns.length, this.rows);
    columns.forEach((colours, x) => colours.forEach((colour, row) => {
      if (!colour) return;
      image.data.set([...colour, 255], 4 * ((this.rows - 1 - row) * columns.length + x));
    }));
    const { pen, canvas } = this;
    pen.globalCompositeOperation = "copy";
    pen.drawImage(canvas, -columns.length, 0);
    pen.globalCompositeOperation = "source-over";
    pen.putImageData(image, COLUMNS - columns.length, 0);
  }

  clear() {
    this.waiting = [];
    this.pen.clearRect(0, 0, COLUMNS, this.rows);
  }
}

/** A colour for each code: neighbours in number are not neighbours in sound, so hues leap about. */
export function colourOfCode(code, isNew) {
  const hue = (code * 137.508) % 360;
  const lightness = isNew ? 0.66 : 0.36; // what changes lights up
  const chroma = 0.8 * Math.min(lightness, 1 - lightness);
  return [0, 8, 4].map((n) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  });
}

export class Views {
  constructor(model) {
    this.model = model;
    this.mel = new MelWindow(model.sample_rate);
    this.into = new Strip(MELS, "mc-into", "Mel spectrogram of the original, the last 5 seconds");
    this.codes = new Strip(model.n_q + 2, "mc-codes",
      "The codes, one row for each codebook, the first one lowest");
    this.out = new Strip(MELS, "mc-out", "Mel spectrogram of what is heard, the last 5 seconds");
    this.strips = [this.into, this.codes, this.out];
    this.root = element("div", { class: "mc-strips" },
      ...this.strips.flatMap((strip, i) => [
        element("p", { class: "mc-strip-name" }, ["In", "Codes", "Out"][i]), strip.canvas]),
      element("p", { class: "mc-strip-scale" }, element("span", {}, "5 s ago"),
        element("span", {}, `0 to ${model.sample_rate / 2000} kHz, mel`),
        element("span", {}, "now")));
    this.waiting = [];
    this.clear();
  }

  clear() {
    const { size } = this.mel;
    this.past = { dry: new Float32Array(size), wet: new Float32Array(size) };
    this.before = null;
    this.waiting = [];
    this.strips.forEach((strip) => strip.clear());
  }

  /** Frames that were decoded, but are not heard yet. */
  expect(frames) {
    this.waiting.push(frames);
    // In a tab that nobody sees nothing is drawn, and what scrolled by need not be kept.
    while (this.waiting[0].frame + COLUMNS < frames.frame) this.waiting.shift();
  }

  /** Draw all frames before `frame`, which have been heard by now; gives the last of them. */
  heard(frame) {
    let last = null;
    while (this.waiting.length && this.waiting[0].frame < frame) {
      last = this.waiting[0];
      const count = Math.min(last.count, frame - last.frame);
      const done = last.drawn ?? 0;
      for (let t = done; t < count; t++) this.column(last, t);
      last.drawn = count;
      if (count < last.count) break;
      this.waiting.shift();
    }
    if (last) this.strips.forEach((strip) => strip.draw());
    return last;
  }

  column(frames, t) {
    const { hop_length: hop, n_q, codebook_size: nothing } = this.model;
    for (const [way, strip] of [["dry", this.into], ["wet", this.out]]) {
      if (!frames[way]) continue;
      const past = this.past[way];
      past.copyWithin(0, hop);
      past.set(frames[way].subarray(t * hop, (t + 1) * hop), past.length - hop);
      const column = new Float32Array(MELS);
      this.mel.look(past, 0, column, 0);
      strip.add([...column].map(magma));
    }
    const codes = frames.codes.subarray(t * n_q, (t + 1) * n_q);
    const rows = Array.from(codes, (code, k) =>
      code === nothing ? null : colourOfCode(code, this.before?.[k] !== code));
    const fate = frames.fates[t] === FINE ? null : FATES[frames.fates[t]];
    this.codes.add([...rows, null, fate]);
    this.before = codes;
  }
}
