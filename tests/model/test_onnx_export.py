"""The exported graphs are the codec: same codes, same sound, however the frames are cut."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from in_pieces import assert_same_codes, seeds
from onnx_exports import Exported, state_shapes

from minicodec.model.checkpoint import fingerprint, load_codec, save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ, ENCODEC_48KHZ, CodecConfig
from minicodec.model.onnx_export import check_exportable, export_onnx
from minicodec.model.pretrained import load

SMALL = CodecConfig(n_filters=4, dimension=16, bandwidths=(1.5, 6.0), codebook_size=64)
#: What a config may ask for, one or two things at a time.
CONFIGS = {
    "plain": SMALL,
    "blocks": replace(SMALL, n_residual_layers=3, strides=(3, 2)),
    "stereo": replace(SMALL, channels=2, lstm_layers=0),
    "factorized": replace(SMALL, quantizer="factorized", lstm_layers=1),
    "stride one": replace(SMALL, strides=(1, 5), norm="none", bandwidths=(30.0,)),
    "one stride": replace(SMALL, strides=(7,), lstm_layers=3, bandwidths=(60.0,)),
}
frames = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def built(config: CodecConfig) -> Codec:
    torch.manual_seed(0)
    codec = Codec(config, "small").eval()
    for level, book in enumerate(codec.quantizer.codebooks):
        book.embedding.data.mul_(0.7**level)  # of the size of what is left over
    return codec.requires_grad_(False)


@pytest.fixture(scope="module", params=CONFIGS)
def exported(request, tmp_path_factory):
    return Exported(built(CONFIGS[request.param]), tmp_path_factory.mktemp("export"))


def same_codes(codec: Codec, audio, ours, theirs) -> None:
    assert_same_codes(codec.quantizer, ours, theirs, codec.encoder(audio))


@given(seeds, st.integers(1, 30), frames, frames)
@settings(max_examples=25, deadline=None)
def test_every_way_to_cut_into_frames(exported, seed, length, here, there):
    torch.manual_seed(seed)
    codec = exported.codec
    audio = 0.3 * torch.randn(1, codec.config.channels, length * codec.config.hop_length)
    codes = exported.encode(audio, here)
    assert codes.dtype == torch.int32
    same_codes(codec, audio, codes.long(), codec.encode(audio))
    heard = exported.decode(codes, there)
    torch.testing.assert_close(heard, codec.decode(codes), atol=1e-5, rtol=1e-4)


def test_streams_side_by_side(exported):
    """A state is a value: two clips take turns, and neither hears the other."""
    codec = exported.codec
    both = 0.3 * torch.randn(2, codec.config.channels, 12 * codec.config.hop_length)
    states, codes = [None, None], [[], []]
    for piece in both.split(3 * codec.config.hop_length, dim=-1):
        for clip in range(2):
            found, states[clip] = exported.encoder(piece[clip, None].numpy(), states[clip])
            codes[clip].append(torch.from_numpy(found))
    for clip in range(2):
        audio = both[clip, None]
        same_codes(codec, audio, torch.cat(codes[clip], 2).long(), codec.encode(audio))


def test_fewer_levels_and_muted_ones(exported):
    """A code one too large leaves its vector out: as if that codebook held zeros."""
    codec, size = exported.codec, exported.codec.config.codebook_size
    codes = torch.randint(size, (1, codec.config.max_n_q, 5))
    heard = exported.decode(codes[:, :1], [2])
    torch.testing.assert_close(heard, codec.decode(codes[:, :1]), atol=1e-5, rtol=1e-4)
    codes[:, -1] = size
    without = codec.quantizer.decode(codes[:, :-1]) if codec.config.max_n_q > 1 else torch.zeros(
        1, codec.config.dimension, 5)  # fmt: skip
    heard = exported.decode(codes, [5])
    torch.testing.assert_close(heard, codec.decoder(without), atol=1e-5, rtol=1e-4)


def test_graphs_are_valid_and_say_whose_they_are(exported):
    for path in exported.files[1:3]:
        onnx.checker.check_model(path, full_check=True)
        model = onnx.load(path, load_external_data=False)
        facts = {prop.key: prop.value for prop in model.metadata_props}
        assert facts == {"fingerprint": fingerprint(exported.codec).hex()}
        assert {node.domain for node in model.graph.node} == {""}  # nothing of one runtime alone
        inside = [tensor.raw_data for tensor in model.graph.initializer]
        assert sum(map(len, inside)) < 2000  # weights are elsewhere


def test_a_part_of_a_frame_is_refused(exported):
    channels, hop = exported.codec.config.channels, exported.codec.config.hop_length
    audio = np.zeros((1, channels, 3 * hop + 1), np.float32)
    if hop > 1:
        with pytest.raises(Exception, match="cannot be reshaped"):
            exported.encoder(audio)


def test_the_last_frame_filled_with_zeros(exported):
    """The package's own layers end a clip in their own way, so only the last frame may differ."""
    codec = exported.codec
    audio = 0.3 * torch.randn(1, codec.config.channels, 5 * codec.config.hop_length - 1)
    codes = exported.encode(torch.nn.functional.pad(audio, (0, 1)), [5])
    assert codes.shape[2] == 5
    same_codes(codec, audio, codes[..., :4].long(), codec.encode(audio)[..., :4])


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return Exported(built(SMALL), tmp_path_factory.mktemp("small"), half=True)


