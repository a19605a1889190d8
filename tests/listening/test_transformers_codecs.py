"""Models of transformers behind bytes: the codes are all in there, and nothing else is."""

import builtins
import json

import pytest
import torch

from minicodec import audio
from minicodec.listening.codecs import check_codec, through
from minicodec.listening.transformers_codecs import from_folder

transformers = pytest.importorskip("transformers")
NONE = "holds no model of transformers that is known here: "
SMALL = {"codebook_size": 64, "codebook_dim": 16, "hidden_size": 16}


def encodec(**more):
    config = transformers.EncodecConfig(
        num_filters=4, target_bandwidths=[1.35, 2.7], **SMALL, **more
    )
    return transformers.EncodecModel(config)


def stereo():
    return encodec(sampling_rate=48000, audio_channels=2, normalize=True, chunk_length_s=1.0,
                   overlap=0.01, use_causal_conv=False, norm_type="time_group_norm")  # fmt: skip


def dac():
    return transformers.DacModel(transformers.DacConfig(
        encoder_hidden_size=8, decoder_hidden_size=32, n_codebooks=3, codebook_size=64,
        codebook_dim=4, sampling_rate=16000))  # fmt: skip


def mimi():
    return transformers.MimiModel(transformers.MimiConfig(
        num_filters=4, vector_quantization_hidden_dimension=16, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, head_dim=8, intermediate_size=16,
        num_quantizers=4, upsample_groups=16, **SMALL))  # fmt: skip


def directly(model, x):
    """What the model's own forward makes of a sound."""
    if model.config.model_type == "dac":
        x = torch.nn.functional.pad(x, (0, -x.shape[-1] % 512))
        return model(x).audio_values.reshape(1, 1, -1)
    if model.config.model_type == "mimi":
        return model(x).audio_values
    return model(x, bandwidth=model.config.target_bandwidths[-1]).audio_values


#: Of each: its maker, bits of a second with all codebooks, a lower rate and the codebooks it takes.
MODELS = {
    "encodec": (encodec, 6 * 450, 1.4, 3),
    "stereo": (stereo, 3 * 900, 0.9, 1),
    "dac": (dac, 3 * 187, 0.4, 2),
    "mimi": (mimi, 4 * 75, 0.15, 2),
}


@pytest.fixture(params=MODELS)
def saved(request, tmp_path):
    """A model with random weights, its folder, and what is known of it."""
    make, *known = MODELS[request.param]
    model = make().eval()
    for name, tensor in model.named_buffers():  # they are born all the same
        if name.endswith(("embed", "embed_sum")):
            tensor.normal_()
    model.save_pretrained(tmp_path / request.param)
    return model, tmp_path / request.param, *known


def test_what_comes_back_is_what_the_model_makes(saved):
    model, folder, bits, _, _ = saved
    (codec,) = from_folder(folder, note="random weights")
    check_codec(codec)
    assert codec.note == "random weights" and codec.name.startswith(f"{folder.name} ")
    rate = model.config.sampling_rate
    clip = audio.mix(audio.clip("speech_en", rate, seconds=1.3), codec.channels)[..., :-5]
    with torch.no_grad():
        expected = directly(model, clip)[..., : clip.shape[-1]]
    copy, size = through(codec, clip, rate)
    n = min(expected.shape[-1], clip.shape[-1])
    assert n > 0.99 * clip.shape[-1]
    assert torch.allclose(copy[..., :n], expected[..., :n], atol=1e-4)
    assert size * 8 == pytest.approx(bits * 1.3, rel=0.1, abs=150)


@pytest.mark.parametrize("normalize", [True, False])
def test_two_short_segments_at_the_end_are_coded_too(tmp_path, normalize):
    """What is left behind the last whole segment fits into the overlap of the next two."""
    model = encodec(sampling_rate=8000, chunk_length_s=0.5, overlap=0.1, normalize=normalize)
    model.save_pretrained(tmp_path)
    (codec,) = from_folder(tmp_path)
    for length in (2 * 3600 + 4000 - 7, 2 * 3600 + 13, 3600 + 2, 3600, 3999, 4000, 4001, 100):
        sound = 0.1 * torch.randn(1, 1, length)
        assert codec.decode(codec.encode(sound)).shape == sound.shape


def test_a_lower_rate_takes_fewer_codebooks(saved):
    _, folder, _, kbps, n_q = saved
    low, high = *from_folder(folder, [kbps]), *from_folder(folder)
    check_codec(low)
    clip = torch.randn(1, low.channels, low.sample_rate)
    assert low.encode(clip)[0] == n_q and len(low.encode(clip)) < len(high.encode(clip))
    assert low.name != high.name
    for rate in (0.01, 1000):
        with pytest.raises(ValueError, match=r"has .* to .* kbps, not"):
            from_folder(folder, [rate])


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, NONE),
        ({"config.json": "{"}, NONE),
        ({"config.json": json.dumps({"model_type": "bert"})},
         "kind 'bert', but encodec, dac, mimi are known"),
        ({"config.json": json.dumps({"model_type": "encodec", "target_bandwidths": "all"})},
         "target_bandwidths"),
        ({"config.json": "[1]"}, NONE),
        ({"config.json": json.dumps({"model_type": "mimi"})}, NONE),
        ({"config.json": json.dumps({"model_type": "mimi"}), "model.safetensors": "x"},
         NONE),
    ],
)  # fmt: skip
def test_a_folder_without_a_model_is_one_sentence(tmp_path, files, words):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=words) as error:
        from_folder(tmp_path)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_weights_that_a_file_lacks_are_not_made_up(tmp_path):
    from safetensors.torch import load_file, save_file

    dac().save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    whole = len(tensors)
    tensors = {name: x for name, x in tensors.items() if not name.startswith("decoder.conv2")}
    assert len(tensors) == whole - 2
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="lacks 2 weights of its model, decoder.conv2.bias first"):
        from_folder(tmp_path)


def test_without_transformers_it_says_so(monkeypatch, tmp_path):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "transformers":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match=r"need it: pip install .?transformers"):
        from_folder(tmp_path)
