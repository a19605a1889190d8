"""Support: `minicodec listen`: a page that plays one clip at every bandwidth."""

import argparse
import os
import sys
import webbrowser

from tqdm import tqdm

from minicodec import listening
from minicodec.bits.bitstream import compress, decompress
from minicodec.cli.common import check_device, note_changes, target_path
from minicodec.model.pretrained import config_of, load
from minicodec.sound import audio

#: Seconds of the clip that are played.
_SECONDS = 10


def run(args: argparse.Namespace) -> None:
    """Write the page."""
    # The default name is our own, so a second run may replace the page of the first.
    force = args.force or not args.output
    target = target_path(args.input, args.output or "listen.html", [".html"], force)
    config = config_of(args.model)
    check_device(args.device)
    rate = config.sample_rate
    if args.input is None:
        clip = audio.mix(audio.clip("speech_en", rate), config.channels)
    else:
        sound, own_rate = audio.load(args.input, seconds=_SECONDS)
        note_changes(own_rate, sound.shape[0], config, args.model, args.input)
        clip = audio.resample(audio.mix(sound, config.channels), own_rate, rate)[None]
    codec = load(args.model, device=args.device)
    sounds = {"original": clip}
    for bandwidth in tqdm(config.bandwidths, desc="coding", unit="bandwidth"):
        data = compress(codec, clip, bandwidth)
        kbps = len(data) * 8 / clip.shape[-1] * rate / 1000
        label = f"{bandwidth:g} kbps (file: {kbps:.2f} kbps)"
        sounds[label] = decompress(data, codec)
    page = listening.compare(sounds, rate, title=f"{codec.name} at every bandwidth")
    page.save(target, "Play the original first, then the lowest bandwidth, then upwards.")
    print(f"open {target.resolve()}", flush=True)
    if args.open and has_desktop():
        webbrowser.open(target.resolve().as_uri())


def has_desktop(platform: str = sys.platform) -> bool:
    """Whether a browser with windows can be opened; else one for terminals would be."""
    windows = ("DISPLAY", "WAYLAND_DISPLAY")
    return platform in ("darwin", "win32") or any(os.environ.get(name) for name in windows)
