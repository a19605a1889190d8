"""What the checks of chapter 12 count as right is what the package and torch do."""

import torch
import torch.nn.functional as F

from minicodec.bits.language_model import LanguageModel, LanguageModelConfig
from minicodec.bits.transformer import visible
from minicodec.exercises.lesson_12 import attention, remember, vectors


def test_vectors_are_the_models_own_embeddings():
    config = LanguageModelConfig(n_q=3, codebook_size=10, dim=8, layers=1, heads=2, hidden=8)
    model = LanguageModel(config)
    heard = []
    model.norm.register_forward_hook(lambda module, given, result: heard.append(given[0]))
    codes = torch.randint(10, (3, 7))
    model(codes[None])
    tables = model.embedding.weight.view(3, 11, 8)
    assert torch.allclose(vectors(codes, tables), heard[0][0], atol=1e-6)


def test_attention_is_that_of_torch():
    q, k, v = torch.randn(3, 2, 6, 8)
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=visible(6, 6, 2))
    assert torch.allclose(attention(q, k, v, 2), expected, atol=1e-5)


def test_what_is_remembered_is_what_attention_needs():
    q, k, v = torch.randn(3, 2, 9, 4)
    cache, heard = None, []
    for t in range(9):
        step = slice(t, t + 1)
        (keys, values), cache = remember(cache, k[:, step], v[:, step], 3)
        heard.append(attention(q[:, step], keys, values, 3))
        assert cache[0].shape[1] == min(t + 1, 3)
    assert torch.allclose(torch.cat(heard, 1), attention(q, k, v, 3), atol=1e-5)
