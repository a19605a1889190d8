"""The split quantizer: one codebook for what is said, the others for how it sounds.

::

                ┌─ project ─ one codebook ───────── project ─┐
    latents ────┤                                            + ───▶ decoder
                └─ project ─ residual codebooks ─ project ───┘

Both branches look at the same latents, so the second does not depend on what the first left over:
a codebook that is to know words may be bad at sound, and nobody has to mend it. With a loss on the
first branch alone (`minicodec.generation.distillation`) it becomes the *semantic* level.

Chapter 16b. After Défossez et al. 2024, “Moshi”, section 3.3.
"""

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from minicodec.model.checkpoint import CheckpointError, read_config
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.quantize import Quantized, ResidualVectorQuantizer

#: Dimensions of a code vector, in both branches.
CODE_DIM = 32


class Branch(nn.Module):
    """A residual quantizer that looks at a projection of the latents, its own part of them.

    Args:
        dim: D, of a latent.
        n_q: codebooks.
        codebook_size: vectors in each.

    Shape:
        x: [B, D, T] → quantized [B, D, T], codes [B, n_q, T]
    """

    def __init__(self, dim: int, n_q: int, codebook_size: int):
        super().__init__()
        self.into = nn.Linear(dim, CODE_DIM, bias=False)
        self.books = ResidualVectorQuantizer(CODE_DIM, n_q, codebook_size)
        self.out = nn.Linear(CODE_DIM, dim, bias=False)

    def forward(self, x: Tensor, n_q: int | None = None) -> Quantized:
        vectors, codes, commitment = self.books(_each_frame(self.into, x), n_q)
        return Quantized(_each_frame(self.out, vectors), codes, commitment)

    def unquantized(self, x: Tensor) -> Tensor:
        """There and back without codes, for the first steps of a training [B, D, T]."""
        return _each_frame(self.out, _each_frame(self.into, x))

    def encode(self, x: Tensor, n_q: int | None = None) -> Tensor:
        """Shape: x [B, D, T] → codes [B, n_q, T]."""
        return self.books.encode(_each_frame(self.into, x), n_q)

    def decode(self, codes: Tensor) -> Tensor:
        """Shape: codes [B, K, T] → [B, D, T]."""
        return _each_frame(self.out, self.books.decode(codes))


def _each_frame(project: nn.Module, x: Tensor) -> Tensor:
    """Shape: x [B, D, T] → [B, D', T]."""
    return project(x.transpose(1, 2)).transpose(1, 2)


class SplitQuantizer(nn.Module):
    """A semantic codebook and, beside it, a chain of acoustic ones. Their vectors are added.

    Level 1 of the codes is the semantic one, whatever the bandwidth.

    Args:
        dim: D, of a latent.
        n_q: codebooks in all, at least 2.
        codebook_size: vectors in each.

    Shape:
        x: [B, D, T] → quantized [B, D, T], codes [B, K, T]

    Raises:
        ValueError: for fewer than two codebooks, or a number of levels that there is not.

    >>> split = SplitQuantizer(dim=8, n_q=4, codebook_size=16)
    >>> codes = split.encode(torch.randn(1, 8, 5))
    >>> codes.shape, split.decode(codes).shape
    (torch.Size([1, 4, 5]), torch.Size([1, 8, 5]))
    """

    def __init__(self, dim: int, n_q: int, codebook_size: int):
        super().__init__()
        if n_q < 2:
            raise ValueError(f"a split quantizer has at least 2 codebooks, not {n_q}.")
        self.n_q = n_q
        self.semantic = Branch(dim, 1, codebook_size)
        self.acoustic = Branch(dim, n_q - 1, codebook_size)

    def split(self, x: Tensor, n_q: int | None = None) -> tuple[Quantized, Quantized | None]:
        """What each branch makes of the latents; the acoustic one is None if `n_q` is 1."""
        rest = self._acoustic_levels(n_q)
        return self.semantic(x), self.acoustic(x, rest) if rest else None

    def forward(self, x: Tensor, n_q: int | None = None) -> Quantized:
        """Quantize; in training mode also learn. The commitment is the mean over all levels."""
        meaning, sound = self.split(x, n_q)
        if sound is None:
            return meaning
        codes = torch.cat([meaning.codes, sound.codes], dim=1)
        levels = sound.codes.shape[1]
        commitment = (meaning.commitment + levels * sound.commitment) / (1 + levels)
        return Quantized(meaning.quantized + sound.quantized, codes, commitment)

    def encode(self, x: Tensor, n_q: int | None = None) -> Tensor:
        """Codes of the first `n_q` levels (all of them by default).

        Shape:
            x: [B, D, T] → [B, K, T] int64
        """
        rest = self._acoustic_levels(n_q)
        meaning = self.semantic.encode(x)
        return torch.cat([meaning, self.acoustic.encode(x, rest)], dim=1) if rest else meaning

    def decode(self, codes: Tensor) -> Tensor:
        """Shape: codes [B, K, T] → [B, D, T]."""
        self._acoustic_levels(codes.shape[1])
        meaning = self.semantic.decode(codes[:, :1])
        return meaning + self.acoustic.decode(codes[:, 1:]) if codes.shape[1] > 1 else meaning

    def _acoustic_levels(self, n_q: int | None) -> int:
        n_q = self.n_q if n_q is None else n_q
        if not 1 <= n_q <= self.n_q:
            raise ValueError(f"this quantizer has 1 to {self.n_q} codebooks, not {n_q}.")
        return n_q - 1


class SplitCodec(Codec):
    """A codec with a split quantizer in place of the residual one.

    >>> config = CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5, 6.0))
    >>> codec = SplitCodec(config).eval()
    >>> codec.encode(torch.randn(1, 1, 24000)).shape
    torch.Size([1, 8, 75])
    """

    quantizer: SplitQuantizer  # type: ignore[assignment]  # another class with the same calls

    def __init__(self, config: CodecConfig, name: str = "split"):
        super().__init__(config, name)
        self.quantizer = SplitQuantizer(config.dimension, config.max_n_q, config.codebook_size)


def load_split(path: str | Path) -> SplitCodec:
    """Read a split codec that `minicodec.save` wrote, ready to run.

    Raises:
        CheckpointError: if the file is missing, damaged, or holds another kind of codec.
    """
    config = read_config(path)
    # Folded, weight norm leaves the names and shapes of no norm.
    codec = SplitCodec(replace(config, norm="none") if config.norm == "weight_norm" else config)
    state = {name: tensor.float() for name, tensor in load_file(path).items()}
    wanted = codec.state_dict()
    kept = (".sums", ".initialized")  # of training alone
    missing = [name for name in wanted if name not in state and not name.endswith(kept)]
    other = [
        name for name in state if name not in wanted or state[name].shape != wanted[name].shape
    ]
    if missing or other:
        raise CheckpointError(f"{path} is no split codec: it differs at {(missing + other)[0]}.")
    codec.load_state_dict(state, strict=False)
    return codec.eval().requires_grad_(False)
