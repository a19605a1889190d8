"""Devices and processes; what two processes make of one model is tested with the trainer."""

import sys

import pytest
import torch
from short_runs import Update, batch, changed, trainer

from minicodec.training import processes


@pytest.mark.parametrize(
    "said, asked, gpu, half",
    [
        (None, False, False, False),
        (None, True, False, True),
        (None, False, True, True),
        ("no", False, True, False),
        ("no", True, False, True),  # accelerate launch always says something
        ("bf16", False, False, True),
    ],
)
def test_bfloat16_is_asked_for_or_a_gpu_has_it(said, asked, gpu, half, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (8, 0))
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION", raising=False)
    if said is not None:
        monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", said)
    assert processes.use_bfloat16(asked) is half


def test_float16_is_refused_and_accelerate_is_needed(monkeypatch):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "fp16")
    with pytest.raises(ValueError, match="bf16"):
        processes.use_bfloat16()
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ValueError, match=r'pip install "accelerate>='):
        processes.accelerator()


def test_one_process_agrees_with_itself():
    assert processes.largest(1.0, True, 0.5, device=torch.device("cpu")) == [1.0, True, 0.5]
    assert processes.from_the_first({"a": 1}) == {"a": 1}
    update = Update(changed(warm_up=0))
    update(batch(), 0)
    before = [w.grad.clone() for w in update.learned if w.grad is not None]
    processes.average_gradients(update.learned)
    after = [w.grad for w in update.learned if w.grad is not None]
    assert before and all(map(torch.equal, before, after))


def test_denormals_are_back_when_training_has_ended():
    """The rest of the process computes as the standard says: a property test once noticed."""
    small = torch.tensor([1e-40])
    with pytest.raises(ValueError), processes.without_denormals():
        assert float(small * 1) == 0
        raise ValueError
    assert float(small * 1) > 0


def test_a_trainer_leaves_them_to_others(tmp_path):
    run = trainer(tmp_path, changed(steps=3))
    assert float(torch.tensor([1e-40]) * 1) > 0
    run.run()
    assert float(torch.tensor([1e-40]) * 1) > 0
