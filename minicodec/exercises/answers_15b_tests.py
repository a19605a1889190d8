"""Support: right and wrong implementations that a student's tests of chapter 15b are tried on.

A test is a function that raises on what is wrong and returns on what is right. It is judged by that
alone: it has to pass everything right, and to fail each known fault.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from minicodec.exercises.trying import draw
from minicodec.model.quantize import nearest

Losses = Callable[[Tensor], Tensor]
Encoder = Callable[[Tensor], Tensor]


def judged(
    test: Callable[..., Any],
    right: Sequence[tuple[Any, ...]],
    wrong: Sequence[tuple[str, tuple[Any, ...]]],
    strict: str,
) -> str:
    """What is wrong with a test, in one sentence; "" if it tells right from wrong.

    Args:
        right: the arguments for each right implementation.
        wrong: for each fault, what to say if it passes, and the arguments.
        strict: what to say if something right fails with an assertion; other errors come through.
    """
    for arguments in right:
        try:
            test(*arguments)
        except AssertionError:
            return strict
    for sentence, arguments in wrong:
        try:
            test(*arguments)
        except Exception:  # any error fails a test
            continue
        return sentence
    return ""


def losses_of(
    books: Sequence[Tensor], step: Callable[[int, Tensor, Tensor], Tensor], cut: bool = False
) -> Losses:
    """The loss of each level, as a function of the latents.

    Args:
        books: K × [N, D].
        step: the next residual, from the level, the residual and its vector.
        cut: let no gradient through at all.
    """

    def losses(z: Tensor) -> Tensor:
        residual, found = z.detach() if cut else z, []
        for level, book in enumerate(books):
            vector = book[nearest(residual.detach(), book)]
            found.append(F.mse_loss(residual, vector))
            residual = step(level, residual, vector)
        return torch.stack(found)

    return losses


def whole(level: int, residual: Tensor, vector: Tensor) -> Tensor:
    """What is left over, with its gradient."""
    return residual - vector


def straight(level: int, residual: Tensor, vector: Tensor) -> Tensor:
    """What is left over by the straight-through output: the same value, and no gradient."""
    return residual - (residual + (vector - residual).detach())


def latents_and_books(generator: Generator) -> tuple[Tensor, list[Tensor]]:
    """Latents [60, 6] and four codebooks [16, 6]."""
    books = [torch.randn(16, 6, generator=generator) / 2**k for k in range(4)]
    return torch.randn(60, 6, generator=generator), books


VALUES = "It passes losses without any gradient: values are looked at, but what is lost is a slope."
SUM = (
    "It passes a quantizer whose first level alone has a gradient: one level is enough for it; ask "
    "each by itself."
)
LAST = "It passes a quantizer whose last level is dead: does it look at all of them?"
FIRST = "It passes a quantizer whose first level is dead: does it look at all of them?"
STRICT_GRADIENTS = "It fails a right quantizer: a gradient may have any size but zero."


def judge_gradients(test: Callable[..., Any], z: Tensor, books: list[Tensor]) -> str:
    """Whether a test tells dead levels from living ones; it gets `losses_of` and latents."""

    def last(level: int, residual: Tensor, vector: Tensor) -> Tensor:
        return (residual - vector).detach() if level == len(books) - 2 else residual - vector

    def first_dead(z: Tensor) -> Tensor:
        losses = losses_of(books, whole)(z)
        return torch.cat([losses[:1].detach(), losses[1:]])

    louder = [8 * book for book in books]
    return judged(
        test,
        [(losses_of(books, whole), z), (losses_of(louder, whole), 8 * z)],
        [
            (VALUES, (losses_of(books, whole, cut=True), z)),
            (SUM, (losses_of(books, straight), z)),
            (LAST, (losses_of(books, last), z)),
            (FIRST, (first_dead, z)),
        ],
        STRICT_GRADIENTS,
    )


def test_of_gradients(losses_of: Losses, z: Tensor) -> None:
    """Fails if some level's loss has no gradient."""
    z = z.clone().requires_grad_()
    for loss in losses_of(z):
        (gradient,) = torch.autograd.grad(loss, z, retain_graph=True)
        assert gradient.norm() > 0, "a level without a gradient"


def framed(
    pad: Callable[[Tensor, int], Tensor], ahead: int = 0, level: bool = False
) -> Callable[[int], Encoder]:
    """An encoder with three layers of memory, for each hop.

    Args:
        pad: puts so many samples before the sound.
        ahead: samples that it looks into the future.
        level: divide by the loudest sample of the clip, wherever that is.
    """

    def of_hop(hop: int) -> Encoder:
        generator = torch.Generator().manual_seed(hop)
        weight = torch.rand(2, 1, 2 * hop, generator=generator) + 0.1
        mix = torch.rand(3, 2, 3, generator=generator) + 0.1

        def encode(x: Tensor) -> Tensor:
            """[1, 1, T] → [1, 3, T / hop]"""
            x = x / x.abs().max() if level else x
            x = F.pad(x, (0, ahead))[..., ahead:]
            return F.conv1d(pad(F.conv1d(pad(x, hop), weight, stride=hop), 2), mix)

        return encode

    return of_hop


def zeros(x: Tensor, count: int) -> Tensor:
    """Silence before the sound."""
    return F.pad(x, (count, 0))


def mirror(x: Tensor, count: int) -> Tensor:
    """The sound's own beginning before it, backwards."""
    return F.pad(x, (count, 0), mode="reflect")


