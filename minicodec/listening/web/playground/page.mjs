// The playground: a sound goes in, the codec runs in the page, every knob is heard at once.

import { boot, element, takeTurns } from "../dom.mjs";
import { actionOfKey, clock, spoken } from "../logic.mjs";
import { sentenceFor, wavOf } from "../wav.mjs";
import { Client } from "./client.mjs";
import { samplesOf } from "./intake.mjs";
import { Knobs } from "./knobs.mjs";
import { Numbers } from "./numbers.mjs";
import { Player } from "./player.mjs";
import { whatIsMissing } from "./support.mjs";
import { Views } from "./views.mjs";

const RECORDED_AT_MOST = 60; // seconds
const ENTROPIES = [["none", "packed"], ["histogram", "histogram"], ["lm", "language model"]];
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

class Playground {
  constructor(figure) {
    this.figure = figure;
    this.address = new URL(figure.dataset.files, document.baseURI).href;
    this.mode = "idle"; // or "playing", "live", "recording"
    this.place = 0; // seconds
    this.seconds = 0;
    this.loop = false;
    this.status = element("p", { class: "mc-note mc-said", role: "status" });
    this.progress = element("progress", { max: "1", value: "0", "aria-label": "Progress" });
    this.progress.hidden = true;
    const missing = whatIsMissing();
    if (missing) {
      figure.replaceChildren(element("p", { class: "mc-note" }, missing));
      return;
    }
    this.start = element("button", { class: "mc-toggle mc-record", type: "button",
      onclick: () => this.open() }, `Load the codec (${megabytes(Number(figure.dataset.bytes))})`);
    figure.replaceChildren(...figure.querySelectorAll("figcaption"),
      element("div", { class: "mc-bar" }, this.start, this.progress), this.status);
  }

