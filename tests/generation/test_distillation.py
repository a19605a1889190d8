"""What the teacher teaches: directions, frame by frame, and never the other way."""

import pytest
import torch
from safetensors.torch import save_file

from minicodec.generation.distillation import Teacher, distillation_loss, load_teacher
from minicodec.model.checkpoint import CheckpointError


def test_only_the_direction_counts():
    x = torch.randn(2, 8, 5)
    lengths = 0.1 + torch.rand(2, 1, 5)
    assert distillation_loss(x, lengths * x) == pytest.approx(0, abs=1e-6)
    assert distillation_loss(x, -lengths * x) == pytest.approx(2, abs=1e-6)
    across = torch.zeros(1, 2, 3)
    across[:, 0] = 1
    assert distillation_loss(across, across.flip(1)) == pytest.approx(1)


def test_each_frame_counts_alike():
    a, b = torch.randn(1, 8, 3), torch.randn(1, 8, 3)
    each = [distillation_loss(a[..., t : t + 1], b[..., t : t + 1]) for t in range(3)]
    assert torch.isclose(distillation_loss(a, b), torch.stack(each).mean())


def test_the_teacher_is_not_taught():
    student = torch.randn(1, 8, 5, requires_grad=True)
    teacher = torch.randn(1, 8, 5, requires_grad=True)
    distillation_loss(student, teacher).backward()
    assert student.grad is not None and student.grad.norm() > 0
    assert teacher.grad is None


@pytest.mark.parametrize("shapes", [((1, 8, 5), (1, 8, 6)), ((8, 5), (8, 5))])
def test_vectors_that_cannot_be_compared(shapes):
    with pytest.raises(ValueError, match="distillation compares vectors"):
        distillation_loss(*map(torch.randn, shapes))


@pytest.mark.parametrize("samples", [640, 6400, 6401, 7039])
def test_a_frame_lasts_40_milliseconds(samples):
    teacher = Teacher(5)
    assert teacher(torch.randn(1, 1, samples), 16000).shape == (1, 5, samples // 640)
    assert teacher(torch.randn(1, 1, 3 * samples), 48000).shape == (1, 5, samples // 640)


def test_a_quieter_copy_is_the_same_to_it():
    teacher, sound = Teacher(5).eval(), torch.randn(1, 1, 6400)
    assert torch.allclose(teacher(0.01 * sound, 16000), teacher(sound, 16000), atol=1e-3)


def test_saved_and_read_it_is_the_same(tmp_path):
    file, teacher, sound = tmp_path / "t.safetensors", Teacher(5).eval(), torch.randn(1, 1, 6400)
    save_file(teacher.state_dict(), file)
    assert torch.equal(load_teacher(file)(sound, 16000), teacher(sound, 16000))


def test_what_is_no_teacher(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        load_teacher(tmp_path / "nothing.safetensors")
    save_file({"weight": torch.zeros(3)}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="holds no teacher"):
        load_teacher(tmp_path / "a.safetensors")
    save_file({"name.weight": torch.zeros(3, 2, 1)}, tmp_path / "b.safetensors")
    with pytest.raises(CheckpointError, match="another kind of teacher"):
        load_teacher(tmp_path / "b.safetensors")
    with pytest.raises(ValueError, match="channel"):
        Teacher(5).features(torch.zeros(1, 2, 640), 16000)
