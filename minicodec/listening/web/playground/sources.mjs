// Where a sound comes from: a clip of the book, a file, a microphone, recorded or live.

import { clock } from "../logic.mjs";
import { fetchBytes } from "./fetching.mjs";
import { bytesOf, samplesOf } from "./intake.mjs";
import { Latest } from "./latest.mjs";
import { shownName } from "./names.mjs";

export const RECORDED_AT_MOST = 60; // seconds

export class Sources {
  constructor(page) {
    this.page = page; // the playground
    this.turns = new Latest();
  }

  /** A new source of sound, from now on the only one that counts. */
  take(name, step) {
    const { page } = this;
    if (page.mode !== "playing") page.stop();
    page.showProgress(null);
    const turn = this.turns.begin();
    return page.attempt(() => step(turn).catch((error) => {
      if (turn.wanted()) page.controls.chosen(); // so that it can be tried again
      throw error;
    }), name, turn.wanted);
  }

  chooseClip(file, title) {
    const { page } = this;
    return this.take(title, async (turn) => {
      page.controls.chosen(page.controls.clips);
      page.say(`Fetching ${title} …`);
      const bytes = await turn.until(fetchBytes(new URL(file, page.address)));
      await this.takeSound(bytes.buffer, title, turn);
    });
  }

  takeFile(file) {
    const { page } = this;
    const name = shownName(file.name);
    return this.take(name, async (turn) => {
      page.controls.chosen(page.controls.file.files[0] === file && page.controls.file);
      page.say(`Reading ${name} …`);
      const bytes = await turn.until(bytesOf(file));
      const begins = new TextDecoder("latin1").decode(bytes.slice(0, 4));
      const isStream = begins === "MCDC" || /\.mcdc$/i.test(file.name);
      if (isStream) await this.takeStream(bytes, name, turn);
      else await this.takeSound(bytes, name, turn);
    });
  }

  /** Decode a file and encode its sound. */
  async takeSound(bytes, name, turn) {
    const { page } = this;
    const { mono, notes } = await turn.until(samplesOf(bytes, page.model.sample_rate,
      (share) => turn.wanted() && page.showProgress(share)));
    await this.takeSamples(mono, name, notes, turn);
  }

  /** Encode a sound, which can be played as soon as it begins to come. */
  async takeSamples(mono, name, notes, { wanted }) {
    const { page } = this;
    const seconds = mono.length / page.model.sample_rate;
    const { until } = page.newSound(name, seconds, true, page.model.n_q);
    const what = [`${name}, ${seconds.toFixed(1)} s`, ...notes].join("; ");
    page.say(`${what}. Encoding …`);
    const { ms } = await until(page.client.ask("encode", { audio: mono },
      ({ known, frames }) => wanted() && page.showProgress(known / frames), [mono.buffer]));
    page.whole = true;
    page.numbers.encoded(ms, seconds);
    page.update();
    if (!wanted()) return; // something is said of a newer one
    page.showProgress(null);
    page.say(`${what}. Encoded in ${(ms / 1000).toFixed(1)} s, `
      + `${((1000 * seconds) / Math.max(ms, 1)).toFixed(1)} × real time.`);
  }

  async takeStream(bytes, name, { wanted, until }) {
    const { page } = this;
    const size = bytes.byteLength;
    const { length, levels, entropy, notes } = await until(page.client.ask("read", { bytes },
      ({ done, of }) => wanted() && page.showProgress(of ? done / of : 0), [bytes]));
    page.showProgress(null);
    const seconds = length / page.model.sample_rate;
    page.newSound(name, seconds, false, levels);
    page.whole = true;
    page.choose(false);
    page.say([`${name}: ${seconds.toFixed(1)} s in ${size} bytes, `
      + `${((size * 8) / seconds / 1000).toFixed(2)} kbps, ${entropy}, ${levels} codebooks`,
    ...notes].join(". "));
  }

  /** Ask for the microphone, and `open` it; what was there before stays until it is `begun`. */
  microphone(open, mode, sentence, begun) {
    const { page } = this;
    return this.take("", async ({ wanted, until }) => {
      page.controls.chosen();
      page.stop();
      page.begin();
      page.mode = "asking";
      page.say("Asking the browser for the microphone …");
      try {
        await until(open());
      } catch (error) {
        if (wanted()) page.stop();
        throw error;
      }
      if (page.mode !== "asking") return; // it was played or stopped before the answer came
      begun();
      page.mode = mode;
      page.say(sentence);
      page.update();
    });
  }

  record() {
    const { page } = this;
    if (page.mode === "recording") return this.endRecording();
    return this.microphone(() => page.player.record(), "recording",
      `Recording, for up to ${RECORDED_AT_MOST} seconds …`, () => { page.place = 0; });
  }

  endRecording(notes = []) {
    const { page } = this;
    const samples = page.player.recorded();
    return this.take("", async (turn) => {
      if (samples.length < 0.1 * page.model.sample_rate) {
        throw new Error("this recording is shorter than a tenth of a second.");
      }
      const silent = samples.every((value) => Math.abs(value) < 1e-3);
      await this.takeSamples(samples, "Your recording",
        silent ? [...notes, "it is silent: is the microphone muted?"] : notes, turn);
    });
  }

  async live() {
    const { page } = this;
    if (page.mode === "live") {
      this.endLive();
      return;
    }
    await this.microphone(() => page.player.live(), "live",
      "Live: with loudspeakers it howls, so use headphones.",
      () => page.forget());
    page.follow();
  }

  endLive(why = "") {
    const { page } = this;
    page.stop();
    page.say(`Live ended after ${clock(page.place)}${why}.`);
  }

  onUnplugged() {
    const { page } = this;
    if (page.mode === "live") this.endLive(": the microphone has gone");
    if (page.mode === "recording") this.endRecording(["it ends where the microphone went"]);
  }
}
