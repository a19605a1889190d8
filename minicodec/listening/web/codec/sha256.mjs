// SHA-256, of which fingerprints are the first 8 bytes.
//
// Browsers have it too, but not on a page that came by plain http.

/** The first 32 bits behind the point of these roots of the first primes. */
function fractions(count, power) {
  const found = [];
  for (let n = 2; found.length < count; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) prime &&= n % d !== 0;
    if (prime) found.push((n ** power % 1) * 2 ** 32);
  }
  return Int32Array.from(found, (value) => value | 0);
}

const ROUNDS = fractions(64, 1 / 3);
const START = fractions(8, 1 / 2);

const turned = (x, n) => (x >>> n) | (x << (32 - n));

export class Sha256 {
  constructor() {
    this.state = START.slice();
    this.block = new Uint8Array(64);
    this.view = new DataView(this.block.buffer);
    this.words = new Int32Array(64);
    this.size = 0;
  }

  /** Append bytes. */
  update(bytes) {
    let at = 0;
    while (at < bytes.length) {
      const place = this.size % 64;
      const part = bytes.subarray(at, at + 64 - place);
      this.block.set(part, place);
      this.size += part.length;
      at += part.length;
      if (this.size % 64 === 0) this.mix();
    }
    return this;
  }

  /** The first 8 bytes in hex, as fingerprints are written here. */
  fingerprint() {
    const bits = 8 * this.size;
    this.update(Uint8Array.of(0x80));
    while (this.size % 64 !== 56) this.update(Uint8Array.of(0));
    const end = new DataView(new ArrayBuffer(8));
    end.setUint32(0, Math.floor(bits / 2 ** 32));
    end.setUint32(4, bits % 2 ** 32);
    this.update(new Uint8Array(end.buffer));
    return [0, 1].map((i) => (this.state[i] >>> 0).toString(16).padStart(8, "0")).join("");
  }

  mix() {
    const { words: w, state } = this;
    for (let i = 0; i < 16; i++) w[i] = this.view.getInt32(4 * i);
    for (let i = 16; i < 64; i++) {
      const early = turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      const late = turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = w[i - 16] + early + w[i - 7] + late;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const one = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
      const first = (h + one + ((e & f) ^ (~e & g)) + ROUNDS[i] + w[i]) | 0;
      const two = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
      const second = (two + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => (state[i] += value));
  }
}
