// What may happen to codes between encoder and decoder, and what a curious listener does to them.
//
// In the order of a real line: the sender keeps the first codebooks, as many as the bandwidth pays
// for. On the way bits are turned and frames get lost; the receiver conceals what it knows is lost.
// Last of all the listener freezes or mutes single codebooks, to hear what they carry.

/** Lost frames in a row that are bridged by the last one that came; silence follows. */
export const BRIDGED = 5;

/** What has happened to a frame. */
export const FINE = 0, DAMAGED = 1, CONCEALED = 2, GAP = 3;

/** What all knobs say at the beginning. */
export function knobsFor(model) {
  const { bandwidths, n_q } = model;
  return {
    kept: (bandwidths.find(({ kbps }) => kbps === 6) ?? bandwidths.at(-1)).n_q, // codebooks sent
    muted: Array(n_q).fill(false),
    frozen: Array(n_q).fill(false),
    bitsDamaged: 0, // per second
    framesLost: 0, // per second
    conceal: true,
  };
}

/** How many of some rare things happen in one frame, if `mean` of them do on average. */
function happenings(mean, random) {
  const certain = Math.floor(mean);
  return certain + (random() < mean - certain ? 1 : 0);
}

export class Channel {
  /** model: what `export-onnx` wrote about the codec. `random`: from 0 to 1, for the accidents. */
  constructor(model, random = Math.random) {
    this.model = model;
    this.random = random;
    this.reset();
  }

  /** Another sound. */
  reset() {
    this.held = Array(this.model.n_q).fill(null); // the code that each frozen codebook stays at
    this.restart();
  }

  /** Another place in the sound: what is frozen stays frozen. */
  restart() {
    this.last = null; // the frame that came last, as it came
    this.missing = 0; // frames lost since
  }

  /** One frame, `n_q` codes: what is heard of it, and what happened to it.
   *  A codebook that says nothing has the code `codebook_size`, as the decoder knows it. */
  pass(codes, knobs) {
    const { n_q, bits, codebook_size: nothing, frame_rate: rate } = this.model;
    const sent = Uint16Array.from(codes.subarray(0, knobs.kept));
    let fate = FINE;
    for (let n = happenings(knobs.bitsDamaged / rate, this.random); n > 0; n--) {
      const place = Math.floor(this.random() * knobs.kept * bits);
      const k = Math.floor(place / bits);
      sent[k] = Math.min(sent[k] ^ (1 << (place % bits)), nothing - 1);
      fate = DAMAGED;
    }
    const lost = happenings(knobs.framesLost / rate, this.random) > 0;
    let came = sent;
    if (lost) {
      this.missing += 1;
      fate = knobs.conceal ? CONCEALED : GAP;
      const bridge = this.last && this.missing <= BRIDGED;
      came = bridge ? this.last : Uint16Array.from(this.model.silence.slice(0, knobs.kept));
    } else {
      this.missing = 0;
      this.last = sent;
    }
    const heard = new Int32Array(n_q).fill(nothing);
    for (let k = 0; k < n_q; k++) {
      const code = k < knobs.kept && k < came.length ? came[k] : nothing;
      if (!knobs.frozen[k]) this.held[k] = null;
      else if (code !== nothing) this.held[k] ??= code; // what is silent cannot be held
      heard[k] = knobs.muted[k] || k >= knobs.kept ? nothing : this.held[k] ?? code;
    }
    return { heard, fate };
  }
}
