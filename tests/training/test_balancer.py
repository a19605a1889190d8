"""The balancer's promises: shares as asked, whatever the units, and one bad loss harms no other."""

import json
import math
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from in_threads import Together
from torch import nn

from minicodec.training import balancer as module
from minicodec.training.balancer import Balancer


def losses_of(y, noise=0.0):
    """Three losses of different form; `noise` makes their gradients vary from step to step."""
    wobble = noise * torch.randn(3).exp()
    return {
        "a": (1 + wobble[0]) * (y - 1).abs().mean(),
        "b": (1 + wobble[1]) * (y + 2).pow(2).mean(),
        "c": (1 + wobble[2]) * y[..., ::2].sum(),
    }


def output(batch=4):
    return torch.randn(batch, 1, 50, requires_grad=True)


def test_the_formula_by_hand():
    y = torch.zeros(2, 1, 2, requires_grad=True)
    # gradients per clip: a (3, 4) and (0, 0) → lengths 5 and 0, mean 2.5; b (0, 2) each → 2
    losses = {
        "a": (y[0, 0] * torch.tensor([3.0, 4.0])).sum(),
        "b": (y[:, 0] * torch.tensor([0.0, 2.0])).sum(),
    }
    balanced = Balancer({"a": 3, "b": 1}, total_norm=2.0)(losses, y)
    a = 2.0 * 0.75 / 2.5 * torch.tensor([[[3.0, 4.0]], [[0.0, 0.0]]])
    b = 2.0 * 0.25 / 2.0 * torch.tensor([[[0.0, 2.0]], [[0.0, 2.0]]])
    torch.testing.assert_close(balanced.gradient, a + b)
    assert balanced.fractions == pytest.approx({"a": 0.75, "b": 0.25})
    assert balanced.skipped == ()


def test_the_average_is_bias_corrected():
    """Lengths 4, 2, 2 at β = 0.5: averages 4, (2 + 2) / 1.5, (1 + 1 + 2) / 1.75."""
    balancer = Balancer({"a": 1}, decay=0.5)
    for factor, average in ((4, 4), (2, 4 / 1.5), (2, 4 / 1.75)):
        y = torch.zeros(1, 1, 1, requires_grad=True)
        balanced = balancer({"a": factor * y.sum()}, y)
        assert balanced.gradient.item() == pytest.approx(factor / average)
        assert balancer.norms["a"] == pytest.approx(average)


@given(
    st.dictionaries(st.sampled_from("abc"), st.floats(1e-6, 1e6), min_size=1),
    st.floats(0, 0.9999),
)
@settings(max_examples=25, deadline=None)
def test_rescaling_any_loss_changes_nothing(factors, decay):
    weights = {"a": 1.0, "b": 0.1, "c": 3.0}
    one, other = Balancer(weights, decay=decay), Balancer(weights, decay=decay)
    torch.manual_seed(0)
    for _ in range(4):
        y = output()
        losses = losses_of(y, noise=0.5)
        scaled = {k: factors.get(k, 1.0) * v for k, v in losses.items()}
        torch.testing.assert_close(
            other(scaled, y).gradient, one(losses, y).gradient, atol=1e-6, rtol=1e-4
        )


def test_without_balance_rescaling_changes_everything():
    y = output()
    plain = Balancer({"a": 1, "b": 1, "c": 1}, balance=False)
    losses = losses_of(y)
    expected = torch.autograd.grad(sum(losses.values()), y, retain_graph=True)[0]
    torch.testing.assert_close(plain(losses, y).gradient, expected)
    fractions = plain(losses | {"a": 1e6 * losses["a"]}, y).fractions
    assert fractions["a"] > 0.99


def test_fractions_come_out_as_asked():
    """Within 1 % on average after warm-up, though single steps vary."""
    weights = {"a": 0.1, "b": 1.0, "c": 3.0}
    balancer = Balancer(weights, decay=0.99)
    lengths = dict.fromkeys(weights, 0.0)
    spread = []
    for step in range(1200):
        y = output(2)
        losses = losses_of(y, noise=0.2)
        balanced = balancer(losses, y)
        if step < 300:
            continue
        spread.append(balanced.fractions["b"])
        for name, loss in losses.items():
            norm = torch.autograd.grad(loss, y, retain_graph=True)[0].flatten(1).norm(dim=1)
            scale = weights[name] / 4.1 / balancer.norms[name]
            lengths[name] += scale * float(norm.mean())
    total = sum(lengths.values())
    for name, weight in weights.items():
        assert lengths[name] / total == pytest.approx(weight / 4.1, rel=0.01)
    assert total / len(spread) == pytest.approx(1, rel=0.01)  # R
    assert max(spread) - min(spread) > 0.02


