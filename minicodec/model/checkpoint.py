"""Support: models as data. One safetensors file holds the weights and, as metadata, the config.

Nothing in such a file is code, so a file from a stranger can be opened safely. Weights are stored
as they are used: weight norm multiplied out, codebooks with the counts of their codes but without
the running sums of training.
"""

import copy
import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import safetensors
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.overrides import TorchFunctionMode

from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.fields import build, json_object
from minicodec.sound.files import write_bytes
from minicodec.sound.names import printable

_WEIGHTS = Path(__file__).parents[1] / "weights"
#: Checkpoints that come with the package. The second decodes the codes of the first.
SHIPPED = {
    name: _WEIGHTS / f"{name}.safetensors" for name in ("mini_24khz", "mini_24khz_adversarial")
}

_MOST_LETTERS = 255  # of a name

_TRAINING_ONLY = (".sums", ".initialized")
#: How often each code was chosen: not needed to decode, but it predicts codes (chapter 11).
_OPTIONAL = ".counts"


class CheckpointError(ValueError):
    """A file that is not a checkpoint, or not of this model."""


def save_codec(
    codec: Codec,
    path: str | Path,
    facts: Mapping[str, object] | None = None,
    half: bool = False,
    decoder_of: str = "",
) -> None:
    """Write a codec to one file, which appears whole or not at all.

    Args:
        path: ends in .safetensors by custom.
        facts: anything JSON can hold that a reader should know: data, hours, licences, quality.
        half: store weights as float16, half the size. They come back as the nearest float16 value
            in float32, so save and load once before you measure.
        decoder_of: a name in `SHIPPED` with the same codes: write the decoder alone. What is read
            back has that one's encoder and quantizer.

    Raises:
        ValueError: if weights hold NaN or infinite values, or codes are not those of `decoder_of`.
    """
    tensors = inference_weights(codec)
    codes = ""
    if decoder_of:
        kept = _without_decoder(decoder_of, f"decoder_of={decoder_of!r}")
        codes = _digest("", kept).hex()
        for key, shared in kept.items():
            mine = tensors.pop(key, None)
            if mine is None or mine.shape != shared.shape:
                raise ValueError(f"{decoder_of} has {key} of another shape: codes would differ.")
            # Weight norm taken apart and multiplied again is not the same to the last bit.
            if not (key.endswith(_OPTIONAL) or torch.allclose(mine, shared.float(), atol=1e-3)):
                raise ValueError(f"{decoder_of} has another {key}: codes would differ.")
    if half:
        tensors = {k: v if k.endswith(_OPTIONAL) else v.half() for k, v in tensors.items()}
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} holds NaN or infinite values: this codec cannot be saved.")
    metadata = {
        "format": "minicodec 1",
        "name": codec.name,
        "config": json.dumps(codec.config.as_dict()),
        "facts": json.dumps(dict(facts or {})),
    } | ({"decoder_of": decoder_of, "codes": codes} if decoder_of else {})
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, save(tensors, metadata))


def load_codec(path: str | Path) -> Codec:
    """Read what `save_codec` wrote: a codec ready to run, in eval mode, without gradients.

    Raises:
        CheckpointError: if the file is missing, damaged, not one of ours, or has other tensors or
            shapes than its config calls for.
    """
    config, metadata = read_config(path), _metadata(path)
    name = printable(metadata.get("name", "unnamed")[:_MOST_LETTERS])
    tensors = _tensors(path)
    if base := metadata.get("decoder_of", ""):
        kept = _without_decoder(base, str(path))
        # A later release may ship other codes under that name, of which this would make noise.
        if _digest("", kept).hex() != metadata.get("codes"):
            raise CheckpointError(f"{path} is a decoder for another {base} than the one here.")
        tensors |= kept
    return assemble(config, tensors, name, str(path))


