// Figures beside the sound: what is sent, what each frame costs, where a live sound is delayed.

import { element } from "../dom.mjs";
import { latencyParts, Smooth, total } from "./latency.mjs";

export class Numbers {
  constructor(model) {
    this.model = model;
    this.frame = (1000 * model.hop_length) / model.sample_rate;
    this.sent = element("p", { class: "mc-figure" });
    this.meters = { encoder: this.meter("encoder"), decoder: this.meter("decoder") };
    this.rows = element("tbody", {});
    this.table = element("table", { class: "mc-latency" },
      element("caption", {}, "From your mouth to your ear"), this.rows);
    this.table.hidden = true;
    this.root = element("div", { class: "mc-numbers" }, this.sent,
      ...Object.entries(this.meters).map(([name, { bar, text }]) =>
        element("p", { class: "mc-figure" }, `${name} `, bar, " ", text)),
      this.table);
    this.clear();
  }

  /** A bar for the time that a frame takes, as a part of what it lasts. */
  meter(name) {
    const [most, high] = [1, 0.8].map((share) => (share * this.frame).toFixed(2));
    const bar = element("meter", { min: "0", max: most, high, value: "0",
      "aria-label": `Time of the ${name} for a frame, in ms` });
    return { bar, text: element("span", {}), mean: new Smooth() };
  }

  clear() {
    this.bits = new Smooth(0.05);
    this.queued = new Smooth(0.02);
    this.trip = new Smooth();
    this.table.hidden = true;
    this.told = 0;
    for (const meter of Object.values(this.meters)) {
      meter.mean = new Smooth();
      meter.text.textContent = `– of ${this.frame.toFixed(1)} ms`;
      meter.bar.value = 0;
    }
  }

  knobs(knobs) {
    const { bits, frame_rate: rate } = this.model;
    this.packed = (knobs.kept * bits * rate) / 1000;
    this.showSent();
  }

  showSent() {
    const counted = this.bits.value === null ? "" : `, ${((this.bits.value
      * this.model.frame_rate) / 1000).toFixed(2)} kbps with counted codes`;
    this.sent.textContent = `Sent: ${this.packed.toFixed(2)} kbps packed${counted}`;
  }

  /** A whole sound was encoded. */
  encoded(ms, seconds) {
    this.time("encoder", ms / (seconds * this.model.frame_rate));
  }

  time(name, ms) {
    const { bar, text, mean } = this.meters[name];
    const value = mean.add(ms);
    if (value === null) return;
    bar.value = value;
    text.textContent = `${value.toFixed(2)} of ${this.frame.toFixed(1)} ms`;
  }

  /** Frames that were heard just now. */
  frames({ encodeMs, decodeMs, bits }) {
    this.time("encoder", encodeMs);
    this.time("decoder", decodeMs);
    this.bits.add(bits);
    this.showSent();
  }

  /** The worklet's word; `player` if it plays a microphone. */
  report(report, player) {
    if (!player) return;
    const queued = this.queued.add(report.queued);
    const trip = this.trip.add(report.trip);
    if (performance.now() - this.told < 250) return; // a number that flickers cannot be read
    this.told = performance.now();
    const { context, track, delays } = player;
    const parts = latencyParts({ track, context, delays, model: this.model,
      report: { queued, trip } });
    const row = (name, value) => element("tr", {}, element("th", { scope: "row" }, name),
      element("td", {}, value));
    const said = (ms) => (ms === null ? "not told" : `${ms.toFixed(1)} ms`);
    this.rows.replaceChildren(...parts.map(([name, ms]) => row(name, said(ms))),
      row("together", said(total(parts))), row("gaps so far", String(report.underruns)),
      row("frames left out, to catch up", String(report.leftOut)));
    this.table.hidden = false;
  }
}
