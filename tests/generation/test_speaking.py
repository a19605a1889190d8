"""Reading aloud: what is asked stays, the rest is drawn; and the shipped speaker says what it is
asked to say."""

import json
import math
import shutil

import pytest
import torch

from minicodec.generation import speaking
from minicodec.generation.patterns import EMPTY
from minicodec.generation.sampling import generate
from minicodec.generation.sound_model_file import facts
from minicodec.generation.speaking import load_speaker, read_aloud, request, spell
from minicodec.model.checkpoint import CheckpointError, fingerprint


@pytest.fixture(scope="module")
def speaker():
    return load_speaker()


def test_a_request_is_the_voice_and_then_a_row_of_phonemes():
    voice = torch.randint(256, (4, 3))
    asked = request(voice, torch.tensor([7, 8]))
    assert torch.equal(asked[:, :3], voice)
    assert asked[:, 3:].tolist() == [[7, 8], *[[EMPTY, EMPTY]] * 3]


def test_gaps_are_open_where_codes_come_as_bytes():
    voice = torch.randint(256, (4, 3), dtype=torch.uint8)
    asked = request(voice, torch.tensor([7, 8]))
    assert torch.equal(asked, request(voice.long(), torch.tensor([7, 8])))


@pytest.mark.parametrize(
    ("voice", "phonemes"),
    [
        (torch.zeros(9, dtype=torch.int64), torch.zeros(2, dtype=torch.int64)),
        (torch.zeros(9, 4, dtype=torch.int64), torch.zeros(1, 2, dtype=torch.int64)),
        (torch.zeros(9, 4, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)),
    ],
)
def test_no_request(voice, phonemes):
    with pytest.raises(ValueError, match="a request is made of a voice"):
        request(voice, phonemes)


@pytest.mark.parametrize(
    ("voice", "phonemes", "said"),
    [
        (torch.zeros(9, 4), torch.zeros(2, dtype=torch.int64), "the voice of .* not torch.float32"),
        (torch.zeros(9, 4, dtype=torch.int64), torch.zeros(2), "phonemes of .* not torch.float32"),
        (torch.zeros(9, 4, dtype=torch.int64), [1, 2], "phonemes of .* not list"),
        (None, torch.zeros(2, dtype=torch.int64), "the voice of .* not NoneType"),
    ],
)
def test_what_is_no_row_of_integers(voice, phonemes, said):
    with pytest.raises(ValueError, match=said):
        request(voice, phonemes)


def test_phonemes_last_as_long_as_they_usually_do(speaker):
    row = spell(speaker, "k aI , t")
    names = [speaker.phonemes[i] for i in row.tolist()]
    usual = speaker.usual
    assert names == [
        *["k"] * usual["k"], *["aI"] * usual["aI"], *[""] * usual[""], *["t"] * usual["t"]
    ]  # fmt: skip
    assert min(usual.values()) >= 1 and max(usual.values()) < 25


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing to say"),
        ("k qq t", "no phoneme 'qq'"),
        (["k", "t"], "not as list"),
        (None, "not as NoneType"),
    ],
)
def test_what_cannot_be_spelt(speaker, text, said):
    with pytest.raises(ValueError, match=said):
        spell(speaker, text)


def test_a_voice_that_there_is_not(speaker):
    with pytest.raises(ValueError, match="the voices are low and high, not 'mine'"):
        read_aloud(speaker, spell(speaker, "k"), "mine")


@pytest.mark.parametrize("wrong", [-1, 50, 300])
def test_phonemes_that_there_are_not(speaker, wrong):
    """The model has room for 256 numbers in that row, and has met 50 of them."""
    with pytest.raises(ValueError, match="lie in 0 to 49, but these lie in"):
        read_aloud(speaker, torch.tensor([3, wrong]), "low")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("speaking.json", None),
        ("speaking.json", b"{"),
        ("speaking.json", b"[]"),
        ("speaking.json", b"{}"),
        ("rows.safetensors", None),
        ("rows.safetensors", b"torn"),
        ("speaking.safetensors", None),
        ("speaking.safetensors", b"torn"),
    ],
)
def test_files_that_are_missing_or_damaged(tmp_path, monkeypatch, name, content):
    folder = shutil.copytree(speaking.FOLDER, tmp_path / "speaking")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    monkeypatch.setattr(speaking, "FOLDER", folder)
    with pytest.raises(CheckpointError):
        load_speaker()


def test_sound_of_as_many_frames_as_phonemes(speaker):
    row = spell(speaker, "k aI t")
    sound = read_aloud(speaker, row, "low", seed=1)
    assert sound.shape == (1, 1, len(row) * 960) and sound.isfinite().all()
    assert torch.equal(sound, read_aloud(speaker, row, "low", seed=1))
    assert not torch.equal(sound, read_aloud(speaker, row, "high", seed=1))


def test_the_speaker_belongs_to_the_codec_that_ships(speaker):
    with (speaking.FOLDER / "speaking.safetensors").open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        metadata = json.loads(file.read(length))["__metadata__"]
    assert metadata["codec"] == fingerprint(speaker.codec.base).hex()
    assert speaker.model.config.n_q == 1 + speaker.codec.config.max_n_q
    assert speaker.model.config.codebook_size >= len(speaker.phonemes)
    assert facts(speaking.FOLDER / "speaking.safetensors")["steps"] > 1000


@torch.no_grad()
def test_given_phonemes_make_codes_likelier_than_others_do(speaker):
    """The model knows what the codes of a sentence say: with another text they cost more bits."""
    found = json.loads((speaking.FOLDER / "speaking.json").read_text())["read"]
    for row in found.values():
        shares = row["right"]
        assert shares["read aloud"] > 3 * shares["another text"]
        assert shares["read aloud"] > 0.5 * shares["recorded"]
    low, high = (found[name]["pitch"]["read aloud"] for name in ("low", "high"))
    assert high > 1.5 * low
    for text, phonemes in speaker.sentences.items():
        drawn = read_rows(speaker, phonemes)
        recorded = drawn.clone()
        recorded[0, 1:, -len(phonemes) :] = speaker.said[text]
        for rows in (drawn, recorded):
            wrong = rows.clone()
            wrong[0, 0, -len(phonemes) :] = phonemes.roll(len(phonemes) // 2)
            right_cost, wrong_cost = (
                cost(speaker, given, len(phonemes)) for given in (rows, wrong)
            )
            assert right_cost < wrong_cost - 0.5, (text, right_cost, wrong_cost)


def read_rows(speaker, phonemes):
    """What the model draws for them: [1, 9, P + T]."""
    prompt = request(speaker.voices["low"], phonemes)
    return generate(speaker.model, prompt.shape[1], prompt, 0.7, 50, seed=0)


def cost(speaker, rows, frames):
    """Mean bits of a code, of the last frames."""
    scores = speaker.model(rows).log_softmax(-1)
    spent = -scores.gather(-1, rows[..., None])[0, 1:, -frames:, 0]
    return float(spent.mean()) / math.log(2)
