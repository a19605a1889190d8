// What is pressed, drawn and chosen on the playground, but for the knobs: sound in, play and place,
// the two versions, sound out.

import { element } from "../dom.mjs";
import { clock, spoken } from "../logic.mjs";

const ENTROPIES = [["none", "packed"], ["histogram", "histogram"], ["lm", "language model"]];
const toggle = (onclick, ...content) =>
  element("button", { class: "mc-toggle", type: "button", onclick }, ...content);

/** Not to be pressed for a while, yet not taken away from who is on it with the keyboard. */
export function rest(button, on) {
  button.setAttribute("aria-disabled", on);
}

export class Controls {
  /** does: what each control does, by the names that are called here. */
  constructor(model, index, does) {
    this.buildSources(index, does);
    this.buildTransport(does);
    this.buildOut(index, does);
    this.facts = [];
    this.choices = ["Original", "Codec"].map((name, i) => element("button",
      { class: "mc-choice", type: "button", onclick: () => does.choose(i === 0) },
      element("span", { class: "mc-key", "aria-hidden": "true" }, String(i + 1)),
      element("span", { class: "mc-name" }, name),
      this.facts[i] = element("span", { class: "mc-facts" })));
    this.facts[0].textContent = `${(model.sample_rate * 16) / 1000} kbps`;
    this.versions = element("div",
      { class: "mc-choices", role: "group", "aria-label": "Versions" }, ...this.choices);
  }

  buildSources(index, does) {
    this.clips = element("select", { "aria-label": "A sound of the book",
      onchange: () => this.clips.value && does.chooseClip(this.clips.value,
        this.clips.selectedOptions[0].textContent) },
    element("option", { value: "" }, "A sound of the book …"),
    ...index.clips.map(({ title, file }) => element("option", { value: file }, title)));
    this.file = element("input", { type: "file", accept: "audio/*,video/*,.mcdc",
      onclick: () => { this.file.value = ""; }, // so that the same file can be chosen again
      onchange: () => this.file.files[0] && does.takeFile(this.file.files[0]) });
    this.record = toggle(does.record);
    this.live = toggle(does.live);
    for (const button of [this.record, this.live]) button.classList.add("mc-record");
    this.sources = element("div", { class: "mc-bar", role: "group", "aria-label": "Sound in" },
      this.clips, element("label", { class: "mc-file" }, "or a file, also .mcdc: ", this.file),
      this.record, this.live);
  }

  buildTransport(does) {
    this.play = element("button", { class: "mc-play", type: "button", onclick: does.toggle });
    this.slider = element("input", { type: "range", class: "mc-place", min: "0", max: "1",
      step: "0.1", value: "0", "aria-label": "Place in the sound",
      oninput: () => does.seek(Number(this.slider.value)) });
    this.time = element("span", { class: "mc-time" });
    this.loop = toggle(does.loop, "Loop");
    this.transport = element("div", { class: "mc-bar mc-transport" },
      this.play, this.slider, this.time, this.loop);
  }

  buildOut(index, does) {
    this.wav = toggle(does.saveWav, "Save WAV");
    this.mcdc = toggle(() => does.saveMcdc(this.entropy.value), "Save .mcdc");
    this.entropy = element("select", { "aria-label": "Entropy coding of the .mcdc" },
      ...ENTROPIES.filter(([name]) => name === "none" || index[name]).map(([value, name]) =>
        element("option", { value }, name)));
    this.entropy.value = index.histogram ? "histogram" : "none";
    this.out = element("div", { class: "mc-bar", role: "group", "aria-label": "Out" },
      this.wav, this.mcdc, this.entropy);
  }

  /** Which source is chosen; none in the list and none in the field unless it is `kept`, so that
   *  the one before can be chosen again. */
  chosen(kept = null) {
    if (kept !== this.clips) this.clips.value = "";
    if (kept !== this.file) this.file.value = "";
  }

  /** state: the playground's own fields. */
  show({ mode, seconds, whole, loop, original, hasOriginal, saving, place }) {
    const playing = mode === "playing";
    this.play.dataset.playing = playing;
    this.play.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.play.disabled = !seconds || mode === "live" || mode === "recording";
    this.slider.disabled = this.play.disabled;
    this.slider.max = seconds.toFixed(1);
    this.loop.setAttribute("aria-pressed", loop);
    this.choices[0].disabled = !hasOriginal;
    this.choices.forEach((button, i) =>
      button.setAttribute("aria-pressed", (i === 0) === original));
    this.live.textContent = mode === "live" ? "■ Stop" : "Live";
    this.record.textContent = mode === "recording" ? "■ Stop" : "● Record";
    for (const button of [this.wav, this.mcdc]) {
      button.disabled = !whole;
      rest(button, saving.busy);
    }
    this.showPlace(place, seconds, playing);
  }

  showPlace(place, seconds, playing) {
    this.time.textContent = `${clock(place)}${seconds ? ` / ${clock(seconds)}` : ""}`;
    this.slider.value = place;
    if (playing && !place.toFixed(1).endsWith(".0")) return; // not too much to hear
    this.slider.setAttribute("aria-valuetext", `${spoken(place)} of ${spoken(seconds)}`);
  }
}
