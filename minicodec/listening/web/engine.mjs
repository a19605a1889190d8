// All versions of a sound on one audio clock. A switch changes who is heard, never what is running,
// so every version is always at the same place. Used by every mode that plays several sounds.

import { FADE, levels, positionAt } from "./logic.mjs";

const LEAD = 0.02; // seconds from the call to the first sample: time to arm all sources

/** The one AudioContext of this page. Browsers want it made, or woken, in a click or key press. */
export function audioContext() {
  window.minicodecAudio ??= new AudioContext({ latencyHint: "interactive" });
  window.minicodecAudio.resume();
  return window.minicodecAudio;
}

function bytesOf(dataAddress) {
  const text = atob(dataAddress.slice(dataAddress.indexOf(",") + 1));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer;
}

/** Decoded sounds of <audio> elements with data addresses, all made as long as the longest. */
export async function decode(elements, rate) {
  // An offline context may decode before anyone clicks, and it keeps the sounds' own rate.
  const context = new OfflineAudioContext(1, 1, Math.min(96000, Math.max(8000, rate)));
  const buffers = await Promise.all(
    elements.map((element) => context.decodeAudioData(bytesOf(element.getAttribute("src")))));
  const length = Math.max(...buffers.map((buffer) => buffer.length));
  return buffers.map((buffer) => {
    if (buffer.length === length) return buffer;
    const longer = context.createBuffer(buffer.numberOfChannels, length, buffer.sampleRate);
    for (let c = 0; c < buffer.numberOfChannels; c++) {
      longer.copyToChannel(buffer.getChannelData(c), c);
    }
    return longer;
  });
}

export class Engine {
  /** buffers: AudioBuffers of one length. */
  constructor(context, buffers) {
    this.context = context;
    this.buffers = buffers;
    this.duration = buffers[0].duration;
    this.active = 0;
    this.voices = [];
    this.span = { startedAt: 0, offset: 0, start: 0, end: this.duration, loop: false };
  }

  get playing() {
    return this.voices.length > 0;
  }

  /** Seconds into the clip. */
  get position() {
    return this.playing ? positionAt(this.span, this.context.currentTime) : this.span.offset;
  }

  /** True once playback has run to its end, which a loop never does. */
  get ended() {
    return this.playing && !this.span.loop && this.position >= this.span.end;
  }

  /** Play from `offset` to `end`; with `loop`, go on at `start`. */
  start(offset, { start = 0, end = this.duration, loop = false } = {}) {
    this.stop();
    for (let lead = LEAD; !this.arm(lead, offset, { start, end, loop }); lead *= 2);
  }

  /** Have all sources begin together, in `lead` seconds. False if that was too soon: on a busy
   *  machine the moment may pass before the last one is armed, which then would come too late. */
  arm(lead, offset, { start, end, loop }) {
    const wanted = levels(this.buffers.length, this.active);
    this.voices = this.buffers.map((buffer, index) => {
      const source = new AudioBufferSourceNode(this.context, {
        buffer, loop, loopStart: start, loopEnd: end,
      });
      const gain = new GainNode(this.context, { gain: wanted[index] });
      source.connect(gain).connect(this.context.destination);
      return { source, gain };
    });
    // Making the sources may take long, so the moment is fixed when all of them are there.
    const startedAt = this.context.currentTime + lead;
    this.span = { startedAt, offset, start, end, loop };
    for (const { source } of this.voices) {
      if (loop) source.start(startedAt, offset);
      else source.start(startedAt, offset, end - offset);
    }
    // What is rendered at this moment was begun before: some of the time must be left.
    if (this.context.currentTime < startedAt - LEAD / 2) return true;
    for (const { source, gain } of this.voices) {
      gain.disconnect();
      source.stop();
    }
    return false;
  }

  /** Fade out, and remember the place. */
  stop() {
    const { currentTime } = this.context;
    this.span = { ...this.span, offset: this.position };
    for (const { source, gain } of this.voices) {
      fade(gain.gain, 0, currentTime);
      source.stop(currentTime + FADE);
    }
    this.voices = [];
  }

  /** Hear version `index`, from now on; the others run on in silence. */
  choose(index) {
    this.active = index;
    levels(this.buffers.length, index).forEach((level, i) => {
      if (this.voices[i]) fade(this.voices[i].gain.gain, level, this.context.currentTime);
    });
  }
}

// Versions of one sound are alike, so the straight lines of this cross-fade keep its level.
function fade(parameter, level, now) {
  parameter.cancelScheduledValues(now);
  parameter.setValueAtTime(parameter.value, now);
  parameter.linearRampToValueAtTime(level, now + FADE);
}
