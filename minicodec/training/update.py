"""One update of both networks, as in the paper; nothing about files, clocks or screens.

::

    audio ─ encoder ─ quantizer ─ decoder ─ output ─┬─ time, mel ──────────────┐
                         │                          └─ discriminator ─ hinge ──┤ balancer
                         │                 audio ───── discriminator ─ features┘     │
                     commitment ──────────────────────────────────────── + ── one backward pass

The discriminator looks at each clip once. What it says about the copy teaches the codec by the
gradient at `output`, and itself by the gradient of its own weights; what it says about the
recording serves its own loss and, without a gradient, feature matching. Audiocraft runs it on both
clips twice, before and after its own update.

Chapter 10. Paper: sections 3.4 and 4.4.
"""

import copy
from contextlib import nullcontext
from random import Random

import torch
from torch import Tensor, nn

from minicodec.model.codec import Codec
from minicodec.training.balancer import Balancer
from minicodec.training.bands import band_loss, long_term_loss
from minicodec.training.config import TrainConfig
from minicodec.training.discriminator import (
    BandwidthDiscriminators,
    DiscriminatorOutput,
    MultiScaleDiscriminator,
)
from minicodec.training.losses import (
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
    log_mel_loss,
    mel_loss,
    time_loss,
)
from minicodec.training.muon import Muon
from minicodec.training.processes import average_gradients


class Diverged(ValueError):
    """A run that went wrong: its weights are of no use any more."""


