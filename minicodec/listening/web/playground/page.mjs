// The playground: a sound goes in, the codec runs in the page, every knob is heard at once.

import { boot, element, takeTurns } from "../dom.mjs";
import { actionOfKey } from "../logic.mjs";
import { sentenceFor } from "../wav.mjs";
import { Client } from "./client.mjs";
import { Controls, rest } from "./controls.mjs";
import { Knobs } from "./knobs.mjs";
import { Latest } from "./latest.mjs";
import { Numbers } from "./numbers.mjs";
import { Player } from "./player.mjs";
import { Saving } from "./saving.mjs";
import { RECORDED_AT_MOST, Sources } from "./sources.mjs";
import { whatIsMissing } from "./support.mjs";
import { Views } from "./views.mjs";

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

class Playground {
  constructor(figure) {
    this.figure = figure;
    this.address = new URL(figure.dataset.files, document.baseURI).href;
    this.mode = "idle"; // or "asking" for the microphone, "playing", "live", "recording"
    this.place = 0; // seconds
    this.seconds = 0; // of the sound; 0: there is none
    this.whole = false; // the sound is encoded, to its end
    this.hasOriginal = true;
    this.original = false; // is heard, not the codec
    this.loop = false;
    this.sources = new Sources(this);
    this.saving = new Saving(this);
    this.sounds = new Latest();
    const missing = whatIsMissing();
    if (missing) {
      figure.replaceChildren(element("p", { class: "mc-note" }, missing));
      return;
    }
    this.startButton = element("button", { class: "mc-toggle mc-record", type: "button",
      onclick: () => this.open() }, `Load the codec (${megabytes(Number(figure.dataset.bytes))})`);
    this.startBar = element("div", { class: "mc-bar" }, this.startButton);
    // Stays where it is for good: what is said in a new place is not read out.
    this.status = element("p", { class: "mc-note mc-said", role: "status" });
    this.progress = element("progress", { max: "1", value: "0", "aria-label": "Progress" });
    this.panel = element("div", { class: "mc-panel" }, this.startBar, this.status, this.progress);
    this.showProgress(null);
    figure.replaceChildren(...figure.querySelectorAll("figcaption"), this.panel);
  }

  /** Do something that may fail, and say how, unless nobody wants to know any more. */
  async attempt(step, name = "", wanted = () => true) {
    try {
      return await step();
    } catch (error) {
      if (!wanted()) return undefined;
      this.showProgress(null);
      const sentence = error.name === "RangeError"
        ? "this sound is too long for the memory of this page."
        : sentenceFor(error).replace(/^It did not work: /, "");
      this.say(name ? `${name}: ${sentence}` : sentence.replace(/^./, (c) => c.toUpperCase()));
      return undefined;
    }
  }

  say(text) {
    this.status.textContent = text;
  }

  showProgress(share) {
    this.progress.hidden = share === null;
    if (share !== null) this.progress.value = share;
  }

  async open() {
    if (this.client) return;
    rest(this.startButton, true);
    this.client = new Client((frames) => this.expect(frames), (error) => this.failed(error));
    await this.attempt(async () => {
      this.say("Fetching …");
      const { model, index, ms } = await this.client.ask("open", { address: this.address },
        ({ came, total }) => {
          this.showProgress(came / total);
          if (came === total) this.say("Opening …");
        });
      this.showProgress(null);
      Object.assign(this, { model, index });
      this.build();
      this.say(`${model.name} is ready: fetched in ${(ms.fetch / 1000).toFixed(1)} s, opened in `
        + `${(ms.open / 1000).toFixed(1)} s. Choose a sound.`);
    });
    if (this.model) return;
    this.client.worker.terminate();
    this.client = null;
    rest(this.startButton, false);
  }

  build() {
    const { model, index, figure } = this;
    this.player = new Player(figure, this.client, model, {
      report: (report) => this.onReport(report),
      unplugged: () => this.sources.onUnplugged(),
      failed: (error) => this.failed(error),
    });
    this.begin = takeTurns(figure, () => this.makeRoom());
    this.views = new Views(model);
    this.numbers = new Numbers(model);
    this.controls = new Controls(model, index, {
      chooseClip: (file, title) => this.sources.chooseClip(file, title),
      takeFile: (file) => this.takeFile(file),
      record: () => this.sources.record(),
      live: () => this.sources.live(),
      toggle: () => this.toggle(),
      seek: (place) => this.seek(place),
      loop: () => this.setLoop(!this.loop),
      choose: (original) => this.choose(original),
      saveWav: () => this.saving.wav(),
      saveMcdc: (entropy) => this.saving.mcdc(entropy),
    });
    this.knobs = new Knobs(model, (knobs) => {
      this.client.tell("knobs", { knobs });
      this.numbers.knobs(knobs);
      this.controls.facts[1].textContent = `${this.numbers.packed.toFixed(2)} kbps`;
    });
    const { sources, clips, transport, versions, out } = this.controls;
    const here = [this.startButton, document.body].includes(document.activeElement);
    this.startBar.replaceWith(sources);
    const roots = [this.views, this.knobs, this.numbers].map(({ root }) => root);
    this.panel.append(transport, versions, ...roots, out);
    figure.addEventListener("keydown", (event) => this.onKey(event));
    for (const name of ["dragover", "drop"]) {
      figure.addEventListener(name, (event) => this.onDrag(event));
    }
    this.knobs.turn({});
    this.choose(false);
    if (here) clips.focus(); // the button that had the focus is gone
  }

