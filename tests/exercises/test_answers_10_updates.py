"""Right updates of chapter 10 are the package's."""

import pytest
import torch

from minicodec.exercises import answers_10_updates as updates
from minicodec.exercises.answers_10 import TINY
from minicodec.training.balancer import Balancer
from minicodec.training.config import TrainConfig
from minicodec.training.losses import time_loss
from minicodec.training.update import Update


def test_three_updates_end_with_the_weights_of_the_packages():
    recipe = TrainConfig(
        codec=TINY, batch=2, warm_up=0, final_rate=1.0, mel_kind="log", **updates.SHARES,
        discriminator_windows=(128,), discriminator_filters=2, discriminator_per_bandwidth=False,
    )  # fmt: skip
    package, other = Update(recipe), Update(recipe)
    state = [
        other.codec,
        other.discriminator,
        Balancer(updates.SHARES),
        other.optimizer,
        other.discriminator_optimizer,
    ]
    for step in range(3):
        x = 0.3 * torch.randn(2, 1, 1200)
        package(x, step)
        updates.update(state, x, *package.draw(step))
    for mine, theirs in ((state[0], package.codec), (state[1], package.discriminator)):
        for a, b in zip(mine.state_dict().values(), theirs.state_dict().values()):
            assert torch.allclose(a.float(), b.float(), atol=1e-5)


def test_a_batch_in_pieces_has_the_gradient_of_the_whole():
    clips, targets = torch.randn(2, 7, 1, 30)
    network = torch.nn.Conv1d(1, 1, 5, padding=2)
    time_loss(network(clips), targets).backward()
    whole = network.weight.grad.clone()
    for size in (1, 3, 7, 9):
        updates.gradient_in_pieces(network, clips, targets, size)
        assert torch.allclose(network.weight.grad, whole, atol=1e-6)


def test_who_sends_too_many_clips_is_told():
    given = updates.seed_and_pieces(torch.Generator().manual_seed(0))
    with pytest.raises(Exception, match="7 clips at once; only 3 fit"):
        updates.learned(updates.whole_batch, *given)


def test_a_check_draws_nothing_from_the_chapters_random_numbers():
    before = torch.random.get_rng_state()
    updates.updated(updates.update, *updates.seed_and_batch(torch.Generator().manual_seed(0)))
    assert torch.equal(before, torch.random.get_rng_state())
