"""Distillation: the first codebook is to say what a teacher hears in the same sound.

Nobody tells the codec which words there are. A *teacher*, a network that knows something of speech,
turns sound into features, and the vector that the first codebook gives shall point the way the
teacher's points. In Mimi the teacher is WavLM, which has listened to thousands of hours without any
labels. Ours has some fifty thousand weights and has learned to name the phonemes of a speech
synthesizer; what it passes on is the layer below the names, never a name.

Chapter 16b. After Défossez et al. 2024, “Moshi”, section 3.3, and Zhang et al. 2023,
“SpeechTokenizer”.
"""

from pathlib import Path

import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from minicodec.model.checkpoint import CheckpointError, read_metadata
from minicodec.sound import audio as audio_
from minicodec.sound.spectral import mel_spectrogram

#: Numbers in the teacher's vector of one frame.
FEATURES = 32

_RATE, _MELS, _HOP, _WINDOW, _FRAME = 16000, 40, 160, 512, 640


def distillation_loss(students: Tensor, teachers: Tensor) -> Tensor:
    """One minus the cosine of the angle between two vectors, as a mean over all frames.

    Only the direction counts: 0 where both point the same way, 1 where they are at right angles, 2
    where they are opposite. No gradient goes to the teacher.

    Shape:
        students, teachers: [B, D, T] → scalar

    Raises:
        ValueError: if the shapes differ.

    >>> import torch
    >>> x = torch.randn(1, 8, 5)
    >>> print(f"{distillation_loss(x, -2 * x):.1f}, whatever the length")
    2.0, whatever the length
    """
    if students.shape != teachers.shape or students.dim() != 3:
        raise ValueError(
            "distillation compares vectors [B, D, T] of one shape, but they are "
            f"{list(students.shape)} and {list(teachers.shape)}."
        )
    return (1 - F.cosine_similarity(students, teachers.detach(), dim=1)).mean()


class Teacher(nn.Module):
    """Names the phoneme of each frame; its last layer but one is what it teaches.

    It looks at the future as well as the past, as WavLM does. The codec that it teaches need not.

    It takes sound of any rate, hears it at 16 kHz, and has 25 frames a second.

    Args:
        phonemes: how many it can name.

    Shape:
        audio: [B, 1, T] → logits [B, phonemes, frames], rounded down

    >>> import torch
    >>> teacher = Teacher(phonemes=40)
    >>> sound = torch.randn(1, 1, 24000)
    >>> teacher.features(sound, 24000).shape, teacher(sound, 24000).shape
    (torch.Size([1, 32, 25]), torch.Size([1, 40, 25]))
    """

    def __init__(self, phonemes: int):
        super().__init__()
        self.look = nn.Sequential(
            nn.Conv1d(_MELS, 64, 5, padding=2),
            nn.ELU(),
            nn.Conv1d(64, 64, 5, padding=4, dilation=2),
            nn.ELU(),
            nn.AvgPool1d(_FRAME // _HOP),
            nn.Conv1d(64, 64, 3, padding=1),
            nn.ELU(),
            nn.Conv1d(64, FEATURES, 1),
        )
        self.name = nn.Conv1d(FEATURES, phonemes, 1)

    def features(self, audio: Tensor, sample_rate: int) -> Tensor:
        """Shape: audio [B, 1, T] → [B, 32, frames].

        Raises:
            ValueError: for what is not mono sound, or an impossible rate.
        """
        audio_.check(audio, 1)
        audio = audio_.resample(audio, sample_rate, _RATE)
        loudness = audio.pow(2).mean((1, 2), keepdim=True).sqrt().clamp(min=1e-4)
        mel = mel_spectrogram(audio / loudness, _RATE, _WINDOW, _HOP, _MELS)[:, 0]
        mel = mel[..., : audio.shape[-1] // _FRAME * _FRAME // _HOP]
        return self.look((mel + 1e-3).log10())

    def forward(self, audio: Tensor, sample_rate: int) -> Tensor:
        return self.name(F.elu(self.features(audio, sample_rate)))


def load_teacher(path: str | Path) -> Teacher:
    """Read a teacher, ready to run.

    Raises:
        CheckpointError: if the file is missing, damaged, or holds something else.
    """
    read_metadata(path)
    state = {name: tensor.float() for name, tensor in load_file(path).items()}
    if "name.weight" not in state:
        raise CheckpointError(f"{path} holds no teacher.")
    teacher = Teacher(len(state["name.weight"]))
    try:
        teacher.load_state_dict(state)
    except RuntimeError as error:
        raise CheckpointError(f"{path} holds another kind of teacher.") from error
    return teacher.eval().requires_grad_(False)
