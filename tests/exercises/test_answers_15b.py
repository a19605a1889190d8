"""What the checks of chapter 15b take for right is right, and their inputs show each fault."""

import pytest
import torch

from minicodec.exercises import answers_15b as answers


def drawn(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", range(20))
def test_a_rescued_vector_is_its_fresh_latent_with_an_even_count(seed):
    sums, counts, z, fresh, decay = answers.totals_batch_and_fresh(drawn(seed))
    new, after = answers.mended_update(sums, counts, z, fresh, decay)
    changed = torch.isclose(new / after[:, None], fresh).all(1)
    assert 0 < changed.sum() < len(counts)
    assert after[changed].unique().numel() == 1


def test_silence_behind_a_clip_does_not_change_the_score():
    clean = torch.randn(2, 50, generator=drawn(0))
    copy = clean + 0.1 * torch.randn(2, 50, generator=drawn(1))
    short = answers.windowed(copy.flatten(), clean.flatten(), 50)
    longer = [torch.cat([x.flatten(), torch.zeros(100)]) for x in (copy, clean)]
    assert torch.isclose(answers.windowed(*longer, 50), short)
