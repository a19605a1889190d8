"""Support of `training.py`: the update of chapter 10, written with the official package's modules.

The official package has no training code, so this is its modules (SEANet, quantizer, MS-STFT
discriminator) in the order of audiocraft's solver: the discriminator is updated with the copy and
the recording, then sees both again for the codec's losses; the commitment has a backward pass of
its own. Losses, balancer, clipping and averaging are ours, so that both do the same work.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from minicodec.model.quantize import kmeans
from minicodec.training.balancer import Balancer
from minicodec.training.config import TrainConfig
from minicodec.training.losses import (
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
    log_mel_loss,
    mel_loss,
    time_loss,
)


def modules_of(config: TrainConfig) -> tuple[nn.Module, nn.Module, nn.Module, nn.Module | None]:
    """Encoder, decoder, quantizer and discriminator, of the sizes that `config` says."""
    import encodec.quantization.core_vq as core
    from encodec.modules import SEANetDecoder, SEANetEncoder
    from encodec.msstftd import MultiScaleSTFTDiscriminator
    from encodec.quantization import ResidualVectorQuantizer

    # Theirs takes 80 seconds for the first batch; that is not what is measured here.
    setattr(core, "kmeans", lambda x, size, iterations=20: kmeans(x, size))  # noqa: B010
    codec = config.codec
    shape: dict[str, Any] = dict(
        channels=codec.channels, dimension=codec.dimension, n_filters=codec.n_filters,
        ratios=list(reversed(codec.strides)), causal=True, norm="weight_norm",
    )  # fmt: skip
    windows = list(config.discriminator_windows)
    discriminator = MultiScaleSTFTDiscriminator(
        config.discriminator_filters, n_ffts=windows, hop_lengths=[n // 4 for n in windows],
        win_lengths=windows,
    ) if config.uses_discriminator else None  # fmt: skip
    quantizer = ResidualVectorQuantizer(codec.dimension, codec.max_n_q, codec.codebook_size)
    return SEANetEncoder(**shape), SEANetDecoder(**shape), quantizer, discriminator


def official(
    config: TrainConfig, device: str = "cpu", bfloat16: bool = False
) -> Callable[[Tensor], None]:
    """One update of the official modules, as a function of a batch [B, C, T].

    Args:
        config: the highest of its bandwidths is the one that is trained, and the discriminator
            learns in every step.
        bfloat16: run the convolutions in bfloat16; quantizer and losses stay in float32.
    """
    encoder, decoder, quantizer, discriminator = (
        None if part is None else part.to(device).train() for part in modules_of(config)
    )
    assert encoder is not None and decoder is not None and quantizer is not None
    codec, rate = config.codec, config.codec.sample_rate
    names = ("time", "mel", "adversarial", "features")
    weights = {name: getattr(config, name) for name in names if getattr(config, name)}
    balancer = Balancer(weights)
    learned = nn.ModuleList([encoder, decoder])
    kept = nn.ModuleList([encoder, decoder, quantizer])
    means = {name: value.clone() for name, value in kept.state_dict().items()}
    optimizer = torch.optim.Adam(learned.parameters(), config.learning_rate, config.betas)
    own_optimizer = None
    if discriminator is not None:
        own_optimizer = torch.optim.Adam(
            discriminator.parameters(), config.learning_rate, config.betas
        )

    def fast() -> "torch.autocast | nullcontext[None]":
        return torch.autocast(device, torch.bfloat16) if bfloat16 else nullcontext()

    def judged(audio: Tensor) -> tuple[list[Tensor], list[list[Tensor]]]:
        assert discriminator is not None
        with fast():
            logits, features = discriminator(audio)
        return [x.float() for x in logits], [[x.float() for x in f] for f in features]

    def learn_to_judge(audio: Tensor, output: Tensor) -> None:
        assert own_optimizer is not None
        loss = discriminator_loss(judged(audio)[0], judged(output.detach())[0])
        own_optimizer.zero_grad()
        loss.backward()
        own_optimizer.step()

    @torch.no_grad()
    def average() -> None:
        if config.averaging:
            for name, value in kept.state_dict().items():
                if value.is_floating_point():
                    means[name].lerp_(value, 1 - config.averaging)

    def update(audio: Tensor) -> None:
        with fast():
            latent = encoder(audio)
        quantized = quantizer(latent.float(), codec.frame_rate, codec.bandwidths[-1])
        with fast():
            output = decoder(quantized.quantized)
        output = output.float()
        mel = log_mel_loss if config.mel_kind == "log" else mel_loss
        losses = {"time": time_loss(output, audio), "mel": mel(output, audio, rate)}
        if discriminator is not None:
            learn_to_judge(audio, output)
            discriminator.requires_grad_(False)  # as audiocraft does while the codec learns
            logits, features = judged(output)
            losses["adversarial"] = generator_loss(logits)
            losses["features"] = feature_matching_loss(judged(audio)[1], features)
        optimizer.zero_grad()
        quantized.penalty.backward(retain_graph=True)
        output.backward(balancer(losses, output).gradient)
        nn.utils.clip_grad_norm_(learned.parameters(), config.max_norm or float("inf"))
        optimizer.step()
        average()
        if discriminator is not None:
            discriminator.requires_grad_(True)

    return update
