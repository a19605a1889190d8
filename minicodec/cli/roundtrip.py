"""Support: `minicodec roundtrip`: audio file to audio file, through the codec."""

import argparse

from minicodec.cli.common import LONG, check_device, note_changes, target_path
from minicodec.model.pretrained import config_of, load
from minicodec.sound import audio
from minicodec.sound.files import WRITABLE
from minicodec.sound.metrics import mel_distance, si_sdr


def run(args: argparse.Namespace) -> None:
    """Write what a clip is after the codec, and say how near it is."""
    target = target_path(args.input, args.output, WRITABLE, args.force, ".decoded.wav")
    config = config_of(args.model)
    if args.bandwidth is not None:
        config.n_q(args.bandwidth)  # refuses one that there is not
    check_device(args.device)
    sound, rate = audio.load(args.input)
    note_changes(rate, sound.shape[0], config, args.model, args.input)
    clip = audio.resample(audio.mix(sound, config.channels), rate, config.sample_rate)[None]
    codec = load(args.model, device=args.device)
    long = clip.shape[-1] > LONG * config.sample_rate
    codes, scales = codec.encode_scaled(clip, args.bandwidth, long)
    copy = codec.decode(codes, scales, clip.shape[-1], long).cpu()
    audio.save(target, copy, config.sample_rate)
    mel = float(mel_distance(copy, clip, config.sample_rate))
    print(f"{target}: SI-SDR {float(si_sdr(copy, clip)):.2f} dB, mel distance {mel:.2f} dB")
