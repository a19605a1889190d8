"""Training: the update is the paper's, and a run survives whatever ends it."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from random import Random

import pytest
import torch
from torch import Tensor

import minicodec
from minicodec.cli import main
from minicodec.model.checkpoint import facts, save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.conv import fold_weight_norm
from minicodec.training import journal, losses, run_state
from minicodec.training.batches import Weighted
from minicodec.training.config import TrainConfig
from minicodec.training.start import codebook_totals, weights_from
from minicodec.training.trainer import Trainer
from minicodec.training.update import Diverged, Update
from minicodec.training.validation import validate

RATE = 8000
CODEC = CodecConfig(
    sample_rate=RATE, n_filters=2, dimension=8, codebook_size=16, bandwidths=(0.1, 0.2),
    lstm_layers=1,
)  # fmt: skip
#: A recipe with everything in it that takes milliseconds a step.
CONFIG = TrainConfig(
    codec=CODEC, seconds=0.25, batch=2, steps=6, warm_up=2, discriminator_filters=2,
    discriminator_windows=(256, 128), discriminator_per_bandwidth=False, mel_kind="log",
    learning_rate=1e-3, log_every=1, validate_every=3,
)  # fmt: skip


class Tones:
    """Sweeps: a source that needs no files."""

    name, seconds = "tones", 100.0

    def __init__(self):
        self.skipped = Counter()

    def crop(self, random: Random, length: int) -> Tensor:
        hertz, phase = random.uniform(100, 2000), random.uniform(0, 6)
        return 0.2 * torch.sin(torch.arange(length) * (6.2832 * hertz / RATE) + phase)[None]


SOURCES = [Weighted(Tones(), 1.0)]


def trainer(folder, config=CONFIG, **options) -> Trainer:
    return Trainer(config, SOURCES, folder, progress=False, **options)


def batch(seed=0, count=2):
    return torch.stack([Tones().crop(Random(f"{seed}/{i}"), 2000) for i in range(count)])


def same(a, b) -> bool:
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def everything(run: Trainer):
    update = run.update
    return torch.nn.ModuleList([update.codec, update.discriminator])


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> Trainer:
    run = trainer(tmp_path_factory.mktemp("whole"))
    assert run.run().startswith("done: 6 of 6 steps")
    return run


# one update


def test_one_look_of_the_discriminator_teaches_both_networks_what_two_would():
    """Gradients of our update beside those of a plain one, written without any sharing."""
    config = dataclasses.replace(CONFIG, warm_up=0, discriminator_share=1.0)
    update = Update(config)
    audio = batch()
    for step in range(3):  # codebooks start one after another
        update(audio, step)
    plain = Update(config)
    plain.codec.load_state_dict(update.codec.state_dict())
    plain.discriminator.load_state_dict(update.discriminator.state_dict())
    plain.balancer.load_state_dict(update.balancer.state_dict())
    update(audio, 3)

    passed = plain.codec(audio, plain.draw(3)[0])
    judge, copy = plain.discriminator, passed.audio
    judge_loss = losses.discriminator_loss(judge(audio).logits, judge(copy.detach()).logits)
    judge_gradients = torch.autograd.grad(judge_loss, list(judge.parameters()))
    balanced = plain.balancer(
        {
            "time": losses.time_loss(copy, audio),
            "mel": losses.log_mel_loss(copy, audio, RATE),
            "adversarial": losses.generator_loss(judge(copy).logits),
            "features": losses.feature_matching_loss(judge(audio).features, judge(copy).features),
        },
        copy,
    )
    (balanced.loss + passed.commitment).backward()
    for mine, theirs in zip(update.discriminator.parameters(), judge_gradients):
        torch.testing.assert_close(mine.grad, theirs, rtol=1e-3, atol=1e-6)
    for mine, theirs in zip(update.codec.parameters(), plain.codec.parameters()):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-3, atol=1e-5)


def test_the_discriminator_learns_in_two_steps_of_three_and_bandwidths_are_drawn():
    update = Update(CONFIG)
    drawn = [update.draw(step) for step in range(3000)]
    assert sum(learns for _, learns in drawn) / 3000 == pytest.approx(2 / 3, abs=0.03)
    for bandwidth in CODEC.bandwidths:
        assert sum(b == bandwidth for b, _ in drawn) / 3000 == pytest.approx(0.5, abs=0.03)
    assert drawn[:9] == [update.draw(step) for step in range(9)]
    audio, asked = batch(), {}
    update.codec.quantizer.register_forward_pre_hook(lambda m, args: asked.update(n_q=args[1]))
    for step, (bandwidth, learns) in list(enumerate(drawn))[2:9]:
        before = [w.clone() for w in update.discriminator.parameters()]
        update(audio, step)
        moved = not all(map(torch.equal, before, update.discriminator.parameters()))
        assert moved == learns and asked["n_q"] == CODEC.n_q(bandwidth)


def test_each_bandwidth_may_have_a_discriminator_of_its_own():
    update = Update(dataclasses.replace(CONFIG, discriminator_per_bandwidth=True, warm_up=0,
                                        discriminator_share=1.0))  # fmt: skip
    judges = update.discriminator.discriminators
    assert len(judges) == len(CODEC.bandwidths)
    for step in range(4):
        before = [[w.clone() for w in judge.parameters()] for judge in judges]
        update(batch(step), step)
        moved = [not all(map(torch.equal, b, j.parameters())) for b, j in zip(before, judges)]
        assert moved == [b == update.draw(step)[0] for b in CODEC.bandwidths]


def test_the_discriminator_waits_and_then_learns_alone():
    config = dataclasses.replace(CONFIG, warm_up=0, discriminator_from=2, head_start=2, steps=9)
    update = Update(config)
    for step in range(6):
        codec = {k: v.clone() for k, v in update.codec.named_parameters()}
        judge = {k: v.clone() for k, v in update.discriminator.named_parameters()}
        shown = update(batch(step), step)
        moved = any(not torch.equal(v, codec[k]) for k, v in update.codec.named_parameters())
        taught = any(
            not torch.equal(v, judge[k]) for k, v in update.discriminator.named_parameters()
        )
        assert moved == (step not in (2, 3)), step
        assert ("discriminator" in shown) == (step >= 2)
        assert taught or step not in (2, 3), step
        assert not taught or step >= 2


def test_half_precision_is_close_and_leaves_the_quantizer_alone():
    whole, half = Update(CONFIG), Update(CONFIG, bfloat16=True)
    seen = []
    half.codec.quantizer.register_forward_pre_hook(
        lambda m, args: seen.append((args[0].dtype, torch.is_autocast_enabled("cpu")))
    )
    for step in (2, 3):
        a, b = whole(batch(step), step), half(batch(step), step)
        assert a["mel"] == pytest.approx(b["mel"], rel=0.05)
        assert a["features"] == pytest.approx(b["features"], rel=0.2)
    assert seen == [(torch.float32, False)] * 2
    assert all(w.dtype == torch.float32 for w in half.codec.parameters())


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


def test_it_learns(tmp_path):
    config = dataclasses.replace(
        CONFIG, steps=70, adversarial=0.0, features=0.0, warm_up=30, log_every=10,
        learning_rate=1e-2, seconds=0.15,
    )  # fmt: skip
    trainer(tmp_path, config).run()
    rows = [row for row in journal.read(tmp_path / "metrics.jsonl") if "mel" in row]
    assert rows[-1]["mel"] < 0.75 * rows[0]["mel"]
    assert "discriminator" not in rows[0]


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


def started() -> Codec:
    """A codec with codebooks, and weights that 16 bits can hold."""
    codec = Codec(CODEC).train()
    for _ in range(4):
        codec(batch(count=4))
    return codec.eval()


def test_weights_from_a_file_and_totals_counted_anew(tmp_path):
    codec = started()
    save_codec(codec, tmp_path / "c.safetensors")
    other = Codec(CODEC).train()
    weights_from(other, tmp_path / "c.safetensors")
    clip = batch(5, 3)
    assert torch.equal(other.eval().encode(clip), codec.encode(clip))
    torch.testing.assert_close(other(clip).audio, codec(clip).audio)
    before = [book.embedding.clone() for book in other.quantizer.codebooks]
    codebook_totals(other, other.encoder(clip), frames=100, fresh=False)
    for book, vectors in zip(other.quantizer.codebooks, before):
        torch.testing.assert_close(book.sums / book.counts[:, None], vectors)
        assert float(book.counts.sum()) == pytest.approx(100, rel=0.01)
    with pytest.raises(ValueError, match="another config"):
        weights_from(Codec(dataclasses.replace(CODEC, n_filters=4)), tmp_path / "c.safetensors")


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


def stop_after(run: Trainer, steps: int) -> None:
    """Send the signal that clusters send, in the middle of a step."""
    inner = run.update.__call__

    def call(audio, step):
        if step == steps - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return inner(audio, step)

    run.update.__class__ = type("Update", (Update,), {"__call__": lambda self, *a: call(*a)})


SCRIPT = """
import sys, torch
torch.set_num_threads(1)
sys.path.insert(0, {tests!r})
from test_training import *
run = trainer({folder!r}, dataclasses.replace(CONFIG, **{change!r}), resume=True, save_minutes=0)
run.run()
if {end!r}:
    torch.save(run.update.codec.state_dict(), {end!r} + str(run.rank))
