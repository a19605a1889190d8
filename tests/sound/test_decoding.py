"""Files through libsndfile: all of the sound, or a warning that says how much of it was read."""

import warnings
from io import BytesIO

import cases
import numpy as np
import pytest
import soundfile

from minicodec.sound.decoding import open_decoder
from minicodec.sound.files import AudioFileError


def heard(data, path=None) -> tuple[int, int | None, list[str]]:
    """How many samples come, how many were stated, and the warnings."""
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        if path is None:
            decoder = open_decoder(BytesIO(data), "x")
            count = sum(len(block) for block in decoder.blocks())
        else:
            path.write_bytes(data)
            with path.open("rb", buffering=0) as file:
                decoder = open_decoder(file, "x")
                count = sum(len(block) for block in decoder.blocks())
        decoder.close()
    return count, decoder.length, [str(note.message) for note in notes]


WHOLE = {
    "WAV": cases.plain_wav(),
    "AIFF": cases.written("AIFF"),
    "FLAC": cases.written("FLAC"),
    "OGG": cases.written("OGG", "VORBIS"),
    "Opus": cases.written("OGG", "OPUS"),
    "RF64": cases.rf64_list_behind_data(),
    "LIST": cases.list_behind_data(),
    "µ-law": cases.written("WAV", "ULAW"),
    "CAF": cases.written("CAF"),
    "AU": cases.written("AU"),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_file_is_read_without_a_word(kind, tmp_path):
    for path in (None, tmp_path / "x"):
        assert heard(WHOLE[kind], path) == (cases.LENGTH, cases.LENGTH, [])


def test_blocks_are_what_soundfile_reads():
    for data in (WHOLE["OGG"], cases.mp3(), WHOLE["FLAC"]):
        expected, _ = soundfile.read(BytesIO(data), dtype="float32", always_2d=True)
        blocks = list(open_decoder(BytesIO(data), "x").blocks())
        # soundfile seeks between blocks, which changes the last bit of an MP3.
        np.testing.assert_allclose(np.concatenate(blocks), expected, atol=1e-6)


def test_what_libsndfile_cannot_seek_in_is_read():
    """GSM, say, which comes in frames of 320 samples."""
    data = cases.written("WAV", "GSM610", cases.samples()[: 320 * 20])
    assert heard(data) == (6400, 6400, [])
    decoder = open_decoder(BytesIO(data), "x")
    assert not decoder.sound.seeks and not decoder.skip(10)


def test_flac_of_unknown_length_is_read_to_its_end():
    assert heard(cases.flac_says(0)) == (cases.LENGTH, None, [])


def test_a_length_that_nobody_can_believe_is_none():
    assert heard(cases.flac_says((1 << 36) - 1)) == (cases.LENGTH, None, [])


def test_a_length_that_could_be_is_compared_with_what_comes():
    count, length, (note,) = heard(cases.flac_says(16000))
    assert (count, length) == (8000, 16000)
    assert note == "x says that it is 2.00 s long, but only 1.00 s of it are there."


@pytest.mark.parametrize(
    "data",
    [cases.cut_short_wav(), cases.cut_short_aiff(), cases.cut_short_mp3(), cases.cut_short_ogg(),
     cases.rf64_list_behind_data()[:9000]],
    ids=["WAV", "AIFF", "MP3", "OGG", "RF64"],
)  # fmt: skip
def test_what_breaks_off_is_read_so_far_with_one_warning(data, tmp_path):
    for path in (None, tmp_path / "x"):
        count, _, notes = heard(data, path)
        assert 0 < count < 4 * cases.LENGTH and len(notes) == 1
        assert "breaks off after" in notes[0] or "only" in notes[0]


def test_a_flac_that_breaks_off_is_refused():
    with pytest.raises(AudioFileError, match="^x cannot be read as audio .*lost sync.$"):
        heard(cases.cut_short_flac())


def test_mp3_whose_length_is_a_guess(tmp_path):
    """A loud beginning makes libsndfile believe in fewer frames than there are, and stop there."""
    for path in (None, tmp_path / "x"):
        assert heard(cases.mp3(), path) == (4 * cases.LENGTH, 4 * cases.LENGTH, [])
        count, length, (note,) = heard(cases.mp3(header=False), path)
        assert length is None and count < 4 * cases.LENGTH
        assert note.startswith(f"x: only {count / cases.RATE:.2f} s of 4.18 s were read")


def test_mp3s_that_were_joined():
    """libsndfile reads as much as the first one's header says."""
    count, length, (note,) = heard(2 * cases.mp3())
    assert count == length == 4 * cases.LENGTH
    assert note == "x: only 4.00 s of 8.50 s were read, for its header says no more."


def test_notes_behind_an_mp3_are_no_sound():
    notes = b"APETAGEX" + bytes(100_000)
    assert heard(cases.mp3() + notes)[::2] == (4 * cases.LENGTH, [])
    before = b"ID3\4\0\0" + bytes([0, 0, 7, 104]) + bytes(1000)
    assert heard(before + cases.mp3()) == (4 * cases.LENGTH, 4 * cases.LENGTH, [])


def test_all_streams_of_an_ogg_file_are_read(tmp_path):
    for path in (None, tmp_path / "x"):
        count, _, notes = heard(cases.two_oggs_in_one(), path)
        assert count == 2 * cases.LENGTH and not notes
    data = cases.two_oggs_in_one()
    sound = np.concatenate(list(open_decoder(BytesIO(data), "x").blocks()))
    assert np.abs(sound[cases.LENGTH :, 0] - cases.samples()[::-1]).max() < 0.05


def test_streams_of_two_rates_are_not_joined():
    count, _, (note,) = heard(cases.oggs_of_two_rates())
    assert count == cases.LENGTH
    assert note.startswith("x: 1.00 s were read; behind them begins a stream of 16000 Hz")


def test_wav_of_which_nobody_wrote_the_length_is_for_another():
    for data in (cases.length_never_written(), cases.empty_data()):
        file = BytesIO(data)
        assert open_decoder(file, "x") is None and file.tell() == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", r"^x is empty \(0 bytes\), so there is no audio in it.$"),
        (cases.web_page(), "^x cannot be read as audio .*: Format not recognised.$"),
        (cases.lfs_pointer(), "^x cannot be read as audio"),
    ],
)
def test_what_is_no_sound_is_refused(data, words):
    with pytest.raises(AudioFileError, match=words):
        open_decoder(BytesIO(data), "x")
