// Sound in and out of the page: the worklet's node, the microphone, and what they report.

import { audioContext } from "../engine.mjs";
import { Resampler } from "../resample.mjs";

/** A microphone as it is: what makes calls clearer changes the sound, and we want the sound. */
const AS_IT_IS = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

export class Player {
  /** client: the worker; report: called about a hundred times a second while something runs. */
  constructor(figure, client, model, report) {
    Object.assign(this, { figure, client, model, report, run: 0, original: false });
  }

  /** The node, made once: needs a click or a key before. */
  async ready() {
    const context = audioContext(this.figure);
    this.node ??= this.connect(context).catch((error) => {
      this.node = null;
      throw error;
    });
    await this.node;
    return context;
  }

  async connect(context) {
    this.context = context;
    const { sample_rate: rate } = this.model;
    this.delays = {
      toCodec: new Resampler(context.sampleRate, rate).delay / context.sampleRate,
      toEar: new Resampler(rate, context.sampleRate).delay / rate,
    };
    await context.audioWorklet.addModule(new URL("worklet.mjs", import.meta.url));
    const node = new AudioWorkletNode(context, "minicodec-playground", {
      numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1],
      processorOptions: { rate: this.model.sample_rate, hop: this.model.hop_length },
    });
    node.connect(context.destination);
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage({ say: "worker", port: port1 }, [port1]);
    await this.client.ask("worklet", { port: port2 }, null, [port2]);
    node.port.onmessage = ({ data }) => {
      if (data.run !== this.run) return;
      if (data.samples) this.pieces?.push(data.samples);
      else this.report(data);
    };
    return node;
  }

  async say(what) {
    (await this.node).port.postMessage(what);
  }

  /** Play what the worker has, from a frame on. */
  async play(frame) {
    await this.ready();
    const run = ++this.run;
    const target = Math.round(0.16 * this.model.sample_rate); // two of the worker's blocks
    await this.say({ say: "play", run, target });
    await this.say({ say: "original", on: this.original });
    this.client.ask("play", { frame, run });
  }

  async openMicrophone() {
    if (!navigator.mediaDevices) throw Object.assign(new Error(), { name: "NoMicrophoneHere" });
    const context = await this.ready();
    playsAndRecords(true);
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: AS_IT_IS });
    } catch (error) {
      playsAndRecords(false);
      throw error;
    }
    this.track = this.stream.getAudioTracks()[0].getSettings();
    this.microphone = new MediaStreamAudioSourceNode(context, { mediaStream: this.stream });
    this.microphone.connect(await this.node);
  }

  /** The microphone through the codec, until `stop`. */
  async live() {
    await this.openMicrophone();
    const run = ++this.run;
    await this.say({ say: "live", run, target: 3 * this.model.hop_length });
    await this.say({ say: "original", on: this.original });
    this.client.ask("live", { run });
  }

  /** The microphone into memory, until `recorded`. */
  async record() {
    await this.openMicrophone();
    this.pieces = [];
    await this.say({ say: "record", run: ++this.run });
  }

  recorded() {
    const { pieces } = this;
    this.pieces = null;
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const samples = new Float32Array(length);
    let at = 0;
    for (const piece of pieces) {
      samples.set(piece, at);
      at += piece.length;
    }
    return samples;
  }

  /** Hear the original, or what the codec makes of it, from now on. */
  choose(original) {
    this.original = original;
    if (this.node) this.say({ say: "original", on: original });
  }

  stop() {
    this.run += 1;
    if (this.node) this.say({ say: "stop" });
    this.client.ask("stop");
    this.microphone?.disconnect();
    this.stream?.getTracks().forEach((track) => track.stop());
    if (this.stream) playsAndRecords(false);
    this.microphone = this.stream = null;
  }
}

/** An iPhone takes the microphone from a page that only plays. */
function playsAndRecords(on) {
  if (navigator.audioSession) navigator.audioSession.type = on ? "play-and-record" : "playback";
}
