"""Support: how good is it so far? Held-out clips through the codec, at every bandwidth.

The measures are those of chapters 01 and 14.
"""

import math
from collections.abc import Sequence
from statistics import fmean

import torch
from torch import Tensor

from minicodec.model.codec import Codec
from minicodec.sound import audio, judges
from minicodec.sound.metrics import codebook_use, mel_distance, si_sdr
from minicodec.training.config import TrainConfig
from minicodec.training.folder import Folder


def held_out(
    folder: str, config: TrainConfig, seconds: float = 3.0, most: int = 40
) -> list[Tensor]:
    """The beginning of each recording in a folder, [1, C, T], brought to half of full scale.

    Raises:
        ValueError: if nothing in the folder can be used.
    """
    files = Folder(folder, config.codec.sample_rate, config.codec.channels, config.seconds, 0).files
    step = max(1, len(files) // most)
    clips = []
    for file in files[::step][:most]:
        try:
            clip, _ = audio.load(file, config.codec.sample_rate, config.codec.channels, seconds)
        except ValueError as error:
            print(f"skipped for validation: {error}")
            continue
        if float(clip.abs().max()) > 0:
            clips.append(0.5 * clip[None] / clip.abs().max())
    if not clips:
        raise ValueError(f"no recording in {folder} can be used: all are silent or damaged.")
    return clips


@torch.no_grad()
def validate(codec: Codec, clips: Sequence[Tensor], visqol: bool = False) -> dict[str, float]:
    """Mean mel distance and SI-SDR of the clips, and how much of the codebooks is in use.

    Args:
        clips: [1, C, T] each.
        visqol: also an estimate of what listeners would say, from 1 to about 4.7. It takes a
            second or more for each clip and needs the package visqol-python.

    Returns:
        "mel_6", "sdr_6" and "visqol_6" for 6 kbps, and so on; "least_used", the share of its
        entries that the least used codebook uses at the highest bandwidth.

    Raises:
        ValueError: if ViSQOL is asked for and not installed.
    """
    if visqol:
        judges.need("visqol")
    was_training = [m for m in codec.modules() if m.training]
    codec.eval()
    rate = codec.config.sample_rate
    device = next(codec.parameters()).device
    result: dict[str, float] = {}
    for bandwidth in codec.config.bandwidths:
        mel, sdr, heard, codes = [], [], [], []
        for clip in (c.to(device) for c in clips):
            code, scales = codec.encode_scaled(clip, bandwidth)
            copy = codec.decode(code, scales, clip.shape[-1])
            codes.append(code)
            mel.append(float(mel_distance(copy, clip, rate)))
            sdr.append(float(si_sdr(copy, clip)))
            if visqol:
                heard.append(judges.visqol(copy.cpu(), clip.cpu(), rate))
        name = f"{bandwidth:g}"
        result |= {f"mel_{name}": fmean(mel), f"sdr_{name}": fmean(sdr)}
        heard = [score for score in heard if not math.isnan(score)]  # silent, or under a second
        if heard:
            result[f"visqol_{name}"] = fmean(heard)
        used = codebook_use(torch.cat(codes, dim=2), codec.config.codebook_size).used
        result["least_used"] = float(used.min())
    for module in was_training:
        module.training = True
    return {key: round(value, 4) for key, value in result.items()}
