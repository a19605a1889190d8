// Between codec and device: plays the blocks that the worker sends, and cuts the microphone into
// frames. Runs in the browser's thread for sound, so it never waits for anything.

import { Resampler } from "../resample.mjs";
import { CrossFade, Fall, Queue, Row } from "./waiting.mjs";

const QUANTUM = 64; // samples at the codec's rate that are made ready at a time
const REPORT = 8; // render quanta from one word to the page to the next
const SOFT = 0.005; // seconds in which a sound goes down or comes up where it is cut
const WATCH = 2; // seconds in which a live sound never ran short before its delay is shortened
const LEAST = 2; // frames that wait at least
const MOST = 12; // and at most

function register() {
  registerProcessor("minicodec-playground", class extends AudioWorkletProcessor {
    constructor({ processorOptions: { rate, hop } }) {
      super();
      this.rate = rate;
      this.toEar = new Resampler(rate, sampleRate);
      this.toCodec = new Resampler(sampleRate, rate);
      this.hop = hop;
      this.fade = new CrossFade();
      this.queue = new Queue();
      this.mixed = new Float32Array(QUANTUM);
      this.ready = new Row(); // at the device's rate
      this.fall = new Fall(Math.round(SOFT * sampleRate));
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
    }

    stop() {
      if (this.running) this.letDown();
      Object.assign(this, {
        run: 0, live: false, recording: false, running: false, over: false, flushed: false,
        finished: false, gain: 0, last: 0, played: 0, underruns: 0, quanta: 0, sent: 0, trips: [],
        lowest: Infinity, watched: 0, next: 0, leftOut: 0,
      });
      this.queue.clear();
      this.ready.drop(this.ready.length);
      this.toEar.reset();
      this.toCodec.reset();
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
        if (block.sentAt !== undefined) this.trips.push(currentTime - block.sentAt);
        // What piled up during a halt would be a delay for ever: the oldest goes.
        const most = this.target + 4 * this.hop;
        const tooMuch = () => this.queue.length + block.wet.length > most && this.queue.length;
        if (tooMuch() && this.running) this.letDown();
        while (tooMuch()) this.queue.take(Infinity);
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
      const [speaker] = output;
      if (speaker) this.fall.addTo(speaker);
      if (this.run) {
        if (this.live || this.recording) this.listen(input);
        if (speaker && !this.recording) this.sound(speaker);
        if (++this.quanta % REPORT === 0 || this.finished) this.report();
      }
      return true;
    }

    /** Microphone, as one channel at the codec's rate, frame by frame. */
    listen(channels) {
      if (!channels.length) return;
      const mono = new Float32Array(channels[0].length);
      for (const channel of channels) {
        for (let i = 0; i < mono.length; i++) mono[i] += channel[i] / channels.length;
      }
      for (const sample of this.toCodec.push(mono)) {
        this.heard[this.heardUpTo++] = sample;
        if (this.heardUpTo < this.hop) continue;
        const message = {
          run: this.run, frame: this.sent, samples: this.heard, sentAt: currentTime,
        };
        (this.live ? this.worker : this.port).postMessage(message, [this.heard.buffer]);
        this.sent += 1;
        this.heard = new Float32Array(this.hop);
        this.heardUpTo = 0;
      }
    }

    /** Fill one quantum of the device's; silence where nothing has come. */
    sound(speaker) {
      const { queue, ready } = this;
      if (!this.running && queue.length && (queue.length >= this.target || this.over)) {
        this.running = true;
        this.gain = queue.blocks[0].frame || this.live ? 0 : 1; // a sound begins as it is
      }
      if (this.running) this.fill(speaker.length);
      const count = Math.min(speaker.length, ready.length);
      for (let i = 0; i < count; i++) {
        this.gain = Math.min(1, this.gain + 1 / this.fall.left.length);
        this.last = this.gain * ready.samples[i];
        speaker[i] += this.last;
      }
      ready.drop(count);
      if (this.over) {
        this.finished = !queue.length && !ready.length;
        if (this.finished) this.running = false; // and it ends as it is
      } else if (this.running && count < speaker.length) this.runShort(speaker, count);
      if (this.live && this.running) this.watch();
    }

    /** Make samples ready, as far as there are any. */
    fill(wanted) {
      while (this.ready.length < wanted && this.queue.length) {
        const { block, start, end, finished } = this.queue.take(QUANTUM);
        if (this.live && start === 0) { // whoever let frames go, here they are missing
          this.leftOut += block.frame - this.next;
          this.next = block.frame + 1;
        }
        this.fade.mix(block, start, end, this.mixed);
        this.ready.append(this.toEar.push(this.mixed.subarray(0, end - start)));
        this.played = block.frame * this.hop + end;
        if (finished && !this.live) this.worker.postMessage({ run: this.run, done: block.frame });
      }
      if (this.queue.length || !this.over || this.flushed) return;
      // What is still inside the resampler comes out behind silence.
      this.ready.append(this.toEar.push(new Float32Array(this.toEar.delay)));
      this.flushed = true;
    }

    /** Nothing more is there: silence from this place in the quantum on, until enough has come. */
    runShort(speaker, from) {
      this.underruns += 1;
      this.letDown();
      this.fall.addTo(speaker, from);
      this.running = false;
      if (this.live) this.target = Math.min(this.target + this.hop, MOST * this.hop);
      this.watched = 0;
      this.lowest = Infinity;
    }

    /** What is heard goes down to silence; what comes next comes up. */
    letDown() {
      this.fill(this.fall.left.length);
      this.fall.begin(this.ready, this.gain, this.last);
      this.ready.drop(this.ready.length);
      this.gain = this.last = 0;
    }

    report() {
      this.port.postMessage({
        run: this.run, played: this.played, underruns: this.underruns, running: this.running,
        queued: this.queue.length / this.rate, target: this.target / this.rate,
        trip: this.trips.length ? this.trips.reduce((a, b) => a + b) / this.trips.length : null,
        finished: this.finished, recorded: this.sent * this.hop, leftOut: this.leftOut,
      });
      this.trips = [];
      if (this.finished) this.stop();
    }
  });
}

if (globalThis.registerProcessor) register();
