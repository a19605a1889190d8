// Between codec and device: plays the blocks that the worker sends, and cuts the microphone into
// frames. Runs in the browser's thread for sound, so it never waits for anything.

import { Resampler } from "../resample.mjs";

const QUANTUM = 64; // samples at the codec's rate that are made ready at a time
const REPORT = 8; // render quanta from one word to the page to the next
const FADE_SAMPLES = 120; // that a switch between original and codec takes: 5 ms
const WATCH = 2; // seconds in which a live sound never ran short before its delay is shortened
const LEAST = 2; // frames that wait at least
const MOST = 12; // and at most

/** Blocks of sound, each with the original beside it, and a place to read from. */
export class Queue {
  constructor() {
    this.clear();
  }

  clear() {
    this.blocks = [];
    this.at = 0; // samples read of the first block
    this.length = 0; // samples left
  }

  put(block) {
    this.blocks.push(block);
    this.length += block.wet.length;
  }

  /** Make one block of the second and the third, which fade into one another: less delay, no click. */
  squeeze() {
    if (this.blocks.length < 3) return;
    const [from, to] = this.blocks.splice(1, 2);
    const { length } = to.wet;
    const faded = (a, b) => a && b && b.map((value, i) => a[i] + ((value - a[i]) * i) / length);
    const block = { ...to, wet: faded(from.wet, to.wet), dry: faded(from.dry, to.dry) };
    this.blocks.splice(1, 0, block);
    this.length -= length;
  }

  /** Up to `count` samples of the first block, and the block they are of. */
  take(count) {
    const block = this.blocks[0];
    const start = this.at;
    const end = Math.min(block.wet.length, start + count);
    this.at = end;
    this.length -= end - start;
    const finished = end === block.wet.length;
    if (finished) {
      this.blocks.shift();
      this.at = 0;
    }
    return { block, start, end, finished };
  }
}

/** One gain that moves from codec to original and back, a little with each sample. */
export class CrossFade {
  constructor() {
    this.original = 0; // 1: the original is heard
    this.wanted = 0;
  }

  mix(block, start, end) {
    const mixed = new Float32Array(end - start);
    for (let i = start; i < end; i++) {
      const step = Math.sign(this.wanted - this.original) / FADE_SAMPLES;
      const next = this.original + step;
      this.original = step > 0 ? Math.min(next, this.wanted) : Math.max(next, this.wanted);
      const dry = block.dry ? block.dry[i] : 0;
      mixed[i - start] = block.wet[i] + (dry - block.wet[i]) * (block.dry ? this.original : 0);
    }
    return mixed;
  }
}

