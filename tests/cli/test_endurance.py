"""What `benchmarks/endurance.py` measures over hours, in small: counts, and no clock."""

from pathlib import Path

import endurance
import pytest
import torch
from small_codecs import KINDS

from minicodec.bits.bitstream import compress
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig


@pytest.fixture(params=list(KINDS))
def codec(request) -> Codec:
    config = CodecConfig(n_filters=2, dimension=8, bandwidths=(6.0,), codebook_size=16)
    return KINDS[request.param](Codec(config).eval())


def test_many_streams_of_one_model_do_not_disturb_each_other(codec):
    found = endurance.interleaved(codec, streams=20, seconds=0.5)
    assert found["streams_equal"] == found["sounds_equal"] == found["different_streams"] == 20
    assert max(found["state_bytes"].values()) < 20_000


def test_a_place_far_into_a_stream_costs_no_more_than_one_near_its_beginning(codec):
    data = compress(codec, torch.randn(1, 1, 100 * 24000), chunk_seconds=1)
    near, middle, far = endurance.seeks(data, codec, places=(0.055, 0.505, 0.955))
    for row in (near, middle, far):
        # The second before, to bring the decoder into its state, and the two that are touched.
        assert row["samples"] == 24000
        assert row["chunks_decoded"] == 3 and row["seconds_decoded"] == near["seconds_decoded"]
    # Beyond that, only the heads of those that are passed over are read.
    passed_over = round((0.955 - 0.055) * 100)
    assert far["bytes_read"] - near["bytes_read"] == 17 * passed_over


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_what_goes_through_pipes_comes_out_whole_in_flat_memory(tmp_path):
    row = endurance.through_pipes(240 * 24000 + 7, "none", tmp_path / "a.mcdc", piece=24000 * 80)
    assert row["samples_received"] == row["samples_sent"] == 240 * 24000 + 7
    assert row["pieces_in_time"] == row["pieces"] == 3
    # Two minutes of sound, as floats, have 11.5 MB.
    for name in ("encode", "decode"):
        assert row[name]["last_half_mb"] < row[name]["second_quarter_mb"] + 7, row
