"""Right answers of chapter 08 do as the package does."""

import pytest
import torch
import torch.nn.functional as F

from minicodec.exercises import answers_08 as answers
from minicodec.training.discriminator import STFTDiscriminator
from minicodec.training.losses import discriminator_loss, feature_matching_loss


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_the_hinge_written_out_is_the_packages(generator):
    maps = answers.two_kinds_of_maps(generator)
    written = answers.hinge(lambda r: F.relu(1 - r), lambda f: F.relu(1 + f))
    assert torch.allclose(written(*maps), discriminator_loss(*maps))


def test_feature_matching_written_out_is_the_packages(generator):
    maps = answers.two_features(generator)
    written = answers.matching(lambda f, r: (f - r).abs().mean() / r.abs().mean())
    assert torch.allclose(written(*maps), feature_matching_loss(*maps))


def test_layers_and_colours_make_the_packages_discriminator():
    package, clip = STFTDiscriminator(64, n_filters=3), torch.randn(2, 1, 800)
    sizes = [(2, 3, (3, 9)), *((3, 3, (3, 9), 2, d) for d in (1, 2, 4)), (3, 3, (3, 3))]
    x = answers.two_colours(clip, 64)
    for size, theirs in zip(sizes, package.convs, strict=True):
        mine = answers.conv2d(*size)
        mine.load_state_dict(theirs.state_dict())
        x = F.leaky_relu(mine(x), 0.2)
    assert torch.allclose(package.last(x), package(clip).logits, atol=1e-6)


def test_the_patch_is_where_one_logit_has_a_gradient():
    network = STFTDiscriminator(1024, n_filters=1)
    layers = [((3, 9), 1, 1), *(((3, 9), 2, d) for d in (1, 2, 4)), *2 * [((3, 3), 1, 1)]]
    picture = torch.randn(1, 2, 60, 257, requires_grad=True)
    x = picture
    for layer in network.convs:
        x = layer(x).exp()  # smooth: no place is without a gradient
    logits = network.last(x)
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    seen = picture.grad[0].abs().sum(0) > 0
    rows, columns = (seen.any(axis).nonzero().flatten() for axis in (1, 0))
    found = tuple(int(places[-1] - places[0]) + 1 for places in (rows, columns))
    assert found == answers.patch(layers) == (21, 97)


def test_a_lesson_moves_the_network_and_not_the_copies(generator):
    network, fake = STFTDiscriminator(64, n_filters=3), torch.randn(2, 1, 200, requires_grad=True)
    before = [weight.clone() for weight in network.parameters()]
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    paid = answers.lesson(network, optimizer, torch.randn(2, 1, 200), fake)
    assert fake.grad is None and paid > 0
    assert any(not torch.equal(a, b) for a, b in zip(before, network.parameters()))


def test_checks_draw_nothing_from_the_chapters_random_numbers(generator):
    before = torch.random.get_rng_state()
    answers.laid(answers.conv2d, *answers.sizes_and_picture(generator))
    answers.taught(answers.lesson, *answers.seed_and_clips(generator))
    assert torch.equal(before, torch.random.get_rng_state())