export function register() {
  registerProcessor("minicodec-playground", class extends AudioWorkletProcessor {
    constructor({ processorOptions: { rate, hop } }) {
      super();
      this.rate = rate;
      this.toEar = new Resampler(rate, sampleRate);
      this.toCodec = new Resampler(sampleRate, rate);
      this.hop = hop;
      this.fade = new CrossFade();
      this.queue = new Queue();
      this.stop();
      this.port.onmessage = ({ data }) => this.told(data);
    }

    /** What the page says. */
    told({ say, ...rest }) {
      if (say === "worker") {
        this.worker = rest.port;
        this.worker.onmessage = ({ data }) => this.receive(data);
      } else if (say === "play") this.begin({ run: rest.run, target: rest.target });
      else if (say === "live") this.begin({ run: rest.run, target: rest.target, live: true });
      else if (say === "record") this.begin({ run: rest.run, target: 0, recording: true });
      else if (say === "stop") this.stop();
      else if (say === "original") this.fade.wanted = rest.on ? 1 : 0;
      else if (say === "end") this.gone = true;
    }

    stop() {
      Object.assign(this, {
        run: 0, live: false, recording: false, running: false, over: false,
        played: 0, underruns: 0, quanta: 0, sent: 0, trips: [], sentAt: new Map(),
        lowest: Infinity, watched: 0,
      });
      this.queue.clear();
      this.toEar.reset();
      this.toCodec.reset();
      this.ready = new Float32Array(0);
      this.heard = new Float32Array(this.hop);
      this.heardUpTo = 0;
    }

    begin(what) {
      this.stop();
      Object.assign(this, what);
    }

    /** What the worker made. */
    receive(block) {
      if (block.run !== this.run) return; // of a sound that is over
      if (block.end) {
        this.over = true;
        return;
      }
      if (this.live) {
        const began = this.sentAt.get(block.frame);
        this.sentAt.delete(block.frame);
        if (began !== undefined) this.trips.push(currentTime - began);
        // What piled up during a halt would be a delay for ever: the oldest goes.
        const most = this.target + 4 * this.hop;
        while (this.queue.length + block.wet.length > most && this.queue.blocks.length) {
          this.queue.take(Infinity);
        }
      }
      this.queue.put(block);
    }

    /** Shorten the delay of a live sound by a frame if for a while more has waited than need be. */
    watch() {
      this.lowest = Math.min(this.lowest, this.queue.length);
      this.watched += 128 / sampleRate;
      if (this.watched < WATCH) return;
      if (this.lowest > LEAST * this.hop) {
        this.queue.squeeze();
        this.target = Math.max(LEAST * this.hop, this.target - this.hop);
      }
      this.watched = 0;
      this.lowest = Infinity;
    }

    process([input], [output]) {
      if (this.gone) return false;
      if (this.run) {
        if (this.live || this.recording) this.listen(input);
        if (!this.recording) this.sound(output[0]);
        if (++this.quanta % REPORT === 0 || this.finished) this.report();
      }
      return true;
    }

    /** Microphone, as one channel at the codec's rate, frame by frame. */
    listen(channels) {
      if (!channels.length) return;
      const mono = channels[0].map((_, i) =>
        channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
      for (const sample of this.toCodec.push(mono)) {
        this.heard[this.heardUpTo++] = sample;
        if (this.heardUpTo < this.hop) continue;
        const message = { run: this.run, frame: this.sent, samples: this.heard };
        if (this.live) this.sentAt.set(this.sent, currentTime);
        (this.live ? this.worker : this.port).postMessage(message, [this.heard.buffer]);
        this.sent += 1;
        this.heard = new Float32Array(this.hop);
        this.heardUpTo = 0;
      }
    }

    /** Fill one quantum of the device's; silence where nothing has come. */
    sound(speaker) {
      if (!speaker) return;
      if (!this.running) {
        if (this.queue.length < this.target && !this.over) return;
        if (this.queue.length) this.running = true;
      }
      while (this.running && this.ready.length < speaker.length) {
        if (!this.queue.length) {
          if (this.over) {
            // What is still inside the resampler comes out behind silence.
            this.append(this.toEar.push(new Float32Array(this.toEar.delay + QUANTUM)));
            break;
          }
          this.underruns += 1;
          this.running = false;
          if (this.live) this.target = Math.min(this.target + this.hop, MOST * this.hop);
          this.watched = 0;
          this.lowest = Infinity;
          break;
        }
        const { block, start, end, finished } = this.queue.take(QUANTUM);
        this.append(this.toEar.push(this.fade.mix(block, start, end)));
        this.played = block.frame * this.hop + end;
        if (finished && !this.live) this.worker.postMessage({ run: this.run, done: block.frame });
      }
      if (this.live && this.running) this.watch();
      speaker.set(this.ready.subarray(0, speaker.length));
      this.ready = this.ready.slice(speaker.length);
      this.finished = this.over && !this.queue.length;
    }

    append(samples) {
      const longer = new Float32Array(this.ready.length + samples.length);
      longer.set(this.ready);
      longer.set(samples, this.ready.length);
      this.ready = longer;
    }

    report() {
      this.port.postMessage({
        run: this.run, played: this.played, underruns: this.underruns, running: this.running,
        queued: this.queue.length / this.rate, target: this.target / this.rate,
        trip: this.trips.length ? this.trips.reduce((a, b) => a + b) / this.trips.length : null,
        finished: Boolean(this.finished), recorded: this.sent * this.hop,
      });
      this.trips = [];
      if (this.finished) {
        this.stop();
        this.finished = false;
      }
    }
  });
}

if (globalThis.registerProcessor) register();