  // The sound

  takeFile(file) {
    return this.sources.takeFile(file);
  }

  /** Gives the turn of this sound, which ends when another takes its place. */
  newSound(name, seconds, hasOriginal, levels) {
    this.stop();
    Object.assign(this, { name, seconds, hasOriginal, whole: false, place: 0 });
    this.views.clear();
    this.numbers.clear();
    this.knobs.limit(levels);
    this.update();
    return this.sounds.begin();
  }

  /** The worker has no sound any more: a live one passes. */
  forget() {
    this.sounds.begin();
    this.views.clear();
    this.numbers.clear();
    this.knobs.limit(this.model.n_q);
    Object.assign(this, { seconds: 0, hasOriginal: true, whole: false, place: 0 });
  }

  // Playing

  toggle() {
    if (this.mode === "playing") this.stop();
    else this.play();
  }

  play() {
    if (!this.seconds || this.mode === "recording" || this.mode === "live") return undefined;
    return this.attempt(async () => {
      this.begin();
      if (this.place > this.seconds - 0.05) this.place = 0;
      const { sample_rate: rate, hop_length: hop } = this.model;
      this.mode = "playing";
      this.update();
      const playing = this.player.play(Math.floor((this.place * rate) / hop));
      await playing.catch((error) => {
        this.stop();
        throw error;
      });
      this.follow();
    });
  }

  stop() {
    if (this.mode === "idle") return;
    if (this.mode === "recording") this.place = 0; // of the sound that was there before
    this.mode = "idle";
    this.player.stop();
    this.views.waiting = [];
    this.update();
  }

  /** Something else on this page begins to play. */
  makeRoom() {
    if (this.mode === "recording") this.sources.endRecording();
    else if (this.mode === "live") this.sources.endLive();
    else this.stop();
  }

  /** Something went wrong that nobody waits for. */
  failed(error) {
    if (this.controls) this.stop();
    this.attempt(() => { throw error; });
  }

  seek(place) {
    if (this.mode === "recording" || this.mode === "live") return;
    this.place = Math.min(this.seconds, Math.max(0, place));
    if (this.mode === "playing") {
      this.views.waiting = [];
      this.play();
    }
    this.update();
  }

  setLoop(on) {
    this.loop = on;
    this.update();
  }

  choose(original) {
    this.original = original && this.hasOriginal;
    this.player.choose(this.original);
    this.update();
  }

  /** What was decoded, and soon is heard. */
  expect(frames) {
    if (frames.run === this.player.run) this.views.expect(frames);
  }

  onReport(report) {
    this.report = report;
    if (!this.figure.isConnected) {
      this.stop(); // nobody could any more
      return;
    }
    if (this.mode === "recording") {
      this.place = report.recorded / this.model.sample_rate;
      this.showPlace();
      if (this.place >= RECORDED_AT_MOST) this.sources.endRecording();
      return;
    }
    if (report.played) this.place = report.played / this.model.sample_rate;
    this.numbers.report(report, this.mode === "live" ? this.player : null);
    if (!report.finished || this.mode !== "playing") return;
    if (this.loop) {
      this.seek(0);
      return;
    }
    this.draw();
    this.stop();
    this.place = 0;
    this.update();
  }

  /** Draw what has been heard, again and again while something plays. */
  follow() {
    if (this.mode !== "playing" && this.mode !== "live") return;
    this.draw();
    clearTimeout(this.next);
    const slow = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.next = setTimeout(() => requestAnimationFrame(() => this.follow()), slow ? 500 : 15);
  }

  draw() {
    const { sample_rate: rate, hop_length: hop } = this.model;
    const frames = this.views.heard(Math.round((this.place * rate) / hop));
    if (frames) this.numbers.frames(frames);
    this.showPlace();
  }

  // The page

  onKey(event) {
    const action = actionOfKey(event);
    if (!action || event.target.closest("select, input, summary, a")) return;
    const [name, value] = action;
    if (name === "toggle" && event.target.closest("button:not(.mc-play, .mc-choice)")) return;
    const does = {
      choose: () => value < 2 && this.choose(value === 0),
      toggle: () => event.repeat || this.toggle(), // a key that is held down is pressed once
      skip: () => this.seek(this.place + value),
      seek: () => this.seek(value),
      loop: () => event.repeat || this.setLoop(!this.loop),
    };
    if (!Object.hasOwn(does, name)) return;
    event.preventDefault();
    does[name]();
  }

  onDrag(event) {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (event.type === "drop" && file) this.takeFile(file);
  }

  update() {
    this.controls.show(this);
  }

  showPlace() {
    this.controls.showPlace(this.place, this.seconds, this.mode === "playing");
  }
}

boot("playground", (figure) => {
  figure.playground = new Playground(figure);
});
