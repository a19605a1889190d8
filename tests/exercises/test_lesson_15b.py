"""What is built in chapter 15b: shrinking, and tests that are tried on the package itself."""

import pytest
import torch

from minicodec import CodecConfig
from minicodec.exercises.answers_15b import failing_case, one_pass, shrink
from minicodec.exercises.exercise import find
from minicodec.model.quantize import Codebook, ResidualVectorQuantizer
from minicodec.model.seanet import Encoder


@pytest.mark.parametrize("seed", range(30))
def test_nothing_more_can_be_left_out_and_one_pass_is_not_enough(seed):
    case, fails = failing_case(torch.Generator().manual_seed(seed))
    small = shrink(case, fails)
    assert fails(case) and fails(small) and small == sorted(small, key=case.index)
    assert not any(fails(small[:i] + small[i + 1 :]) for i in range(len(small)))
    assert len(one_pass(case, fails)) > len(small)
    assert sorted(small) != small, "its order matters"


def test_the_package_has_a_gradient_at_every_level():
    rvq = ResidualVectorQuantizer(dim=6, n_q=4, codebook_size=16).eval()
    test = find("15b.test_gradients").answer

    def losses_of(z: torch.Tensor) -> torch.Tensor:
        """Of each level, from what the mean over one level more adds."""
        means = [rvq(z.T[None], n_q=n).commitment for n in range(1, 5)]
        return torch.stack([(n + 1) * means[n] - n * means[n - 1] for n in range(4)])

    test(losses_of, torch.randn(40, 6))


@pytest.mark.parametrize(("mode", "passes"), [("constant", True), ("reflect", False)])
def test_the_package_is_causal_without_the_mirror(mode, passes):
    test = find("15b.test_causal").answer
    encoder = Encoder(CodecConfig(n_filters=2, dimension=4, pad_mode=mode)).eval()
    if passes:
        test(encoder, 320)
    else:
        with pytest.raises(AssertionError, match="frame 0 or one before it"):
            test(encoder, 320)


def test_the_update_is_the_package_own_but_for_what_is_drawn():
    torch.manual_seed(0)
    book, z = Codebook(8, 4, decay=0.9), torch.randn(50, 4)
    fresh = torch.zeros(8, 4)
    sums, counts = find("15b.update").answer(book.sums, book.counts, z, fresh, 0.9)
    begun = (sums == 0).all(1)
    book.update(z, book.encode(z))
    assert torch.allclose(sums[~begun], book.sums[~begun])
    assert torch.allclose(counts, book.counts)
