"""Validation: held-out clips, every bandwidth, and nothing changed."""

import pytest
from short_runs import CODEC, batch, same, started
from sources_by_hand import CONFIG, RATE, mixed_folder

from minicodec.model.codec import Codec
from minicodec.training.validation import held_out, validate


def test_validation_measures_every_bandwidth_and_changes_nothing():
    codec = started().train()
    codec.encoder.eval()
    before = Codec(CODEC)
    before.load_state_dict(codec.state_dict())
    scores = validate(codec, [batch(count=1), batch(1, 1)[..., :1500]])
    assert set(scores) == {"mel_0.1", "mel_0.2", "sdr_0.1", "sdr_0.2", "least_used"}
    assert same(codec, before)
    assert codec.training and codec.decoder.training and not codec.encoder.training


@pytest.mark.filterwarnings("ignore:left out")
@pytest.mark.filterwarnings("default:left out")
def test_held_out_clips_are_equally_loud(tmp_path):
    clips = held_out(str(mixed_folder(tmp_path)), CONFIG, seconds=1.0)
    assert [list(c.shape) for c in clips] == [[1, 1, RATE]] * 3
    assert all(float(c.abs().max()) == pytest.approx(0.5) for c in clips)