def test_one_backward_pass_and_the_commitment_beside_it():
    """The decoder runs backward once, and what it gets is the balanced gradient alone."""
    torch.manual_seed(0)
    encoder, decoder = nn.Conv1d(1, 4, 3, padding=1), nn.Conv1d(4, 1, 3, padding=1)
    calls = []
    decoder.register_full_backward_hook(lambda *_: calls.append(1))
    x = torch.randn(2, 1, 50)

    def forward():
        z = encoder(x)
        return decoder(z), 0.1 * z.pow(2).mean()

    y, commitment = forward()
    balanced = Balancer({"a": 1, "b": 1, "c": 1})(losses_of(y), y)
    assert not calls
    (balanced.loss + commitment).backward()
    assert len(calls) == 1
    parameters = [*encoder.parameters(), *decoder.parameters()]
    together = [p.grad.clone() for p in parameters]
    encoder.zero_grad(), decoder.zero_grad()
    y, commitment = forward()
    y.backward(balanced.gradient, retain_graph=True)
    commitment.backward()
    for p, gradient in zip(parameters, together):
        torch.testing.assert_close(gradient, p.grad)


def test_the_loss_has_the_gradient_it_names():
    y = output()
    balanced = Balancer({"a": 1, "b": 2, "c": 1})(losses_of(y), y)
    (gradient,) = torch.autograd.grad(balanced.loss, y)
    assert torch.equal(gradient, balanced.gradient) and not balanced.gradient.requires_grad


def test_zero_gradients_do_not_prepare_an_explosion():
    """A hinge at rest for 50 steps, then awake: its first gradient has the usual size."""
    balancer = Balancer({"a": 1, "b": 1})
    for step in range(52):
        y = torch.zeros(1, 1, 4, requires_grad=True)
        asleep = 0 < step < 51
        losses = {"a": (0.0 if asleep else 5.0) * y.sum(), "b": y.sum()}
        balanced = balancer(losses, y)
        assert balanced.gradient.norm() == pytest.approx(0.5 if asleep else 1.0)
        assert balanced.fractions == pytest.approx({"a": 0, "b": 1} if asleep else
                                                   {"a": 0.5, "b": 0.5})  # fmt: skip


def test_all_zero_is_zero():
    y = torch.zeros(1, 1, 4, requires_grad=True)
    balanced = Balancer({"a": 1, "b": 1})({"a": 0 * y.sum(), "b": 0 * y.sum()}, y)
    assert balanced.gradient.abs().max() == 0
    assert balanced.fractions == {"a": 0, "b": 0}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_broken_loss_is_left_out_and_named(bad):
    balancer, healthy = (Balancer({"a": 1, "b": 1, "c": 1}) for _ in range(2))
    y = output()
    losses = losses_of(y)
    for b in (balancer, healthy):
        b(losses, y)
    state = balancer.state_dict()
    balanced = balancer(losses | {"b": bad * losses["b"]}, y)
    assert balanced.skipped == ("b",) and balanced.fractions["b"] == 0
    assert torch.isfinite(balanced.gradient).all() and balanced.gradient.abs().sum() > 0
    assert balancer.state_dict()["sums"]["b"] == state["sums"]["b"]
    # The others keep the share that they had, and the next step is as if nothing had happened.
    assert float(balanced.gradient.flatten(1).norm(dim=1).mean()) < 1
    healthy({k: losses[k] for k in "ac"}, y)
    torch.testing.assert_close(balancer(losses, y).gradient, healthy(losses, y).gradient)


def test_nothing_finite_left_is_an_error():
    y = output()
    losses = {k: math.nan * v for k, v in losses_of(y).items()}
    with pytest.raises(ValueError, match=r"gradients of all losses \(a, b, c\) are not finite"):
        Balancer({"a": 1, "b": 1, "c": 1})(losses, y)


def test_state_goes_through_json():
    weights = {"a": 1.0, "b": 2.0, "c": 3.0}
    unbroken, first = Balancer(weights), Balancer(weights)
    steps = [output() for _ in range(6)]
    for y in steps[:3]:
        unbroken(losses_of(y), y), first(losses_of(y), y)
    second = Balancer(weights)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for y in steps[3:]:
        assert torch.equal(second(losses_of(y), y).gradient, unbroken(losses_of(y), y).gradient)
    assert second.state_dict() == unbroken.state_dict()


def test_a_state_is_kept_as_it_was():
    """It may be saved later, or loaded twice."""
    y, balancer = output(), Balancer({"a": 1, "b": 1, "c": 1})
    empty = balancer.state_dict()
    balancer(losses_of(y), y)
    once = balancer.state_dict()
    written = json.dumps(once)
    assert set(empty["sums"].values()) == set(empty["counts"].values()) == {0.0}
    for _ in range(2):
        other = Balancer({"a": 1, "b": 1, "c": 1})
        other.load_state_dict(once)
        other(losses_of(y), y)
        assert json.dumps(once) == written


def test_weights_are_kept_as_they_were():
    y, weights = output(), {"a": 1.0, "b": 3.0}
    balancer = Balancer(weights)
    weights["b"] = 0.0
    losses = losses_of(y)
    fractions = balancer({"a": losses["a"], "b": losses["b"]}, y).fractions
    assert fractions == pytest.approx({"a": 0.25, "b": 0.75})


