// The pictures of one version on two canvases: waveform above, mel spectrogram below.

import { element } from "./dom.mjs";
import { diverging, envelope, magma, melOfHz, melSpectrogram, pixels } from "./pictures.mjs";

const FRAMES = 480; // columns of a picture

export class Pictures {
  constructor(rate) {
    this.rate = rate;
    this.wave = element("canvas", { class: "mc-wave", "aria-hidden": "true" });
    this.mel = element("canvas", { class: "mc-mel", role: "img" });
    this.spectrograms = [];
  }

  /** Colours as numbers, as the page's light or dark style has them now. */
  colour(name) {
    this.wave.style.color = `var(${name})`;
    return getComputedStyle(this.wave).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  }

  spectrogram(buffers, index) {
    this.spectrograms[index] ??= melSpectrogram(
      buffers[index].getChannelData(0), buffers[index].sampleRate, FRAMES);
    return this.spectrograms[index];
  }

  /** Version `active` of `buffers`, or its difference from the first one. */
  draw(buffers, active, difference) {
    this.drawWave(buffers, active, difference);
    this.drawMel(buffers, active, difference);
  }

  drawWave(buffers, active, difference) {
    const [width, height, pen] = prepared(this.wave);
    const original = buffers[0].getChannelData(0);
    const samples = buffers[active].getChannelData(0);
    // One scale for all versions: the original fills the height.
    this.peak ??= original.reduce((most, value) => Math.max(most, Math.abs(value)), 0.01);
    const bars = (values, colour) => {
      pen.fillStyle = `rgb(${colour})`;
      envelope(values, width).forEach(([low, high], x) => {
        const top = (height / 2) * (1 - high / this.peak);
        pen.fillRect(x, top, 1, Math.max(1, ((height / 2) * (high - low)) / this.peak));
      });
    };
    if (active) bars(original, this.colour("--mc-faint"));
    bars(difference ? samples.map((value, i) => value - original[i]) : samples,
      this.colour("--mc-accent"));
  }

  drawMel(buffers, active, difference) {
    const [width, height, pen] = prepared(this.mel);
    const picture = this.spectrogram(buffers, active);
    const small = new OffscreenCanvas(picture.frames, picture.mels);
    let colour = (cell) => magma(picture.values[cell]);
    if (difference) {
      const original = this.spectrogram(buffers, 0).values;
      const shades = ["--mc-ground", "--mc-less", "--mc-more"].map((name) => this.colour(name));
      colour = (cell) => diverging(picture.values[cell] - original[cell], ...shades);
    }
    small.getContext("2d").putImageData(pixels(picture, colour), 0, 0);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(small, 0, 0, width, height);

    pen.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    pen.fillStyle = difference ? `rgb(${this.colour("--mc-soft")})` : "#ffffffcc";
    for (const hz of [500, 1000, 2000, 4000, 8000]) {
      if (hz > this.rate / 2.2) break;
      const y = height * (1 - melOfHz(hz) / melOfHz(this.rate / 2));
      pen.fillRect(0, y, 5 * devicePixelRatio, 1);
      pen.fillText(hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`,
        8 * devicePixelRatio, y + 4 * devicePixelRatio);
    }
  }
}

/** A canvas cleared and as sharp as the screen: width, height, pen. */
function prepared(canvas) {
  canvas.width = canvas.clientWidth * devicePixelRatio;
  canvas.height = canvas.clientHeight * devicePixelRatio;
  return [canvas.width, canvas.height, canvas.getContext("2d")];
}
