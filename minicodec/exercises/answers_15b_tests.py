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
ZERO = (
    "It passes losses whose gradients are all zero: what is lost is seldom None, and what a test "
    "gives back nobody reads; it says no by `assert`."
)
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

    def still(z: Tensor) -> Tensor:
        return losses_of(books, whole)(z - (z - z.detach()))

    louder = [8 * book for book in books]
    return judged(
        test,
        [(losses_of(books, whole), z), (losses_of(louder, whole), 8 * z)],
        [
            (VALUES, (losses_of(books, whole, cut=True), z)),
            (ZERO, (still, z)),
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


def ahead_but_first(hop: int) -> Encoder:
    """An encoder that looks one frame ahead, except in frame 0."""
    right, wrong = framed(zeros)(hop), framed(zeros, ahead=hop)(hop)
    return lambda x: torch.cat([right(x)[..., :1], wrong(x)[..., 1:]], -1)


BLIND = (
    "It passes an encoder that looks far ahead: is a clip encoded twice, once changed behind a "
    "frame? And what a test gives back nobody reads; it says no by `assert`."
)
LATER = (
    "It passes an encoder that looks ahead in all frames but the first: are the others compared?"
)
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
            (BLIND, (framed(zeros, ahead=2 * hop - 1)(hop), hop)),
            (GLOBAL, (framed(zeros, level=True)(hop), hop)),
            (AHEAD, (framed(zeros, ahead=1)(hop), hop)),
            (MIRROR, (framed(mirror)(hop), hop)),
            (LATER, (ahead_but_first(hop), hop)),
        ],
        STRICT_CAUSAL,
    )


def causal_test(
    frames: int = 9, first: int = 0, last: int = 9, more: int = 0, opening: float = 0.0
) -> Callable[..., None]:
    """A test that disturbs the clip behind frame t, louder than it is, and compares up to t.

    Args:
        frames: of the clip.
        first, last: the frames behind which it is disturbed.
        more: samples by which it begins too early.
        opening: added to the very first sample, so that the end is never the loudest.
    """

    def test(encoder: Encoder, hop: int) -> None:
        clip = torch.sin(torch.arange(1.0, frames * hop + 1)).view(1, 1, -1)
        clip[..., 0] += opening
        before = encoder(clip)
        for t in range(first, min(last, frames - 1)):
            changed = clip.clone()
            changed[..., (t + 1) * hop - more :] += 3.0
            same = torch.isclose(encoder(changed)[..., : t + 1], before[..., : t + 1])
            assert same.all(), f"frame {t} or one before it knows what comes later"

    return test
