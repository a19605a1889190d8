"""Draw the README's picture: one sentence, what the codec makes of it, and Opus at its lowest.

python tools/make_picture.py
"""

from pathlib import Path

import matplotlib.pyplot as plt

import minicodec
from minicodec import audio, plotting
from minicodec.listening import opus

TARGET = Path(__file__).resolve().parents[1] / "book/_static/bandwidths.png"


def main() -> None:
    codec = minicodec.load("mini_24khz")
    rate = codec.config.sample_rate
    speech = audio.clip("speech_en", rate, seconds=3)
    versions = {"original\n384": speech}
    for bandwidth in reversed(codec.config.bandwidths):
        codes = codec.encode(speech, bandwidth)
        versions[f"minicodec\n{bandwidth:g}"] = codec.decode(codes, length=speech.shape[-1])
    versions["Opus\n6"] = opus("speech_en", 6).audio[..., : speech.shape[-1]]
    plotting.use_style()
    figure, axes = plt.subplots(1, len(versions), figsize=(12, 2.6), sharey=True)
    for ax, (label, clip) in zip(axes, versions.items()):
        plotting.spectrogram(clip, rate, ax, title=f"{label} kbps", colorbar=False)
        if ax is not axes[0]:
            ax.set_ylabel("")
    figure.savefig(TARGET, dpi=100)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
