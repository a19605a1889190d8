"""Names of one network in three packages, and weight norm taken apart and put together."""

import pytest
import torch
from exports import CONFIGS, WITHOUT_LSTM, small

from minicodec.model.checkpoint import inference_weights
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.renaming import convert, rename

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")


@pytest.mark.parametrize("package", ["transformers", "official"])
@pytest.mark.parametrize("kind", CONFIGS)
def test_there_and_back_to_the_last_bit(kind, package):
    codec = small(CONFIGS[kind])
    back = convert(rename(codec, package), whole=True)
    mine = inference_weights(codec)
    for key, tensor in mine.items():
        assert torch.equal(back.pop(key), tensor), key
    assert all(key.endswith((".sums", ".initialized")) for key in back)


def test_both_packages_own_names():
    """That these are all names and shapes, strict loading shows in the tests of the export."""
    for kind in ("causal", "48 kHz stereo"):
        theirs = rename(small(CONFIGS[kind]), "official")
        norm = kind != "causal"
        assert f"encoder.model.0.conv.conv.weight{'' if norm else '_g'}" in theirs
        assert f"decoder.model.3.convtr.convtr.weight{'' if norm else '_v'}" in theirs
        assert ("decoder.model.3.convtr.norm.bias" in theirs) == norm
        assert "encoder.model.4.block.3.conv.conv.bias" in theirs
        assert "decoder.model.1.lstm.weight_hh_l1" in theirs
        assert theirs["quantizer.vq.layers.1._codebook.embed"].shape == (1024, 8)
        theirs = rename(small(CONFIGS[kind]), "transformers")
        assert f"decoder.layers.3.conv.weight{'' if norm else '_v'}" in theirs
        assert ("decoder.layers.3.norm.bias" in theirs) == norm
        assert theirs["quantizer.layers.0.codebook.inited"].tolist() == [1.0]


def test_codebooks_keep_their_totals():
    """So a codec can be trained on there: the average of what chose an entry is the entry."""
    theirs = rename(small(CONFIGS["causal"]), "transformers")
    stem = "quantizer.layers.0.codebook"
    sums, counts = theirs[f"{stem}.embed_avg"], theirs[f"{stem}.cluster_size"]
    assert torch.allclose(sums / counts[:, None], theirs[f"{stem}.embed"])


def test_a_codec_as_it_trains_is_the_same_as_folded():
    codec = Codec(CONFIGS["causal"]).train()
    with torch.no_grad():
        codec.encoder.layers[0].parametrizations.weight.original0.mul_(3)
    back = convert(rename(codec, "official"), whole=True)
    for key, tensor in inference_weights(codec).items():
        assert torch.equal(back[key], tensor), key


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e-13, 1e-6, 1.0, 1e6])
def test_filters_that_are_nearly_nothing_do_not_become_nan(scale):
    """A length of 0 over a length of 0, or one whose square float32 does not hold, would."""
    codec = small(CONFIGS["causal"])
    codec.encoder.layers[0].weight[1] *= scale
    theirs = rename(codec, "official")
    put = convert(theirs)["encoder.layers.0.weight"]
    assert torch.isfinite(put).all()
    assert torch.allclose(put, codec.encoder.layers[0].weight, rtol=1e-6, atol=1e-11)
    if scale in (0.0, 1.0):
        assert torch.equal(put, codec.encoder.layers[0].weight)


def test_torch_puts_together_exactly_what_was_taken_apart():
    """Not so with the length that `norm_except_dim` gives, which is another sum of the squares."""
    codec = small(CodecConfig(n_filters=16, dimension=8, bandwidths=(1.5,)))
    weights, theirs = inference_weights(codec), rename(codec, "official")
    put = convert(theirs)
    other = 0
    for key in [key for key in put if key.endswith(".weight")]:
        assert torch.equal(put[key], weights[key]), key
        length = torch.norm_except_dim(weights[key])
        other += not torch.equal(torch._weight_norm(weights[key], length, 0), weights[key])
    assert other > 10


def test_directions_are_taken_as_they_are_only_where_that_is_said():
    """Others' lengths are what they say, however near to the length of their direction."""
    state = {"a.weight_g": torch.tensor([[2.0], [0.0]]), "a.weight_v": torch.tensor([[4.0], [3.0]])}
    assert convert(state)["a.weight"].tolist() == [[2.0], [0.0]]
    assert convert(state, whole=True)["a.weight"].tolist() == [[4.0], [0.0]]


@pytest.mark.parametrize("package", ["transformers", "official"])
def test_without_an_lstm_there_are_no_names_of_one(package):
    theirs = rename(small(WITHOUT_LSTM), package)
    assert not [key for key in theirs if "lstm" in key]