@pytest.mark.parametrize("state", [{}, {"sums": {"a": 1.0}}, {"sums": {"x": 1.0}, "counts": {}}])
def test_a_state_of_other_losses(state):
    with pytest.raises(ValueError, match="this balancer mixes a, b, but the saved state has"):
        Balancer({"a": 1, "b": 1}).load_state_dict(state)


def test_some_losses_may_be_missing():
    """Before the discriminator starts there is nothing to match: the rest share all of R."""
    y = output()
    balancer = Balancer({"a": 1, "b": 3, "adversarial": 4})
    losses = losses_of(y)
    balanced = balancer({"a": losses["a"], "b": losses["b"]}, y)
    assert balanced.fractions == pytest.approx({"a": 0.25, "b": 0.75})


def test_a_weight_of_zero_costs_nothing():
    y = output()
    balanced = Balancer({"a": 1, "off": 0})({"a": y.sum(), "off": torch.tensor(1.0)}, y)
    assert balanced.fractions == {"a": 1.0}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_outputs_do_not_overflow(dtype):
    """The length of this gradient is 1.4 million; the largest number of float16 is 65504."""
    y = torch.zeros(1, 1, 20000, dtype=dtype, requires_grad=True)
    balanced = Balancer({"a": 1})({"a": 1e4 * y.float().sum()}, y)
    assert balanced.gradient.dtype == dtype and balanced.skipped == ()
    assert float(balanced.gradient.float().norm()) == pytest.approx(1, rel=0.02)


def test_wrong_arguments():
    y = output()
    for weights in ({"a": -1.0}, {"a": 0.0}, {"a": math.nan}, {"a": math.inf}, {}):
        with pytest.raises(ValueError, match="finite, not negative and not all zero"):
            Balancer(weights)
    for decay in (1.0, -0.5, math.nan):
        with pytest.raises(ValueError, match=r"in \[0, 1\), not "):
            Balancer({"a": 1}, decay=decay)
    with pytest.raises(ValueError, match="no weight was given for x"):
        Balancer({"a": 1})({"x": y.sum()}, y)
    with pytest.raises(ValueError, match="at least one loss"):
        Balancer({"a": 1})({}, y)
    for loss in (torch.tensor(1.0), torch.ones(1, requires_grad=True).sum()):
        with pytest.raises(ValueError, match="'a' does not depend on the output"):
            Balancer({"a": 1})({"a": loss}, y)
    for loss in (torch.tensor(1.0), y.sum()):
        with pytest.raises(ValueError, match="'a' does not depend on the output"):
            Balancer({"a": 1})({"a": loss}, y.detach())


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_group_scales_alike(monkeypatch, size):
    """Each by the mean of all lengths, and a loss that is broken in one is left out in all."""
    group = Together(size)
    monkeypatch.setattr(module, "dist", group)
    lengths = [1.0 + 2 * rank for rank in range(size)]

    def steps(rank):
        y = torch.zeros(1, 1, 1, requires_grad=True)
        balancer = Balancer({"a": 1, "b": 1})
        first = balancer({"a": lengths[rank] * y.sum(), "b": y.sum()}, y)
        broken = math.nan if rank == size - 1 else 1.0
        second = balancer({"a": y.sum(), "b": broken * y.sum()}, y)
        return first.gradient.item(), second.skipped

    mean = sum(lengths) / size
    for length, (gradient, skipped) in zip(lengths, group.run(steps)):
        assert gradient == pytest.approx(0.5 * length / mean + 0.5)
        assert skipped == ("b",)


def test_torch_may_be_built_without_processes(monkeypatch):
    monkeypatch.setattr(module.dist, "is_available", lambda: False)
    monkeypatch.delattr(module.dist, "is_initialized")
    y = output()
    assert Balancer({"a": 1})({"a": y.sum()}, y).fractions == {"a": 1}


RANK = """
import sys, torch, torch.distributed as dist
from minicodec.training.balancer import Balancer
rank, file = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
y = torch.zeros(1, 1, 1, requires_grad=True)
balancer = Balancer({"a": 1, "b": 1})
first = balancer({"a": (1 + 2 * rank) * y.sum(), "b": y.sum()}, y)
broken = float("nan") if rank else 1.0
second = balancer({"a": y.sum(), "b": broken * y.sum()}, y)
print(first.gradient.item(), balancer.norms["a"], second.skipped)
dist.barrier()
dist.destroy_process_group()
"""


def test_two_processes_scale_alike(tmp_path):
    """Lengths 1 and 3 average to 2 on both, and what is NaN on one is left out on both."""
    ranks = [
        subprocess.Popen([sys.executable, "-c", RANK, str(rank), str(tmp_path / "store")],
                         stdout=subprocess.PIPE, text=True)
        for rank in (0, 1)
    ]  # fmt: skip
    lines = [process.communicate(timeout=600)[0].split(maxsplit=2) for process in ranks]
    assert [float(line[0]) for line in lines] == pytest.approx([0.5 / 2 + 0.5, 1.5 / 2 + 0.5])
    average = (2 * 0.999 + 1) / 1.999
    assert [float(line[1]) for line in lines] == pytest.approx([average] * 2)
    assert [line[2].strip() for line in lines] == ["('b',)"] * 2
