"""Language models to make exact ones of: random, but as sure of themselves as trained ones."""

import dataclasses

import torch

from minicodec.bits.exact import ExactLanguageModel, exact_copy
from minicodec.bits.language_model import LanguageModel, LanguageModelConfig

#: Looks back 12 frames, so that a short clip leaves the context.
CONFIG = LanguageModelConfig(
    n_q=4, codebook_size=32, frame_rate=6, dim=48, layers=2, heads=8, hidden=96, seconds=2.1
)

#: The paper's, but for the number of codebooks: the longest sums that there are.
PAPER = LanguageModelConfig(n_q=2)

SHALLOW = dataclasses.replace(PAPER, layers=1)


def sharpened(config: LanguageModelConfig = CONFIG, seed: int = 0) -> LanguageModel:
    """A random model that is sure of itself, with weights of every size, as a trained one."""
    torch.manual_seed(seed)
    model = LanguageModel(config).eval().requires_grad_(False)
    model.heads.weight.mul_(6)
    for name, weight in model.named_parameters():
        if "norm" in name:
            weight.add_(0.2 * torch.randn_like(weight))
        elif name.endswith("bias"):
            weight.normal_(0, 0.3)
    return model


def on_an_edge() -> tuple[ExactLanguageModel, torch.Tensor]:
    """A model that tells whether a product with weights is multiplied in the right order.

    In its only layer `up` gets 7, 0, 0, … and has weights 1, 0, 0, …, scale 0.1 and bias 0. The
    right order gives 178.50000000000003, the wrong one 178.5, which rounds to 178. There the table
    of GELU has nothing, and one step further it has all.

    Returns:
        the model, and what its frequencies would be with the wrong order for one frame, [1, K, N].
    """
    config = dataclasses.replace(CONFIG, layers=1)
    tensors = dict(exact_copy(sharpened(config)).tensors)
    tensors["layers.0.norm1.gain"] = torch.zeros(config.dim, dtype=torch.float64)
    tensors["layers.0.norm1.bias"] = torch.tensor([7.0] + [0.0] * (config.dim - 1)).double()
    tensors["layers.0.up.weight"] = torch.zeros(config.hidden, config.dim, dtype=torch.int8)
    tensors["layers.0.up.weight"][:, 0] = 1
    tensors["layers.0.up.scale"] = torch.full((config.hidden,), 0.1, dtype=torch.float64)
    tensors["layers.0.up.bias"] = torch.zeros(config.hidden, dtype=torch.float64)
    tensors["gelu"] = torch.zeros(2049, dtype=torch.int16)
    wrong = ExactLanguageModel(config, tensors).tables(some_codes(frames=1))
    tensors["gelu"] = tensors["gelu"].clone()
    tensors["gelu"][179] = 1024
    return ExactLanguageModel(config, tensors), wrong


def some_codes(n_q: int = 4, frames: int = 60, size: int = 32, seed: int = 1) -> torch.Tensor:
    """Codes by lot, [n_q, frames]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(size, (n_q, frames), generator=generator)


def stepwise(model: ExactLanguageModel, codes: torch.Tensor) -> torch.Tensor:
    """The tables as a decoder asks for them."""
    table, state = model.stream(None, model.start(len(codes)))
    tables = [table]
    for frame in codes.T[:-1]:
        table, state = model.stream(frame, state)
        tables.append(table)
    return torch.stack(tables)


def permuted(model: LanguageModel) -> tuple[LanguageModel, torch.Tensor]:
    """The same function with its channels and hidden units in another order."""
    torch.manual_seed(7)
    config = model.config
    channels, hidden = torch.randperm(config.dim), torch.randperm(config.hidden)
    inside = torch.cat([  # units of one head stay together, and so do queries, keys and values
        h * (config.dim // config.heads) + torch.randperm(config.dim // config.heads)
        for h in torch.randperm(config.heads).tolist()
    ])  # fmt: skip
    qkv = torch.cat([inside, config.dim + inside, 2 * config.dim + inside])
    out = LanguageModel(config).eval().requires_grad_(False)
    state = dict(model.state_dict())
    for name, weight in state.items():
        kind = name.split(".")[-2]
        rows = {"qkv": qkv, "up": hidden, "embedding": None, "heads": None}.get(kind, channels)
        columns = {"out": inside, "down": hidden}.get(kind, channels)
        if rows is not None:
            weight = weight[rows]
        if weight.dim() == 2:
            weight = weight[:, columns]
        state[name] = weight
    out.load_state_dict(state)
    return out, channels
