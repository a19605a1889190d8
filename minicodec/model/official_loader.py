"""Support: the lines that build the official `encodec.EncodecModel` in the size of a codec of ours.

The official package builds its two models alone, by name, and reads weights from pickles, which can
run whatever their writer wants; we write none. But its classes take any size. So an export for it
is a file of weights by its names, and beside it a script of twenty lines, written with the codec's
own numbers, that calls these classes and loads the file. Who wants a `.th` calls `torch.save` on
what it returns.
"""

import dataclasses

from minicodec.model.config import CodecConfig

#: The script's name; it looks for the weights beside itself.
SCRIPT = "load_encodec.py"

_TEMPLATE = '''"""{name} as a model of the official package: pip install encodec safetensors

from load_encodec import load
model = load()
model.set_target_bandwidth({bandwidth})
frames = model.encode(audio)        # [B, {channels}, T] at {sample_rate} Hz
audio = model.decode(frames)
"""

from pathlib import Path

from encodec import EncodecModel
from encodec.modules import SEANetDecoder, SEANetEncoder
from encodec.quantization import ResidualVectorQuantizer
from safetensors.torch import load_file

SIZES = dict(
    channels={channels},
    dimension={dimension},
    n_filters={n_filters},
    ratios={ratios},
    n_residual_layers={n_residual_layers},
    lstm={lstm_layers},
    norm="{norm}",
    causal={causal},
    pad_mode="{pad_mode}",
)


def load(weights=Path(__file__).with_name("model.safetensors")):
    model = EncodecModel(
        SEANetEncoder(**SIZES),
        SEANetDecoder(**SIZES),
        ResidualVectorQuantizer(dimension={dimension}, n_q={n_q}, bins={codebook_size}),
        target_bandwidths={bandwidths},
        sample_rate={sample_rate},
        channels={channels},
        normalize={normalize},
        segment={segment},
        overlap={overlap},
    )
    model.load_state_dict(load_file(weights))
    return model.eval()
'''


def script(config: CodecConfig, name: str) -> str:
    """The Python text of `load_encodec.py`; all of it but the name are numbers and words of ours.

    Args:
        name: of the codec; in the script it stands in words of letters, digits and a few signs.
    """
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "_-. ") else "_" for c in name)
    values = dataclasses.asdict(config) | {
        "name": plain.strip() or "unnamed",
        "bandwidth": config.bandwidths[-1],
        "bandwidths": list(config.bandwidths),
        "ratios": list(reversed(config.strides)),
        "n_q": config.max_n_q,
    }
    return _TEMPLATE.format(**values)
