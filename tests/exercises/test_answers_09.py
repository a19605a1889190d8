"""Right answers of chapter 09 do as the package does."""

import pytest
import torch

from minicodec.exercises import answers_09 as answers
from minicodec.training.balancer import Balancer


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_the_mixer_written_out_is_the_packages(generator):
    given = answers.weights_and_outputs(generator)
    package = answers.mixed(answers.Mixer, *given)
    for mine, theirs in zip(answers.mixed(answers.mixer(), *given), package, strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-4, atol=1e-6)


def test_averages_are_those_of_the_balancer():
    average, balancer = answers.Average(0.9), Balancer({"a": 1}, decay=0.9)
    for size in (4.0, 2.0, 3.0):
        y = torch.zeros(1, 1, 1, requires_grad=True)
        balancer({"a": size * y.sum()}, y)
        assert average(size) == pytest.approx(balancer.norms["a"], rel=1e-6)


def test_odd_norms_are_treated_as_by_the_balancer(generator):
    norms, decay = answers.odd_norms(generator)
    balancer, pulls = Balancer({"a": 1, "b": 1}, decay=decay, total_norm=2.0), []
    for size in norms:
        y = torch.zeros(1, 1, 2, requires_grad=True)
        losses = {"a": size * y[..., 0].sum(), "b": y[..., 1].sum()}
        pulls.append(abs(float(balancer(losses, y).gradient[..., 0])))
    assert answers.pulls(norms, decay) == pytest.approx(pulls, rel=1e-5)


def test_one_loss_has_the_gradient(generator):
    y, gradient = answers.output_and_gradient(generator)
    y.requires_grad_()
    answers.one_loss(y, gradient).backward()
    assert torch.equal(y.grad, gradient)


def test_the_norm_leaves_graph_and_gradients_alone(generator):
    output, targets = answers.output_and_targets(generator)
    y = output.requires_grad_()
    loss = (y - targets[0]).pow(2).sum()
    assert answers.norm(loss, y) == pytest.approx(
        2 * float((y - targets[0]).norm().detach()), rel=1e-5
    )
    assert y.grad is None
    loss.backward()


def test_factors_make_shares_of_one(generator):
    norms, weights = answers.norms_and_weights(generator)
    pulls = {name: f * norms[name] for name, f in answers.factors(norms, weights).items()}
    assert sum(pulls.values()) == pytest.approx(1)
    assert pulls["mel"] / pulls["time"] == pytest.approx(weights["mel"] / weights["time"])
