// What waits to be heard in the sound thread, and how it is cut and switched without a click.

const FADE_SAMPLES = 120; // that a switch between original and codec takes: 5 ms

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

  /** Make one block of the second and the third, which fade into one another: less delay, and no
   *  click. */
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

  /** Samples `start` to `end` of a block, from the beginning of `mixed` on. */
  mix(block, start, end, mixed) {
    for (let i = start; i < end; i++) {
      const step = Math.sign(this.wanted - this.original) / FADE_SAMPLES;
      const next = this.original + step;
      this.original = step > 0 ? Math.min(next, this.wanted) : Math.max(next, this.wanted);
      const dry = block.dry ? block.dry[i] : 0;
      mixed[i - start] = block.wet[i] + (dry - block.wet[i]) * (block.dry ? this.original : 0);
    }
  }
}

/** Samples that wait in a row. Their memory is used again and again: what the sound thread leaves
 *  behind must be cleared away, and that may take longer than a quantum. */
export class Row {
  constructor() {
    this.samples = new Float32Array(4096);
    this.length = 0;
  }

  append(samples) {
    if (this.length + samples.length > this.samples.length) {
      const longer = new Float32Array(2 * (this.length + samples.length));
      longer.set(this.samples.subarray(0, this.length));
      this.samples = longer;
    }
    this.samples.set(samples, this.length);
    this.length += samples.length;
  }

  drop(count) {
    this.samples.copyWithin(0, count, this.length);
    this.length -= count;
  }
}

/** What was cut goes down to silence, for a sound that is gone at once is a click. */
export class Fall {
  constructor(length) {
    this.left = new Float32Array(length);
    this.at = length;
  }

  /** row: what would have come next, `gain` times as loud; where it ends, its last value, or
   *  `last`, stands for the rest. */
  begin(row, gain, last) {
    const { left } = this;
    left.copyWithin(0, this.at); // the rest of a fall before
    left.fill(0, left.length - this.at);
    let value = last;
    for (let i = 0; i < left.length; i++) {
      if (i < row.length) value = gain * row.samples[i];
      left[i] += value * (1 - (i + 1) / left.length);
    }
    this.at = 0;
  }

  addTo(speaker, from = 0) {
    for (let i = from; i < speaker.length && this.at < this.left.length; i++) {
      speaker[i] += this.left[this.at++];
    }
  }
}
