"""Commands on files: audio in, stream out, and back."""

import argparse
import sys
from pathlib import Path

from torch import Tensor
from tqdm import tqdm

import minicodec
from minicodec import audio as audio_
from minicodec import bitstream, listening
from minicodec.checkpoint import SHIPPED
from minicodec.codec import Codec
from minicodec.metrics import mel_distance, si_sdr
from minicodec.pretrained import OFFICIAL, load

#: Clips shorter than this are done before a bar could be read.
_LONG = 20.0


def encode(args: argparse.Namespace) -> None:
    """Audio file to stream."""
    target = _target(args, ".mcdc")
    codec = load(args.model)
    clip = _read(args.input, codec)
    data = minicodec.compress(codec, clip, args.bandwidth, progress=_is_long(clip, codec))
    _write(target, data)
    seconds = clip.shape[-1] / codec.config.sample_rate
    print(
        f"{target}: {seconds:.2f} s in {len(data)} bytes, {len(data) * 8 / seconds / 1000:.2f} kbps"
    )


def decode(args: argparse.Namespace) -> None:
    """Stream to audio file."""
    target = _target(args, ".wav")
    data = _read_stream(args.input)
    header, _ = bitstream.read(data)
    if args.model is None and header.model not in {*SHIPPED, *OFFICIAL}:
        # Its name is a stranger's word: never a path to open.
        raise ValueError(
            f"this stream was made by {header.model!r}, which does not ship with minicodec: name "
            "that model's .safetensors file with -m."
        )
    codec = load(args.model or header.model)
    clip = minicodec.decompress(data, codec, progress=header.seconds > _LONG)
    audio_.save(target, clip, header.sample_rate)
    print(
        f"{target}: {header.seconds:.2f} s, {header.channels} channel(s), {header.sample_rate} Hz"
    )


def info(args: argparse.Namespace) -> None:
    """What a stream holds."""
    data = _read_stream(args.input)
    header, payload = bitstream.read(data)
    nominal = len(payload) * 8 / header.seconds / 1000
    real = len(data) * 8 / header.seconds / 1000
    print(
        f"model       {header.model} (fingerprint {header.fingerprint.hex()})\n"
        f"audio       {header.seconds:.3f} s, {header.length} samples, {header.sample_rate} Hz, "
        f"{header.channels} channel(s)\n"
        f"codes       {header.n_q} codebooks of {2**header.bits} entries\n"
        f"size        {len(data)} bytes, of which codes {len(payload)}\n"
        f"bandwidth   {real:.3f} kbps, of which codes {nominal:.3f}"
    )


def roundtrip(args: argparse.Namespace) -> None:
    """Audio file to audio file, through the codec."""
    target = _target(args, ".decoded.wav")
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
    target = _target(args, ".html") if args.output else Path("listen.html")
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
    for run in (encode, decode, info, roundtrip, listen):
        sub = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
        sub.set_defaults(run=run)
        sub.add_argument("input", nargs="?" if run is listen else None, help="file to read")
        if run is info:
            continue
        sub.add_argument("-o", "--output", help="file to write; else named after the input")
        sub.add_argument("-f", "--force", action="store_true", help="replace an existing file")
        sub.add_argument(
            "-m",
            "--model",
            default=None if run is decode else "mini_24khz",
            help="mini_24khz, encodec_24khz, encodec_48khz, or a .safetensors file",
        )
        if run in (encode, roundtrip):
            sub.add_argument(
                "-b", "--bandwidth", type=float, help="in kbps; the model's highest by default"
            )


def _target(args: argparse.Namespace, ending: str) -> Path:
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


def _read(file: str, codec: Codec) -> Tensor:
    config = codec.config
    clip, rate = audio_.load(file)
    if clip.shape[0] > 2:
        raise ValueError(f"{file} has {clip.shape[0]} channels; only mono and stereo are known.")
    if clip.shape[0] != config.channels or rate != config.sample_rate:
        print(
            f"note: {rate} Hz with {clip.shape[0]} channel(s) becomes {config.sample_rate} Hz with "
            f"{config.channels}, as {codec.name} needs.",
            file=sys.stderr,
        )
    clip = audio_.resample(audio_.mix(clip, config.channels), rate, config.sample_rate)
    return clip[None]


def _read_stream(file: str) -> bytes:
    if Path(file).is_dir():
        raise ValueError(f"{file} is a folder, not a stream.")
    if not Path(file).is_file():
        raise ValueError(f"{file}: no such file.")
    return Path(file).read_bytes()


def _write(target: Path, data: bytes) -> None:
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _is_long(clip: Tensor, codec: Codec) -> bool:
    return clip.shape[-1] > _LONG * codec.config.sample_rate