class Update:
    """Codec, discriminator, their optimizers and the balancer, and the step that moves them.

    Everything random in a step (bandwidth, whether the discriminator learns, which latents restart
    dead codes) is drawn from a generator seeded by the step's number.

    Args:
        config: what to do.
        device: to do it on.
        world: processes that share the batch; gradients are averaged over them.
        bfloat16: run the convolutions in bfloat16. Quantizer and losses stay in float32.

    >>> from minicodec.training.config import load_config
    >>> update = Update(load_config("tiny"))
    >>> losses = update(torch.randn(4, 1, 24000), step=0)
    >>> sorted(losses)
    ['commitment', 'level', 'mel', 'time']
    """

    def __init__(
        self,
        config: TrainConfig,
        device: torch.device | str = "cpu",
        world: int = 1,
        bfloat16: bool = False,
    ):
        torch.manual_seed(config.seed)  # all processes start from the same weights
        self.config, self.device, self.world, self.bfloat16 = config, device, world, bfloat16
        self.codec = Codec(config.codec, "trained").to(device).train()
        self.averaged = self.codec
        if config.averaging:
            self.averaged = copy.deepcopy(self.codec).eval().requires_grad_(False)
        self.discriminator: nn.Module | None = None
        self.weights = {"time": config.time, "mel": config.mel}
        if config.band:
            self.weights["band"] = config.band
        if config.long_term:
            self.weights["long_term"] = config.long_term
        if config.uses_discriminator:
            look = (config.discriminator_windows, config.discriminator_filters)
            self.discriminator = (
                BandwidthDiscriminators(config.codec.bandwidths, *look)
                if config.discriminator_per_bandwidth
                else MultiScaleDiscriminator(*look)
            ).to(device)
            self.weights |= {"adversarial": config.adversarial, "features": config.features}
        if config.decoder_only:
            self.codec.encoder.eval().requires_grad_(False)
            self.codec.quantizer.eval().requires_grad_(False)
        # Balanced gradients have one norm per clip, whatever the number of clips; averaging
        # over processes would shorten them.
        self.balancer = Balancer(self.weights, total_norm=world, balance=config.balanced)
        self.learned = [p for p in self.codec.parameters() if p.requires_grad]
        kind = Muon if config.optimizer == "muon" else torch.optim.Adam
        self.optimizer: torch.optim.Optimizer = kind(
            self.learned, config.learning_rate, config.betas
        )
        self.discriminator_optimizer = (
            None
            if self.discriminator is None
            else torch.optim.Adam(
                self.discriminator.parameters(), config.learning_rate, config.betas
            )
        )

    def __call__(self, audio: Tensor, step: int) -> dict[str, float]:
        """Learn from one batch.

        Returns:
            the losses as numbers, of this process's clips; "level", how loud copies are beside
            the recordings; and "skipped_…" for a loss that the balancer had to leave out.

        Raises:
            Diverged: for gradients that are NaN or infinite; the codec has not been changed then.
            ValueError: as `Codec.forward`.
        """
        config = self.config
        bandwidth, discriminator_learns = self.draw(step)
        for group in self.optimizer.param_groups:
            group["lr"] = config.rate(step)

        present = self.discriminator is not None and step >= config.discriminator_from
        alone = present and step < config.discriminator_from + config.head_start
        with torch.set_grad_enabled(not alone):
            with self._fast():
                output, _, commitment = self.codec(audio, bandwidth, step >= config.warm_up)
            time = time_loss(output, audio, config.relative_time)
            losses = {"time": time, "mel": self._mel(output, audio)}
            if config.band:
                losses["band"] = band_loss(output, audio, config.codec.sample_rate)
            if config.long_term:
                losses["long_term"] = long_term_loss(output, audio, config.codec.sample_rate)
        shown = losses | {"commitment": commitment}
        shown["level"] = output.abs().mean() / audio.abs().mean().clamp(min=1e-3)
        if present:
            with torch.set_grad_enabled(discriminator_learns or alone):
                real = self._discriminate(audio, bandwidth)
            fake = self._discriminate(output, bandwidth)
            losses["adversarial"] = generator_loss(fake.logits)
            losses["features"] = feature_matching_loss(real.features, fake.features)
            shown |= losses | {"discriminator": discriminator_loss(real.logits, fake.logits)}
        skipped: tuple[str, ...] = ()
        if not alone:
            try:
                given = {name: loss for name, loss in losses.items() if self.weights[name]}
                balanced = self.balancer(given, output)
            except ValueError as error:
                raise Diverged(str(error)) from error
            skipped = balanced.skipped
        if present and (discriminator_learns or alone):
            rate = config.rate(step) * config.discriminator_rate
            self._teach_discriminator(shown["discriminator"], bandwidth, rate)
        if not alone:
            self.optimizer.zero_grad()
            (balanced.loss + config.commitment * commitment).backward()
            self._move(self.optimizer, self.learned, config.max_norm, "codec")
        self.average(step)
        numbers = torch.stack([value.detach().float() for value in shown.values()]).tolist()
        return dict(zip(shown, numbers)) | {f"skipped_{name}": 1.0 for name in skipped}

    @torch.no_grad()
    def average(self, step: int) -> None:
        """Move the averaged weights and codebooks a little towards the present ones.

        Single steps overshoot; their average does not. Early on it remembers fewer steps, or it
        would be mostly the random weights of the start.
        """
        if self.averaged is self.codec:
            return
        keep = min(self.config.averaging, (1 + step) / (10 + step))
        present = self.codec.state_dict()
        for name, mean in self.averaged.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(present[name], 1 - keep)
            else:
                mean.copy_(present[name])

    def draw(self, step: int) -> tuple[float, bool]:
        """The bandwidth of a step, and whether the discriminator learns; seeds torch as well."""
        random = Random(f"{self.config.seed}/update/{step}")
        torch.manual_seed(random.getrandbits(63))
        bandwidth = self.config.codec.draw_bandwidth(random, self.config.bandwidth_shares)
        return bandwidth, random.random() < self.config.discriminator_share

    def _discriminator_of(self, bandwidth: float) -> nn.Module:
        if isinstance(self.discriminator, BandwidthDiscriminators):
            index = self.config.codec.bandwidths.index(bandwidth)
            return self.discriminator.discriminators[index]
        assert self.discriminator is not None
        return self.discriminator

    def _discriminate(self, audio: Tensor, bandwidth: float) -> DiscriminatorOutput:
        with self._fast():
            logits, features = self._discriminator_of(bandwidth)(audio)
        return DiscriminatorOutput(
            [x.float() for x in logits], [[x.float() for x in f] for f in features]
        )

    def _mel(self, output: Tensor, audio: Tensor) -> Tensor:
        loss = log_mel_loss if self.config.mel_kind == "log" else mel_loss
        return loss(output, audio, self.config.codec.sample_rate)

    def _teach_discriminator(self, loss: Tensor, bandwidth: float, rate: float) -> None:
        # Only the gradients of its own weights: the graph goes on into the codec, which this loss
        # must not teach.
        assert self.discriminator_optimizer is not None
        self.discriminator_optimizer.param_groups[0]["lr"] = rate
        self.discriminator_optimizer.zero_grad()  # those of other bandwidths stay where they are
        weights = list(self._discriminator_of(bandwidth).parameters())
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights)):
            weight.grad = gradient
        self._move(self.discriminator_optimizer, weights, None, "discriminator")

    def _move(
        self,
        optimizer: torch.optim.Optimizer,
        weights: list[nn.Parameter],
        max_norm: float | None,
        who: str,
    ) -> None:
        average_gradients(weights)
        norm = nn.utils.clip_grad_norm_(weights, max_norm or float("inf"))
        if not torch.isfinite(norm):
            raise Diverged(f"the gradient of the {who} is not finite.")
        optimizer.step()

    def _fast(self) -> "torch.autocast | nullcontext[None]":
        if not self.bfloat16:
            return nullcontext()
        return torch.autocast(torch.device(self.device).type, torch.bfloat16)
