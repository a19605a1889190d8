"""Support: a trained codec made fast, and the one seam between it and the taught modules.

`faster(codec)` gives a codec that computes the same. It holds the taught modules, with their
weights and names, so it is saved, named and moved as any other; only the four methods that do the
work are replaced. On a CPU they use weights that were prepared beforehand, and are prepared anew
when a weight has changed. On other devices, in float64, in training mode and with another
activation than ELU they are the taught ones.
"""

import copy
from collections.abc import Callable
from operator import attrgetter, is_
from typing import Any, cast

import torch
from torch import Tensor, nn

from minicodec.model.checkpoint import fold_weight_norm
from minicodec.model.codec import Codec
from minicodec.model.factorized import FactorizedQuantizer
from minicodec.model.fast.activation import QuickELU
from minicodec.model.fast.layers import FastCodebooks
from minicodec.model.fast.networks import FastNetwork
from minicodec.model.quantize import ResidualVectorQuantizer
from minicodec.model.seanet import Decoder, Encoder, ResidualBlock, StreamState

#: Numbers in a block of nearly 32 MB.
_LARGE = 8_000_000
_VERSION = attrgetter("_version")


def faster(codec: Codec, dtype: torch.dtype = torch.float32) -> Codec:
    """A codec with the same weights, codes and states, that encodes and decodes sooner.

    For a codec that is not being trained: weight norm is multiplied out, and no gradients flow. The
    given codec stays as it is. `minicodec.load` does this already.

    Args:
        dtype: what the convolutions and the LSTM of a codec that streams compute in. bfloat16 is
            for processors that have instructions for it. It is another computation: some codes
            are other ones, and a few depend on how the clip is cut into pieces. See `book/fast.md`
            for how many, and how little is heard of it. Any codec decodes them.

    Raises:
        ValueError: for a dtype that is neither float32 nor bfloat16, or bfloat16 and a codec that
            does not stream.

    >>> from minicodec.model.config import CodecConfig
    >>> codec = Codec(CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5,))).eval()
    >>> audio = torch.randn(1, 1, 1000)
    >>> torch.equal(faster(codec).encode(audio), codec.encode(audio))
    True
    """
    if dtype not in (torch.float32, torch.bfloat16):
        raise ValueError(f"a codec computes in float32 or bfloat16, not in {str(dtype)[6:]}.")
    if dtype != torch.float32 and not codec.config.streams:
        raise ValueError(f"{codec.name!r} does not stream, so it computes in float32 only.")
    with torch.inference_mode(False):  # torch counts no changes of what is made in that mode
        twin = cast(Codec, fold_weight_norm(copy.deepcopy(codec)))
    twin.__class__ = FastCodec  # which has the same parts, and other methods
    twin = cast(FastCodec, twin)
    twin.config, twin.compute_dtype = codec.config, dtype
    # From the largest block that has been freed glibc learns how much memory to keep for the next
    # one; else it gives that of each layer back, and asks for it again, page by page.
    torch.empty(_LARGE)
    return twin.eval().requires_grad_(False)