GLOBAL = (
    "It passes an encoder that divides by the loudest sample of the whole clip: what if the end of "
    "the clip becomes louder?"
)
AHEAD = (
    "It passes an encoder that looks one sample ahead: is the very first sample behind a frame "
    "disturbed, and that frame compared?"
)
MIRROR = (
    "It passes the mirror: that looks ahead in the first frames alone; does the test look there?"
)
STRICT_CAUSAL = (
    "It fails an encoder that is causal: frame t may depend on its own samples, up to number "
    "t · hop + hop − 1, and on all before."
)


def a_hop(generator: Generator) -> tuple[int]:
    """Samples in a frame; even."""
    return (2 * draw(generator, 2, 5),)


def judge_causal(test: Callable[..., Any], hop: int) -> str:
    """Whether a test tells causal encoders from others; it gets an encoder and its hop."""
    return judged(
        test,
        [(framed(zeros)(hop), hop), (framed(zeros)(2 * hop), 2 * hop)],
        [
            (GLOBAL, (framed(zeros, level=True)(hop), hop)),
            (AHEAD, (framed(zeros, ahead=1)(hop), hop)),
            (MIRROR, (framed(mirror)(hop), hop)),
        ],
        STRICT_CAUSAL,
    )


def causal_test(
    frames: int = 9, first: int = 0, last: int = 9, more: int = 0
) -> Callable[..., None]:
    """A test that disturbs the clip behind frame t, louder than it is, and compares up to t.

    Args:
        frames: of the clip.
        first, last: the frames behind which it is disturbed.
        more: samples by which it begins too early.
    """

    def test(encoder: Encoder, hop: int) -> None:
        clip = torch.sin(torch.arange(1.0, frames * hop + 1)).view(1, 1, -1)
        before = encoder(clip)
        for t in range(first, min(last, frames - 1)):
            changed = clip.clone()
            changed[..., (t + 1) * hop - more :] += 3.0
            same = torch.isclose(encoder(changed)[..., : t + 1], before[..., : t + 1])
            assert same.all(), f"frame {t} or one before it knows what comes later"

    return test


Pack = Callable[[list[int], int], bytes]
Unpack = Callable[[bytes, int, int], list[int]]


def packer(high_first: bool, bits: int | None = None, cut: bool = False, top: bool = True) -> Pack:
    """Numbers into bytes.

    Args:
        high_first: most significant bits first.
        bits: always so many, whatever is asked for.
        cut: forget the last byte if it is not full.
        top: keep the highest bit of each number.
    """

    def pack(numbers: list[int], width: int) -> bytes:
        width = bits or width
        kept = [n % (1 << width) if top else n % (1 << (width - 1)) for n in numbers]
        digits = "".join(f"{n:0{width}b}" if high_first else f"{n:0{width}b}"[::-1] for n in kept)
        if not cut:
            digits += "0" * (-len(digits) % 8)
        pieces = [digits[i : i + 8] for i in range(0, len(digits) // 8 * 8, 8)]
        return bytes(int(p if high_first else p[::-1], 2) for p in pieces)

    return pack


def unpacker(high_first: bool, bits: int | None = None, ghosts: bool = False) -> Unpack:
    """Bytes into numbers; `ghosts` are those that the last byte's filling makes."""

    def unpack(data: bytes, width: int, count: int) -> list[int]:
        width = bits or width
        digits = "".join(f"{b:08b}" if high_first else f"{b:08b}"[::-1] for b in data)
        parts = [digits[i : i + width] for i in range(0, len(digits) - width + 1, width)]
        found = [int(p if high_first else p[::-1], 2) for p in parts]
        return found if ghosts else found[:count]

    return unpack


CUT = "It passes a packer that forgets a byte that is not full: are all lengths tried?"
TOP = "It passes a packer that loses the highest bit: are the largest numbers tried?"
WIDTH = "It passes a packer that always takes 10 bits: are wider numbers tried?"
GHOSTS = (
    "It passes an unpacker that makes numbers of the last byte's filling: are few bits tried, and "
    "numbers of which there are too many?"
)
STRICT_PACKER = (
    "It fails a packer that is right: numbers come back, but how they lie in the bytes is its own "
    "business."
)


def judge_packer(test: Callable[..., Any], seed: int) -> str:
    """Whether a test tells right pairs of packer and unpacker from wrong ones."""
    return judged(
        test,
        [(packer(True), unpacker(True)), (packer(False), unpacker(False))],
        [
            (CUT, (packer(True, cut=True), unpacker(True))),
            (TOP, (packer(True, top=False), unpacker(True))),
            (WIDTH, (packer(False, bits=10), unpacker(False, bits=10))),
            (GHOSTS, (packer(False), unpacker(False, ghosts=True))),
        ],
        STRICT_PACKER,
    )


def packer_test(
    widths: Sequence[int] = (1, 3, 8, 10, 16),
    counts: Sequence[int] = range(9),
    largest: bool = True,
    begins: bool = False,
    first_bytes: bool = False,
) -> Callable[[Pack, Unpack], None]:
    """A round trip over widths and counts; or one that looks at less, or at too much."""

    def test(pack: Pack, unpack: Unpack) -> None:
        for width in widths:
            for count in counts:
                numbers = [((1 << width) - 1 if largest else 0) >> (i % 2) for i in range(count)]
                found = unpack(pack(numbers, width), width, count)
                assert (found[:count] if begins else found) == numbers, (width, count)
        if first_bytes:
            assert pack([1, 2], 10) == b"\x00\x40\x20"

    return test
