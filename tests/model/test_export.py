"""A codec of ours in other people's code: the same codes, the same sound, and back again."""

import json
import subprocess
import sys

import pytest
import torch
from exports import CONFIGS, WITHOUT_LSTM, of_script, small, sounds
from safetensors import safe_open

import minicodec
from minicodec.model import export as module
from minicodec.model.checkpoint import fingerprint, load_codec, save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.conv import extra_padding
from minicodec.model.export import FILES, check_exportable, export
from minicodec.model.pretrained import config_of, load

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated"),
    pytest.mark.filterwarnings("ignore:.*has been initialized with stride > 1 and dilation"),
]


def from_pretrained(folder):
    """transformers' model, which must find every tensor that it has, and no other one."""
    from transformers import EncodecModel

    model, found = EncodecModel.from_pretrained(folder, output_loading_info=True)
    assert not any(found.values()), found
    return model


def same_as_transformers(codec: Codec, theirs, audio, bandwidth) -> None:
    codes, scales = codec.encode_scaled(audio, bandwidth)
    with torch.no_grad():
        encoded = theirs.encode(audio, bandwidth=bandwidth)
        decoded = theirs.decode(encoded.audio_codes, encoded.audio_scales,
                                last_frame_pad_length=encoded.last_frame_pad_length)[0]  # fmt: skip
    chunks = list(encoded.audio_codes)
    chunks[-1] = chunks[-1][..., : chunks[-1].shape[-1] - encoded.last_frame_pad_length]
    assert torch.equal(codes, torch.cat(chunks, dim=2))
    ours = codec.decode(codes, scales, audio.shape[-1])
    assert (ours - decoded[..., : audio.shape[-1]]).abs().max() <= 1e-5


def same_as_official(codec: Codec, theirs, audio, bandwidth) -> None:
    codes, scales = codec.encode_scaled(audio, bandwidth)
    theirs.set_target_bandwidth(bandwidth)
    with torch.no_grad():
        frames = theirs.encode(audio)
        decoded = theirs.decode(frames)
    assert torch.equal(codes, torch.cat([frame for frame, _ in frames], dim=2))
    ours = codec.decode(codes, scales, audio.shape[-1])
    assert (ours - decoded[..., : audio.shape[-1]]).abs().max() <= 1e-5


@pytest.mark.parametrize("kind", CONFIGS)
def test_transformers_computes_the_same(tmp_path, kind):
    codec = small(CONFIGS[kind])
    files = export(codec, tmp_path / "out")
    assert [file.name for file in files] == list(FILES["transformers"])
    assert sorted(tmp_path.iterdir()) == [tmp_path / "out"]
    assert sorted((tmp_path / "out").iterdir()) == sorted(files)
    theirs = from_pretrained(tmp_path / "out")
    for audio in sounds(codec.config):
        for bandwidth in codec.config.bandwidths:
            same_as_transformers(codec, theirs, audio, bandwidth)


@pytest.mark.parametrize("kind", [*CONFIGS, "no LSTM"])
def test_the_official_package_computes_the_same(tmp_path, kind):
    codec = small(CONFIGS.get(kind, WITHOUT_LSTM))
    export(codec, tmp_path / "out", "official")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "load_encodec.py",
        "model.safetensors",
    ]
    theirs = of_script(tmp_path / "out")
    assert not theirs.training
    for audio in sounds(codec.config):
        for bandwidth in codec.config.bandwidths:
            same_as_official(codec, theirs, audio, bandwidth)


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("fast", [True, False])
def test_there_and_back_it_is_the_same_codec(tmp_path, kind, fast):
    codec = small(CONFIGS[kind], "mine")
    export(minicodec.faster(codec) if fast else codec, tmp_path / "out")
    back = load(tmp_path / "out", fast=fast)
    assert back.name == "mine"
    if kind == "no norm":  # transformers knows no such model, so it comes back with one
        assert back.config.norm == "weight_norm"
        audio = sounds(codec.config)[-1]
        assert torch.equal(back.encode(audio), codec.encode(audio))
        return
    assert back.config == codec.config == config_of(tmp_path / "out")
    assert fingerprint(back) == fingerprint(codec)
    for mine, theirs in zip(codec.quantizer.codebooks, back.quantizer.codebooks):
        assert torch.equal(mine.counts, theirs.counts)


def test_what_transformers_has_loaded_and_saved_comes_back(tmp_path):
    """It writes weight norm in its own way, and none of our metadata: the folder names it."""
    codec = small(CONFIGS["causal"], "mine")
    export(codec, tmp_path / "out")
    from_pretrained(tmp_path / "out").save_pretrained(tmp_path / "theirs")
    back = load(tmp_path / "theirs")
    assert (back.name, back.config) == ("theirs", codec.config)
    audio = sounds(codec.config)[-1]
    assert torch.equal(back.encode(audio), codec.encode(audio))