def _tensors(path: str | Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{path} holds weights that cannot be read: {error}") from error


def _without_decoder(base: str, source: str) -> dict[str, Tensor]:
    """Encoder and quantizer of a shipped codec, for a file that holds another decoder for it."""
    whole = [name for name, file in SHIPPED.items() if is_whole(file)]
    if base not in whole:
        raise CheckpointError(
            f"{source}: a decoder goes with {', '.join(whole)}, not {printable(base[:99])!r}."
        )
    tensors = _tensors(SHIPPED[base])
    return {key: value for key, value in tensors.items() if not key.startswith("decoder.")}


def read_config(path: str | Path) -> CodecConfig:
    """What the codec in a file is made of, without its weights.

    Raises:
        CheckpointError: as `load_codec`, but for the weights.
    """
    text = _metadata(path)["config"]
    try:
        return build(CodecConfig, json_object(text))
    except ValueError as error:
        raise CheckpointError(f"{path} holds a config that cannot be read: {error}") from error


def facts(path: str | Path) -> dict[str, object]:
    """What was written beside the weights: how they were trained, on what, how good they are.

    Raises:
        CheckpointError: as `load_codec`.
    """
    return facts_in(_metadata(path), path)


def facts_in(metadata: Mapping[str, str], path: str | Path) -> dict[str, object]:
    """The facts among what `read_metadata` has found in a file, ours or an export of it.

    Raises:
        CheckpointError: if they cannot be read.
    """
    try:
        return json_object(metadata.get("facts", "{}"))
    except ValueError as error:
        raise CheckpointError(f"{path} holds facts that cannot be read: {error}") from error


def assemble(
    config: CodecConfig, tensors: Mapping[str, Tensor], name: str, source: str = "these weights"
) -> Codec:
    """A codec of this config with these weights, ready to run.

    Args:
        tensors: by our own names, weight norm folded; codebooks need only their `embedding`, and
            bring the `counts` of their codes if they have them.
        source: where they come from, for error messages.

    Raises:
        CheckpointError: naming the first tensor that is missing, unknown or of another shape.
    """
    # A config from a file may call for any amount of memory, and each layer takes time to build.
    # But every one has tensors of its own, and shapes alone need no memory: so both are compared
    # before a model is built.
    least = 2 * config.convolutions + 4 * config.lstm_layers + config.max_n_q
    if least > len(tensors):
        raise CheckpointError(
            f"{source} has {len(tensors)} tensors, too few for the {least} that its config calls "
            "for."
        )
    # Folded, weight norm leaves the names and shapes of no norm, which is quicker to build.
    folded = "none" if config.norm == "weight_norm" else config.norm
    with torch.device("meta"), _Undrawn():
        blank = Codec(dataclasses.replace(config, norm=folded))
    wanted = {k: v for k, v in blank.state_dict().items() if not k.endswith(_TRAINING_ONLY)}
    for key, tensor in wanted.items():
        if key not in tensors:
            if key.endswith(_OPTIONAL):
                continue
            raise CheckpointError(f"{source} has no {key}, which a model of its config needs.")
        if tensors[key].shape != tensor.shape:
            raise CheckpointError(
                f"{source}: {key} has shape {list(tensors[key].shape)}, but the config calls for "
                f"{list(tensor.shape)}."
            )
    unknown = [key for key in tensors if key not in wanted and not key.endswith(_TRAINING_ONLY)]
    if unknown:
        raise CheckpointError(f"{source} has {unknown[0]}, which a model of its config does not.")
    with torch.inference_mode(False):  # what is made in that mode cannot be a parameter
        codec = Codec(config, name)
        fold_weight_norm(codec)
    state = {key: _finite(key, tensors[key], source) for key in wanted if key in tensors}
    if config.quantizer == "ema":
        embeddings = [key for key in state if key.endswith(".embedding")]
    else:
        embeddings = []  # learned codebooks have no running totals
    for key in embeddings:
        stem = key.removesuffix("embedding")
        counts = state.setdefault(stem + "counts", torch.ones(len(state[key])))
        if not (counts >= 0).all():
            raise CheckpointError(f"{source}: {stem}counts are not all at least 0.")
        state[stem + "sums"] = state[key] * counts[:, None]
        state[stem + "initialized"] = torch.tensor(True)
    codec.load_state_dict(state)
    return codec.eval().requires_grad_(False)


class _Undrawn(TorchFunctionMode):
    """Layers get their shapes and draw nothing.

    Where there is no memory to draw into, torch works out what drawing would do by a part of it
    that takes nearly a second to import.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.randn:
            func = torch.empty
        if func.__name__ in ("normal_", "uniform_", "div", "__truediv__"):
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


def _finite(key: str, tensor: Tensor, source: str) -> Tensor:
    """In float32. One NaN among the weights would turn all sound to noise."""
    if not tensor.is_floating_point():
        raise CheckpointError(f"{source}: {key} holds {str(tensor.dtype)[6:]}, not floats.")
    tensor = tensor.float()
    if tensor.numel() and not all(map(torch.isfinite, tensor.aminmax())):
        raise CheckpointError(f"{source}: {key} holds NaN or infinite values.")
    return tensor


def fingerprint(codec: Codec) -> bytes:
    """Eight bytes that name these weights: two codecs share them only if they are the same.

    A bitstream carries them, so that it is never decoded with the wrong model.
    """
    return _digest(json.dumps(codec.config.as_dict()), inference_weights(codec))


def _digest(text: str, tensors: Mapping[str, Tensor]) -> bytes:
    digest = hashlib.sha256(text.encode())
    for key, tensor in sorted(tensors.items()):
        if key.endswith(_OPTIONAL):
            continue  # a recount changes neither codes nor sound
        digest.update(key.encode() + tensor.view(torch.uint8).numpy().tobytes())
    return digest.digest()[:8]


def inference_weights(codec: Codec) -> dict[str, Tensor]:
    """The weights as they are used: weight norm folded, no running totals, on the CPU."""
    if any(parametrize.is_parametrized(module) for module in codec.modules()):
        codec = cast(Codec, fold_weight_norm(copy.deepcopy(codec)))
    return {
        key: tensor.detach().cpu().contiguous()
        for key, tensor in codec.state_dict().items()
        if not key.endswith(_TRAINING_ONLY)
    }


def fold_weight_norm(module: nn.Module) -> nn.Module:
    """Multiply length and direction out, once, in every convolution of `module`, in place.

    Training moves the two separately; at inference nothing changes any more, and computing their
    product on every call is wasted work.

    >>> from minicodec.model.conv import Conv1d
    >>> conv = Conv1d(1, 1, kernel_size=3, norm="weight_norm")
    >>> x = torch.randn(1, 1, 9)
    >>> before = conv(x)
    >>> torch.equal(fold_weight_norm(conv)(x), before)
    True
    """
    for layer in module.modules():
        if parametrize.is_parametrized(layer, "weight"):
            # A deep copy shares its class with the original, and torch takes the weight off the
            # class: without a class of its own, folding a copy would break the original.
            shared = type(layer)
            layer.__class__ = type(shared.__name__, shared.__bases__, dict(vars(shared)))
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
            # What reads weight norm's older names stays behind, and cannot be sent to a process.
            layer._load_state_dict_pre_hooks.clear()
    return module


def is_whole(path: str | Path) -> bool:
    """Whether a file has all of a codec, not a decoder for another one's codes.

    Raises:
        CheckpointError: as `load_codec`, but for the weights.
    """
    return not _metadata(path).get("decoder_of")


def read_metadata(path: str | Path) -> dict[str, str]:
    """What a safetensors file says beside its tensors.

    Raises:
        CheckpointError: if there is no such file, or it is cut short or damaged.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"{path}: no such file.")
    try:
        with Path(path).open("rb"):
            pass  # safetensors says of a file that may not be read that there is none
        with safetensors.safe_open(path, "pt") as file:
            return file.metadata() or {}
    except PermissionError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a whole safetensors file: {error}") from error


def _metadata(path: str | Path) -> dict[str, str]:
    metadata = read_metadata(path)
    if "state" in metadata and "config" not in metadata:
        raise CheckpointError(
            f"{path} is what a training run goes on from: name its folder, {Path(path).parent}."
        )
    if "config" not in metadata:
        raise CheckpointError(f"{path} is a safetensors file, but not one that minicodec wrote.")
    return metadata
