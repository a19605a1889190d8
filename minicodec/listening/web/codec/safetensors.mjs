// A safetensors file: a length, a header in JSON, and the numbers of all tensors.

const MOST_HEADER = 2 ** 20; // bytes; that of a language model has 6000

const KINDS = {
  I8: Int8Array, I16: Int16Array, I32: Int32Array, F32: Float32Array, F64: Float64Array,
};

/**
 * What a file holds: {metadata, tensors: {name: {dtype, shape, data, bytes}}}; `data` is a typed
 * array, null for kinds that it knows no array for, `bytes` the same as it stands in the file.
 *
 * Throws an Error with a sentence for a file that is not whole. Tensors fill it without gaps.
 */
export function readSafetensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.length < 8 ? 0 : view.getUint32(0, true) + 2 ** 32 * view.getUint32(4, true);
  if (!size || size > Math.min(MOST_HEADER, bytes.length - 8)) {
    throw new Error("this is no whole safetensors file: it does not begin with its header.");
  }
  const header = parse(bytes.subarray(8, 8 + size));
  const { __metadata__: metadata = {}, ...entries } = header;
  if (!isObject(metadata) || !Object.values(metadata).every((text) => typeof text === "string")) {
    throw new Error("this safetensors file's metadata is not of texts.");
  }
  const body = bytes.subarray(8 + size);
  const tensors = Object.create(null);
  let end = 0;
  const order = Object.entries(entries).map(([name, entry]) => [name, entry, checked(name, entry)]);
  order.sort(([, , a], [, , b]) => a[0] - b[0] || a[1] - b[1]);
  for (const [name, { dtype, shape }, [begin, stop]] of order) {
    if (begin !== end || stop > body.length) {
      throw new Error("this is no whole safetensors file: its tensors do not fill it.");
    }
    end = stop;
    const Kind = Object.hasOwn(KINDS, dtype) ? KINDS[dtype] : null;
    const count = shape.reduce((product, n) => product * n, 1);
    if (Kind && count * Kind.BYTES_PER_ELEMENT !== stop - begin) {
      throw new Error(`${JSON.stringify(name)} has another number of bytes than its shape.`);
    }
    const raw = body.subarray(begin, stop);
    // A copy, since numbers of several bytes lie at any place in the file.
    const data = Kind ? new Kind(new Uint8Array(raw).buffer) : null;
    tensors[name] = { dtype, shape, data, bytes: raw };
  }
  if (end !== body.length) {
    throw new Error("this is no whole safetensors file: its tensors do not fill it.");
  }
  return { metadata, tensors };
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function parse(bytes) {
  let header = null;
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    header = JSON.parse(decoder.decode(bytes));
  } catch {
    // told below
  }
  if (!isObject(header)) {
    throw new Error("this is no safetensors file: its header is no JSON object.");
  }
  return header;
}

/** Where a tensor begins and ends, if its entry is one at all. */
function checked(name, entry) {
  const natural = (n) => Number.isSafeInteger(n) && n >= 0;
  const naturals = (value) => Array.isArray(value) && value.every(natural);
  const { dtype, shape, data_offsets: place } = isObject(entry) ? entry : {};
  const fits = typeof dtype === "string" && naturals(shape) && naturals(place);
  if (!fits || place.length !== 2 || place[0] > place[1]) {
    throw new Error(`${JSON.stringify(name)} is no tensor as safetensors files have them.`);
  }
  return place;
}
