// Codes as bits, one after another, most significant bit first; zeros fill the last byte.

/** Bytes that so many codes fill. */
export const packedSize = (count, bits) => Math.ceil((count * bits) / 8);

/** Codes of up to 16 bits as bytes. */
export function pack(codes, bits) {
  const bytes = new Uint8Array(packedSize(codes.length, bits));
  let held = 0; // bits that have no byte yet, `count` of them
  let count = 0;
  let at = 0;
  for (const code of codes) {
    held = (held << bits) | code;
    count += bits;
    while (count >= 8) {
      count -= 8;
      bytes[at++] = held >>> count;
      held &= (1 << count) - 1;
    }
  }
  if (count) bytes[at] = held << (8 - count);
  return bytes;
}

/** `count` codes from bytes that hold as many. */
export function unpack(bytes, bits, count) {
  const codes = new Uint16Array(count);
  let held = 0;
  let have = 0;
  let at = 0;
  for (let i = 0; i < count; i++) {
    while (have < bits) {
      held = (held << 8) | bytes[at++];
      have += 8;
    }
    have -= bits;
    codes[i] = held >>> have;
    held &= (1 << have) - 1;
  }
  return codes;
}

/** Arrays of one kind, one after another. */
export function joined(parts, Kind) {
  const all = new Kind(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
