// All versions of a sound on one audio clock. A switch changes who is heard, never what is running,
// so every version is always at the same place. Used by every mode that plays several sounds.

import { FADE, levels, positionAt } from "./logic.mjs";
import { resampled } from "./resample.mjs";

const PATIENCE = 5000; // ms from the call to a word on a device that does not begin
const LEAD = 0.02; // seconds from the call to the first sample: time to arm all sources

/** The one AudioContext of this page. Browsers want it made, or woken, in a click or key press.
 *  figure: whose status says so if no sound begins. */
export function audioContext(figure) {
  window.minicodecAudio ??= new AudioContext({ latencyHint: "interactive" });
  // An iPhone's mute switch silences pages, but not what is played as music is. While a microphone
  // is open the session must stay as it is, or the recording would end.
  const session = navigator.audioSession;
  if (session && session.type !== "play-and-record") session.type = "playback";
  window.minicodecAudio.resume();
  speakUpIfSilent(window.minicodecAudio, figure);
  return window.minicodecAudio;
}

/** Firefox lets a page wait without a word until there is a device to play with. */
function speakUpIfSilent(context, figure) {
  if (context.currentTime > 0) return;
  setTimeout(() => {
    if (context.currentTime > 0) return;
    figure.querySelector("[role=status]").textContent =
      "This browser has begun no sound: are loudspeakers or headphones connected?";
  }, PATIENCE);
}

function bytesOf(dataAddress) {
  const text = atob(dataAddress.slice(dataAddress.indexOf(",") + 1));
  const bytes = new Uint8Array(text.length);
  // Ten times as fast as Uint8Array.from with a function.
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
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

const fitted = new WeakMap(); // what `atRateOf` made, for blind tests play a buffer many times

/** The same sound at the context's own rate, which is all that a browser plays as it is. */
function atRateOf(context, buffer) {
  const { sampleRate } = context;
  if (buffer.sampleRate === sampleRate) return buffer;
  if (fitted.get(buffer)?.sampleRate !== sampleRate) {
    const channels = Array.from({ length: buffer.numberOfChannels }, (_, c) =>
      resampled(buffer.getChannelData(c), buffer.sampleRate, sampleRate));
    const made = context.createBuffer(channels.length, channels[0].length, sampleRate);
    channels.forEach((samples, c) => made.copyToChannel(samples, c));
    fitted.set(buffer, made);
  }
  return fitted.get(buffer);
}

export class Engine {
  /** buffers: AudioBuffers of one length and any rate. */
  constructor(context, buffers) {
    this.context = context;
    this.buffers = buffers.map((buffer) => atRateOf(context, buffer));
    this.gains = buffers.map(() => 1);
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
    const wanted = levels(this.gains, this.active);
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
    this.settle();
  }

  /** Turn versions up or down, as factors, from now on. */
  turn(gains) {
    this.gains = gains;
    this.settle();
  }

  settle() {
    levels(this.gains, this.active).forEach((level, i) => {
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
