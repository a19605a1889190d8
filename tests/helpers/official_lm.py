"""A small language model of the official package."""

from encodec.model import LMModel

from minicodec.bits.language_model import LanguageModel, LanguageModelConfig, convert

CONTEXT = 20  # frames, fewer than the clips have


def sharp_official_lm() -> LMModel:
    """Random weights, as sure of itself as a trained one."""
    lm = LMModel(4, 1024, dim=64, num_heads=4, num_layers=2, past_context=CONTEXT).eval()
    for head in lm.linears:
        head.weight.data *= 6
    return lm


def ours_like(theirs: LMModel) -> LanguageModel:
    """The same model in our modules."""
    config = LanguageModelConfig(
        n_q=4, dim=64, layers=2, heads=4, hidden=256, frame_rate=1, seconds=float(CONTEXT)
    )
    return convert(theirs.state_dict(), config)