class FastCodec(Codec):
    """A codec that is not being trained, and does its work sooner. Made by `faster`."""

    compute_dtype = torch.float32  #: of what is prepared; weights as they are saved stay float32

    def _encode_piece(
        self, audio: Tensor, state: StreamState | None, last: bool, n_q: int
    ) -> tuple[Tensor, StreamState]:
        if not self._is_quick():
            return super()._encode_piece(audio, state, last, n_q)
        latents, state = self._prepared("encoder")(audio.mT.contiguous(), state, last)
        return self._search(latents, n_q), state

    def _decode_piece(
        self, codes: Tensor, state: StreamState | None, last: bool
    ) -> tuple[Tensor, StreamState]:
        if not self._is_quick():
            return super()._decode_piece(codes, state, last)
        audio, state = self._prepared("decoder")(self._look_up(codes), state, last)
        return audio.mT.contiguous(), state

    def _encode_whole(self, audio: Tensor, n_q: int) -> Tensor:
        if not self._is_quick():
            return super()._encode_whole(audio, n_q)
        return self._search(self._prepared("encoder")(audio).mT, n_q)

    def _decode_whole(self, codes: Tensor) -> Tensor:
        if not self._is_quick():
            return super()._decode_whole(codes)
        return self._prepared("decoder")(self._look_up(codes).mT)

    def _search(self, latents: Tensor, n_q: int) -> Tensor:
        """Shape: [B, T, D] → [B, K, T]."""
        if isinstance(self.quantizer, FactorizedQuantizer):
            return self.quantizer.encode(latents.mT, n_q)
        return self._prepared("quantizer").encode(latents, n_q)

    def _look_up(self, codes: Tensor) -> Tensor:
        """Shape: [B, K, T] → [B, T, D]."""
        if isinstance(self.quantizer, FactorizedQuantizer):
            return self.quantizer.decode(codes).mT.contiguous()
        return self._prepared("quantizer").decode(codes)

    def _is_quick(self) -> bool:
        """Whether our ways are there, and sooner: on a GPU the library's are."""
        if self.config.activation != "elu":
            return False
        weight = next(self.parameters())
        return not self.training and weight.device.type == "cpu" and weight.dtype == torch.float32

    def _prepared(self, name: str) -> Any:
        """What was made of one of the three parts, made anew if its weights are other ones now."""
        kept: dict[str, tuple[_Mark, Any]] = self.__dict__.setdefault("_kept", {})
        part = getattr(self, name)
        if name not in kept or not kept[name][0].fits(part):
            kept[name] = _Mark(part), self._prepare(part)
        return kept[name][1]

    def _prepare(self, part: nn.Module) -> Any:
        if part is self.quantizer:
            return FastCodebooks(self.quantizer)
        if self.config.streams:
            network = cast(Encoder | Decoder, part)
            return FastNetwork(network, self.config.hop_length, self.compute_dtype)
        return _with_quick_activations(part)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "FastCodec":
        self.__dict__.pop("_kept", None)  # of no use on another device
        return super()._apply(fn, recurse)

    def train(self, mode: bool = True) -> "FastCodec":
        """As torch's; afterwards all is prepared anew: some optimizers change weights uncounted."""
        self.__dict__.pop("_kept", None)
        super().train(mode)
        return self

    def __getstate__(self) -> dict[str, Any]:
        """What copies take along: all but what can be prepared again."""
        return {name: value for name, value in self.__dict__.items() if name != "_kept"}


class _Mark:
    """By which one sees whether a part still is what it was.

    Every layer and tensor must stand in its place. Every weight must lie where it lay in memory,
    and torch must have counted no further changes of it. (It does not count those made through
    `.data`. Running totals change with every training step, and no code depends on them.)
    """

    def __init__(self, part: nn.Module):
        self.part = part
        places = [
            (place, name, value)
            for module in part.modules()
            for place in (module._modules, module._parameters, module._buffers)
            for name, value in place.items()
        ]
        self.places: tuple[Any, ...] = tuple(zip(*places))
        self.weights = list(part.parameters())
        if isinstance(part, ResidualVectorQuantizer):
            self.weights += [book.embedding for book in part.codebooks]  # type: ignore[misc]
        # While the memory is held nothing else can come to lie at its address.
        self.memory = [weight.detach() for weight in self.weights]
        self.counted = not any(weight.is_inference() for weight in self.weights)
        self.changes = self._changes()

    def fits(self, part: nn.Module) -> bool:
        """Whether nothing has changed, as far as one can see."""
        return (
            self.counted
            and self.part is part
            and self._in_place()
            and self._changes() == self.changes
        )

    def _in_place(self) -> bool:
        # This is asked for every frame, so Python only begins it.
        places, names, values = self.places
        return all(map(is_, map(dict.get, places, names), values))

    def _changes(self) -> tuple[list[int], list[int]]:
        if not self.counted:
            return [], []
        return list(map(_VERSION, self.weights)), list(map(Tensor.data_ptr, self.weights))


def _with_quick_activations(network: nn.Module) -> nn.Module:
    """A copy that shares the weights, and has the quick activation in place of the library's.

    They write over what nobody needs any more: all but what enters a residual block, which its
    shortcut needs as it was.
    """
    shared = {id(weight): weight for weight in network.parameters()}
    twin = copy.deepcopy(network, memo=shared)
    needed = {id(module.block[0]) for module in twin.modules() if isinstance(module, ResidualBlock)}
    for module in list(twin.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.ELU):
                setattr(module, name, QuickELU(inplace=id(child) not in needed))
    return twin
