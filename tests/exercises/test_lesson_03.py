"""The exercises inside chapter 03's lesson: all code, all core, each with the package's answer."""

from minicodec.exercises import reference
from minicodec.exercises.lesson_03 import LESSON
from minicodec.model.seanet import ResidualBlock, SkipLSTM


def test_the_lesson_is_code_that_the_chapter_needs():
    assert [e.kind for e in LESSON] == ["code"] * 5 and all(e.core for e in LESSON)
    assert reference("03.residual_block") is ResidualBlock
    assert reference("03.skip_lstm") is SkipLSTM


def test_the_whole_model_has_the_parameters_that_the_chapter_counts():
    count = sum(
        parameter.numel()
        for name in ("03.encoder", "03.decoder")
        for parameter in reference(name)().parameters()
    )
    # 4,993 fewer than with weight norm: a magnitude for each entry of a kernel's first axis.
    assert count == 14_851_810 - 4_993
