// Where the time goes between a sound at the microphone and the same sound at the ear: the budget
// of chapter 04, measured.

const MS = 1000;

/** Parts of the delay, in ms: [[name, ms or null where the browser does not tell], …].
 *  track: the microphone's settings; context: the audio context; report: the worklet's. */
export function latencyParts({ track, context, report, model, delays }) {
  const device = latencyOfDevice(context);
  return [
    ["microphone and its driver", track?.latency !== undefined ? track.latency * MS : null],
    [`resampling, ${context.sampleRate / 1000} to ${model.sample_rate / 1000} kHz and back`,
      (delays.toCodec + delays.toEar) * MS],
    ["a frame is filled", (model.hop_length / model.sample_rate) * MS],
    ["encoder, decoder, and the way there and back", report.trip === null ? null
      : report.trip * MS],
    ["waiting to be heard, against gaps", report.queued * MS],
    ["device", device === null ? null : device * MS],
  ];
}

/** In seconds; null where it is not told.
 *  Firefox is not asked. On Linux it asks the sound server while it holds a lock for which its own
 *  sound waits, and the server waits for that sound: the page may stand still for ever. */
function latencyOfDevice(context) {
  if (/Firefox/.test(globalThis.navigator?.userAgent)) return null;
  const { baseLatency = 0, outputLatency } = context;
  return outputLatency === undefined ? null : baseLatency + outputLatency;
}

/** The sum of what is known. */
export function total(parts) {
  return parts.reduce((sum, [, ms]) => sum + (ms ?? 0), 0);
}

/** A mean that follows what it is told, the last dozen values most. */
export class Smooth {
  constructor(share = 0.1) {
    this.share = share;
    this.value = null;
  }

  add(value) {
    if (value === null || !Number.isFinite(value)) return this.value;
    this.value = this.value === null ? value : this.value + this.share * (value - this.value);
    return this.value;
  }
}
