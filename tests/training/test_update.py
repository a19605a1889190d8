"""One update: the paper's losses, each network's own gradients, and an average of the weights."""

import dataclasses

import pytest
import torch
from short_runs import CODEC, CONFIG, RATE, batch, same, started

from minicodec.model.codec import Codec
from minicodec.training import losses
from minicodec.training.update import Diverged, Update


def test_one_look_of_the_discriminator_teaches_both_networks_what_two_would():
    """Gradients of our update beside those of a plain one, written without any sharing."""
    config = dataclasses.replace(CONFIG, warm_up=0, discriminator_share=1.0)
    update = Update(config)
    audio = batch()
    for step in range(3):  # codebooks start one after another
        update(audio, step)
    plain = Update(config)
    plain.codec.load_state_dict(update.codec.state_dict())
    plain.discriminator.load_state_dict(update.discriminator.state_dict())
    plain.balancer.load_state_dict(update.balancer.state_dict())
    update(audio, 3)

    passed = plain.codec(audio, plain.draw(3)[0])
    discriminator, copy = plain.discriminator, passed.audio
    own_loss = losses.discriminator_loss(
        discriminator(audio).logits, discriminator(copy.detach()).logits
    )
    own_gradients = torch.autograd.grad(own_loss, list(discriminator.parameters()))
    balanced = plain.balancer(
        {
            "time": losses.time_loss(copy, audio),
            "mel": losses.log_mel_loss(copy, audio, RATE),
            "adversarial": losses.generator_loss(discriminator(copy).logits),
            "features": losses.feature_matching_loss(
                discriminator(audio).features, discriminator(copy).features
            ),
        },
        copy,
    )
    (balanced.loss + passed.commitment).backward()
    for mine, theirs in zip(update.discriminator.parameters(), own_gradients):
        torch.testing.assert_close(mine.grad, theirs, rtol=1e-3, atol=1e-6)
    for mine, theirs in zip(update.codec.parameters(), plain.codec.parameters()):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-3, atol=1e-5)


def test_the_discriminator_learns_in_two_steps_of_three_and_bandwidths_are_drawn():
    update = Update(CONFIG)
    drawn = [update.draw(step) for step in range(3000)]
    assert sum(learns for _, learns in drawn) / 3000 == pytest.approx(2 / 3, abs=0.03)
    for bandwidth in CODEC.bandwidths:
        assert sum(b == bandwidth for b, _ in drawn) / 3000 == pytest.approx(0.5, abs=0.03)
    assert drawn[:9] == [update.draw(step) for step in range(9)]
    audio, asked = batch(), {}
    update.codec.quantizer.register_forward_pre_hook(lambda m, args: asked.update(n_q=args[1]))
    for step, (bandwidth, learns) in list(enumerate(drawn))[2:9]:
        before = [w.clone() for w in update.discriminator.parameters()]
        update(audio, step)
        moved = not all(map(torch.equal, before, update.discriminator.parameters()))
        assert moved == learns and asked["n_q"] == CODEC.n_q(bandwidth)


def test_bandwidths_may_be_drawn_by_shares():
    update = Update(dataclasses.replace(CONFIG, bandwidth_shares=(0.2, 0.8)))
    drawn = [update.draw(step)[0] for step in range(2000)]
    assert set(drawn) == set(CODEC.bandwidths)
    assert drawn.count(CODEC.bandwidths[1]) / 2000 == pytest.approx(0.8, abs=0.03)


def test_each_bandwidth_may_have_a_discriminator_of_its_own():
    update = Update(dataclasses.replace(CONFIG, discriminator_per_bandwidth=True, warm_up=0,
                                        discriminator_share=1.0))  # fmt: skip
    discriminators = update.discriminator.discriminators
    assert len(discriminators) == len(CODEC.bandwidths)
    for step in range(4):
        before = [[w.clone() for w in d.parameters()] for d in discriminators]
        update(batch(step), step)
        after = [list(d.parameters()) for d in discriminators]
        moved = [not all(map(torch.equal, b, a)) for b, a in zip(before, after)]
        assert moved == [b == update.draw(step)[0] for b in CODEC.bandwidths]


def test_the_discriminator_waits_and_then_learns_alone():
    config = dataclasses.replace(CONFIG, warm_up=0, discriminator_from=2, head_start=2, steps=9)
    update = Update(config)
    for step in range(6):
        codec = {k: v.clone() for k, v in update.codec.named_parameters()}
        before = {k: v.clone() for k, v in update.discriminator.named_parameters()}
        shown = update(batch(step), step)
        moved = any(not torch.equal(v, codec[k]) for k, v in update.codec.named_parameters())
        taught = any(
            not torch.equal(v, before[k]) for k, v in update.discriminator.named_parameters()
        )
        assert moved == (step not in (2, 3)), step
        assert ("discriminator" in shown) == (step >= 2)
        assert taught or step not in (2, 3), step
        assert not taught or step >= 2


