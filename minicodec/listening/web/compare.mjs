// The player of `compare`: one transport for all versions, a picture of the one that is heard.

import { actionOfKey, clock, gainWords, regionWithEdge, spoken, startPlace } from "./logic.mjs";
import { audioContext, decode, Engine } from "./engine.mjs";
import { boot, clickAndDrag, element, onTheme, takeTurns } from "./dom.mjs";
import { Pictures } from "./canvas.mjs";
import { isThere, takeOver } from "./slot.mjs";
import { onPaper } from "./paper.mjs";
import { knob } from "./knob.mjs";

const KEYS = [
  ["1 to 9", "choose a version"],
  ["Space", "play, pause"],
  ["← →", "one second back, forward"],
  ["↑ ↓", "version before, after"],
  ["A, B", "loop from here, to here"],
  ["L", "loop on, off"],
  ["Esc", "forget the loop's ends"],
];
const MATCH_KEY = ["M", "same loudness on, off"];

class Player {
  constructor(figure) {
    this.figure = figure;
    this.items = [...figure.querySelectorAll(".mc-sounds > li")];
    this.names = this.items.map((item) => item.querySelector(".mc-label").textContent);
    this.rate = Number(figure.dataset.rate);
    this.duration = Number(figure.dataset.seconds);
    this.active = 0;
    this.place = 0;
    this.region = null;
    this.loop = false;
    this.difference = false;
    // Where ears alone are to judge, there is nothing to look at.
    this.blind = "blind" in figure.dataset;
    // In dB, what brings each version to the loudness of the first; null where they have it.
    this.gains = JSON.parse(figure.dataset.gains ?? "null");
    this.matched = false;
    this.build();
    this.begin = takeTurns(figure, () => this.pause());
    figure.addEventListener("keydown", (event) => this.onKey(event));
    onTheme(() => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.views);
    // Sounds are decoded when the player comes near the screen, so that long pages open fast.
    const near = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      near.disconnect();
      this.load();
    }, { rootMargin: "400px" });
    near.observe(figure);
    if (!this.blind) onPaper(this); // a picture would give the answer away
    this.update();
    takeOver(this);
  }

  makeEngine(context) {
    if (this.engine) return;
    this.engine = new Engine(context, this.buffers);
    this.duration = this.engine.duration;
    this.turn();
  }

  build() {
    this.pictures = new Pictures(this.rate);
    this.shade = element("div", { class: "mc-region" });
    this.cursor = element("div", { class: "mc-cursor" });
    this.slider = element("div", {
      class: "mc-slider", role: "slider", tabindex: "0", "aria-label": "Place in the sound",
      "aria-valuemin": "0", "aria-valuemax": this.duration.toFixed(1),
    });
    this.views = element("div", { class: "mc-views" },
      this.pictures.wave, this.pictures.mel, this.shade, this.cursor, this.slider);
    clickAndDrag(this.slider, this);

    this.playButton = element("button", { class: "mc-play", type: "button",
      onclick: () => this.toggle() });
    this.now = element("span");
    this.time = element("span", { class: "mc-time" }, this.now,
      element("span", { class: "mc-total" }, ` / ${clock(this.duration)}`));
    this.loopButton = element("button", { class: "mc-toggle", type: "button",
      onclick: () => this.setLoop(!this.loop) }, "Loop");
    this.diffButton = element("button", { class: "mc-toggle", type: "button",
      onclick: () => this.setDifference(!this.difference) }, "Difference");
    this.diffButton.hidden = this.blind || this.items.length < 2;
    this.matchButton = element("button", { class: "mc-toggle", type: "button",
      onclick: () => this.setMatched(!this.matched) }, "Same loudness");
    this.matchButton.hidden = !this.gains;
    this.legend = element("p", { class: "mc-legend" });
    this.legend.hidden = this.pictures.wave.hidden = this.pictures.mel.hidden = this.blind;
    const bar = element("div", { class: "mc-bar" },
      this.playButton, this.time, this.loopButton, this.diffButton, this.matchButton);

    this.buttons = this.items.map((item, index) => element("button",
      { class: "mc-choice", type: "button", onclick: () => this.pick(index) },
      element("span", { class: "mc-key", "aria-hidden": "true" }, String(index + 1)),
      element("span", { class: "mc-name" }, this.names[index]),
      element("span", { class: "mc-facts" },
        item.querySelector(".mc-facts")?.textContent ?? "")));
    const choices = element("div",
      { class: "mc-choices", role: "group", "aria-label": "Versions" }, ...this.buttons);
    if (this.figure.dataset.knob) {
      this.knob = knob(this.figure.dataset.knob, this.names, (index) => this.pick(index));
    }
    this.status = element("p", { class: "mc-status", role: "status" });

    const rows = this.gains ? [...KEYS, MATCH_KEY] : KEYS;
    const keys = element("dl", { class: "mc-keys" }, ...rows.flatMap(([key, does]) =>
      [element("dt", {}, key), element("dd", {}, does)]));
    this.figure.querySelector(".mc-plain")?.remove();
    const list = this.figure.querySelector(".mc-sounds");
    const more = element("details", { class: "mc-more" },
      element("summary", {}, "Keys, and each sound on its own"));
    this.panel = element("div", { class: "mc-panel" },
      this.views, this.legend, bar, this.knob?.box ?? choices, this.status);
    list.before(this.panel, more);
    more.append(keys, list);
    this.more = more;
  }

  /** Decode the sounds once; the promise is kept for all who wait. */
  load() {
    this.loaded ??= decode(this.items.map((item) => item.querySelector("audio")), this.rate).then(
      (buffers) => {
        this.buffers = buffers;
        this.draw();
      },
      (error) => {
        // Leave what plays without us: the list of plain players.
        this.panel.remove();
        this.more.open = true;
        throw error;
      });
    return this.loaded;
  }

  get range() {
    return { start: this.region?.start ?? 0, end: this.region?.end ?? this.duration };
  }

  get playing() {
    return this.engine?.playing ?? false;
  }

  async toggle() {
    if (this.playing) {
      this.pause();
      this.say(`Paused at ${spoken(this.place)}`);
    } else await this.play();
  }

  async play() {
    const context = audioContext(this.figure); // before any wait: it needs the user's gesture
    this.begin();
    await this.load();
    if (this.playing) return;
    this.makeEngine(context);
    this.engine.active = this.active;
    this.run(startPlace(this.place, this.range));
    this.say(`Playing ${this.names[this.active]}`);
    this.follow();
  }

  run(place) {
    this.engine.start(place, { ...this.range, loop: this.loop });
    this.update();
  }

  pause() {
    this.cut = false;
    if (!this.playing) return;
    this.place = this.engine.position;
    this.engine.stop();
    this.update();
  }

  /** Move the cursor while it plays; stop at the end, or when the cell is gone. */
  follow() {
    if (!this.playing) return;
    if (this.engine.ended || !isThere(this)) {
      const { ended } = this.engine;
      this.pause();
      if (ended) this.place = this.range.start;
      else this.cut = true;
      this.update();
      return;
    }
    this.place = this.engine.position;
    this.showPlace();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      setTimeout(() => this.follow(), 500);
    } else requestAnimationFrame(() => this.follow());
  }

  choose(index) {
    if (index < 0 || index >= this.items.length || index === this.active) return;
    this.active = index;
    this.engine?.choose(index);
    this.say(this.matched ? `${this.names[index]}, ${this.gainOfActive}` : this.names[index]);
    this.update();
    this.draw();
  }

  /** A click on a version is a wish to hear it. */
  pick(index) {
    this.choose(index);
    if (!this.playing) this.play();
  }

  seek(place) {
    this.place = Math.min(this.duration, Math.max(0, place));
    if (this.region && (place < this.region.start || place > this.region.end)) this.region = null;
    if (this.playing) this.run(startPlace(this.place, this.range));
    this.update();
  }

  setRegion(region) {
    this.region = region;
    this.loop = region !== null;
    if (this.playing) this.run(startPlace(this.engine.position, this.range));
    else if (region) this.place = region.start;
    this.say(region ? `Loop from ${spoken(region.start)} to ${spoken(region.end)}`
      : "Loop removed");
    this.update();
  }

  setLoop(on) {
    this.loop = on;
    if (this.playing) this.run(startPlace(this.engine.position, this.range));
    this.say(on ? "Loop on" : "Loop off");
    this.update();
  }

  setDifference(on) {
    this.difference = on;
    this.update();
    this.draw();
  }

  /** Hear all versions as loud as the first, or as they are. */
  setMatched(on) {
    if (!this.gains) return;
    this.matched = on;
    this.turn();
    this.say(on ? `Same loudness on: ${this.names[this.active]}, ${this.gainOfActive}`
      : "Same loudness off");
    this.update();
  }

  turn() {
    this.engine?.turn(this.items.map((_, index) =>
      this.matched ? 10 ** (this.gains[index] / 20) : 1));
  }

  get gainOfActive() {
    return gainWords(this.gains[this.active]);
  }

  onKey(event) {
    const action = actionOfKey(event);
    const on = event.target;
    if (!action || on.closest(".mc-more, .mc-live")) return;
    // Space on these presses them, as everywhere.
    if (action[0] === "toggle" && on.closest(".mc-toggle")) return;
    if (on.closest(".mc-knob") && /^(Arrow|Home)/.test(event.key)) return; // they move the knob
    event.preventDefault();
    event.stopPropagation();
    const [name, value] = action;
    if (name === "choose") this.choose(value);
    if (name === "step") this.choose(this.active + value);
    if (name === "toggle") this.toggle();
    if (name === "skip") this.seek((this.playing ? this.engine.position : this.place) + value);
    if (name === "seek") this.seek(value);
    if (name === "loop") this.setLoop(!this.loop);
    if (name === "match") this.setMatched(!this.matched);
    if (name === "clear" && this.region) this.setRegion(null);
    if (name === "edge") {
      this.setRegion(regionWithEdge(this.region, value, this.place, this.duration));
    }
  }

  say(text) {
    this.status.textContent = text;
  }

  update() {
    this.playButton.dataset.playing = this.playing;
    this.playButton.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.loopButton.setAttribute("aria-pressed", this.loop);
    this.diffButton.setAttribute("aria-pressed", this.difference);
    this.matchButton.setAttribute("aria-pressed", this.matched);
    this.buttons.forEach((button, index) =>
      button.setAttribute("aria-pressed", index === this.active));
    this.knob?.show(this.active);
    const now = this.names[this.active];
    this.legend.textContent = this.difference
      ? `${now}, less ${this.names[0]}: blue is missing, orange is too much`
      : `${now}: mel spectrogram, −60 to 20 dB`;
    if (this.matched) this.legend.append(`; for the same loudness ${this.gainOfActive}`);
    this.pictures.mel.setAttribute("aria-label", this.difference
      ? `Difference of the mel spectrograms of ${now} and ${this.names[0]}`
      : `Mel spectrogram of ${now}`);
    this.showRegion(this.region);
    this.showPlace();
  }

  showPlace() {
    this.cursor.style.left = `${(100 * this.place) / this.duration}%`;
    this.now.textContent = clock(this.place);
    const value = this.place.toFixed(1);
    // A screen reader need not hear every tenth of a second.
    if (!this.playing || value.endsWith(".0")) {
      this.slider.setAttribute("aria-valuenow", value);
      this.slider.setAttribute("aria-valuetext",
        `${spoken(this.place)} of ${spoken(this.duration)}`);
    }
  }

  showRegion(region) {
    this.shade.hidden = !region;
    if (!region) return;
    this.shade.style.left = `${(100 * region.start) / this.duration}%`;
    this.shade.style.width = `${(100 * (region.end - region.start)) / this.duration}%`;
  }

  draw() {
    if (this.blind || !this.buffers || !this.views.clientWidth) return;
    this.pictures.draw(this.buffers, this.active, this.difference);
  }
}

boot("compare", (figure) => new Player(figure));
