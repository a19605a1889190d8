// The range coder: symbols in, and as few bytes out as their frequencies allow.
//
// A symbol is given by where its part of the table begins, by its frequency, and by the table's
// total. `width` and `offset` need 64 bits, and `low` 65: more than a number holds, so they are
// BigInt.

const FULL = 2n ** 64n - 1n;
const FLOOR = 2n ** 48n; // the width never stays below this

export class RangeEncoder {
  constructor() {
    this.low = 0n;
    this.width = FULL;
    this.words = []; // 16 bits each, and one more where there is a carry
  }

  /** Append a symbol. */
  encode(begin, frequency, total) {
    const unit = this.width / BigInt(total);
    this.low += unit * BigInt(begin);
    this.width = unit * BigInt(frequency);
    while (this.width < FLOOR) {
      this.words.push(Number(this.low >> 48n));
      this.low = (this.low & (FLOOR - 1n)) << 16n;
      this.width <<= 16n;
    }
  }

  /** The whole message. It ends with the fewest bytes that point into the last interval. */
  finish() {
    let count = 0; // of bytes; two always suffice, since the width is at least 2^48
    let number = 0n;
    for (; count < 3; count++) {
      const unit = 1n << BigInt(64 - 8 * count);
      number = ((this.low + unit - 1n) / unit) * unit;
      if (number < this.low + this.width) break;
    }
    const words = [...this.words, Number(number >> 48n)];
    const bytes = new Uint8Array(2 * words.length);
    let carry = 0;
    for (let i = words.length - 1; i >= 0; i--) {
      const word = words[i] + carry;
      carry = word >>> 16;
      bytes[2 * i] = word >>> 8;
      bytes[2 * i + 1] = word;
    }
    return bytes.subarray(0, bytes.length - 2 + count);
  }
}

/** Bytes that no encoder wrote give wrong symbols or a RangeError, but always an end. */
export class RangeDecoder {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0; // bytes read; behind the last one follow zeros
    this.offset = 0n;
    this.width = FULL;
    for (let word = 0; word < 4; word++) this.offset = (this.offset << 16n) | this.word();
  }

  word() {
    const { bytes, at } = this;
    this.at += 2;
    return BigInt(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  }

  /** Where in its table the next symbol lies: in the part that holds this number. */
  place(total) {
    this.unit = this.width / BigInt(total);
    const place = this.offset / this.unit;
    if (place >= BigInt(total)) throw new RangeError("its bytes point past the last code");
    return Number(place);
  }

  /** Take the symbol that `place` has told. */
  take(begin, frequency) {
    this.offset -= this.unit * BigInt(begin);
    this.width = this.unit * BigInt(frequency);
    while (this.width < FLOOR) {
      this.offset = (this.offset << 16n) | this.word();
      this.width <<= 16n;
      if (this.at > this.bytes.length + 8) {
        throw new RangeError("its bytes are too few for its codes");
      }
    }
  }

  /** Check that all bytes were needed: 8 are read ahead, and an encoder ends with at most 2. */
  finish() {
    const left = this.bytes.length - this.at + 6;
    if (left > 0) throw new RangeError(`${left} bytes are left after the last code`);
  }
}
