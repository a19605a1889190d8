"""Discriminators as files: what is written is read, and a stranger's file builds nothing."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from minicodec.model.checkpoint import CheckpointError
from minicodec.training.config import TrainConfig, load_config
from minicodec.training.discriminator import BandwidthDiscriminators, MultiScaleDiscriminator
from minicodec.training.discriminator_file import (
    SHIPPED_DISCRIMINATORS,
    check_discriminator,
    copy_discriminator,
    load_discriminator,
    save_discriminator,
)

WINDOWS = (256, 64)


@pytest.fixture
def learned():
    torch.manual_seed(3)
    return MultiScaleDiscriminator(WINDOWS, n_filters=2)


@pytest.fixture
def file(tmp_path, learned):
    save_discriminator(learned, tmp_path / "d.safetensors", {"step": 7})
    return tmp_path / "d.safetensors"


def test_what_is_read_back_judges_alike(file, learned, speech):
    again = load_discriminator(file)
    for mine, theirs in zip(again(speech).logits, learned(speech).logits):
        assert torch.allclose(mine, theirs, atol=1e-2)
    assert all(p.requires_grad and p.dtype == torch.float32 for p in again.parameters())


def test_it_goes_to_every_bandwidth(file, learned, speech):
    many = BandwidthDiscriminators((1.5, 6.0), WINDOWS, n_filters=2)
    copy_discriminator(load_discriminator(file), many)
    first, second = (many(speech, bandwidth).logits[0] for bandwidth in (1.5, 6.0))
    assert torch.equal(first, second)
    many.discriminators[0].scales[0].last.bias.data += 1
    assert not torch.equal(many(speech, 1.5).logits[0], second), "they learn apart from then on"


def adversarial(**changes):
    size = {"discriminator_windows": WINDOWS, "discriminator_filters": 2}
    return TrainConfig(**(size | changes))


def test_a_config_of_another_size_is_refused(file):
    assert check_discriminator(file, adversarial()).channels == 1
    with pytest.raises(ValueError, match=r"of 2 filters at windows of 256, 64 samples, but .*32"):
        check_discriminator(file, adversarial(discriminator_filters=32))
    with pytest.raises(ValueError, match="does not learn from one"):
        check_discriminator(file, load_config("mini_24khz"))


def rewritten(file, size=None, **tensors):
    kept = load_file(file) | tensors
    sizes = {"windows": list(WINDOWS), "n_filters": 2, "channels": 1} | (size or {})
    metadata = {"format": "minicodec discriminator 1", "size": json.dumps(sizes)}
    save_file({k: v for k, v in kept.items() if v is not None}, file, metadata)
    return file


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ({"n_filters": 1024, "windows": [65536] * 64}, "other weights than a discriminator of"),
        ({"n_filters": 10**9}, "n_filters"),
        ({"windows": [64] * 65}, "windows"),
        ({"windows": []}, "windows"),
        ({"windows": "many"}, "windows"),
        ({"hop": 3}, "hop"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_in_a_sentence(file, size, message):
    with pytest.raises(CheckpointError, match=message) as error:
        load_discriminator(rewritten(file, size))
    assert "\n" not in str(error.value) and len(str(error.value)) < 700


def test_weights_that_do_not_fit_are_refused(file):
    bias = "scales.0.last.bias"
    for wrong in (None, torch.zeros(2), torch.tensor([torch.nan])):
        with pytest.raises(CheckpointError, match="other weights|NaN"):
            load_discriminator(rewritten(file, **{bias: wrong}))


def test_what_is_no_discriminator_is_refused(tmp_path, file):
    with pytest.raises(CheckpointError, match="no such file"):
        load_discriminator(tmp_path / "none.safetensors")
    data = file.read_bytes()
    file.write_bytes(data[:-9])
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        load_discriminator(file)
    save_file({"x": torch.zeros(1)}, file)
    with pytest.raises(CheckpointError, match="holds no discriminator"):
        load_discriminator(file)
    with pytest.raises(CheckpointError, match="none of a training run"):
        load_discriminator(tmp_path)


def test_the_shipped_one_fits_the_recipe_for_a_voice():
    assert all(path.is_file() for path in SHIPPED_DISCRIMINATORS.values())
    config = load_config("mini_voice")
    assert config.decoder_only and not config.head_start
    learned = check_discriminator("mini_24khz_adversarial", config)
    assert sum(p.numel() for p in learned.parameters()) < 1e6
    other = dataclasses.replace(config, discriminator_filters=8)
    with pytest.raises(ValueError, match="16 filters"):
        check_discriminator("mini_24khz_adversarial", other)
