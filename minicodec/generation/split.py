"""The split quantizer: one codebook for what is said, the others for how it sounds.

::

                ┌─ semantic: layers ─ one codebook ──────── layers ─┐
    latents ────┤                                                   + ───▶ decoder
                └─ acoustic: project ─ residual codebooks ─ project ─┘

Both branches look at the same latents, so the second does not depend on what the first left over:
a codebook that is to know words may be bad at sound, and nobody has to mend it. With a loss on the
first branch alone (`minicodec.generation.distillation`) it becomes the *semantic* level.

Ours stands between the encoder and the decoder of a codec that is trained already, and has fewer
frames than they.

Chapter 16b. After Défossez et al. 2024, “Moshi”, section 3.3.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from minicodec.model.checkpoint import SHIPPED, CheckpointError, load_codec, read_metadata
from minicodec.model.codec import Codec
from minicodec.model.conv import Conv1d, ConvTranspose1d
from minicodec.model.fields import json_object
from minicodec.model.quantize import ResidualVectorQuantizer, check_codes
from minicodec.model.seanet import ResidualBlock
from minicodec.sound import audio as audio_
from minicodec.sound.files import write_bytes

#: Sizes of the code vectors in both branches.
SEMANTIC_DIM, ACOUSTIC_DIM = 64, 96

_TRAINING_ONLY = (".sums", ".counts", ".initialized")


class Branched(NamedTuple):
    """What one branch makes of latents."""

    latents: Tensor  #: [B, D, T], its part of the sum
    vectors: Tensor  #: [B, C, T'], the code vectors below it
    codes: Tensor  #: [B, K, T'] int64
    commitment: Tensor  #: scalar


class Branch(nn.Module):
    """A residual quantizer with layers before and after it.

    Args:
        into: [B, D, T] → [B, C, T'].
        books: for vectors of size C.
        out: [B, C, T'] → [B, D, T].
    """

    def __init__(self, into: nn.Module, books: ResidualVectorQuantizer, out: nn.Module):
        super().__init__()
        self.into, self.books, self.out = into, books, out

    def forward(self, z: Tensor, n_q: int | None = None) -> Branched:
        vectors, codes, commitment = self.books(self.into(z), n_q)
        return Branched(self.out(vectors), vectors, codes, commitment)

    def encode(self, z: Tensor, n_q: int | None = None) -> Tensor:
        """Shape: z [B, D, T] → codes [B, n_q, T']."""
        return self.books.encode(self.into(z), n_q)

    def decode(self, codes: Tensor) -> Tensor:
        """Shape: codes [B, K, T'] → latents [B, D, T]."""
        return self.out(self.books.decode(codes))


class SplitQuantizer(nn.Module):
    """A semantic codebook and, beside it, a chain of acoustic ones. What both give is added.

    Level 1 of the codes is the semantic one, however many levels there are.

    Args:
        dim: D, of a latent.
        n_q: codebooks in all, at least 2.
        codebook_size: vectors in each.
        slower: so many frames of latents share one of codes.
        width: channels in the semantic branch.

    Shape:
        z: [B, D, T] → latents [B, D, T], codes [B, K, T'] with T' = ceil(T / slower); T grows to
        T' * slower

    Raises:
        ValueError: for fewer than two codebooks, or a number of levels that there is not.

    >>> split = SplitQuantizer(dim=8, n_q=4, codebook_size=16, slower=3)
    >>> codes = split.encode(torch.randn(1, 8, 75))
    >>> codes.shape, split.decode(codes).shape
    (torch.Size([1, 4, 25]), torch.Size([1, 8, 75]))
    """

    def __init__(self, dim: int, n_q: int, codebook_size: int, slower: int = 1, width: int = 128):
        super().__init__()
        if n_q < 2:
            raise ValueError(f"a split quantizer has at least 2 codebooks, not {n_q}.")
        self.sizes = {"dim": dim, "n_q": n_q, "codebook_size": codebook_size, "slower": slower,
                      "width": width}  # fmt: skip
        self.n_q = n_q
        self.semantic = Branch(
            nn.Sequential(
                Conv1d(dim, width, 3),
                nn.ELU(),
                ResidualBlock(width),
                nn.ELU(),
                Conv1d(width, width, 2 * slower, slower),
                ResidualBlock(width),
                nn.ELU(),
                Conv1d(width, SEMANTIC_DIM, 3),
            ),
            ResidualVectorQuantizer(SEMANTIC_DIM, 1, codebook_size),
            nn.Sequential(
                ConvTranspose1d(SEMANTIC_DIM, width, 2 * slower, slower),
                ResidualBlock(width),
                nn.ELU(),
                Conv1d(width, dim, 3),
            ),
        )
        self.acoustic = Branch(
            Conv1d(dim, ACOUSTIC_DIM, slower, slower),
            ResidualVectorQuantizer(ACOUSTIC_DIM, n_q - 1, codebook_size),
            ConvTranspose1d(ACOUSTIC_DIM, dim, slower, slower),
        )

    def split(self, z: Tensor, n_q: int | None = None) -> tuple[Branched, Branched | None]:
        """What each branch makes of the latents; the acoustic one is None if `n_q` is 1."""
        rest = self._acoustic_levels(n_q)
        return self.semantic(z), self.acoustic(z, rest) if rest else None

    def encode(self, z: Tensor, n_q: int | None = None) -> Tensor:
        """Codes of the first `n_q` levels (all of them by default).

        Shape:
            z: [B, D, T] → [B, K, T'] int64
        """
        rest = self._acoustic_levels(n_q)
        meaning = self.semantic.encode(z)
        return torch.cat([meaning, self.acoustic.encode(z, rest)], dim=1) if rest else meaning

    def decode(self, codes: Tensor) -> Tensor:
        """Shape: codes [B, K, T'] → latents [B, D, T' * slower]."""
        self._acoustic_levels(codes.shape[1])
        meaning = self.semantic.decode(codes[:, :1])
        return meaning + self.acoustic.decode(codes[:, 1:]) if codes.shape[1] > 1 else meaning

    def _acoustic_levels(self, n_q: int | None) -> int:
        n_q = self.n_q if n_q is None else n_q
        if not 1 <= n_q <= self.n_q:
            raise ValueError(f"this quantizer has 1 to {self.n_q} codebooks, not {n_q}.")
        return n_q - 1

    @torch.no_grad()
    def start(self, z: Tensor) -> None:
        """Let the acoustic projections start at the main directions of latents [1, D, T].

        Those of blocks of `slower` frames: the directions in which they vary most.
        """
        _, dim, _ = z.shape
        slower = self.sizes["slower"]
        whole = z[0, :, : z.shape[2] // slower * slower]
        blocks = whole.view(dim, -1, slower).permute(1, 0, 2).reshape(-1, dim * slower)
        mean = whole.mean(1)
        blocks = blocks - mean.repeat_interleave(slower)
        _, directions = torch.linalg.eigh(blocks.T @ blocks)
        main = directions.flip(1)[:, :ACOUSTIC_DIM].T.reshape(-1, dim, slower)
        into, out = self.acoustic.into, self.acoustic.out
        assert isinstance(into, Conv1d) and isinstance(out, ConvTranspose1d)
        assert into.bias is not None and out.bias is not None
        for weight in (into.weight, out.weight):
            weight.zero_()
            weight[: len(main)] = main
        into.bias.copy_(-(into.weight.sum(2) @ mean))
        out.bias.copy_(mean)


class SplitCodec(nn.Module):
    """A trained codec with a split quantizer in place of its own.

    Its encoder and decoder stay as they are; only the quantizer is learned, and saved.

    Args:
        base: the trained codec.
        quantizer: for latents of its size.

    Raises:
        ValueError: if the quantizer is made for latents of another size.
    """

    def __init__(self, base: Codec, quantizer: SplitQuantizer):
        super().__init__()
        sizes = quantizer.sizes
        if sizes["dim"] != base.config.dimension:
            raise ValueError(
                f"this quantizer is for latents of size {sizes['dim']}, but those of {base.name} "
                f"have {base.config.dimension}."
            )
        self.base, self.quantizer = base, quantizer
        slow = replace(
            base.config,
            strides=(*base.config.strides, sizes["slower"]),
            codebook_size=sizes["codebook_size"],
            bandwidths=(1e-3,),
        )
        levels = range(1, sizes["n_q"] + 1)
        kbps = tuple(k * slow.bits * slow.frame_rate / 1000 for k in levels)
        #: What it is, seen from outside: hop, bits and levels.
        self.config = replace(slow, bandwidths=kbps)

    @torch.no_grad()
    def encode(self, audio: Tensor, bandwidth: float | None = None) -> Tensor:
        """Codes of `audio`, the semantic level first.

        Shape:
            audio: [B, 1, T] → codes [B, K, T'] int64

        Raises:
            ValueError: for what is not mono audio, or a bandwidth that there is not.
        """
        audio_.check(audio, self.config.channels)
        n_q = None if bandwidth is None else self.config.n_q(bandwidth)
        return self.quantizer.encode(self.base.encoder(audio), n_q)

    @torch.no_grad()
    def decode(self, codes: Tensor, length: int | None = None) -> Tensor:
        """Audio of codes; `length` samples of it.

        Shape:
            codes: [B, K, T'] → [B, 1, T' * hop_length]

        Raises:
            ValueError: for what is not codes of this codec.
        """
        check_codes(codes, self.config.max_n_q, self.config.codebook_size)
        return self.base.decoder(self.quantizer.decode(codes))[..., :length]


def save_split(codec: SplitCodec, path: str | Path) -> None:
    """Write the quantizer of a split codec, in float16; the file appears whole or not at all."""
    state = codec.quantizer.state_dict()
    kept = {k: v.half().contiguous() for k, v in state.items() if not k.endswith(_TRAINING_ONLY)}
    metadata = {"split": json.dumps(codec.quantizer.sizes), "base": codec.base.name}
    write_bytes(path, save(kept, metadata))


def load_split(path: str | Path) -> SplitCodec:
    """Read what `save_split` wrote, around the codec that it was trained in, ready to run.

    Raises:
        CheckpointError: if the file is missing, damaged, or holds something else.
    """
    metadata = read_metadata(path)
    if "split" not in metadata or metadata.get("base") not in SHIPPED:
        raise CheckpointError(f"{path} holds no split codec.")
    state = {name: tensor.float() for name, tensor in load_file(path).items()}
    try:
        quantizer = SplitQuantizer(**json_object(metadata["split"]))
        wanted = quantizer.state_dict()
        quantizer.load_state_dict(
            {name: state.get(name, wanted[name]) if name.endswith(_TRAINING_ONLY) else state[name]
             for name in wanted}
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} holds another kind of split codec.") from error
    return SplitCodec(load_codec(SHIPPED[metadata["base"]]), quantizer).eval().requires_grad_(False)