def test_the_shipped_codec_is_an_encodec_model(tmp_path):
    """Real weights, real sound, each bandwidth; and the processor that reads the folder."""
    from transformers import AutoProcessor

    codec, speech = load("mini_24khz"), minicodec.audio.clip("speech_en", seconds=2)
    export(codec, tmp_path / "a")
    export(codec, tmp_path / "b", "official")
    theirs, official = from_pretrained(tmp_path / "a"), of_script(tmp_path / "b")
    processor = AutoProcessor.from_pretrained(tmp_path / "a")
    fed = processor(raw_audio=speech[0, 0].numpy(), sampling_rate=24000, return_tensors="pt")
    assert torch.equal(fed["input_values"], speech)
    for bandwidth in codec.config.bandwidths:
        same_as_transformers(codec, theirs, fed["input_values"], bandwidth)
        same_as_official(codec, official, speech, bandwidth)
    assert fingerprint(load(tmp_path / "a")) == fingerprint(codec)
    # So a stream that one has written the other reads, without being told of the model.
    stream = minicodec.compress(load(tmp_path / "a"), speech, bandwidth=6.0)
    heard = codec.decode(codec.encode(speech, 6.0), length=speech.shape[-1])
    assert (minicodec.decompress(stream) - heard).abs().max() <= 1e-5


def test_very_long_clips_end_otherwise_in_transformers():
    """As `book/export.md` says: if this fails, they have mended it, and the page is to be changed.

    It counts windows in float32, where 2^24 + 1 is no number; nothing is computed here.
    """
    from transformers import EncodecConfig
    from transformers.models.encodec.modeling_encodec import EncodecConv1d

    layer = EncodecConv1d(EncodecConfig(), 1, 1, kernel_size=4, stride=2)
    for length, theirs in ((2**24 - 1, 1), (2**24 + 1, -1)):
        found = layer._get_extra_padding_for_conv1d(torch.empty(1, 1, length, device="meta"))
        assert extra_padding(length, 2) == 1 and int(found) == theirs


def test_the_processor_knows_rate_channels_and_segments(tmp_path):
    from transformers import AutoProcessor

    export(small(CONFIGS["48 kHz stereo"]), tmp_path / "out")
    processor = AutoProcessor.from_pretrained(tmp_path / "out")
    assert type(processor).__name__ == "EncodecFeatureExtractor"
    assert (processor.sampling_rate, processor.feature_size) == (48000, 2)
    assert (processor.chunk_length, processor.chunk_stride) == (4800, 4752)


