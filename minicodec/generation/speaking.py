"""A model that reads aloud: one row of phonemes, and below it the rows of a codec's codes.

A model of codes alone babbles. Give it one row more, in which stands what is being said in each
frame, and it has a reason for the codes it draws. If that row is given, the model reads; if it is
left open, the model draws that, too. Who speaks is settled by a prompt: some seconds of a voice,
with its phonemes.

The rows are one sequence for a `SoundModel`: phonemes first, the semantic level of chapter 16b's
codec two steps later, each acoustic level a step behind the one above. Large models do the same
with words and with thousands of hours of recordings; this one has heard a synthesizer for five
hours, whose phonemes it knows by their espeak-ng names. Both of its voices were among those that it
heard: whether it can take up a new one, nobody has measured.

Chapter 16c. After Défossez et al. 2024, “Moshi”, section 3.4.
"""

import json
from pathlib import Path
from typing import NamedTuple

import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor

from minicodec.generation.patterns import EMPTY
from minicodec.generation.sampling import generate
from minicodec.generation.sound_model import SoundModel
from minicodec.generation.sound_model_file import load_sound_model
from minicodec.generation.split import SplitCodec, load_split
from minicodec.model.checkpoint import CheckpointError

#: Where the model, its voices and its results lie.
FOLDER = Path(__file__).parents[1] / "weights" / "speaking"
#: The codec whose codes it draws.
CODEC = FOLDER.with_name("semantic") / "distilled.safetensors"


class Speaker(NamedTuple):
    """What is needed to read aloud."""

    model: SoundModel  #: of 1 + K levels: phonemes, then the codec's codes
    codec: SplitCodec
    phonemes: list[str]  #: their names by number; 0 is the pause, ""
    usual: dict[str, int]  #: how many frames each phoneme usually lasts
    voices: dict[str, Tensor]  #: name → [1 + K, P], two seconds of a voice
    sentences: dict[str, Tensor]  #: text → phonemes of each frame [T], as a synthesizer says it
    said: dict[str, Tensor]  #: text → codes [K, T] of the same, in the low voice


def load_speaker() -> Speaker:
    """The speaker that ships.

    Raises:
        CheckpointError: if one of its files is missing or damaged.
    """
    model, codec = load_sound_model(FOLDER / "speaking.safetensors"), load_split(CODEC)
    try:
        facts = json.loads((FOLDER / "speaking.json").read_text(encoding="utf-8"))
        rows = {name: row.long() for name, row in load_file(FOLDER / "rows.safetensors").items()}
        return Speaker(
            model,
            codec,
            facts["phonemes"],
            facts["usual"],
            {name: rows[f"voice {name}"] for name in facts["voices"]},
            {text: rows[f"sentence {i}"] for i, text in enumerate(facts["sentences"])},
            {text: rows[f"said {i}"] for i, text in enumerate(facts["sentences"])},
        )
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise CheckpointError(f"{FOLDER} holds no speaker: {error}") from error


def spell(speaker: Speaker, text: str) -> Tensor:
    """Phonemes of each frame, of names with spaces between them; a comma is a pause.

    Each lasts as long as it usually does.

    Shape:
        [T] int64

    Raises:
        ValueError: for no phonemes, or a name that the speaker does not know.

    >>> speaker = load_speaker()
    >>> [speaker.phonemes[number] for number in spell(speaker, "k aI , t")]
    ['k', 'k', 'aI', 'aI', 'aI', 'aI', '', 't']
    """
    if not isinstance(text, str):
        raise ValueError(f"phonemes are spelt as one text, not as {type(text).__name__}.")
    names = ["" if name == "," else name for name in text.split()]
    if not names:
        raise ValueError("there is nothing to say: write names of phonemes, such as 'k aI t'.")
    for name in names:
        if name not in speaker.usual:
            known = " ".join(sorted(filter(None, speaker.usual)))
            raise ValueError(f"this speaker has no phoneme {name!r}; it has {known}.")
    numbers = [speaker.phonemes.index(name) for name in names]
    return torch.tensor(numbers).repeat_interleave(torch.tensor([speaker.usual[n] for n in names]))


def request(voice: Tensor, phonemes: Tensor) -> Tensor:
    """A prompt that asks for these phonemes in this voice, and leaves the codes open.

    Shape:
        voice: [1 + K, P]; phonemes: [T] → [1 + K, P + T], EMPTY where codes are to be drawn

    Raises:
        ValueError: if either is no tensor of integers, or has another number of axes, or there are
            no phonemes.
    """
    for name, rows, wanted in ("voice", voice, "[1 + K, P]"), ("phonemes", phonemes, "[T]"):
        if not isinstance(rows, Tensor) or rows.is_floating_point():
            found = rows.dtype if isinstance(rows, Tensor) else type(rows).__name__
            raise ValueError(f"the {name} of a request are integers {wanted}, not {found}.")
    if voice.dim() != 2 or phonemes.dim() != 1 or not len(phonemes):
        raise ValueError(
            "a request is made of a voice [1 + K, P] and phonemes [T], one at least, not of "
            f"{list(voice.shape)} and {list(phonemes.shape)}."
        )
    # Unsigned bytes, as files hold codes, have no -1.
    asked = torch.full((len(voice), len(phonemes)), EMPTY)
    asked[0] = phonemes
    return torch.cat([voice.long(), asked], dim=1)


def read_aloud(
    speaker: Speaker,
    phonemes: Tensor,
    voice: str,
    temperature: float = 0.5,
    top_k: int | None = 50,
    seed: int = 0,
) -> Tensor:
    """The sound of these phonemes in one of the speaker's voices.

    Shape:
        phonemes: [T] → audio [1, 1, T * hop_length]

    Raises:
        ValueError: for a voice that there is not, phonemes that there are not, or as `generate`.
    """
    if not isinstance(voice, str) or voice not in speaker.voices:
        raise ValueError(f"the voices are {' and '.join(speaker.voices)}, not {voice!r}.")
    prompt = request(speaker.voices[voice], phonemes)
    lowest, highest, count = int(phonemes.min()), int(phonemes.max()), len(speaker.phonemes)
    if lowest < 0 or highest >= count:
        raise ValueError(
            f"phonemes of this speaker lie in 0 to {count - 1}, but these lie in {lowest} to "
            f"{highest}; `spell` gives them by name."
        )
    rows = generate(speaker.model, prompt.shape[1], prompt, temperature, top_k, seed)
    audio = speaker.codec.decode(rows[:, 1:])  # the voice, too, so that nothing begins abruptly
    return audio[..., -len(phonemes) * speaker.codec.config.hop_length :]
