"""Sources as the command line names them."""

import pytest
from sources_by_hand import CONFIG, mixed_folder

from minicodec.training.sources import open_source


@pytest.mark.filterwarnings("ignore:left out")
@pytest.mark.filterwarnings("default:left out")
def test_sources_by_name(tmp_path):
    folder = mixed_folder(tmp_path)
    plain, weighted = open_source(str(folder), CONFIG), open_source(f"{folder}=0.25", CONFIG, True)
    assert plain.weight == pytest.approx(6.0) and not plain.music
    assert weighted.weight == 0.25 and weighted.music
    for wrong in ("hf:name", "torchaudio:LIBRISPEECH", "torchaudio:SPEECH:x", str(folder / "no")):
        with pytest.raises(ValueError):
            open_source(wrong, CONFIG)
