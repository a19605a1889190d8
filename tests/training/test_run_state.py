"""A run's state on disk: whole or not there at all, and complete."""

import os

import pytest
import torch
from short_runs import batch, changed, same

from minicodec.sound.files import NotWritten, whole
from minicodec.training import run_state
from minicodec.training.update import Update


def test_checkpoints_are_whole_and_two(tmp_path):
    for step in range(4):
        run_state.write(tmp_path, step, {"x": torch.full((9,), float(step))}, {"step": step})
    assert [p.stem for p in run_state.found(tmp_path)] == ["step_00000002", "step_00000003"]
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
    with pytest.raises(NotWritten, match="step_00000003.safetensors cannot be written: disk full"):
        run_state.write(tmp_path, 3, {"x": torch.zeros(2)}, {"step": 3})
    assert run_state.read_last(tmp_path).numbers == {"step": 2}
    assert len(list(tmp_path.iterdir())) == 2


def test_older_ones_go_when_the_disk_has_the_new_name_and_not_before(tmp_path, monkeypatch):
    force, there = os.fsync, []

    def fsync(handle):
        there.append(len(run_state.found(tmp_path)))
        force(handle)

    for step in (1, 2):
        run_state.write(tmp_path, step, {"x": torch.zeros(2)}, {"step": step})
    monkeypatch.setattr(os, "fsync", fsync)
    run_state.write(tmp_path, 3, {"x": torch.zeros(2)}, {"step": 3})
    assert there == [2, 3] and len(run_state.found(tmp_path)) == 2


def test_what_a_killed_run_left_half_written_is_not_looked_at_and_goes(tmp_path):
    run_state.write(tmp_path, 1, {"x": torch.zeros(2)}, {"step": 1})
    with whole(tmp_path / "step_00000002.safetensors") as part:
        part.write_bytes(b"half")
        left = part.with_name(part.name.replace("00000002", "00000003"))
        left.write_bytes(b"half")  # as a killed run would leave it
        assert run_state.read_last(tmp_path).numbers == {"step": 1}
        part.write_bytes(run_state.found(tmp_path)[0].read_bytes())
    run_state.write(tmp_path, 4, {"x": torch.zeros(2)}, {"step": 4})
    run_state.clear(tmp_path)  # as the next run does, once the folder is its own
    assert [p.stem for p in sorted(tmp_path.iterdir())] == ["step_00000002", "step_00000004"]


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_an_update_comes_back_from_its_tensors(averaging, tmp_path):
    config = changed(averaging=averaging, warm_up=0, discriminator_share=1.0)
    update, other = (
        Update(config),
        Update(changed(averaging=averaging, warm_up=0, seed=1, discriminator_share=1.0)),
    )
    for step in range(3):
        update(batch(step), step)
    run_state.write(tmp_path, 3, run_state.update_tensors(update), {})
    tensors = run_state.read_last(tmp_path).tensors
    assert any(name.startswith("averaged.") for name in tensors) == bool(averaging)
    run_state.restore_update(other, tensors)
    other.balancer.load_state_dict(update.balancer.state_dict())
    other.config = config  # of another seed until here
    assert update(batch(3), 3) == other(batch(3), 3)
    for one, two in ((update.codec, other.codec), (update.averaged, other.averaged),
                     (update.discriminator, other.discriminator)):  # fmt: skip
        assert same(one, two)
