"""Where each of many files goes, and what is refused before anything is coded."""

import argparse

import pytest
import torch
from command import contents

from minicodec import audio
from minicodec.cli.jobs import jobs_of
from minicodec.sound.files import recordings


def words(*inputs, output=None, force=False, keep=False, format=None):
    return argparse.Namespace(
        inputs=[*map(str, inputs)], output=output, force=force, keep=keep, format=format
    )


def targets(args, endings=(".mcdc", ".ecdc")):
    return {job.source: str(job.target) for job in jobs_of(args, recordings, endings)}


def test_each_goes_beside_its_source_or_into_the_folder_that_was_named(album):
    beside = {
        "album/a.wav": "album/a.mcdc",
        "album/live/b.flac": "album/live/b.mcdc",
        "album/live/c.v2.wav": "album/live/c.v2.mcdc",
    }
    assert targets(words("album")) == beside
    moved = {source: "out" + target.removeprefix("album") for source, target in beside.items()}
    assert targets(words("album", output="out")) == moved
    both = targets(words("mono.wav", "album/live/b.flac", output="out"))
    assert both == {"mono.wav": "out/mono.mcdc", "album/live/b.flac": "out/b.mcdc"}
    assert targets(words("album/a.wav", "album")) == beside  # named twice, coded once
    assert targets(words("mono.wav", output="album")) == {"mono.wav": "album/mono.mcdc"}
    assert not (album / "out").exists()


def test_the_ending_is_the_first_or_what_was_asked_for(album):
    assert targets(words("album/a.wav", format=".ecdc")) == {"album/a.wav": "album/a.ecdc"}
    assert targets(words("album/live", format=".ecdc")).popitem()[1].endswith(".ecdc")
    with pytest.raises(ValueError, match=r"x.mcdc: the ending must be one of .ecdc"):
        jobs_of(words("mono.wav", output="x.mcdc", format=".ecdc"), recordings, (".mcdc", ".ecdc"))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (words("album", "gone.wav"), "gone.wav: no such file."),
        (words("album", "-"), "a pipe takes or gives one sound: name one input."),
        (words("album", output="-"), "a pipe takes or gives one sound: name one input."),
        (words("album", output="mono.wav"), "mono.wav is a file, but several inputs go into a"),
        (words("album", output="x.mcdc"), "x.mcdc names one file, but several inputs go into a"),
        (words("empty"), "there is nothing in the folder empty that could be coded."),
        (words("mono.wav", "mono.flac"), "mono.wav and mono.flac would both become mono.mcdc"),
        (words("album", "taken", output="out"), "would both become out/a.mcdc: code one alone."),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_coded(album, args, message):
    (album / "empty").mkdir()
    (album / "taken").mkdir()
    audio.save("mono.flac", torch.zeros(1, 100), 24000)
    audio.save("taken/a.flac", torch.zeros(1, 100), 24000)
    before = contents(album)
    with pytest.raises(ValueError) as error:
        jobs_of(args, recordings, (".mcdc", ".ecdc"))
    assert message in str(error.value)
    assert contents(album) == before
