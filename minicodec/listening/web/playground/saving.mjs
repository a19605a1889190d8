// Sound out: as WAV, as the codec gives it back, and as `.mcdc`.

import { element } from "../dom.mjs";
import { spoken } from "../logic.mjs";
import { wavOf } from "../wav.mjs";
import { savedName } from "./names.mjs";

const KEPT_FOR = 60000; // ms that a saved file is held for the browser to write

export class Saving {
  constructor(page) {
    this.page = page; // the playground
    this.busy = false;
  }

  wav() {
    const { page } = this;
    return this.save("wav", "Decoding …", async (tell) => {
      const { audio } = await page.client.ask("render", {},
        ({ known, frames }) => tell(known / frames));
      return [wavOf(audio, page.model.sample_rate), `Saved as the codec gives it back, `
        + `${spoken(page.seconds)} at ${page.model.sample_rate} Hz.`];
    });
  }

  mcdc(entropy) {
    return this.save("mcdc", "Writing …", async (tell) => {
      const { bytes, seconds } = await this.page.client.ask("write", { entropy },
        ({ done, of }) => tell(of ? done / of : 0));
      const kbps = (bytes.length * 8) / seconds / 1000;
      return [bytes, `Saved ${bytes.length} bytes for ${seconds.toFixed(1)} s: `
        + `${kbps.toFixed(2)} kbps, everything counted. minicodec decode reads it.`];
    });
  }

  /** Save what `made` gives: [bytes, a sentence]. One at a time, and of one sound: if another is
   *  chosen meanwhile, the worker ends it. */
  async save(ending, doing, made) {
    const { page } = this;
    if (this.busy) return;
    const wanted = page.sounds.still();
    const name = savedName(page.name, ending);
    this.busy = true;
    page.update();
    await page.attempt(async () => {
      page.say(doing);
      const [bytes, sentence] = await made((share) => wanted() && page.showProgress(share));
      const type = ending === "wav" ? "audio/wav" : "application/octet-stream";
      const href = URL.createObjectURL(new Blob([bytes], { type }));
      element("a", { href, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(href), KEPT_FOR);
      if (!wanted()) return;
      page.showProgress(null);
      page.say(sentence);
    }, "", wanted);
    this.busy = false;
    page.update();
  }
}
