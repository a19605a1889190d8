"""What a run writes down."""

import json

import pytest
from short_runs import batch, trainer

from minicodec.sound.files import NotWritten
from minicodec.training import journal


def test_the_journal_strikes_out_what_came_after_the_checkpoint(tmp_path):
    first = journal.Journal(tmp_path)
    for step in range(1, 6):
        first.write({"step": step, "mel": 1.0 / step})
    with first.path.open("a") as file:
        file.write('{"step": 6, "me')
    journal.Journal(tmp_path, since=3).write({"step": 4, "mel": 0.5})
    rows = journal.read(tmp_path / "metrics.jsonl")
    assert [r["step"] for r in rows] == [1, 2, 3, 4] and rows[-1]["mel"] == 0.5


def test_a_line_that_a_full_disk_cut_short_costs_itself_alone(tmp_path):
    (tmp_path / "metrics.jsonl").write_bytes(
        b'{"step": 1, "mel": 1.0}\n{"step": 2, "me{"step": 3, "mel": 3.0}\n'
        b'\xff\n[4]\n"5"\n{"mel": 6.0}\n{"step": "7"}\n\n{"step": 8, "mel": 8.0}\n{"step": 9'
    )
    assert [row["step"] for row in journal.read(tmp_path / "metrics.jsonl")] == [1, 8]
    journal.Journal(tmp_path, since=8)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 8]


def test_a_journal_that_cannot_be_written_says_so(tmp_path):
    lines = journal.Journal(tmp_path)
    lines.path.unlink()
    lines.path.mkdir()
    with pytest.raises(NotWritten, match="metrics.jsonl cannot be written"):
        lines.write({"step": 1})


def test_tensorboard_gets_curves_and_sound(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trainer(tmp_path, tensorboard=True, valid=[batch(count=1)]).run()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert {"mel", "mel_0.2", "discriminator"} <= set(events.Tags()["scalars"])
    assert "copy at 0.2 kbps" in events.Tags()["audio"]
