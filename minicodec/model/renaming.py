"""Support: one network, three packages: what each calls its tensors, read and written.

The official package wraps each convolution twice and names it `encoder.model.3.conv.conv`;
transformers names the same one `encoder.layers.3.conv`; ours is `encoder.layers.3`. All three count
layers alike, so a few replacements turn one name into the other. Chapter 15 puts them to work.

The way back has to know of each layer what it is, since the official package calls a transposed
convolution `convtr`. And both packages keep weight norm as a length and a direction where we keep
their product: we hand them the weight as its own direction, with the length that it has.
"""

import re
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from minicodec.model.checkpoint import CheckpointError, inference_weights
from minicodec.model.codec import Codec
from minicodec.model.conv import Conv1d, ConvTranspose1d
from minicodec.model.quantize import Codebook

#: Packages for which we write: `transformers.EncodecModel` and `encodec.EncodecModel`.
Package = Literal["transformers", "official"]

_RENAMES = [
    (r"\.model\.", ".layers."),  # official
    (r"\.(conv|convtr)\.(conv\.|convtr\.)", "."),  # official: a wrapper in a wrapper
    (r"\.(conv|convtr)\.norm\.", ".norm."),  # official
    (r"\.conv\.", "."),  # transformers: one wrapper
    (r"^quantizer\.(vq\.)?layers\.", "quantizer.codebooks."),
    (r"\._?codebook\.", "."),
    (r"\.embed_avg$", ".sums"),
    (r"\.embed$", ".embedding"),
    (r"\.cluster_size$", ".counts"),
    (r"\.inited$", ".initialized"),
    (r"\.parametrizations\.weight\.original0$", ".weight_g"),  # torch's newer weight norm
    (r"\.parametrizations\.weight\.original1$", ".weight_v"),
]

#: What `rename` has made says so among the metadata of its file.
WHOLE = {"directions": "have their length"}

_SILENT = 1e-12  # a filter this short has no direction that float32 could tell


def our_name(name: str) -> str:
    """What we call a tensor of the official package or of transformers.

    >>> our_name("encoder.model.3.conv.conv.bias"), our_name("encoder.layers.3.conv.bias")
    ('encoder.layers.3.bias', 'encoder.layers.3.bias')
    """
    for pattern, replacement in _RENAMES:
        name = re.sub(pattern, replacement, name)
    return name


def convert(tensors: Mapping[str, Tensor], whole: bool = False) -> dict[str, Tensor]:
    """Official or transformers names to ours, with weight norm folded.

    Args:
        tensors: a `state_dict` of `encodec.EncodecModel` or `transformers.EncodecModel`.
        whole: directions have their length already, as those of `rename`. To divide them by it and
            multiply again changes nothing on the machine that wrote them; on another, whose sums of
            squares end in other bits, the weights would be other ones in their last bit.

    Raises:
        CheckpointError: for a length without a direction that fits it, which no such model has.
    """
    ours = {our_name(name): tensor for name, tensor in tensors.items()}
    for name in [name for name in ours if name.endswith(".weight_g")]:
        stem = name.removesuffix("_g")
        length, direction = ours.pop(name), ours.pop(f"{stem}_v", None)
        if (
            direction is None
            or direction.dim() < 2
            or length.shape != (len(direction), *[1] * (direction.dim() - 1))
            or not (direction.is_floating_point() and length.is_floating_point())
        ):
            raise CheckpointError(f"{name} has no {stem}_v that fits it.")
        direction, length = direction.float(), length.float()
        ours[stem] = (
            torch.where(length == 0, length, direction)
            if whole
            else torch._weight_norm(direction, length, 0)
        )
    return ours


def rename(codec: Codec, package: Package) -> dict[str, Tensor]:
    """The weights of a codec by the names of another package, ready for its `load_state_dict`.

    `convert(…, whole=True)` of them gives the same weights again, bit for bit.

    Args:
        codec: with codebooks that are averages ("ema"); the others have no name there.
        package: "transformers" gets a length and a direction for each convolution also where our
            config has no norm, since it knows no model without one.
    """
    ours, official = inference_weights(codec), package == "official"
    # What is folded has no norm in its module any more: the config remembers it.
    split = codec.config.norm == "weight_norm" or (codec.config.norm == "none" and not official)
    theirs: dict[str, Tensor] = {}
    for name, module in codec.named_modules():
        leaves = {key.removeprefix(f"{name}."): key for key in ours if key.startswith(f"{name}.")}
        # The first ".layers." is the network's own list.
        place = name.replace(".layers.", ".model.", 1) if official else name
        if isinstance(module, (Conv1d, ConvTranspose1d)):
            outer = f"{place}.conv"
            if official and isinstance(module, ConvTranspose1d):
                outer = f"{place}.convtr"
            inner = f"{outer}.{outer.rpartition('.')[2]}" if official else outer
            around = f"{outer}.norm" if official else f"{place}.norm"
            for leaf, key in leaves.items():
                if leaf == "weight" and split:
                    length, direction = _taken_apart(ours[key])
                    theirs |= {f"{inner}.weight_g": length, f"{inner}.weight_v": direction}
                elif leaf.startswith("norm."):
                    theirs[f"{around}.{leaf.removeprefix('norm.')}"] = ours[key]
                else:
                    theirs[f"{inner}.{leaf}"] = ours[key]
        elif isinstance(module, nn.LSTM):
            theirs |= {f"{place}.{leaf}": ours[key] for leaf, key in leaves.items()}
        elif isinstance(module, Codebook):
            level = name.rpartition(".")[2]
            stem = f"quantizer.{'vq.layers' if official else 'layers'}.{level}"
            theirs |= _codebook(
                f"{stem}.{'_codebook' if official else 'codebook'}",
                ours[leaves["embedding"]],
                ours[leaves["counts"]],
            )
    return theirs


def _codebook(stem: str, embedding: Tensor, counts: Tensor) -> dict[str, Tensor]:
    """The running totals, too, so that it can be trained on there."""
    return {
        f"{stem}.inited": torch.ones(1),  # else the official one would begin again from k-means
        f"{stem}.cluster_size": counts,
        f"{stem}.embed": embedding,
        f"{stem}.embed_avg": embedding * counts[:, None],
    }


def _taken_apart(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Length and direction of each filter; its direction is the filter itself.

    Lengths are those that torch computes when it puts the two together: their quotient is 1, so the
    weight comes out as it went in. `norm` of the same filter ends in other bits.

    Shape:
        weight: [F, ...] → length [F, 1, 1], direction [F, ...]
    """
    shape = (len(weight), *[1] * (weight.dim() - 1))
    _, length = torch._weight_norm_interface(weight, torch.ones(shape), 0)
    length = length.view(shape)
    silent = length < _SILENT  # 0 / 0 would be NaN
    return length.masked_fill(silent, 0.0), torch.where(silent, torch.ones(()), weight)
