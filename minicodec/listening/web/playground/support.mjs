// What the codec needs of a browser, and one sentence for what is missing.

// The smallest module with an instruction for vectors (i8x16.splat).
const VECTORS = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0,
  65, 0, 253, 15, 253, 98, 11];

/** null if all is there. */
export function whatIsMissing(page = globalThis) {
  if (!page.WebAssembly?.validate) {
    return "This browser has no WebAssembly, in which the codec runs (or it is switched off).";
  }
  if (!page.WebAssembly.validate(new Uint8Array(VECTORS))) {
    return "This browser's WebAssembly knows no vectors (SIMD), without which the codec would be "
      + "too slow: a newer version does.";
  }
  if (!page.Worker || !page.DecompressionStream || !page.OfflineAudioContext) {
    return "This browser is too old for the codec: it needs workers, DecompressionStream and Web "
      + "Audio.";
  }
  if (!page.AudioWorkletNode) {
    return "Here the browser does not let a page make sound as it goes (AudioWorklet): that takes "
      + "an address with https, or localhost.";
  }
  return null;
}
