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

import json
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from minicodec.model.checkpoint import SHIPPED, CheckpointError, load_codec, read_metadata
from minicodec.model.codec import Codec
from minicodec.model.conv import Conv1d, ConvTranspose1d
from minicodec.model.fields import json_object
from minicodec.model.quantize import Quantized, ResidualVectorQuantizer, check_codes
from minicodec.model.seanet import ResidualBlock
from minicodec.sound import audio as audio_
from minicodec.sound.files import write_bytes

#: Dimensions of a code vector, in both branches.
CODE_DIM = 64

_TRAINING_ONLY = (".sums", ".counts", ".initialized")


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


class Middle(nn.Module):
    """What is put between a codec's encoder and its decoder: fewer frames, and a split quantizer.

    Args:
        dim: D, of the codec's latents.
        width: channels inside, and size of a slow latent.
        slower: this many of the codec's frames become one.
        n_q, codebook_size: of the quantizer.

    Shape:
        z: [B, D, T] → latents [B, D, T], rounded up to whole slow frames

    >>> middle = Middle(dim=16, width=8, slower=3, n_q=4, codebook_size=16)
    >>> middle.encode(torch.randn(1, 16, 75)).shape
    torch.Size([1, 4, 25])
    """

    def __init__(self, dim: int, width: int, slower: int, n_q: int, codebook_size: int):
        super().__init__()
        self.sizes = {"dim": dim, "width": width, "slower": slower, "n_q": n_q,
                      "codebook_size": codebook_size}  # fmt: skip
        self.down = nn.Sequential(
            Conv1d(dim, width, 3),
            nn.ELU(),
            ResidualBlock(width),
            nn.ELU(),
            Conv1d(width, width, 2 * slower, slower),
            ResidualBlock(width),
            nn.ELU(),
            Conv1d(width, width, 3),
        )
        self.quantizer = SplitQuantizer(width, n_q, codebook_size)
        self.up = nn.Sequential(
            Conv1d(width, width, 3),
            ResidualBlock(width),
            nn.ELU(),
            ConvTranspose1d(width, width, 2 * slower, slower),
            ResidualBlock(width),
            nn.ELU(),
            Conv1d(width, dim, 3),
        )

    def encode(self, z: Tensor, n_q: int | None = None) -> Tensor:
        """Shape: z [B, D, T] → codes [B, n_q, T'], with a frame for each `slower` of T."""
        return self.quantizer.encode(self.down(z), n_q)

    def decode(self, codes: Tensor) -> Tensor:
        """Shape: codes [B, K, T'] → latents [B, D, T' * slower]."""
        return self.up(self.quantizer.decode(codes))


class SplitCodec(nn.Module):
    """A trained codec with a `Middle` in place of its quantizer. All of it is causal.

    Its encoder and decoder stay as they are; only the middle is learned, and saved.

    Args:
        base: the trained codec.
        middle: for latents of its size.

    Raises:
        ValueError: if the middle is made for latents of another size.
    """

    def __init__(self, base: Codec, middle: Middle):
        super().__init__()
        if middle.sizes["dim"] != base.config.dimension:
            raise ValueError(
                f"this middle is for latents of size {middle.sizes['dim']}, but those of "
                f"{base.name} have {base.config.dimension}."
            )
        self.base, self.middle = base, middle
        n_q, size = middle.sizes["n_q"], middle.sizes["codebook_size"]
        strides = (*base.config.strides, middle.sizes["slower"])
        slow = replace(base.config, strides=strides, codebook_size=size, bandwidths=(1e-3,))
        kbps = tuple(k * slow.bits * slow.frame_rate / 1000 for k in range(1, n_q + 1))
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
        return self.middle.encode(self.base.encoder(audio), n_q)

    @torch.no_grad()
    def decode(self, codes: Tensor, length: int | None = None) -> Tensor:
        """Audio of codes; `length` samples of it.

        Shape:
            codes: [B, K, T'] → [B, 1, T' * hop_length]

        Raises:
            ValueError: for what is not codes of this codec.
        """
        check_codes(codes, self.config.max_n_q, self.config.codebook_size)
        return self.base.decoder(self.middle.decode(codes))[..., :length]


def save_split(codec: SplitCodec, path: str | Path) -> None:
    """Write the middle of a split codec, in float16, to a file that appears whole or not at all."""
    state = codec.middle.state_dict()
    kept = {k: v.half().contiguous() for k, v in state.items() if not k.endswith(_TRAINING_ONLY)}
    metadata = {"split": json.dumps(codec.middle.sizes), "base": codec.base.name}
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
        middle = Middle(**json_object(metadata["split"]))
        wanted = middle.state_dict()
        middle.load_state_dict(
            {name: state.get(name, wanted[name]) if name.endswith(_TRAINING_ONLY) else state[name]
             for name in wanted}
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} holds another kind of split codec.") from error
    return SplitCodec(load_codec(SHIPPED[metadata["base"]]), middle).eval().requires_grad_(False)
