// Files from the book's own folder, with a word on how far they are.

/** A file's bytes, unpacked if it is a gzip, which some servers unpack on the way already. */
export async function fetchBytes(address, came = () => {}) {
  let response;
  try {
    response = await fetch(address);
  } catch {
    throw new Error(`${nameOf(address)} could not be fetched: is the network there?`);
  }
  if (!response.ok) {
    throw new Error(`${nameOf(address)} is not where the book keeps it (${response.status}).`);
  }
  const pieces = [];
  try {
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      came(value.length);
    }
  } catch {
    throw new Error(`${nameOf(address)} did not come whole: is the network still there?`);
  }
  const blob = new Blob(pieces);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const unpacked = blob.stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(unpacked).arrayBuffer());
  } catch {
    throw new Error(`${nameOf(address)} is damaged: it cannot be unpacked.`);
  }
}

/** What a JSON file of the book's folder says. */
export async function fetchJson(address) {
  const bytes = await fetchBytes(address);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // Some hosts answer with a page, and no word that it is another.
    throw new Error(`${nameOf(address)} is not what the book keeps there.`);
  }
}

function nameOf(address) {
  return new URL(address).pathname.split("/").at(-1);
}
