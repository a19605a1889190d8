"""Drawing codes by lot: temperature, the k likeliest, and a loop with a cache.

A model gives probabilities; a sound needs codes. To take the likeliest each time ends in a drone or
in silence. To draw from all of them lets the many unlikely ones in: each has almost no probability,
all together have much. Two knobs stand between: `temperature` divides the scores, `top_k` leaves
only the best.

Chapter 16c.
"""

import math
from numbers import Real

import torch
from torch import Generator, Tensor

from minicodec.bits.language_model import check_codes
from minicodec.generation.patterns import EMPTY
from minicodec.generation.sound_model import SoundModel


def probabilities(scores: Tensor, temperature: float = 1.0, top_k: int | None = None) -> Tensor:
    """What lots are drawn with.

    Args:
        temperature: above 0; 1 leaves the probabilities as the model believes in them.
        top_k: only so many of the likeliest take part; None: all.

    Shape:
        scores: [..., N] → [..., N], each row adds up to 1

    Raises:
        ValueError: for a temperature or `top_k` that is not above 0.

    >>> probabilities(torch.tensor([0.0, 9.0, 9.0]), top_k=2)
    tensor([0.0000, 0.5000, 0.5000])
    """
    if not isinstance(temperature, Real) or not 0 < temperature < math.inf:
        raise ValueError(f"a temperature is a number above 0, but this is {temperature}.")
    if top_k is not None and (type(top_k) is not int or top_k < 1):
        raise ValueError(f"top_k is a whole number from 1 on, or None, but this is {top_k}.")
    scores = scores / temperature
    if top_k is not None and top_k < scores.shape[-1]:
        least = scores.topk(top_k).values[..., -1:]
        scores = scores.masked_fill(scores < least, -math.inf)
    return scores.softmax(-1)


def choose(
    scores: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """One code for each row of scores, drawn by lot with their `probabilities`.

    Args:
        generator: of the lots.

    Shape:
        scores: [..., N] → [...] int64

    Raises:
        ValueError: as `probabilities`.

    >>> choose(torch.tensor([[0.0, 9.0, 1.0]]), top_k=1)
    tensor([1])
    """
    p = probabilities(scores, temperature, top_k)
    drawn = torch.multinomial(p.reshape(-1, p.shape[-1]), 1, generator=generator)
    return drawn.view(p.shape[:-1])


@torch.inference_mode()
def generate(
    model: SoundModel,
    frames: int,
    prompt: Tensor | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
) -> Tensor:
    """Codes of a sound that nobody recorded; those of the prompt, if there is one, come first.

    Each step computes the newest position alone. What the prompt knows is never drawn: in a delayed
    pattern the first drawn codes stand beside its last ones. Where the prompt is EMPTY, codes are
    drawn, so that single levels can be given for the whole sound, such as a text that is read.

    Args:
        frames: of the whole, prompt included.
        prompt: codes [K, P] or [B, K, P] with P ≤ frames, EMPTY in what it leaves open.
        temperature: and `top_k` as for `choose`.
        seed: of the lots.

    Shape:
        [B, K, frames]; B is 1 where the prompt has none.

    Raises:
        ValueError: for a prompt that is longer, or not of this model's codes, and as `choose`.
    """
    n_q = model.config.n_q
    if type(frames) is not int or frames < 1:
        raise ValueError(f"a sound has a whole number of frames from 1 on, not {frames}.")
    given = torch.empty(1, n_q, 0, dtype=torch.int64) if prompt is None else prompt
    if not isinstance(given, Tensor):
        raise ValueError(f"a prompt is a tensor of codes, not {type(given).__name__}.")
    given = given[None] if given.dim() == 2 else given
    if not given.is_floating_point():
        given = given.long()  # in unsigned bytes 255 would pass for EMPTY
    check_codes(given.where(given != EMPTY, 0), model.config, dims=3)
    if given.shape[1] != n_q or given.shape[2] > frames:
        raise ValueError(
            f"a prompt for {frames} frames is codes [{n_q}, up to {frames}], not "
            f"{list(given.shape[-2:])}."
        )
    generator = Generator().manual_seed(seed)
    codes = torch.full((len(given), n_q, frames), EMPTY)
    codes[:, :, : given.shape[2]] = given
    before, state = codes.new_full((len(given), n_q), EMPTY), model.start(len(given))
    for step in range(model.pattern.length(frames)):
        seen, state = model.stream(before, state)
        before = torch.full_like(before, EMPTY)
        for level in range(n_q):
            frame = model.pattern.frame_at(level, step)
            if frame is None or frame >= frames:
                continue
            now = codes[:, level, frame]
            if (now == EMPTY).any():
                drawn = choose(model.scores(seen, level), temperature, top_k, generator)
                codes[:, level, frame] = now = now.where(now != EMPTY, drawn)
            before[:, level] = now
    return codes