  /** Do something that may fail, and say how. */
  async attempt(step, name = "") {
    try {
      return await step();
    } catch (error) {
      this.progress.hidden = true;
      const sentence = sentenceFor(error).replace(/^It did not work: /, "");
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

  open() {
    this.start.disabled = true;
    return this.attempt(async () => {
      this.client = new Client((frames) => this.expect(frames));
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
    }).finally(() => {
      this.start.disabled = false;
      if (!this.model) this.client?.worker.terminate();
    });
  }

  build() {
    const { model, index, figure } = this;
    this.player = new Player(figure, this.client, model, (report) => this.onReport(report));
    this.begin = takeTurns(figure, () => this.stop());
    this.knobs = new Knobs(model, (knobs) => {
      this.client.ask("knobs", { knobs });
      this.showKnobs(knobs);
    });
    this.views = new Views(model);
    this.numbers = new Numbers(model);

    this.clips = element("select", { "aria-label": "A sound of the book",
      onchange: () => this.chooseClip() },
    element("option", { value: "" }, "A sound of the book …"),
    ...index.clips.map(({ title, file }) => element("option", { value: file }, title)));
    this.file = element("input", { type: "file", accept: "audio/*,video/*,.mcdc",
      onchange: () => this.file.files[0] && this.takeFile(this.file.files[0]) });
    this.recordButton = element("button", { class: "mc-toggle mc-record", type: "button",
      onclick: () => this.record() }, "● Record");
    this.liveButton = element("button", { class: "mc-toggle mc-record", type: "button",
      "aria-pressed": "false", onclick: () => this.live() }, "Live");
    const sources = element("div", { class: "mc-bar", role: "group", "aria-label": "Sound in" },
      this.clips, element("label", { class: "mc-file" }, "or a file, also .mcdc: ", this.file),
      this.recordButton, this.liveButton);

    this.playButton = element("button", { class: "mc-play", type: "button", disabled: "",
      onclick: () => this.toggle() });
    this.slider = element("input", { type: "range", class: "mc-place", min: "0", max: "1",
      step: "0.1", value: "0", "aria-label": "Place in the sound", disabled: "",
      oninput: () => this.seek(Number(this.slider.value)) });
    this.time = element("span", { class: "mc-time" });
    this.loopButton = element("button", { class: "mc-toggle", type: "button",
      "aria-pressed": "false", onclick: () => this.setLoop(!this.loop) }, "Loop");
    this.facts = [];
    this.choices = ["Original", "Codec"].map((name, i) => element("button",
      { class: "mc-choice", type: "button", onclick: () => this.choose(i === 0) },
      element("span", { class: "mc-key", "aria-hidden": "true" }, String(i + 1)),
      element("span", { class: "mc-name" }, name),
      this.facts[i] = element("span", { class: "mc-facts" })));
    this.facts[0].textContent = `${(model.sample_rate * 16) / 1000} kbps`;
    const out = element("div", { class: "mc-bar", role: "group", "aria-label": "Out" },
      this.wavButton = element("button", { class: "mc-toggle", type: "button", disabled: "",
        onclick: () => this.saveWav() }, "Save WAV"),
      this.mcdcButton = element("button", { class: "mc-toggle", type: "button", disabled: "",
        onclick: () => this.saveMcdc() }, "Save .mcdc"),
      this.entropy = element("select", { "aria-label": "Entropy coding of the .mcdc" },
        ...ENTROPIES.filter(([name]) => name === "none" || index[name]).map(([value, name]) =>
          element("option", { value }, name))));
    this.entropy.value = index.histogram ? "histogram" : "none";

    this.panel = element("div", { class: "mc-panel" }, sources, this.status, this.progress,
      element("div", { class: "mc-bar mc-transport" }, this.playButton, this.slider, this.time,
        this.loopButton),
      element("div", { class: "mc-choices", role: "group", "aria-label": "Versions" },
        ...this.choices),
      this.views.root, this.knobs.root, this.numbers.root, out);
    this.start.parentElement.remove();
    figure.append(this.panel);
    figure.addEventListener("keydown", (event) => this.onKey(event));
    for (const name of ["dragover", "drop"]) {
      figure.addEventListener(name, (event) => this.onDrag(event));
    }
    this.knobs.turn({});
    this.choose(false);
    this.update();
    this.clips.focus();
  }

  // Sound in

  chooseClip() {
    const { value } = this.clips;
    if (!value) return;
    const title = this.clips.selectedOptions[0].textContent;
    this.attempt(async () => {
      const response = await fetch(new URL(value, this.address));
      if (!response.ok) throw new Error("it is not where the book keeps it.");
      await this.take(await response.arrayBuffer(), title);
    }, title);
  }

  takeFile(file) {
    return this.attempt(async () => {
      this.clips.value = "";
      this.say(`Reading ${file.name} …`);
      const bytes = await file.arrayBuffer();
      const begins = new TextDecoder("latin1").decode(new Uint8Array(bytes, 0,
        Math.min(4, bytes.byteLength)));
      if (begins === "MCDC" || /\.mcdc$/i.test(file.name)) await this.takeStream(bytes, file.name);
      else await this.take(bytes, file.name);
    }, file.name);
  }

  /** Decode a file and encode its sound, which can be played as soon as it begins to come. */
  async take(bytes, name) {
    const { mono, notes } = await samplesOf(bytes, this.model.sample_rate,
      (share) => this.showProgress(share));
    await this.takeSamples(mono, name, notes);
  }

  async takeSamples(mono, name, notes = []) {
    this.stop();
    this.newSound(name, mono.length, true, this.model.n_q);
    const seconds = mono.length / this.model.sample_rate;
    const what = [`${name}, ${seconds.toFixed(1)} s`, ...notes].join("; ");
    this.say(`${what}. Encoding …`);
    const { stopped, ms } = await this.client.ask("encode", { audio: mono },
      ({ known, frames }) => this.showProgress(known / frames));
    if (stopped) return;
    this.showProgress(null);
    this.whole = true;
    this.numbers.encoded(ms, seconds);
    this.say(`${what}. Encoded in ${(ms / 1000).toFixed(1)} s, `
      + `${((1000 * seconds) / ms).toFixed(1)} × real time.`);
    this.update();
  }

  async takeStream(bytes, name) {
    const stream = await this.client.ask("read", { bytes },
      ({ done, of }) => this.showProgress(of ? done / of : 0));
    this.showProgress(null);
    this.stop();
    this.newSound(name, stream.length, false, stream.levels);
    this.whole = true;
    this.choose(false);
    const kbps = (bytes.byteLength * 8) / (stream.length / this.model.sample_rate) / 1000;
    this.say([`${name}: ${(stream.length / this.model.sample_rate).toFixed(1)} s in `
      + `${bytes.byteLength} bytes, ${kbps.toFixed(2)} kbps, ${stream.entropy}, `
      + `${stream.levels} codebooks`, ...stream.notes].join(". "));
    this.update();
  }

  newSound(name, length, hasOriginal, levels) {
    Object.assign(this, { name, hasOriginal, whole: false, place: 0 });
    this.seconds = length / this.model.sample_rate;
    this.slider.max = this.seconds.toFixed(1);
    this.views.clear();
    this.numbers.clear();
    this.knobs.limit(levels);
    this.update();
  }

  record() {
    if (this.mode === "recording") return this.endRecording();
    return this.attempt(async () => {
      this.stop();
      this.begin();
      await this.player.record();
      this.mode = "recording";
      this.say("Recording …");
      this.update();
    });
  }

  endRecording() {
    return this.attempt(async () => {
      const samples = this.player.recorded();
      this.stop();
      if (samples.length < 0.1 * this.model.sample_rate) {
        throw new Error("this recording is shorter than a tenth of a second.");
      }
      const silent = samples.every((value) => Math.abs(value) < 1e-3);
      await this.takeSamples(samples, "Your recording",
        silent ? ["it is silent: is the microphone muted?"] : []);
    });
  }

  live() {
    if (this.mode === "live") {
      this.stop();
      this.say(`Live ended after ${clock(this.place)}.`);
      return undefined;
    }
    return this.attempt(async () => {
      this.stop();
      this.begin();
      this.views.clear();
      this.numbers.clear();
      this.knobs.limit(this.model.n_q);
      Object.assign(this, { seconds: 0, hasOriginal: true, whole: false, name: "live" });
      await this.player.live();
      this.mode = "live";
      this.say("Live: with loudspeakers it howls, so use headphones.");
      this.update();
      this.follow();
    });
  }

  // Playing

  toggle() {
    if (this.mode === "playing") this.pause();
    else this.play();
  }

  play() {
    if (!this.seconds || this.mode === "recording" || this.mode === "live") return undefined;
    return this.attempt(async () => {
      this.begin();
      if (this.place > this.seconds - 0.05) this.place = 0;
      const { sample_rate: rate, hop_length: hop } = this.model;
      this.mode = "playing";
      await this.player.play(Math.floor((this.place * rate) / hop));
      this.update();
      this.follow();
    });
  }

  pause() {
    const { place } = this;
    this.stop();
    this.place = place;
    this.update();
  }

  stop() {
    if (this.mode === "idle") return;
    this.mode = "idle";
    this.player.stop();
    this.views.waiting = [];
    this.update();
  }

  seek(place) {
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
    this.original = original && this.hasOriginal !== false;
    this.player.choose(this.original);
    this.update();
  }

  showKnobs(knobs) {
    this.numbers.knobs(knobs);
    this.facts[1].textContent = `${this.numbers.packed.toFixed(2)} kbps`;
  }

  /** What was decoded, and soon is heard. */
  expect(frames) {
    if (frames.run === this.player.run) this.views.expect(frames);
  }

  onReport(report) {
    this.report = report;
    if (this.mode === "recording") {
      this.place = report.recorded / this.model.sample_rate;
      if (this.place >= RECORDED_AT_MOST) this.endRecording();
      this.showPlace();
      return;
    }
    if (report.played) this.place = report.played / this.model.sample_rate;
    this.numbers.report(report, this.mode === "live" ? this.player : null);
    if (report.finished && this.mode === "playing") {
      if (this.loop) {
        this.seek(0);
        return;
      }
      this.follow(true);
      this.stop();
      this.place = 0;
      this.update();
    }
  }

  /** Draw what has been heard; go on while something plays. */
  follow(once = false) {
    if (this.mode !== "playing" && this.mode !== "live") return;
    if (!this.figure.isConnected) {
      this.stop();
      return;
    }
    const { sample_rate: rate, hop_length: hop } = this.model;
    const frames = this.views.heard(Math.round((this.place * rate) / hop));
    if (frames) this.numbers.frames(frames);
    this.showPlace();
    if (once) return;
    clearTimeout(this.next);
    const slow = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.next = setTimeout(() => requestAnimationFrame(() => this.follow()), slow ? 500 : 15);
  }

  // Out

  saveWav() {
    return this.attempt(async () => {
      this.say("Decoding …");
      const { audio, stopped } = await this.client.ask("render", {},
        ({ known, frames }) => this.showProgress(known / frames));
      this.showProgress(null);
      if (stopped) return;
      this.save("wav", "audio/wav", wavOf(audio, this.model.sample_rate));
      this.say(`Saved as the codec gives it back, ${spoken(this.seconds)} at `
        + `${this.model.sample_rate} Hz.`);
    });
  }

  saveMcdc() {
    return this.attempt(async () => {
      this.say("Writing …");
      const { bytes, seconds } = await this.client.ask("write", { entropy: this.entropy.value },
        ({ done, of }) => this.showProgress(of ? done / of : 0));
      this.showProgress(null);
      this.save("mcdc", "application/octet-stream", bytes);
      const kbps = (bytes.length * 8) / seconds / 1000;
      this.say(`Saved ${bytes.length} bytes for ${seconds.toFixed(1)} s: ${kbps.toFixed(2)} kbps, `
        + `everything counted. minicodec decode reads it.`);
    });
  }

  save(ending, type, bytes) {
    const stem = this.name.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N} ._-]/gu, "") || "sound";
    const link = element("a", { href: URL.createObjectURL(new Blob([bytes], { type })),
      download: `${stem}.${ending}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  // The page

  onKey(event) {
    const action = actionOfKey(event);
    if (!action || event.target.closest("select, input, summary, a")) return;
    const [name, value] = action;
    if (name === "toggle" && event.target.closest("button:not(.mc-play, .mc-choice)")) return;
    const does = {
      choose: () => value < 2 && this.choose(value === 0),
      toggle: () => this.toggle(),
      skip: () => this.seek(this.place + value),
      seek: () => this.seek(value),
      loop: () => this.setLoop(!this.loop),
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
    if (!this.panel) return;
    const { mode, seconds, whole } = this;
    const playing = mode === "playing";
    this.playButton.dataset.playing = playing;
    this.playButton.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.playButton.disabled = !seconds || mode === "live" || mode === "recording";
    this.slider.disabled = this.playButton.disabled;
    this.loopButton.setAttribute("aria-pressed", this.loop);
    this.choices[0].disabled = this.hasOriginal === false;
    this.choices.forEach((button, i) =>
      button.setAttribute("aria-pressed", (i === 0) === this.original));
    this.liveButton.setAttribute("aria-pressed", mode === "live");
    this.liveButton.textContent = mode === "live" ? "Stop" : "Live";
    this.recordButton.textContent = mode === "recording" ? "■ Stop" : "● Record";
    this.wavButton.disabled = this.mcdcButton.disabled = !whole;
    this.showPlace();
  }

  showPlace() {
    const whole = this.seconds ? ` / ${clock(this.seconds)}` : "";
    this.time.textContent = `${clock(this.place)}${whole}`;
    this.slider.value = this.place;
    this.slider.setAttribute("aria-valuetext",
      `${spoken(this.place)} of ${spoken(this.seconds)}`);
  }
}

boot("playground", (figure) => {
  figure.playground = new Playground(figure);
});
