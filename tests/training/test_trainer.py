"""A run: it learns, it survives whatever ends it, and it says what went wrong."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from short_runs import (
    CODEC,
    CONFIG,
    Tones,
    batch,
    before_step,
    changed,
    everything,
    same,
    started,
    stop_after,
    trainer,
)

import minicodec
from minicodec.model.checkpoint import facts, fold_weight_norm, save_codec
from minicodec.model.codec import Codec
from minicodec.model.fast.codec import faster
from minicodec.training import journal, run_state
from minicodec.training.sources import Weighted
from minicodec.training.trainer import Trainer
from minicodec.training.update import Diverged
from minicodec.training.validation import validate


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> Trainer:
    run = trainer(tmp_path_factory.mktemp("whole"))
    assert run.run().startswith("done: 6 of 6 steps")
    return run


def test_it_learns(tmp_path):
    config = dataclasses.replace(
        CONFIG, steps=70, adversarial=0.0, features=0.0, warm_up=30, log_every=10,
        learning_rate=1e-2, seconds=0.15,
    )  # fmt: skip
    trainer(tmp_path, config).run()
    rows = [row for row in journal.read(tmp_path / "metrics.jsonl") if "mel" in row]
    assert rows[-1]["mel"] < 0.75 * rows[0]["mel"]
    assert "discriminator" not in rows[0]


def test_codebooks_that_are_learned_by_gradient_are_trained_and_resumed(tmp_path):
    codec = dataclasses.replace(CODEC, quantizer="factorized")
    config = dataclasses.replace(CONFIG, codec=codec, steps=4)
    whole = trainer(tmp_path / "whole", config)
    before = [book.embedding.detach().clone() for book in whole.codec.quantizer.codebooks]
    whole.run()
    after = [book.embedding for book in whole.codec.quantizer.codebooks]
    assert not torch.equal(before[0], after[0])
    part = trainer(tmp_path / "part", config)
    stop_after(part, 3)
    part.run()
    again = trainer(tmp_path / "part", config, resume=True)
    assert again.step == 3
    again.run()
    assert same(again.codec, whole.codec)


def test_the_decoder_alone(tmp_path):
    """Encoder and codebooks stay to the last bit, so codes of old streams stay valid."""
    codec = started()
    save_codec(codec, tmp_path / "old.safetensors")
    config = dataclasses.replace(CONFIG, decoder_only=True, warm_up=0)
    run = trainer(tmp_path / "run", config, start_from=tmp_path / "old.safetensors")
    run.run()
    run.export(tmp_path / "new.safetensors", {"licence": "CC0"})
    old, new = (minicodec.load(str(tmp_path / f"{n}.safetensors")) for n in ("old", "new"))
    clip = batch(9, 1)
    assert torch.equal(old.encode(clip), new.encode(clip))
    codes = old.encode(clip)
    assert not torch.allclose(old.decode(codes), new.decode(codes), atol=1e-4)
    known = facts(tmp_path / "new.safetensors")
    assert known["step"] == 6 and known["licence"] == "CC0"
    assert known["recipe"]["decoder_only"] is True


def test_a_discriminator_that_has_learned(tmp_path):
    """It is there from the first step; a run that goes on has its own."""
    from minicodec.training.discriminator import MultiScaleDiscriminator
    from minicodec.training.discriminator_file import save_discriminator

    learned = MultiScaleDiscriminator((256,), n_filters=2)
    file = tmp_path / "d.safetensors"
    save_discriminator(learned, file)
    size = {"discriminator_windows": (256,), "discriminator_filters": 2}
    config = dataclasses.replace(
        CONFIG, adversarial=1.0, discriminator_per_bandwidth=False, steps=2, warm_up=0, **size
    )
    run = trainer(tmp_path / "run", config, discriminator=file)
    bias = run.update.discriminator.scales[0].last.bias
    assert torch.allclose(bias, learned.scales[0].last.bias, atol=1e-3)
    run.run()
    moved = run.update.discriminator.scales[0].last.bias.clone()
    run.close()
    again = trainer(tmp_path / "run", config, resume=True, discriminator=file)
    assert torch.equal(again.update.discriminator.scales[0].last.bias, moved)
    with pytest.raises(ValueError, match="does not learn from one"):
        alone = dataclasses.replace(CONFIG, adversarial=0.0, features=0.0)
        trainer(tmp_path / "other", alone, discriminator=file)


# interruptions


def test_stopped_and_continued_is_the_same_as_never_stopped(unbroken, tmp_path):
    for steps in (1, 2, 4):  # before, at and after the k-means start
        part = trainer(tmp_path, resume=True)
        stop_after(part, steps)
        assert part.run().startswith("interrupted")
        assert part.step == steps
    last = trainer(tmp_path, resume=True)
    assert last.step == 4
    last.run()
    assert same(everything(last), everything(unbroken))
    assert last.update.balancer.state_dict() == unbroken.update.balancer.state_dict()
    steps = [r["step"] for r in journal.read(tmp_path / "metrics.jsonl") if "mel" in r]
    assert steps == [1, 2, 3, 4, 5, 6]


def test_processes_that_read_ahead_change_nothing(unbroken, tmp_path):
    run = trainer(tmp_path, workers=1)
    run.run()
    assert same(everything(run), everything(unbroken))


HANGS = 600  # seconds, on the busiest machine
SCRIPT = """
import sys, torch
torch.set_num_threads(1)
sys.path.insert(0, {helpers!r})
from short_runs import changed, trainer
run = trainer({folder!r}, changed(**{change!r}), resume=True, save_minutes=0)
run.run()
if {end!r}:
    torch.save(run.update.codec.state_dict(), {end!r} + str(run.rank))