def test_half_precision_is_close_and_leaves_the_quantizer_alone():
    whole, half = Update(CONFIG), Update(CONFIG, bfloat16=True)
    seen = []
    half.codec.quantizer.register_forward_pre_hook(
        lambda m, args: seen.append((args[0].dtype, torch.is_autocast_enabled("cpu")))
    )
    for step in (2, 3):
        a, b = whole(batch(step), step), half(batch(step), step)
        assert a["mel"] == pytest.approx(b["mel"], rel=0.05)
        assert a["features"] == pytest.approx(b["features"], rel=0.2)
    assert seen == [(torch.float32, False)] * 2
    assert all(w.dtype == torch.float32 for w in half.codec.parameters())


def test_one_forward_pass_with_the_quantizer_and_without():
    codec, clip = started(), batch(3)[..., :1990]
    bare = codec(clip, quantize=False)
    torch.testing.assert_close(bare.audio, codec.decoder(codec.encoder(clip))[..., :1990])
    assert bare.codes.shape == (2, 0, codec(clip).codes.shape[2]) and bare.commitment == 0
    whole = codec(clip, 0.1)
    assert torch.equal(whole.codes, codec.encode(clip, 0.1)) and whole.commitment > 0
    assert not torch.equal(whole.audio, bare.audio)
    before = Codec(CODEC).train()
    before.load_state_dict(codec.state_dict())
    codec.train()(clip, quantize=False)
    assert same(codec, before)  # codebooks learn nothing from latents that they do not see


def test_bfloat16_is_where_the_convolutions_are_and_nowhere_else():
    codec, clip = started(), batch(3)
    with torch.autocast("cpu", torch.bfloat16):
        assert codec.encoder(clip).dtype == torch.bfloat16  # else this test would show nothing
        passed = codec(clip, 0.2)
    assert passed.audio.dtype == passed.commitment.dtype == torch.float32
    latents = []
    codec.quantizer.register_forward_pre_hook(lambda m, args: latents.append(args[0]))
    with torch.autocast("cpu", torch.bfloat16):
        codec(clip, 0.2)
    assert torch.equal(passed.codes, codec.quantizer.encode(latents[0], CODEC.n_q(0.2)))


def test_a_decoder_alone_has_gradients():
    update = Update(dataclasses.replace(CONFIG, warm_up=0, decoder_only=True))
    update.codec.load_state_dict(started().state_dict())
    before = {k: v.clone() for k, v in update.codec.state_dict().items()}
    for step in range(2):
        update(batch(step), step)
    for name, value in update.codec.state_dict().items():
        assert torch.equal(value, before[name]) != name.startswith("decoder"), name
    assert all(w.grad is None for w in update.codec.encoder.parameters())
    assert not update.codec.encoder.training and not update.codec.quantizer.training
    assert update.codec.decoder.training


def test_gradients_that_are_not_finite_change_nothing():
    update = Update(dataclasses.replace(CONFIG, warm_up=0))
    update(batch(), 0)
    with torch.no_grad():
        update.codec.decoder.get_parameter(
            [n for n, _ in update.codec.decoder.named_parameters()][-1]
        ).fill_(torch.nan)
    before = [w.clone() for w in update.codec.encoder.parameters()]
    with pytest.raises(Diverged, match="not finite"):
        update(batch(), 1)
    assert all(map(torch.equal, before, update.codec.encoder.parameters()))


# averaged weights


def test_averaged_weights_are_the_moving_average_of_weights_and_codebooks():
    update = Update(dataclasses.replace(CONFIG, warm_up=0, averaging=0.5))
    means = {k: v.double() for k, v in update.codec.state_dict().items()}
    for step in range(12):
        update(batch(step), step)
        keep = min(0.5, (1 + step) / (10 + step))  # at first it remembers fewer steps
        for name, value in update.codec.state_dict().items():
            if value.is_floating_point():
                means[name] = keep * means[name] + (1 - keep) * value.double()
    averaged = update.averaged.state_dict()
    for name, value in update.codec.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(averaged[name].double(), means[name], rtol=1e-4, atol=1e-6)
        else:
            assert torch.equal(averaged[name], value)
    assert not same(update.averaged, update.codec)
    assert not update.averaged.training and update.codec.training
    assert not any(w.requires_grad for w in update.averaged.parameters())


def test_without_averaging_there_is_one_codec():
    update = Update(CONFIG)
    update(batch(), 0)
    assert update.averaged is update.codec


def test_averaging_does_not_change_what_is_learned():
    plain, averaging = Update(CONFIG), Update(dataclasses.replace(CONFIG, averaging=0.9))
    for step in range(2, 5):
        assert plain(batch(step), step) == averaging(batch(step), step)
    assert same(plain.codec, averaging.codec)
