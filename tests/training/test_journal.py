"""What a run writes down."""

from short_runs import batch, trainer

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


def test_tensorboard_gets_curves_and_sound(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trainer(tmp_path, tensorboard=True, valid=[batch(count=1)]).run()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert {"mel", "mel_0.2", "discriminator"} <= set(events.Tags()["scalars"])
    assert "copy at 0.2 kbps" in events.Tags()["audio"]
