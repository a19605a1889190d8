// Sound in and out of the page: the worklet's node, the microphone, and what they report.

import { audioContext } from "../engine.mjs";
import { microphoneStream } from "../microphone.mjs";
import { Resampler } from "../resample.mjs";

export class Player {
  /** client: the worker. What is told, always of the present run alone: `report`, some fifty times
   *  a second while something runs; `unplugged`, when the microphone has gone; `failed`, with an
   *  error. */
  constructor(figure, client, model, { report, unplugged, failed }) {
    Object.assign(this, { figure, client, model, report, unplugged, failed });
    this.run = 0; // goes up with whatever begins or ends, so that answers that come late are known
    this.original = false;
    this.node = null;
  }

  /** The node, made once: needs a click or a key before. */
  async ready() {
    const context = audioContext(this.figure);
    this.connecting ??= this.connect(context).catch((error) => {
      this.connecting = null;
      throw error;
    });
    await this.connecting;
    return context;
  }

  async connect(context) {
    this.context = context;
    const { sample_rate: rate, hop_length: hop } = this.model;
    this.delays = {
      toCodec: new Resampler(context.sampleRate, rate).delay / context.sampleRate,
      toEar: new Resampler(rate, context.sampleRate).delay / rate,
    };
    await context.audioWorklet.addModule(new URL("worklet.mjs", import.meta.url)).catch(() => {
      throw new Error("the script that makes the sound did not come: is the network there?");
    });
    const node = new AudioWorkletNode(context, "minicodec-playground", {
      numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1],
      processorOptions: { rate, hop },
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
    node.onprocessorerror = () => {
      this.failed(new Error("the sound thread has ended: load this page anew."));
    };
    this.node = node;
  }

  say(what) {
    this.node?.port.postMessage(what);
  }

  /** Have the worker bring what the worklet is to play. */
  start(ask, what) {
    const { run } = this;
    this.say({ say: "original", on: this.original });
    this.client.ask(ask, { run, ...what }).catch((error) => {
      if (run === this.run) this.failed(error);
    });
  }

  /** Play what the worker has, from a frame on. */
  async play(frame) {
    const run = ++this.run;
    await this.ready();
    if (run !== this.run) return; // paused, or at another place, before there was a node
    const target = Math.round(0.16 * this.model.sample_rate); // two of the worker's blocks
    this.say({ say: "play", run, target });
    this.start("play", { frame });
  }

  /** The microphone through the codec, until `stop`. */
  async live() {
    const run = await this.openMicrophone();
    if (run !== this.run) return;
    this.say({ say: "live", run, target: 3 * this.model.hop_length });
    this.start("live", {});
  }

  /** The microphone into memory, until `recorded`. */
  async record() {
    const run = await this.openMicrophone();
    if (run !== this.run) return;
    this.pieces = [];
    this.say({ say: "record", run });
  }

  /** Gives the run that it was opened for. If that is over before the reader has answered the
   *  browser's question, the microphone is closed at once. */
  async openMicrophone() {
    this.stop();
    const { run } = this;
    const context = await this.ready();
    playsAndRecords(true);
    const stream = await microphoneStream().finally(() => {
      if (run !== this.run) playsAndRecords(Boolean(this.stream)); // as what came since needs it
    });
    const [track] = stream.getAudioTracks();
    if (run !== this.run) {
      track.stop();
      return run;
    }
    this.stream = stream; // from here on `stop` closes it
    track.onended = () => {
      if (stream === this.stream) this.unplugged();
    };
    this.track = track.getSettings();
    this.microphone = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
    this.microphone.connect(this.node);
    return run;
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
    this.say({ say: "original", on: original });
  }

  stop() {
    this.run += 1;
    this.say({ say: "stop" });
    this.client.tell("stop");
    this.microphone?.disconnect();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.microphone = this.stream = null;
    playsAndRecords(false);
  }
}

/** An iPhone takes the microphone from a page that only plays. */
function playsAndRecords(on) {
  if (navigator.audioSession) navigator.audioSession.type = on ? "play-and-record" : "playback";
}
