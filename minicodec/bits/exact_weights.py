"""Support: what the exact language model is made of: signed bytes, scales and tables.

`to_integers` rounds a trained float model to them, and `check_tensors` refuses what could make any
sum leave the range in which floats hold every integer. Both know the units in which
`minicodec.bits.exact` computes.
"""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from minicodec.bits.language_model import LanguageModel, LanguageModelConfig
from minicodec.bits.transformer import position_embedding

FRACTION = 1 << 10  # between layers, 1.0 is this many units
LIMIT = 1 << 15  # and nothing is larger than this
ACTIVATION = 255  # the largest input of a product; 8 bits and a sign
WEIGHT = 127
ATTENTION = 1 << 8  # 1.0 in queries, keys and values
ATTENTION_LIMIT = 1 << 19
OCTAVE = 64  # steps of the table of 2^-x for each factor of two
EXP_ONE = 1 << 22  # what 2^0 is in that table
GELU_STEPS = 64  # of the table of GELU for each unit
GELU_RANGE = 16  # it goes from minus this to this
POSITIONS = 1024  # after so many frames, positions begin at 0 again
TOTAL = 1 << 23  # about what frequencies add up to: below range_coder.MAX_TOTAL

EPSILON = 1e-5  # of the float model's LayerNorm


@torch.no_grad()
def to_integers(model: LanguageModel) -> dict[str, Tensor]:
    """The integers, scales and tables that come nearest to a float model.

    Raises:
        ValueError: for weights that are not finite.
    """
    config = model.config
    for name, value in model.named_parameters():
        if not torch.isfinite(value).all():
            raise ValueError(f"{name} holds NaN or infinite values: this model is of no use.")
    state = {name: value.detach().cpu().double() for name, value in model.state_dict().items()}
    step = float(state["embedding.weight"].abs().max().clamp(min=1e-9)) / WEIGHT
    grid = torch.arange(-GELU_RANGE * GELU_STEPS, GELU_RANGE * GELU_STEPS + 1).double() / GELU_STEPS
    places = torch.arange(POSITIONS, dtype=torch.float64)
    exponents = torch.arange(math.ceil(math.log2(EXP_ONE) + 1) * OCTAVE + 1).double() / OCTAVE
    tensors = {
        "embedding": (state["embedding.weight"] / step).round().to(torch.int8),
        "norm.epsilon": torch.tensor(round(EPSILON * (config.dim / step) ** 2) + 1.0).double(),
        "positions": (position_embedding(places, config.dim) * FRACTION).round().short(),
        "exp": (EXP_ONE * 2**-exponents).round().int(),
        "gelu": (F.gelu(grid) * FRACTION).round().short(),
    }
    # Of each product: the unit of its input, and of its output.
    units = {"qkv": (1 / FRACTION, 1 / ATTENTION), "out": (1 / ATTENTION, 1 / FRACTION),
             "up": (1 / FRACTION, 1 / GELU_STEPS), "down": (1 / FRACTION, 1 / FRACTION),
             "heads": (1 / FRACTION, math.log(2) / OCTAVE)}  # fmt: skip
    for name in {name.rpartition(".")[0] for name in state} - {"embedding"}:
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        kind = name.rpartition(".")[2]
        if kind in units:
            unit_in, unit_out = units[kind]
            row = torch.maximum(weight.abs().amax(1) / WEIGHT, weight.abs().sum(1) / 6e4)
            row = row.clamp(min=1e-9)
            tensors[f"{name}.weight"] = (weight / row[:, None]).round().to(torch.int8)
            tensors[f"{name}.scale"] = row * unit_in / ACTIVATION / unit_out
            tensors[f"{name}.bias"] = bias / unit_out
            if kind == "up":
                tensors[f"{name}.bias"] += GELU_RANGE * GELU_STEPS
        else:
            tensors[f"{name}.gain"] = weight * FRACTION
            tensors[f"{name}.bias"] = bias * FRACTION
    return tensors


def check_tensors(config: LanguageModelConfig, tensors: Mapping[str, Tensor]) -> None:
    """Refuse what is not whole, and what could make a sum leave the exact range."""
    if config.dim > 512 or config.codebook_size > 1 << 14:
        raise ValueError(
            f"an exact model has at most 512 channels and 16384 entries in a codebook, but this "
            f"has {config.dim} and {config.codebook_size}."
        )
    most = (1 << 53) // (EXP_ONE * ATTENTION_LIMIT) - 1  # sums over what is heard are in float64
    if config.context > most:
        raise ValueError(
            f"an exact model looks back over at most {most} frames, but this over {config.context}."
        )
    products = {"heads": (config.n_q * config.codebook_size, config.dim)}
    norms = ["norm"]
    for layer in range(config.layers):
        stem = f"layers.{layer}"
        products |= {f"{stem}.qkv": (3 * config.dim, config.dim),
                     f"{stem}.out": (config.dim, config.dim),
                     f"{stem}.up": (config.hidden, config.dim),
                     f"{stem}.down": (config.dim, config.hidden)}  # fmt: skip
        norms += [f"{stem}.norm1", f"{stem}.norm2"]
    wanted: dict[str, tuple[tuple[int, ...], torch.dtype]] = {
        "embedding": ((config.n_q * (config.codebook_size + 1), config.dim), torch.int8),
        "positions": ((POSITIONS, config.dim), torch.int16),
        "exp": ((math.ceil(math.log2(EXP_ONE) + 1) * OCTAVE + 1,), torch.int32),
        "gelu": ((2 * GELU_RANGE * GELU_STEPS + 1,), torch.int16),
        "norm.epsilon": ((), torch.float64),
    }
    for name, (rows, columns) in products.items():
        wanted[f"{name}.weight"] = (rows, columns), torch.int8
        wanted[f"{name}.scale"] = wanted[f"{name}.bias"] = (rows,), torch.float64
    for name in norms:
        wanted[f"{name}.gain"] = wanted[f"{name}.bias"] = (config.dim,), torch.float64
    for name in [*wanted, *tensors]:
        if name not in tensors or name not in wanted:
            raise ValueError(
                f"an exact language model of this config has {'a' if name in wanted else 'no'} "
                f"tensor {name!r}."
            )
        tensor, (shape, dtype) = tensors[name], wanted[name]
        if tensor.shape != shape or tensor.dtype != dtype:
            raise ValueError(
                f"{name} should be {str(dtype)[6:]} {list(shape)}, but is {str(tensor.dtype)[6:]} "
                f"{list(tensor.shape)}."
            )
        if dtype == torch.float64 and not bool((tensor.abs() < 1e9).all()):
            raise ValueError(f"{name} holds values that are not finite, or far too large.")
    for name in products:
        largest = int(tensors[f"{name}.weight"].int().abs().sum(1).max()) * ACTIVATION
        if largest >= 1 << 24:
            raise ValueError(
                f"a row of {name}.weight could add up to {largest}: float32 is exact only below "
                f"{1 << 24}."
            )
    epsilon = float(tensors["norm.epsilon"])
    if not (epsilon >= 1 and epsilon < 1 << 40 and epsilon == int(epsilon)):
        raise ValueError(f"norm.epsilon is an integer from 1 to 2^40, not {epsilon}.")
    powers = tensors["exp"].tolist()
    if powers[0] != EXP_ONE or powers[-1] != 0 or powers != sorted(powers, reverse=True):
        raise ValueError("the table of 2^-x should fall from 2^22 to 0.")