def test_the_description(small):
    config, about = SMALL, small.about
    assert about["name"] == "small" and about["sample_rate"] == 24000
    assert (about["hop_length"], about["frame_rate"]) == (320, 75)
    assert (about["bits"], about["codebook_size"]) == (6, 64)
    assert (about["channels"], about["n_q"]) == (1, config.max_n_q)
    assert about["bandwidths"] == [{"kbps": 1.5, "n_q": 3}, {"kbps": 6.0, "n_q": 13}]
    assert [file.name for file in small.files] == [
        about["weights"]["file"], about["encoder"]["file"], about["decoder"]["file"], "x.json"
    ]  # fmt: skip
    assert about["weights"]["bytes"] == small.files[0].stat().st_size
    for which, steps in (("encoder", small.encoder), ("decoder", small.decoder)):
        part = about[which]
        names = [part["input"], *(state["name"] for state in part["states"])]
        assert names == [each.name for each in steps.inputs]
        names = [part["output"], *(state["next"] for state in part["states"])]
        assert names == [each.name for each in steps.session.get_outputs()]
        assert state_shapes(steps) == [state["shape"] for state in part["states"]]


def test_weights_are_the_checkpoint(small):
    """In 16 bits: the graphs and the package read the same numbers from the same file."""
    checkpoint = small.files[0].parent.parent / "codec.safetensors"
    assert small.files[0].read_bytes() == checkpoint.read_bytes()
    assert small.about["fingerprint"] == fingerprint(load_codec(small.files[0])).hex()
    audio = 0.3 * torch.randn(1, 1, 3200)
    same_codes(small.codec, audio, small.encode(audio, [3]).long(), small.codec.encode(audio))


def test_the_same_codec_gives_the_same_bytes(small, tmp_path):
    for path in export_onnx(small.files[0], tmp_path, "x"):
        assert path.read_bytes() == (small.files[0].parent / path.name).read_bytes()


def test_nothing_is_written_of_what_cannot_be(tmp_path):
    for wrong, message in (
        (Codec(replace(SMALL, causal=False)), "cannot stream"),
        (Codec(SMALL).bfloat16(), "stored as BF16"),
    ):
        save_codec(wrong, tmp_path / "c.safetensors")
        with pytest.raises(ValueError, match=message):
            export_onnx(tmp_path / "c.safetensors", tmp_path / "new", "x")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (ENCODEC_48KHZ, "cannot stream: it looks at a whole segment"),
        (ENCODEC_24KHZ, "pads with reflections"),
    ],
)
def test_models_without_such_steps_are_refused(config, message):
    with pytest.raises(ValueError, match=message):
        check_exportable(config)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    return Exported(load("mini_24khz"), tmp_path_factory.mktemp("shipped"), half=True)


def test_the_shipped_codec(shipped, speech):
    """Real sound: codes equal but for near ties, and the same samples within 1e-4."""
    audio = speech[..., : speech.shape[-1] // 320 * 320]
    theirs = shipped.codec.encode(audio)
    for lengths in ([75], [1, 6, 2]):
        codes = shipped.encode(audio, lengths).long()
        same_codes(shipped.codec, audio, codes, theirs)
    heard = shipped.decode(theirs, [1, 6, 2])
    torch.testing.assert_close(heard, shipped.codec.decode(theirs), atol=1e-4, rtol=0)


def test_the_official_size(tmp_path):
    """The paper's model, but for its padding: 15 million weights."""
    config = replace(ENCODEC_24KHZ, pad_mode="constant")
    codec = Codec(config).eval().requires_grad_(False)
    exported = Exported(codec, tmp_path)
    audio = 0.3 * torch.randn(1, 1, 8 * 320)
    codes = exported.encode(audio, [3])
    same_codes(codec, audio, codes.long(), codec.encode(audio))
    torch.testing.assert_close(exported.decode(codes, [3]), codec.decode(codes), atol=1e-4, rtol=0)


def test_the_page_is_right_about_the_graphs(shipped):
    """Its table is of the shipped codec, and so is its list of operators."""
    page = (Path(__file__).parents[2] / "book" / "onnx.md").read_text(encoding="utf-8")
    for which in ("encoder", "decoder"):
        assert shipped.about[which]["states"][-1]["name"] == "state_13"
    assert page.count("`state_0` … `state_13` → `next_0` … `next_13`") == 2
    graphs = [onnx.load(path, load_external_data=False).graph for path in shipped.files[1:3]]
    listed = page.split("the operators are the common ones:")[1].split(", and for factorized")[0]
    used = {node.op_type for graph in graphs for node in graph.node}
    assert set(re.findall(r"`(\w+)`", listed)) == used
