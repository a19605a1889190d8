// The knobs: how many codebooks, which of them, and what happens on the way.

import { element } from "../dom.mjs";
import { knobsFor } from "./channel.mjs";
import { rest } from "./controls.mjs";

let fields = 0; // so that every label finds its own field

export class Knobs {
  /** changed: called with all knobs whenever one was turned. */
  constructor(model, changed) {
    this.model = model;
    this.changed = changed;
    this.values = knobsFor(model);
    this.most = model.n_q; // of what is played: a file may hold fewer codebooks
    this.build();
    this.update();
  }

  build() {
    const { model } = this;
    this.bandwidths = model.bandwidths.map(({ kbps, n_q }) => element("button",
      { class: "mc-toggle", type: "button", onclick: () => this.turn({ kept: n_q }) },
      `${kbps} kbps`));
    this.kept = this.range("Codebooks", 1, model.n_q, 1, "kept", (n) => `${n} of ${model.n_q}`);
    this.damage = this.range("Bits damaged", 0, 200, 1, "bitsDamaged", (n) => `${n} per second`);
    this.loss = this.range("Frames lost", 0, 20, 0.5, "framesLost", (n) => `${n} per second`);
    this.conceal = element("input", { type: "checkbox",
      onchange: () => this.turn({ conceal: this.conceal.checked }) });
    this.books = Array.from({ length: model.n_q }, (_, k) => this.book(k));
    this.all = element("button", { class: "mc-toggle", type: "button",
      onclick: () => this.release() }, "All on");
    this.root = element("div", { class: "mc-knobs" },
      element("div", { class: "mc-knob", role: "group", "aria-label": "Bandwidth" },
        element("span", { class: "mc-knob-name", "aria-hidden": "true" }, "Bandwidth"),
        element("div", { class: "mc-bar" }, ...this.bandwidths)),
      this.kept.root,
      element("div", { class: "mc-knob", role: "group", "aria-label": "Each codebook alone" },
        element("span", { class: "mc-knob-name" }, "Mute or freeze"),
        element("div", { class: "mc-books" }, ...this.books.map(({ root }) => root), this.all)),
      this.damage.root, this.loss.root,
      element("label", { class: "mc-knob mc-check" },
        element("span", { class: "mc-knob-name" }, "Conceal"), this.conceal,
        " lost frames are bridged by the last one that came; without, they are gaps"));
  }

  /** A slider with its name and its value in words. */
  range(name, min, max, step, field, words) {
    const id = `mc-knob-${++fields}`;
    const slider = element("input", { type: "range", id, min, max, step,
      oninput: () => this.turn({ [field]: Number(slider.value) }) });
    const shown = element("output", { for: id });
    const root = element("div", { class: "mc-knob" },
      element("label", { class: "mc-knob-name", for: id }, name), slider, shown);
    const show = (value) => {
      slider.value = value;
      shown.textContent = words(value);
      slider.setAttribute("aria-valuetext", words(value));
    };
    return { root, slider, show };
  }

  /** Two small buttons for one codebook. */
  book(k) {
    const button = (sign, does, field) => element("button",
      { class: "mc-small", type: "button", "aria-label": `${does} codebook ${k + 1}`,
        title: `${does} codebook ${k + 1}`, onclick: () => this.flip(field, k) }, sign);
    const mute = button("M", "Mute", "muted");
    const freeze = button("F", "Freeze", "frozen");
    const root = element("div", { class: "mc-book" },
      element("span", { "aria-hidden": "true" }, String(k + 1)), mute, freeze);
    return { root, mute, freeze };
  }

  flip(field, k) {
    const flipped = this.values[field].map((on, i) => (i === k ? !on : on));
    this.turn({ [field]: flipped });
  }

  release() {
    const off = Array(this.model.n_q).fill(false);
    this.turn({ muted: off, frozen: off });
  }

  /** What is played has so many codebooks. */
  limit(levels) {
    this.most = levels;
    this.turn({});
  }

  turn(change) {
    this.values = { ...this.values, ...change };
    this.values.kept = Math.min(this.values.kept, this.most);
    this.update();
    this.changed(this.values);
  }

  update() {
    const { kept, muted, frozen, bitsDamaged, framesLost, conceal } = this.values;
    this.model.bandwidths.forEach(({ n_q }, i) => {
      this.bandwidths[i].setAttribute("aria-pressed", n_q === kept);
      this.bandwidths[i].disabled = n_q > this.most;
    });
    this.kept.slider.max = this.most;
    this.kept.show(kept);
    this.damage.show(bitsDamaged);
    this.loss.show(framesLost);
    this.conceal.checked = conceal;
    this.books.forEach(({ root, mute, freeze }, k) => {
      root.dataset.off = k >= kept || muted[k];
      mute.setAttribute("aria-pressed", muted[k]);
      freeze.setAttribute("aria-pressed", frozen[k]);
      mute.disabled = freeze.disabled = k >= kept;
    });
    rest(this.all, ![...muted, ...frozen].some(Boolean)); // it has the focus when it is pressed
  }
}
