"""The discriminator is the official one where both follow the paper; `pytest -s` prints the table.

Parity is on random weights: no trained discriminator was ever published.
"""

import math

import pytest
import torch
from encodec.msstftd import MultiScaleSTFTDiscriminator as Official

from minicodec.sound.spectral import stft
from minicodec.training.discriminator import (
    WINDOWS,
    BandwidthDiscriminators,
    MultiScaleDiscriminator,
    STFTDiscriminator,
)
from minicodec.training.losses import discriminator_loss, feature_matching_loss, generator_loss


def official(n_filters: int, channels: int, windows=WINDOWS) -> Official:
    return Official(
        n_filters, in_channels=channels, n_ffts=list(windows), win_lengths=list(windows),
        hop_lengths=[n // 4 for n in windows],
    )  # fmt: skip


def converted(theirs: Official) -> dict[str, torch.Tensor]:
    """Their state in our names.

    Their first layer has no weight norm. Any plain weight is a length times a direction, so ours
    can hold it: its own length, and itself as direction.
    """
    ours = {}
    for key, value in theirs.state_dict().items():
        if "window" in key:
            continue
        key = key.replace("discriminators.", "scales.").replace(".conv.", ".")
        key = key.replace("conv_post", "last")
        stem, leaf = key.rsplit(".", 1)
        if leaf == "bias":
            ours[key] = value
        elif leaf == "weight":
            ours[f"{stem}.parametrizations.weight.original0"] = (
                value.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
            )
            ours[f"{stem}.parametrizations.weight.original1"] = value
        else:
            index = {"weight_g": 0, "weight_v": 1}[leaf]
            ours[f"{stem}.parametrizations.weight.original{index}"] = value
    return ours


def pair(n_filters: int, channels: int, windows=WINDOWS):
    torch.manual_seed(1)
    theirs = official(n_filters, channels, windows).eval()
    ours = MultiScaleDiscriminator(windows, n_filters, channels).eval()
    ours.load_state_dict(converted(theirs), strict=True)
    return ours, theirs


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("length", [2048, 2049, 12000])
@torch.no_grad()
def test_parity_with_the_official_discriminator(channels, length):
    ours, theirs = pair(32 if length < 12000 else 8, channels)
    audio = torch.randn(2, channels, length)
    logits, features = theirs(audio)
    output = ours(audio)
    assert len(output.logits) == len(logits) == 5
    worst = 0.0
    pairs = list(zip(output.logits, logits))
    for mine, their in zip(output.features, features):
        assert len(mine) == len(their) == 5
        pairs += list(zip(mine, their))
    for mine, their in pairs:
        assert mine.shape == their.shape
        worst = max(worst, float((mine - their).abs().max()))
    print(f"\n{channels} channel(s), {length} samples: largest difference {worst:.1e}", end="")
    assert worst < 1e-5
    assert min(float(their.abs().max()) for _, their in pairs) > 1e-2  # not all alike by being 0


def test_as_many_weights_as_the_official_one():
    """And one length per filter more: our first layer has weight norm like all others."""
    ours, theirs = pair(32, 1)
    count = sum(p.numel() for p in theirs.parameters())
    assert count == 472_330
    assert sum(p.numel() for p in ours.parameters()) == count + 5 * 32


def test_stft_without_centring_is_torchaudios():
    theirs = official(2, 1, (512,)).discriminators[0].spec_transform
    audio = torch.randn(2, 1, 5000)
    torch.testing.assert_close(stft(audio, 512, center=False), theirs(audio), atol=1e-6, rtol=0)
    assert stft(audio, 512, center=False).shape[-1] == 1 + (5000 - 512) // 128
    assert stft(torch.randn(1, 100), 512, center=False).shape[-1] == 1


@torch.no_grad()
def test_left_and_right_are_seen_separately():
    discriminator = MultiScaleDiscriminator(n_filters=2)
    audio = torch.randn(3, 2, 4000)
    stereo, left, right = (discriminator(x) for x in (audio, audio[:, :1], audio[:, 1:]))
    for both, one, other in zip(stereo.logits, left.logits, right.logits):
        assert both.shape[:2] == (6, 1)
        torch.testing.assert_close(both.view(3, 2, *both.shape[1:])[:, 0], one)
        torch.testing.assert_close(both.view(3, 2, *both.shape[1:])[:, 1], other)


@torch.no_grad()
def test_seen_together_each_channel_matters_to_the_other():
    discriminator = MultiScaleDiscriminator(n_filters=2, channels=2)
    audio = torch.randn(1, 2, 4000)
    swapped = discriminator(audio.flip(1)).logits[0]
    assert discriminator(audio).logits[0].shape[0] == 1
    assert not torch.allclose(discriminator(audio).logits[0], swapped, atol=1e-4)


@torch.no_grad()
def test_it_can_tell_phases_apart():
    """Equal magnitudes frame by frame, other phases: the picture has both parts, so it differs."""
    x = torch.sin(2 * math.pi * 440 * torch.arange(4000) / 24000).view(1, 1, -1)
    scale = STFTDiscriminator(n_fft=512, n_filters=4)
    magnitudes = [stft(s * x, 512, center=False).abs() for s in (1, -1)]
    assert torch.equal(*magnitudes)
    assert not torch.allclose(scale(x).logits, scale(-x).logits, atol=1e-3)


def test_every_layer_has_weight_norm_and_learns():
    discriminator = MultiScaleDiscriminator(windows=(256, 128), n_filters=2)
    names = [n for n, _ in discriminator.named_parameters() if n.endswith("original0")]
    assert len(names) == 2 * 6
    logits = [discriminator(torch.randn(2, 1, 2000)).logits for _ in range(2)]
    discriminator_loss(*logits).backward()
    grads = {n: p.grad for n, p in discriminator.named_parameters()}
    assert all(torch.isfinite(g).all() for g in grads.values())
    assert all(grads[n].abs().sum() > 0 for n in names)


def test_it_learns_to_tell_noise_from_tones_and_the_generator_feels_it():
    t = torch.arange(4000) / 24000
    discriminator = MultiScaleDiscriminator(windows=(512, 256), n_filters=4)
    optimizer = torch.optim.Adam(discriminator.parameters(), 1e-2)
    for _ in range(40):
        pitch = 200 + 2000 * torch.rand(4, 1, 1)
        real = 0.3 * torch.sin(2 * math.pi * pitch * t)
        fake = real + 0.1 * torch.randn(real.shape)
        loss = discriminator_loss(discriminator(real).logits, discriminator(fake).logits)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 1
    fake.requires_grad_()
    theirs, ours = discriminator(real), discriminator(fake)
    total = generator_loss(ours.logits) + feature_matching_loss(theirs.features, ours.features)
    (gradient,) = torch.autograd.grad(total, fake)
    noise = (fake - real).detach()
    before = float(generator_loss(ours.logits).detach())
    after = float(generator_loss(discriminator(fake.detach() - 0.5 * noise).logits).detach())
    assert gradient.abs().sum() > 0 and after < before  # less noise sounds more real


def test_one_discriminator_for_each_bandwidth():
    discriminators = BandwidthDiscriminators((1.5, 6.0), windows=(256,), n_filters=2)
    audio = torch.randn(1, 1, 1000)
    low, high = (discriminators(audio, b).logits[0] for b in (1.5, 6.0))
    assert not torch.allclose(low, high)
    low.sum().backward()
    touched = [any(p.grad is not None for p in d.parameters())
               for d in discriminators.discriminators]  # fmt: skip
    assert touched == [True, False]
    with pytest.raises(ValueError, match="for 1.5, 6 kbps, not for 3"):
        discriminators(audio, 3.0)


@torch.no_grad()
def test_a_clip_shorter_than_the_windows():
    for length in (1, 127, 129):
        for logits in MultiScaleDiscriminator(n_filters=2)(torch.randn(1, 1, length)).logits:
            assert logits.shape[2] == 1 and torch.isfinite(logits).all()


@pytest.mark.parametrize("shape", [(1, 4000), (1, 2, 0), (1, 3, 4000)])
def test_wrong_audio(shape):
    with pytest.raises(ValueError, match=r"audio \[B, C, T\], not empty, with C a multiple of 2"):
        MultiScaleDiscriminator(n_filters=2, channels=2)(torch.zeros(shape))