def test_neither_package_is_needed_to_write(tmp_path):
    code = (
        "import sys; sys.modules['transformers'] = sys.modules['encodec'] = None; import minicodec;"
        "codec = minicodec.Codec(minicodec.CodecConfig(n_filters=4, dimension=8)); "
        "[minicodec.export(codec, sys.argv[1] + p, p) for p in ('transformers', 'official')]; "
        "print(minicodec.load(sys.argv[1] + 'transformers').config == codec.config)"
    )
    done = subprocess.run([sys.executable, "-c", code, f"{tmp_path}/"], capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.stdout == "True\n", done.stderr


def test_what_is_known_comes_along(tmp_path):
    codec = small(CONFIGS["causal"], "mine")
    for package in FILES:
        export(codec, tmp_path / package, package, facts={"licence": "MIT"})
        with safe_open(tmp_path / package / "model.safetensors", "pt") as file:
            metadata = file.metadata()
        assert metadata["name"] == "mine" and metadata["format"] == "pt"
        assert json.loads(metadata["facts"]) == {"licence": "MIT"}


def test_a_decoder_for_other_codes_is_exported_whole(tmp_path):
    codec = load("mini_24khz_adversarial")
    export(codec, tmp_path / "out")
    assert fingerprint(load(tmp_path / "out")) == fingerprint(codec)


@pytest.mark.parametrize(
    ("config", "package", "message"),
    [
        (CodecConfig(quantizer="factorized"), "transformers", "factorized codebooks"),
        (CodecConfig(quantizer="factorized"), "official", "factorized codebooks"),
        (CodecConfig(activation="snake"), "transformers", "snake activations, and transformers"),
        (CodecConfig(activation="snake"), "official", "snake activations, and the official"),
        (CodecConfig(lstm_layers=0), "transformers", "always has an LSTM, and this codec has none"),
        (CodecConfig(bandwidths=(0.5,)), "transformers", "no codebook for 0.5 kbps"),
        (CodecConfig(sample_rate=16000, codebook_size=256, bandwidths=(0.4, 1.2)), "official",
         "at 1.2 kbps the official package would use 2 codebooks and not 3"),
        (CodecConfig(), "onnx", "for transformers or official, not for 'onnx'"),
        (CodecConfig(), None, "for transformers or official, not for None"),
        (CodecConfig(), ["official"], "for transformers or official, not for"),
    ],
)  # fmt: skip
def test_what_they_cannot_express_is_refused_first(monkeypatch, tmp_path, config, package, message):
    monkeypatch.setattr(module, "rename", lambda *_: pytest.fail("it began to work"))
    with pytest.raises(ValueError, match=message) as error:
        check_exportable(config, package)
    with torch.device("meta"):
        codec = Codec(config)
    with pytest.raises(ValueError, match=message):
        export(codec, tmp_path / "out", package)
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


def test_one_bandwidth_below_a_codebook_is_no_trouble_for_the_official_package(tmp_path):
    codec = small(CodecConfig(n_filters=4, dimension=8, bandwidths=(0.5,)))
    export(codec, tmp_path / "out", "official")
    audio = sounds(codec.config)[-1]
    same_as_official(codec, of_script(tmp_path / "out"), audio, 0.5)


@pytest.mark.parametrize("thing", [None, "mini_24khz", torch.nn.Linear(1, 1)])
def test_what_is_no_codec(tmp_path, thing):
    with pytest.raises(ValueError, match="export takes a codec, as load gives it, not "):
        export(thing, tmp_path / "out")


@pytest.mark.parametrize("folder", [None, "", 3, b"out"])
def test_what_names_no_folder(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="export needs the name of a folder to write to, not "):
        export(small(CONFIGS["causal"]), folder)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(tmp_path, number):
    codec = small(CONFIGS["causal"])
    codec.decoder.layers[0].bias[0] = number
    with pytest.raises(ValueError, match="decoder.layers.0.conv.bias holds NaN or infinite"):
        export(codec, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_an_older_export_is_replaced_only_if_asked(tmp_path):
    one, other = small(CONFIGS["causal"]), small(CONFIGS["odd strides"])
    export(one, tmp_path / "out")
    (tmp_path / "out" / "README.md").write_text("mine")
    with pytest.raises(ValueError, match="model.safetensors exists already: .* force=True"):
        export(other, tmp_path / "out")
    assert fingerprint(load(tmp_path / "out")) == fingerprint(one)
    export(other, tmp_path / "out", force=True)
    assert fingerprint(load(tmp_path / "out")) == fingerprint(other)
    assert (tmp_path / "out" / "README.md").read_text() == "mine"
    assert len(list((tmp_path / "out").iterdir())) == 4 and len(list(tmp_path.iterdir())) == 1


def test_a_file_or_a_folder_in_the_way(tmp_path):
    codec = small(CONFIGS["causal"])
    (tmp_path / "file").write_text("precious")
    with pytest.raises(ValueError, match="file is a file, but 3 files go into a folder"):
        export(codec, tmp_path / "file", force=True)
    (tmp_path / "out" / "config.json").mkdir(parents=True)
    with pytest.raises(ValueError, match="config.json is a folder, not a file"):
        export(codec, tmp_path / "out", force=True)
    assert (tmp_path / "file").read_text() == "precious"
    with pytest.raises(ValueError, match="file/in cannot be written: .*(exists|irectory)"):
        export(codec, tmp_path / "file" / "in")


@pytest.mark.parametrize("force", [True, False])
def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, force):
    """At each of the three files: the older export is whole, or there is none."""
    one, other = small(CONFIGS["causal"]), small(CONFIGS["odd strides"])
    if force:
        export(one, tmp_path / "out")
    for at in range(3):
        calls = []

        def full(path, data, inner=module.write_bytes, at=at, calls=calls):
            calls.append(path)
            if len(calls) > at:
                raise OSError(28, "No space left on device")
            inner(path, data)

        with monkeypatch.context() as patch:
            patch.setattr(module, "write_bytes", full)
            with pytest.raises(ValueError, match="out cannot be written: No space left"):
                export(other, tmp_path / "out", force=force)
        assert [path.name for path in tmp_path.iterdir()] == ["out"] * force
    assert not force or fingerprint(load(tmp_path / "out")) == fingerprint(one)


def test_through_a_link_into_the_folder_it_points_to(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    export(small(CONFIGS["causal"]), tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "config.json").is_file()


def test_a_saved_file_of_ours_exported_is_the_same_model(tmp_path):
    """Sixteen bits per weight, as the shipped one: what is exported are these numbers."""
    save_codec(small(CONFIGS["causal"]), tmp_path / "x.safetensors",
               half=True)  # fmt: skip
    codec = load_codec(tmp_path / "x.safetensors")
    export(codec, tmp_path / "out")
    assert fingerprint(load(tmp_path / "out")) == fingerprint(codec)
