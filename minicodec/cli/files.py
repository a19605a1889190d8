"""Commands on whole clips, and what commands share: targets, models, notes."""

import argparse
import sys
from pathlib import Path

from torch import Tensor
from tqdm import tqdm

import minicodec
from minicodec import listening
from minicodec.model.checkpoint import SHIPPED
from minicodec.model.codec import Codec
from minicodec.model.pretrained import OFFICIAL, load
from minicodec.sound import audio as audio_
from minicodec.sound.metrics import mel_distance, si_sdr

#: Clips shorter than this are done before a bar could be read.
_LONG = 20.0


def roundtrip(args: argparse.Namespace) -> None:
    """Audio file to audio file, through the codec."""
    target = target_path(args, ".decoded.wav")
    codec = load(args.model)
    clip = _read(args.input, codec)
    progress = _is_long(clip, codec)
    codes, scales = codec.encode_scaled(clip, args.bandwidth, progress)
    restored = codec.decode(codes, scales, clip.shape[-1], progress)
    audio_.save(target, restored, codec.config.sample_rate)
    mel = float(mel_distance(restored, clip, codec.config.sample_rate))
    print(f"{target}: SI-SDR {float(si_sdr(restored, clip)):.2f} dB, mel distance {mel:.2f} dB")


def listen(args: argparse.Namespace) -> None:
    """A page that plays one clip at every bandwidth."""
    # The default name is our own, so a second run may replace the page of the first.
    target = target_path(args, ".html") if args.output else Path("listen.html")
    codec = load(args.model)
    rate = codec.config.sample_rate
    if args.input is not None:
        clip = _read(args.input, codec)[..., : 10 * rate]
    else:
        clip = audio_.mix(audio_.clip("speech_en", rate), codec.config.channels)
    sounds = {"original": clip}
    for bandwidth in tqdm(codec.config.bandwidths, desc="coding", unit="bandwidth"):
        data = minicodec.compress(codec, clip, bandwidth)
        kbps = len(data) * 8 / clip.shape[-1] * rate / 1000
        label = f"{bandwidth:g} kbps (file: {kbps:.2f} kbps)"
        sounds[label] = minicodec.decompress(data, codec)
    page = listening.compare(sounds, rate, title=f"{codec.name} at every bandwidth")
    page.save(target, "Play the original first, then the lowest bandwidth, then upwards.")
    print(f"open {target.resolve()}")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add these commands to a parser."""
    for run in (roundtrip, listen):
        sub = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
        sub.set_defaults(run=run)
        sub.add_argument("input", nargs="?" if run is listen else None, help="file to read")
        add_output(sub, "file to write; else named after the input")
        add_model(sub, "mini_24khz")
        if run is roundtrip:
            sub.add_argument(
                "-b", "--bandwidth", type=float, help="in kbps; the model's highest by default"
            )


def add_output(parser: argparse.ArgumentParser, text: str) -> None:
    """The options -o and -f."""
    parser.add_argument("-o", "--output", help=text)
    parser.add_argument("-f", "--force", action="store_true", help="replace an existing file")


def add_model(parser: argparse.ArgumentParser, default: str | None) -> None:
    """The option -m."""
    known = ", ".join([*SHIPPED, *OFFICIAL])
    parser.add_argument("-m", "--model", default=default, help=f"{known}, or a .safetensors file")


def target_path(args: argparse.Namespace, ending: str) -> Path:
    """The file to write: -o, or the input's name with another ending.

    Raises:
        ValueError: if it is the input itself, or there already, or in no folder.
    """
    target = Path(args.output) if args.output else Path(args.input).with_suffix(ending)
    if args.input and target.exists() and target.resolve() == Path(args.input).resolve():
        raise ValueError(f"{target} is the input itself: choose another -o.")
    if target.exists() and not args.force:
        raise ValueError(f"{target} exists already: choose another -o, or replace it with -f.")
    if not target.parent.is_dir():
        raise ValueError(
            f"{target.parent} is not a folder, so {target.name} cannot be written there."
        )
    return target


def note_changes(rate: int, channels: int, codec: Codec, file: str) -> None:
    """Say that a sound has to be resampled or mixed for a codec.

    Raises:
        ValueError: for more than two channels.
    """
    config = codec.config
    if channels > 2:
        raise ValueError(f"{file} has {channels} channels; only mono and stereo are known.")
    if (channels, rate) != (config.channels, config.sample_rate):
        print(
            f"note: {rate} Hz with {channels} channel(s) becomes {config.sample_rate} Hz with "
            f"{config.channels}, as {codec.name} needs.",
            file=sys.stderr,
        )


def _read(file: str, codec: Codec) -> Tensor:
    config = codec.config
    clip, rate = audio_.load(file)
    note_changes(rate, clip.shape[0], codec, file)
    clip = audio_.resample(audio_.mix(clip, config.channels), rate, config.sample_rate)
    return clip[None]


def _is_long(clip: Tensor, codec: Codec) -> bool:
    return clip.shape[-1] > _LONG * codec.config.sample_rate
