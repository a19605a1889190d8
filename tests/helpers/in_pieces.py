"""Clips in pieces of any lengths, what a layer makes of them, and whether two results agree."""

import torch
import torch.nn.functional as F
from hypothesis import strategies as st

from minicodec.model.factorized import FactorizedCodebook

modes = st.sampled_from(["constant", "reflect"])
#: Of what is drawn at random inside a test, so that an example that fails does so again.
seeds = st.integers(0, 2**32 - 1)
#: Lengths of pieces, from none up; used over and over until the clip is at its end.
pieces = st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any)


def long_pieces(shortest, longest):
    """Such lengths for whole networks: some as short as can be, but not all of a clip.

    What a piece of one sample can break, a few of them find as well as thousands in a row; the
    layers' own tests have those.
    """
    return st.lists(st.integers(shortest, longest), min_size=1, max_size=5).map(
        lambda lengths: (
            lengths if 20 * sum(lengths) > longest * len(lengths) else [*lengths, longest]
        )
    )


def cut(x, lengths):
    """The pieces of a clip, and whether each is the last."""
    start, turn = 0, 0
    while start < x.shape[-1]:
        length = lengths[turn % len(lengths)]
        yield x[..., start : start + length], start + length >= x.shape[-1]
        start, turn = start + length, turn + 1


def streamed(stream, x, lengths, last=True):
    """All outputs of a layer over the pieces of `x`, one after another.

    `last` says whether the layer wants to know which piece is the last.
    """
    outputs, state = [], None
    for piece, ends in cut(x, lengths):
        y, state = stream(piece, state, *[ends] * last)
        outputs.append(y)
    return torch.cat(outputs, dim=-1)


def assert_same(a, b):
    """Equal in shape, and in value but for rounding."""
    torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def assert_same_codes(quantizer, codes, whole, latents, within=1e-5):
    """Equal, but where two entries are as near to a latent as rounding can tell.

    Floats that are summed in another order differ in their last bit, on some processors more often
    than on others, and a frame that lies halfway between two entries may then go to either.
    Another program's sums, over a whole network, need a wider `within`.
    """
    assert codes.shape == whole.shape
    for clip, frame in (codes != whole).any(1).nonzero().tolist():
        residual = latents[clip, :, frame]
        for book, ours, theirs in zip(
            quantizer.codebooks, codes[clip, :, frame], whole[clip, :, frame]
        ):
            if ours != theirs:
                point, vectors = residual, book.embedding
                if isinstance(book, FactorizedCodebook):  # directions, in few dimensions
                    point, vectors = F.normalize(book.down(point), dim=0), F.normalize(vectors)
                here, there = (point - vectors[torch.stack([ours, theirs])]).square().sum(1)
                assert abs(here - there) < within * (1 + here), (clip, frame, here, there)
                break
            residual = residual - book.decode(ours)
