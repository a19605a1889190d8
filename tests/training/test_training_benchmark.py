"""The training benchmark compares the same work, counts it, and knows where time goes."""

import itertools
import subprocess
import time
from dataclasses import replace

import pytest
import torch
import training
import training_processes
from short_runs import CODEC, batch
from speed import multiply_accumulates as of_codec
from training_parts import PARTS, Clock, multiply_accumulates, shares

from minicodec.training.config import TrainConfig, load_config

SMALL = TrainConfig(
    codec=replace(CODEC, bandwidths=(0.2,)), seconds=0.25, batch=2, discriminator_filters=2,
    discriminator_windows=(256, 128), discriminator_share=1.0, averaging=0.9,
)  # fmt: skip
PLAIN = replace(SMALL, adversarial=0.0, features=0.0)


def test_parts_are_all_of_an_update_and_none_is_counted_twice():
    update = training.started(SMALL, "cpu")
    clock = Clock(time.perf_counter)
    began = time.perf_counter()
    found = shares(update, batch(), training.STEP, 2, clock)
    passed = time.perf_counter() - began
    assert set(found) == {*PARTS, "codec, backward", "rest"}
    assert sum(found.values()) == pytest.approx(1)
    assert 0.5 * passed < sum(clock.seconds.values()) < passed
    assert all(share > 0 for share in found.values())


def test_a_clock_counts_what_is_inside_only_there():
    ticks = itertools.count()
    clock = Clock(lambda: float(next(ticks)))
    inner = clock.timed("inner", lambda: None)
    clock.timed("outer", lambda: (inner(), inner()))()
    assert clock.seconds == {"inner": 2.0, "outer": 3.0}


def test_an_update_is_watched_only_meanwhile():
    update = training.started(PLAIN, "cpu")
    before = torch.Tensor.backward
    clock = Clock()
    shares(update, batch(), training.STEP, 1, clock)
    then = dict(clock.seconds)
    update(batch(), training.STEP)
    assert torch.Tensor.backward is before and clock.seconds == then


def test_an_update_computes_the_codec_three_times():
    """Forward, for gradients of weights, and for gradients of inputs, which the sound has not."""
    config = replace(training.RECIPES["mini_adam"], batch=1, seconds=0.32)
    update, audio = training.started(config, "cpu"), training.batch_of(config, "cpu")
    codec = update.codec
    forward = sum(of_codec(codec, 0)) * 1e6 * config.seconds
    first = next(m for m in codec.encoder.modules() if isinstance(m, torch.nn.Conv1d))
    convolutions = 3 * forward - first.weight.numel() * audio.numel()
    total = multiply_accumulates(update, audio, training.STEP)
    assert convolutions < total < 1.05 * convolutions  # the rest: codebooks and mel filters


def test_a_discriminator_is_computed_too():
    audio = batch()
    with_it, without = (
        multiply_accumulates(training.started(config, "cpu"), audio, training.STEP)
        for config in (SMALL, PLAIN)
    )
    assert with_it > 1.1 * without


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("config", [SMALL, PLAIN], ids=["discriminator", "plain"])
def test_both_sides_learn(config):
    """Each moves the codec, whatever is left out of the recipe."""
    pytest.importorskip("encodec")
    from official_update import official

    codec = replace(config.codec, sample_rate=24000, bandwidths=(0.6,))
    config = replace(config, codec=codec, seconds=0.32)
    audio = training.batch_of(config, "cpu")
    ours = training.started(config, "cpu")
    before = [p.clone() for p in ours.learned]
    ours(audio, training.STEP)
    assert any(not torch.equal(a, b) for a, b in zip(before, ours.learned))
    run = official(config)
    run(audio)
    encoder = next(c.cell_contents for c in run.__closure__ or () if _is_encoder(c.cell_contents))
    before = [p.clone() for p in encoder.parameters()]
    run(audio)
    assert any(not torch.equal(a, b) for a, b in zip(before, encoder.parameters()))


def _is_encoder(value: object) -> bool:
    return type(value).__name__ == "SEANetEncoder"


def test_turns_are_taken_in_turn_and_the_first_does_not_count():
    order: list[str] = []
    ticks = itertools.count()
    jobs = {name: (lambda name=name: order.append(name)) for name in "ab"}
    times = training.in_turn(jobs, 2, lambda: float(next(ticks)))
    assert order == list("ababab") and times == {"a": [1.0, 1.0], "b": [1.0, 1.0]}


def test_a_summary_is_the_median_between_the_slowest_and_the_fastest():
    assert training.summary(2.0, [1.0, 4.0, 0.5]) == {"audio_per_second": 2, "spread": [0.5, 4.0]}


def test_recipes_are_those_of_the_page():
    """One bandwidth, all codebooks begun, the discriminator in every step: as the official side."""
    for config in training.RECIPES.values():
        assert config.codec.bandwidths == (6.0,) and config.warm_up == 0
        assert config.discriminator_share == 1 or not config.uses_discriminator
    mini, shipped = training.RECIPES["mini_adam"], load_config("mini_adam")
    assert set(mini.differs(shipped)) <= {"codec", "batch", "warm_up"}


def test_two_processes_are_timed_by_the_first():
    """As torchrun starts them; both take every step together."""
    seconds = training_processes.short_run(processes=2, workers=0, threads=1, steps=2)
    assert len(seconds) == 2 and all(s > 0 for s in seconds)


def test_a_run_that_fails_says_why(monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "Traceback\nValueError: it is so\n")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(ValueError, match="a run of 2 processes failed: ValueError: it is so"):
        training_processes.short_run(2, 0, 1, 1)
