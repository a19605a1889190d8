// A button that records, or a file chooser, whose sound goes to Python.

import { boot, element } from "./dom.mjs";
import { microphoneStream } from "./microphone.mjs";
import { resampled } from "./resample.mjs";
import { base64, rateOf, sentenceFor, wavOf } from "./wav.mjs";

class Recorder {
  constructor(figure) {
    const { seconds, rate, inbox, microphone } = figure.dataset;
    Object.assign(this, { figure, seconds: Number(seconds), rate: Number(rate), inbox });
    this.length = this.seconds === 1 ? "1 second" : `${seconds} seconds`;
    this.button = element("button", { class: "mc-toggle mc-record", type: "button",
      onclick: () => this.press() }, this.idle());
    this.button.hidden = microphone === "false";
    this.file = element("input", { type: "file", accept: "audio/*",
      onchange: () => this.attempt(() => this.take(this.file.files[0])) });
    const label = element("label", { class: "mc-file" },
      this.button.hidden ? "A file: " : "or a file: ", this.file);
    this.meter = element("progress", { max: this.seconds, value: 0, "aria-label": "Recorded" });
    this.meter.hidden = true;
    this.status = element("p", { class: "mc-note", role: "status" });
    figure.append(element("div", { class: "mc-bar" }, this.button, label, this.meter), this.status);
  }

  idle() {
    return `● Record ${this.length}`;
  }

  /** Do something that may fail, and say how. */
  async attempt(step) {
    try {
      this.status.textContent = "";
      await step();
    } catch (error) {
      this.status.textContent = sentenceFor(error);
    }
  }

  press() {
    if (this.recorder) this.recorder.stop();
    else if (!this.busy) this.attempt(() => this.record()); // not while it asks for the microphone
  }

  async record() {
    this.python(); // better to learn that nobody listens before speaking
    // Players ask an iPhone for a session that plays, in which there is no microphone.
    const session = navigator.audioSession ?? {};
    const before = session.type;
    session.type = "play-and-record";
    this.busy = true;
    const sound = await this.recorded().finally(() => {
      session.type = before;
      this.busy = false;
    });
    await this.take(sound);
  }

  /** What the microphone hears until the button is pressed again, or the time is up. */
  async recorded() {
    const stream = await microphoneStream();
    const pieces = [];
    this.recorder = new MediaRecorder(stream, { audioBitsPerSecond: 256000 });
    this.recorder.ondataavailable = ({ data }) => pieces.push(data);
    const stopped = new Promise((resolve) => { this.recorder.onstop = resolve; });
    this.recorder.start();
    this.button.textContent = "■ Stop";
    this.meter.hidden = false;
    const began = performance.now();
    const tick = setInterval(() => {
      this.meter.value = (performance.now() - began) / 1000;
      if (this.meter.value >= this.seconds) this.press();
    }, 50);
    await stopped;
    clearInterval(tick);
    stream.getTracks().forEach((track) => track.stop());
    this.recorder = null;
    this.button.textContent = this.idle();
    this.meter.hidden = true;
    return new Blob(pieces);
  }

  /** Decode, cut to length, bring to our rate, and send. */
  async take(blob) {
    if (!blob) return;
    const data = await blob.arrayBuffer();
    // At its own rate, not ours: what browsers resample lacks highs.
    const decodedAt = rateOf(data);
    const buffer = await new OfflineAudioContext(1, 1, decodedAt).decodeAudioData(data);
    const channels = Array.from({ length: buffer.numberOfChannels }, (_, c) =>
      buffer.getChannelData(c));
    const length = Math.min(buffer.length, Math.round(this.seconds * decodedAt));
    const mono = Float32Array.from({ length }, (_, i) =>
      channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
    const cut = buffer.length > length ? ` (its first ${this.length})` : "";
    this.status.textContent = `Sent to Python${cut} …`;
    const sent = wavOf(resampled(mono, decodedAt, this.rate), this.rate);
    const reply = await this.python()(base64(sent));
    this.status.textContent = reply ? reply + cut : `Sent to Python${cut}.`;
  }

  /** What hands text to Python: Colab's own call, or a hidden field of a Jupyter widget. */
  python() {
    const colab = window.google?.colab?.kernel;
    if (colab) {
      return async (text) => {
        const answer = await colab.invokeFunction(`minicodec.${this.inbox}`, [text], {});
        return answer.data["application/json"].message;
      };
    }
    // The widget stands below us, in the same cell.
    const field = [...document.querySelectorAll(".minicodec-inbox textarea")].find((node) =>
      this.figure.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING);
    if (!field) throw Object.assign(new Error(), { name: "NoKernel" });
    return (text) => {
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
    };
  }
}

boot("recorder", (figure) => new Recorder(figure));