run.close()
"""


def start(folder, change, end="", rank=0, world=1, port=0, before="") -> subprocess.Popen:
    """A run in a process of its own, as torchrun would start it."""
    script = before + SCRIPT.format(
        helpers=str(Path(__file__).parents[1] / "helpers"),
        folder=str(folder),
        change=change,
        end=str(end),
    )
    place = {} if world == 1 else {
        "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world,
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
    }  # fmt: skip
    environment = os.environ | {k: str(v) for k, v in place.items()} | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", script], env=environment,
                            stderr=subprocess.PIPE, text=True)  # fmt: skip


# A checkpoint has been written, and is not yet in its place.
KILLED = """
import os, signal
put, count = os.replace, 0
def replace(*paths):
    global count
    count += 1
    if count == 40:
        os.kill(os.getpid(), signal.SIGKILL)
    put(*paths)
os.replace = replace
"""


def test_killed_without_warning_it_goes_on_to_the_same_weights(tmp_path):
    config = dataclasses.replace(CONFIG, steps=40)
    run = start(tmp_path / "killed", {"steps": 40}, before=KILLED)
    assert run.wait(timeout=HANGS) == -signal.SIGKILL, run.communicate()[1]
    run.communicate()
    resumed = trainer(tmp_path / "killed", config, resume=True)
    assert 0 < resumed.step < 40
    resumed.run()
    whole = trainer(tmp_path / "whole", config)
    whole.run()
    assert same(everything(resumed), everything(whole))


def test_two_processes_learn_what_one_learns_from_both_their_batches(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Relative feature matching divides by a mean over the batch, which is not the same for a half.
    change = {"batch": 4, "features": 0.0}
    pair = [start(tmp_path / "pair", change, tmp_path / "end", rank, 2, port) for rank in (0, 1)]
    alone = trainer(tmp_path / "alone", dataclasses.replace(CONFIG, **change))
    alone.run()
    for run in pair:
        assert run.wait(timeout=HANGS) == 0, run.communicate()[1]
    first, second = (torch.load(tmp_path / f"end{rank}") for rank in (0, 1))
    for key, value in first.items():
        assert torch.equal(value, second[key]), key
    # Weights as they are used: where a kernel has one number, its direction is a sign, and the size
    # that is divided out again drifts with nothing but rounding.
    pair_codec, whole = Codec(CODEC), fold_weight_norm(alone.codec).state_dict()
    pair_codec.load_state_dict(first)
    for key, value in fold_weight_norm(pair_codec).state_dict().items():
        torch.testing.assert_close(value, whole[key], rtol=1e-4, atol=2e-5, msg=key)
    assert len(run_state.found(tmp_path / "pair")) == 2  # only the first process writes


def test_minutes_end_a_run_with_a_checkpoint(tmp_path):
    run = trainer(tmp_path, dataclasses.replace(CONFIG, steps=10_000))
    sentence = run.run(minutes=0.02)
    assert sentence.startswith("done") and 0 < run.step < 10_000
    assert run_state.read_last(tmp_path).numbers["step"] == run.step
    again = trainer(tmp_path, dataclasses.replace(CONFIG, steps=10_000), resume=True)
    again.run(minutes=0.02)
    assert again.step == run.step  # its age counts, not this session's


def test_another_run_is_neither_overwritten_nor_continued(unbroken):
    before = [p.stat().st_mtime_ns for p in run_state.found(unbroken.out)]
    with pytest.raises(ValueError, match="--resume"):
        trainer(unbroken.out)
    with pytest.raises(ValueError, match="another learning_rate, seed"):
        trainer(unbroken.out, dataclasses.replace(CONFIG, seed=1, learning_rate=2e-3), resume=True)
    assert [p.stat().st_mtime_ns for p in run_state.found(unbroken.out)] == before


# averaged weights


def test_averaged_weights_survive_a_stop_to_the_last_bit(tmp_path):
    config = changed(averaging=0.9)
    whole = trainer(tmp_path / "whole", config)
    whole.run()
    for steps in (1, 4):  # before and after codebooks start anew
        part = trainer(tmp_path / "part", config, resume=True)
        stop_after(part, steps)
        part.run()
    last = trainer(tmp_path / "part", config, resume=True)
    assert last.step == 4 and not same(last.update.averaged, last.codec)
    last.run()
    assert same(everything(last), everything(whole))


def test_validation_and_export_use_the_averaged_weights(tmp_path):
    valid = [batch(count=1), batch(1, 1)]
    run = trainer(tmp_path, changed(averaging=0.9, learning_rate=1e-2), valid=valid)
    run.run()
    scores, present = (validate(faster(c), valid) for c in (run.update.averaged, run.codec))
    row = [row for row in journal.read(tmp_path / "metrics.jsonl") if "mel_0.2" in row][-1]
    assert scores.items() <= row.items() and scores != present
    run.export(tmp_path / "c.safetensors")
    save_codec(run.update.averaged, tmp_path / "averaged.safetensors", half=True)
    save_codec(run.codec, tmp_path / "present.safetensors", half=True)
    names = ("c", "averaged", "present")
    mine, averaged, present = (minicodec.load(str(tmp_path / f"{n}.safetensors")) for n in names)
    clip = batch(3)
    assert torch.equal(mine.encode(clip), averaged.encode(clip))
    codes = mine.encode(clip)
    assert torch.equal(mine.decode(codes), averaged.decode(codes))
    assert not torch.equal(mine.decode(codes), present.decode(codes))


def test_codebooks_that_start_anew_are_taken_over(tmp_path):
    run, seen = trainer(tmp_path, changed(averaging=0.9)), []
    before_step(run, CONFIG.warm_up, lambda: seen.append(same(run.update.averaged, run.codec)))
    run.run()
    assert seen == [True]
    saved = started()
    save_codec(saved, tmp_path / "old.safetensors")
    config = changed(averaging=0.9, warm_up=0)
    again = trainer(tmp_path / "again", config, start_from=tmp_path / "old.safetensors")
    assert same(again.update.averaged, again.codec)


def test_without_averaging_a_checkpoint_holds_one_codec(unbroken):
    names = run_state.read_last(unbroken.out).tensors
    assert not any(name.startswith("averaged.") for name in names)


# what goes wrong


def test_poisoned_data_end_the_run_with_the_last_good_checkpoint(tmp_path):
    class Poisoned(Tones):
        def crop(self, random, length):
            clip = super().crop(random, length)
            return clip * float("nan") if run.step == 4 else clip

    run = Trainer(CONFIG, [Weighted(Poisoned(), 1.0)], tmp_path, progress=False, save_minutes=0)
    with pytest.raises(Diverged, match="step 4.*step_00000004.safetensors") as error:
        run.run()
    assert isinstance(error.value, ValueError)
    last = run_state.read_last(tmp_path)
    assert last.numbers["step"] == 4
    assert all(t.isfinite().all() for t in last.tensors.values())
    for weight in run.codec.parameters():
        assert weight.isfinite().all()  # nothing was learned from it


def test_an_exploding_run_ends(tmp_path):
    config = dataclasses.replace(CONFIG, learning_rate=3.0, steps=60, max_norm=None, warm_up=0)
    with pytest.raises(Diverged, match="no checkpoint|last good"):
        trainer(tmp_path, config).run()


def test_a_network_may_begin_loud_but_not_stay_so(tmp_path):
    run = trainer(tmp_path)
    for step in range(40):
        run.step = step
        run._check_loudness(200.0 if step < 5 else 0.9)  # its mean is below 10 by step 30
    run.loudness = 1.0
    with pytest.raises(Diverged, match="step 31: copies are 90 times as loud"):
        run.step = 31
        run._check_loudness(891.0)
    run.step = 2
    with pytest.raises(Diverged, match="nan times"):
        run._check_loudness(float("nan"))


def test_what_a_run_needs(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="--from"):
        trainer(tmp_path / "a", dataclasses.replace(CONFIG, warm_up=0, decoder_only=True))
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "fp16")
    with pytest.raises(ValueError, match="bf16"):
        trainer(tmp_path / "b")
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ValueError, match=r'pip install "accelerate>='):
        trainer(tmp_path / "c")