run.close()
"""


def start(folder, change, end="", rank=0, world=1, port=0) -> subprocess.Popen:
    """A run in a process of its own, as torchrun would start it."""
    script = SCRIPT.format(
        tests=os.path.dirname(__file__), folder=str(folder), change=change, end=str(end)
    )
    place = {} if world == 1 else {
        "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world,
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
    }  # fmt: skip
    environment = os.environ | {k: str(v) for k, v in place.items()} | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", script], env=environment,
                            stderr=subprocess.PIPE, text=True)  # fmt: skip


def test_killed_without_warning_it_goes_on_to_the_same_weights(tmp_path):
    config = dataclasses.replace(CONFIG, steps=40)  # long enough to be caught in the middle
    run = start(tmp_path / "killed", {"steps": 40})
    deadline = time.monotonic() + 100
    while len(run_state.found(tmp_path / "killed")) < 2 and time.monotonic() < deadline:
        assert run.poll() is None, run.communicate()[1]
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
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
        assert run.wait(timeout=200) == 0, run.communicate()[1]
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


# checkpoints


def test_checkpoints_are_whole_and_two(tmp_path):
    for step in range(4):
        run_state.write(tmp_path, step, {"x": torch.full((9,), float(step))}, {"step": step})
    assert [p.stem for p in run_state.found(tmp_path)] == ["step_00000002", "step_00000003"]
    (tmp_path / "step_00000009.part").write_bytes(b"half")
    assert run_state.read_last(tmp_path).numbers == {"step": 3}
    newest = run_state.found(tmp_path)[-1]
    newest.write_bytes(newest.read_bytes()[:-5])
    last = run_state.read_last(tmp_path)
    assert last.numbers == {"step": 2} and last.tensors["x"].eq(2).all()
    assert run_state.read_last(tmp_path / "none") is None


def test_a_write_that_fails_leaves_the_old_ones(tmp_path, monkeypatch):
    for step in (1, 2):
        run_state.write(tmp_path, step, {"x": torch.zeros(2)}, {"step": step})
    monkeypatch.setattr(os, "fsync", lambda number: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError):
        run_state.write(tmp_path, 3, {"x": torch.zeros(2)}, {"step": 3})
    assert run_state.read_last(tmp_path).numbers == {"step": 2}


def test_another_run_is_neither_overwritten_nor_continued(unbroken):
    before = [p.stat().st_mtime_ns for p in run_state.found(unbroken.out)]
    with pytest.raises(ValueError, match="--resume"):
        trainer(unbroken.out)
    with pytest.raises(ValueError, match="another learning_rate, seed"):
        trainer(unbroken.out, dataclasses.replace(CONFIG, seed=1, learning_rate=2e-3), resume=True)
    assert [p.stat().st_mtime_ns for p in run_state.found(unbroken.out)] == before


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


def test_what_a_run_needs(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="--from"):
        trainer(tmp_path / "a", dataclasses.replace(CONFIG, warm_up=0, decoder_only=True))
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "fp16")
    with pytest.raises(ValueError, match="bf16"):
        trainer(tmp_path / "b")
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ValueError, match=r"pip install 'minicodec\[train\]'"):
        trainer(tmp_path / "c")


# what it writes


def test_validation_measures_every_bandwidth_and_changes_nothing():
    codec = started().train()
    codec.encoder.eval()
    before = Codec(CODEC)
    before.load_state_dict(codec.state_dict())
    scores = validate(codec, [batch(count=1), batch(1, 1)[..., :1500]])
    assert set(scores) == {"mel_0.1", "mel_0.2", "sdr_0.1", "sdr_0.2", "least_used"}
    assert same(codec, before)
    assert codec.training and codec.decoder.training and not codec.encoder.training


def test_the_journal_strikes_out_what_came_after_the_checkpoint(tmp_path):
    first = journal.Journal(tmp_path)
    for step in range(1, 6):
        first.write({"step": step, "mel": 1.0 / step})
    with first.path.open("a") as file:
        file.write('{"step": 6, "me')
    journal.Journal(tmp_path, since=3).write({"step": 4, "mel": 0.5})
    rows = journal.read(tmp_path / "metrics.jsonl")
    assert [r["step"] for r in rows] == [1, 2, 3, 4] and rows[-1]["mel"] == 0.5


def test_tensorboard_gets_curves_and_sound(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trainer(tmp_path, tensorboard=True, valid=[batch(count=1)]).run()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert {"mel", "mel_0.2", "discriminator"} <= set(events.Tags()["scalars"])
    assert "copy at 0.2 kbps" in events.Tags()["audio"]


def test_the_command_trains_exports_and_refuses(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    for i in range(3):
        minicodec.audio.save(tmp_path / f"data/{i}.wav", batch(i, 1)[0], RATE)
    (tmp_path / "data/broken.wav").write_bytes(b"RIFF")
    CONFIG.save(tmp_path / "mine.json")
    line = ["train", str(tmp_path / "mine.json"), "--data", str(tmp_path / "data"), "--out",
            str(tmp_path / "run"), "--valid", str(tmp_path / "data")]  # fmt: skip
    assert main([*line, "--steps", "3", "--export", str(tmp_path / "c.safetensors")]) == 0
    said = capsys.readouterr()
    assert "skipped {'cannot be read': 1}" in said.out and "done: 3 of 3 steps" in said.out
    assert minicodec.load(str(tmp_path / "c.safetensors")).config == CODEC
    assert main([*line, "--steps", "4"]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*line, "--steps", "4", "--resume"]) == 0
    assert "from step 3" in capsys.readouterr().out
    assert "mel_0.2" in journal.read(tmp_path / "run/metrics.jsonl")[-1]
    assert main(["train", "huge", "--data", "x", "--out", "y"]) == 2
    assert "mini_24khz" in capsys.readouterr().err
