"""A network is tried with the right one's weights; what does not fit is said in one sentence."""

import pytest
import torch
from torch import nn

from minicodec.exercises import answers_03 as answers
from minicodec.exercises.limited import Failed
from minicodec.model.conv import Conv1d
from minicodec.model.seanet import ResidualBlock


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_same_network_gives_the_same():
    right, x = answers.block_and_sound(generator())
    torch.testing.assert_close(answers.with_weights(ResidualBlock(6), right, x), right(x).detach())


def test_weights_follow_from_the_generator_alone():
    first, second = (answers.block_and_sound(generator())[0].state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("mine", "sentence"),
    [
        (5, "Expected an nn.Module, got int."),
        (nn.Linear(1, 1), "Expected an nn.Sequential, got Linear."),
        (
            nn.Sequential(nn.ELU(), nn.ELU()),
            "Layer 0 is of type ELU; something else belongs there.",
        ),
        (nn.Sequential(Conv1d(1, 2, 3)), "It has 1 layers; expected 2."),
        (
            nn.Sequential(Conv1d(1, 2, 5), nn.ELU()),
            r"The shape of '0.weight' is \[2, 1, 5\]; expected \[2, 1, 3\]: kernel, width, order?",
        ),
    ],
)
def test_what_does_not_fit_is_named(mine, sentence):
    right = nn.Sequential(Conv1d(1, 2, 3), nn.ELU())
    with pytest.raises(Failed, match=sentence):
        answers.with_weights(mine, right, torch.zeros(1, 1, 9))


def test_missing_and_additional_weights_are_named():
    class Bare(nn.Module):
        pass

    with pytest.raises(Failed, match="There is no 'weight'"):
        answers.with_weights(Bare(), nn.Linear(1, 1), torch.zeros(1, 1))
    with pytest.raises(Failed, match="There should be no 'weight'"):
        answers.with_weights(nn.Linear(1, 1), Bare(), torch.zeros(1, 1))


def test_the_lstm_is_torchs_and_the_walk_with_the_right_step_agrees():
    given = answers.frames_and_matrices(generator())
    lstm = nn.LSTM(given[0].shape[2], given[0].shape[2])
    for parameter, values in zip(lstm.parameters(), given[1:]):
        parameter.data = values
    torch.testing.assert_close(answers.lstm(*given), lstm(given[0])[0].detach())
    torch.testing.assert_close(answers.walk(answers.step)(*given), answers.lstm(*given))


def test_networks_are_the_packages_without_weight_norm():
    hop = 2 * 4 * 5 * 8
    assert answers.encoder(1, 5, 2)(torch.zeros(1, 1, 3 * hop)).shape == (1, 5, 3)
    assert answers.decoder(1, 5, 2)(torch.zeros(1, 5, 3)).shape == (1, 1, 3 * hop)
