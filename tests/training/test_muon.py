"""Muon: every direction moves alike; what is no matrix moves as Adam would; a run can go on."""

import copy

import pytest
import torch
from torch import nn

from minicodec.training.muon import Muon, orthogonal
from minicodec.training.run_state import optimizer_tensors, restore_optimizer
from minicodec.training.update import Update
from tests.helpers import short_runs


@pytest.mark.parametrize("shape", [(16, 16), (8, 40), (40, 8)])
def test_singular_values_come_near_one_and_directions_stay(shape):
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    stretched = u @ torch.diag(torch.logspace(0, -1.5, len(s))) @ vh
    turned = orthogonal(stretched)
    assert turned.dtype == torch.float32
    values = torch.linalg.svdvals(turned)
    assert values.min() > 0.6 and values.max() < 1.3
    along = torch.diag(u.T @ turned @ vh.T)  # each direction of the old is one of the new
    assert along.min() > 0.5


def test_scale_means_nothing_and_no_gradient_moves_nothing():
    torch.manual_seed(0)
    matrix = torch.randn(8, 12)
    torch.testing.assert_close(orthogonal(2**-10 * matrix), orthogonal(matrix))
    assert not orthogonal(torch.zeros(8, 12)).any()


def test_what_is_no_matrix_moves_exactly_as_with_adam():
    torch.manual_seed(0)
    bias, thin = nn.Parameter(torch.randn(20)), nn.Parameter(torch.randn(1, 20, 3))
    mine, theirs = [bias, thin], [copy.deepcopy(bias), copy.deepcopy(thin)]
    muon = Muon(mine, 0.1, betas=(0.8, 0.99), adam_share=0.5)
    adam = torch.optim.Adam(theirs, 0.05, betas=(0.8, 0.99))
    for _ in range(5):
        for a, b in zip(mine, theirs):
            a.grad = torch.randn_like(a)
            b.grad = a.grad.clone()
        muon.step()
        adam.step()
    for a, b in zip(mine, theirs):
        torch.testing.assert_close(a, b)


def test_a_step_has_the_length_that_was_asked_for():
    """0.2 of the rate for each number, as Adam's steps are in the middle of a training."""
    torch.manual_seed(0)
    kernel = nn.Parameter(torch.zeros(32, 16, 4))
    kernel.grad = torch.randn_like(kernel)
    Muon([kernel], 0.1).step()
    assert float(kernel.detach().square().mean().sqrt()) == pytest.approx(0.2 * 0.1, rel=0.15)


def test_directions_in_which_few_clips_pull_move_as_fast_as_those_of_many():
    """Least squares with inputs of very different size: what Adam takes long for."""

    def left_after(kind, rate):
        torch.manual_seed(0)
        wanted, layer = torch.randn(16, 16), nn.Parameter(torch.zeros(16, 16))
        mixed = torch.linalg.qr(torch.randn(16, 16))[0] @ torch.diag(torch.logspace(0, -1.5, 16))
        inputs = mixed @ torch.randn(16, 256)
        optimizer = kind([layer], rate)
        for step in range(300):
            for group in optimizer.param_groups:
                group["lr"] = rate * (1 - step / 300)
            optimizer.zero_grad()
            ((layer - wanted) @ inputs).square().mean().backward()
            optimizer.step()
        return float((layer - wanted).square().mean().detach())

    best_adam = min(left_after(torch.optim.Adam, rate) for rate in (0.01, 0.03, 0.1, 0.3))
    best_muon = min(left_after(Muon, rate) for rate in (0.03, 0.1, 0.3))
    assert best_muon < 0.5 * best_adam


def test_a_training_goes_on_from_its_state_as_if_never_stopped():
    config = short_runs.changed(optimizer="muon", band=0.5, relative_time=True, warm_up=0)
    straight, first, second = (Update(config) for _ in range(3))
    for step in range(4):
        losses = straight(short_runs.batch(step), step)
    assert losses["band"] > 0
    for step in range(2):
        first(short_runs.batch(step), step)
    for name in ("codec", "averaged", "discriminator"):
        getattr(second, name).load_state_dict(getattr(first, name).state_dict())
    restore_optimizer(second.optimizer, optimizer_tensors(first.optimizer))
    restore_optimizer(
        second.discriminator_optimizer, optimizer_tensors(first.discriminator_optimizer)
    )
    second.balancer.load_state_dict(first.balancer.state_dict())
    for step in range(2, 4):
        second(short_runs.batch(step), step)
    assert short_runs.same(straight.codec, second.codec)


def test_both_groups_follow_the_learning_rate():
    config = short_runs.changed(optimizer="muon", warm_up=0, final_rate=0.5)
    update = Update(config)
    assert len(update.optimizer.param_groups) == 2
    update(short_runs.batch(0), config.steps - 1)
    rates = {group["lr"] for group in update.optimizer.param_groups}
    assert rates == {config.learning_rate * 0.5}
