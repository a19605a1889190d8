// Play, place and loop for the blind tests: what the comparison has, without pictures, which would
// tell the versions apart for the eye.

import { actionOfKey, clock, spoken, startPlace } from "./logic.mjs";
import { audioContext, Engine } from "./engine.mjs";
import { clickAndDrag, element, takeTurns } from "./dom.mjs";

export class Transport {
  /** changed: called when playback starts, stops or switches. */
  constructor(figure, duration, changed) {
    Object.assign(this, { figure, duration, changed, place: 0, active: 0, loop: true });
    this.region = null;
    this.begin = takeTurns(figure, () => this.pause());
    this.build();
    this.update();
  }

  build() {
    this.playButton = element("button", { class: "mc-play", type: "button",
      onclick: () => this.toggle() });
    this.loopButton = element("button", { class: "mc-toggle", type: "button",
      onclick: () => this.setLoop(!this.loop) }, "Loop");
    this.now = element("span");
    this.shade = element("div", { class: "mc-region" });
    this.cursor = element("div", { class: "mc-cursor" });
    this.slider = element("div", {
      class: "mc-slider", role: "slider", tabindex: "0",
      "aria-label": "Place in the sound; drag to loop a part of it",
      "aria-valuemin": "0", "aria-valuemax": this.duration.toFixed(1),
    });
    clickAndDrag(this.slider, this);
    this.bar = element("div", { class: "mc-bar" }, this.playButton,
      element("div", { class: "mc-track" }, this.shade, this.cursor, this.slider),
      element("span", { class: "mc-clock" }, this.now), this.loopButton);
  }

  /** Versions to switch between from now on, in the order of `choose`. */
  use(buffers) {
    this.pause();
    this.engine = new Engine(audioContext(this.figure), buffers);
    this.duration = this.engine.duration;
    this.active = 0;
    this.place = this.range.start;
    this.update();
  }

  get range() {
    return { start: this.region?.start ?? 0, end: this.region?.end ?? this.duration };
  }

  get playing() {
    return this.engine?.playing ?? false;
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (!this.engine || this.playing) return;
    audioContext(this.figure);
    this.begin();
    this.engine.active = this.active;
    this.run(startPlace(this.place, this.range));
    this.follow();
  }

  run(place) {
    this.engine.start(place, { ...this.range, loop: this.loop });
    this.update();
  }

  pause() {
    if (!this.playing) return;
    this.place = this.engine.position;
    this.engine.stop();
    this.update();
  }

  /** Hear a version, in mid-note if it plays already. */
  pick(index) {
    this.active = index;
    this.engine?.choose(index);
    if (this.playing) this.update();
    else this.play();
  }

  follow() {
    if (!this.playing) return;
    if (this.engine.ended || !this.figure.isConnected) {
      this.pause();
      this.place = this.range.start;
      this.update();
      return;
    }
    this.place = this.engine.position;
    this.showPlace();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      setTimeout(() => this.follow(), 500);
    } else requestAnimationFrame(() => this.follow());
  }

  seek(place) {
    this.place = Math.min(this.duration, Math.max(0, place));
    if (this.region && (place < this.region.start || place > this.region.end)) this.region = null;
    if (this.playing) this.run(startPlace(this.place, this.range));
    this.update();
  }

  setRegion(region) {
    this.region = region;
    if (region) this.loop = true;
    if (this.playing) this.run(startPlace(this.engine.position, this.range));
    else if (region) this.place = region.start;
    this.update();
  }

  setLoop(on) {
    this.loop = on;
    if (this.playing) this.run(startPlace(this.engine.position, this.range));
    this.update();
  }

  /** True if the key was one of ours. */
  onKey(event) {
    const [name, value] = actionOfKey(event) ?? [];
    const now = this.playing ? this.engine.position : this.place;
    const does = {
      toggle: () => this.toggle(),
      skip: () => this.seek(now + value),
      seek: () => this.seek(value),
      loop: () => this.setLoop(!this.loop),
      clear: () => this.setRegion(null),
    };
    if (!name || !Object.hasOwn(does, name)) return false;
    does[name]();
    return true;
  }

  update() {
    this.playButton.dataset.playing = this.playing;
    this.playButton.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.loopButton.setAttribute("aria-pressed", this.loop);
    this.showRegion(this.region);
    this.showPlace();
    this.changed?.();
  }

  showRegion(region) {
    this.shade.hidden = !region;
    if (!region) return;
    this.shade.style.left = `${(100 * region.start) / this.duration}%`;
    this.shade.style.width = `${(100 * (region.end - region.start)) / this.duration}%`;
  }

  showPlace() {
    this.cursor.style.left = `${(100 * this.place) / this.duration}%`;
    this.now.textContent = clock(this.place);
    if (this.playing && !this.place.toFixed(1).endsWith(".0")) return; // not too much to hear
    this.slider.setAttribute("aria-valuenow", this.place.toFixed(1));
    this.slider.setAttribute("aria-valuetext",
      `${spoken(this.place)} of ${spoken(this.duration)}`);
  }
}
