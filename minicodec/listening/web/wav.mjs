// Recorded samples as a WAV file in text, for the way to Python, and what can go wrong on it.

/** A WAV file of 16 bits: samples in [-1, 1], one channel. */
export function wavOf(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const write = (at, text) => {
    for (let i = 0; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i));
  };
  write(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((value, i) => {
    view.setInt16(44 + 2 * i, Math.round(32767 * Math.min(1, Math.max(-1, value))), true);
  });
  return new Uint8Array(view.buffer);
}

/** Samples per second that a file of sound has, as far as its first bytes tell: those of WAV and
 *  FLAC do. Microphones, and most of the rest, have 48000. */
export function rateOf(data) {
  const head = new DataView(data, 0, Math.min(28, data.byteLength));
  if (head.byteLength < 28) return 48000;
  const word = (at) => String.fromCharCode(...new Uint8Array(data, at, 4));
  let rate = 0;
  if (word(0) === "RIFF" && word(12) === "fmt ") rate = head.getUint32(24, true);
  if (word(0) === "fLaC") rate = head.getUint32(18) >>> 12;
  return rate >= 8000 && rate <= 96000 ? rate : 48000; // what every browser can decode at
}

/** Bytes as base64, piece by piece: a function takes only so many arguments. */
export function base64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) {
    text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  }
  return btoa(text);
}

/** One sentence for a browser's error, and what to do about it. */
export function sentenceFor(error) {
  const known = {
    NotFoundError: "No microphone was found: plug one in, or choose a file.",
    NotAllowedError:
      "The microphone was not allowed: allow it beside the page's address, or choose a file.",
    NotReadableError: "The microphone is in use by another program: close that, and try again.",
    EncodingError: "This is not audio that the browser can read: try WAV, FLAC, MP3 or OGG.",
    NoKernel: "No kernel is running here: open this chapter in Colab or JupyterLab, run this "
      + "cell there, and press again.",
    NoMicrophoneHere:
      "This page may not use a microphone (that takes https, or localhost): choose a file.",
  };
  return known[error.name] ?? `It did not work: ${error.message}`;
}
