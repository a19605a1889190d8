"""What the page about export says: its commands, its Python and its table, as they stand there."""

import json
import re
from pathlib import Path

import pytest
import torch
from exports import CONFIGS, small
from safetensors.torch import save_file

from minicodec.cli import main
from minicodec.model.checkpoint import save_codec
from minicodec.model.config import MINI_24KHZ, CodecConfig
from minicodec.model.export import check_exportable
from minicodec.model.official_loader import script
from minicodec.model.onnx_export import check_exportable as check_onnx
from minicodec.model.transformers_config import from_transformers

PAGE = (Path(__file__).parents[2] / "book" / "export.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
def test_its_commands_and_its_python_run_in_their_order(tmp_path, monkeypatch, capsys):
    """Of a folder of training they need the config and a checkpoint."""
    monkeypatch.chdir(tmp_path)
    codec = small(CONFIGS["causal"])
    save_codec(codec, "mine.safetensors")
    Path("runs/mine").mkdir(parents=True)
    Path("runs/mine/config.json").write_text(json.dumps({"codec": codec.config.as_dict()}))
    tensors = {f"codec.{key}": value for key, value in codec.state_dict().items()}
    save_file(tensors, "runs/mine/step_00000001.safetensors", {"state": "{}"})
    names: dict[str, object] = {}
    for language, text in BLOCKS:
        if language == "python" and "SIZES" not in text:
            exec(text, names)  # noqa: S102
        for line in text.splitlines() if not language else ():
            words = line.partition("  #")[0].split()
            assert words[0] == "minicodec" and main(words[1:]) == 0, capsys.readouterr().err
    for place in re.findall(r"# .*: (\S+)$", BLOCKS[0][1], re.MULTILINE):
        assert Path(place).is_dir(), place
    assert Path("mine_onnx/mine.json").is_file() and Path("mine.th").is_file()
    assert names["codec"].name == "mini_24khz"
    assert 0 <= names["heard"].shape[-1] - names["speech"].shape[-1] < 320
    assert torch.load("mine.th", weights_only=True).keys() == names["model"].state_dict().keys()


def test_the_script_on_the_page_is_the_one_that_is_written():
    (shown,) = [text for _, text in BLOCKS if "SIZES" in text]
    assert shown == script(MINI_24KHZ, "mini_24khz")


#: The rows of its table, and a codec of each.
ROWS = {
    "factorized": CodecConfig(quantizer="factorized"),
    "Snake": CodecConfig(activation="snake"),
    "no LSTM": CodecConfig(lstm_layers=0),
    "reflections": CodecConfig(pad_mode="reflect"),
    "a bandwidth below": CodecConfig(bandwidths=(0.5,)),
    "a bandwidth that is rounded": CodecConfig(
        sample_rate=16000, codebook_size=256, bandwidths=(0.4, 1.2)
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_table_of_what_cannot_be_exported(row):
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {row}")]
    *_, transformers, official, onnx, _ = [cell.strip() for cell in line.split("|")]
    for said, check in (
        (transformers, lambda: check_exportable(ROWS[row], "transformers")),
        (official, lambda: check_exportable(ROWS[row], "official")),
        (onnx, lambda: check_onnx(ROWS[row])),
    ):
        if said.startswith("yes"):
            check()
        else:
            with pytest.raises(ValueError, match=r"^[^\n]+$"):
                check()


def test_the_division_that_it_tells_of():
    assert str(1.2 / 0.4) in PAGE and CodecConfig(
        sample_rate=16000, codebook_size=256, bandwidths=(1.2,)
    ).n_q(1.2) == 3  # fmt: skip


def test_musicgens_codec_is_kept_out_by_its_shortcuts():
    """As transformers' conversion script of it sets them."""
    theirs = {
        "model_type": "encodec", "upsampling_ratios": [8, 5, 4, 4], "target_bandwidths": [2.2],
        "num_filters": 64, "sampling_rate": 32000, "codebook_size": 2048,
        "use_causal_conv": False, "use_conv_shortcut": False,
    }  # fmt: skip
    with pytest.raises(ValueError, match="its use_conv_shortcut is False"):
        from_transformers(theirs)
    from_transformers(theirs | {"use_conv_shortcut": True})
