"""Counting codes: what it predicts, and that encoder and decoder count alike."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import RECORDINGS, recordings

import minicodec
from minicodec.bits.histogram import Histogram, count, for_codec
from minicodec.bits.range_coder import MAX_TOTAL, decode_codes, encode_codes
from minicodec.model.checkpoint import load_codec, save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig


@given(st.integers(1, 6), st.integers(0, 40), st.sampled_from([2, 16, 1024]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_codes_come_back(n_q, frames, size, with_prior):
    prior = torch.randint(1, 30, (6, size)) if with_prior else None
    codes = torch.randint(size, (n_q, frames))
    data = encode_codes(Histogram(size, prior), codes)
    assert torch.equal(decode_codes(Histogram(size, prior), data, n_q, frames), codes)


def test_tables_are_counts_of_the_past_alone():
    prior = torch.randint(1, 9, (2, 16))
    histogram = Histogram(16, prior, increment=5)
    codes = torch.randint(16, (2, 30))
    tables = histogram.tables(codes)
    assert tables.shape == (30, 2, 16) and tables.dtype == torch.int64
    for t in (0, 1, 7, 29):
        seen = torch.stack([torch.bincount(row[:t], minlength=16) for row in codes])
        assert torch.equal(tables[t], prior + 5 * seen)
    changed = codes.clone()
    changed[:, 20:] = 15 - changed[:, 20:]
    assert torch.equal(histogram.tables(changed)[:21], tables[:21])


def test_steps_and_tables_agree_even_where_counts_are_halved():
    histogram = Histogram(16, increment=MAX_TOTAL // 8)
    codes = torch.randint(16, (3, 60))
    tables, state, seen = histogram.tables(codes), histogram.start(3), None
    for t in range(60):
        table, state = histogram.stream(seen, state)
        assert torch.equal(table, tables[t])
        seen = codes[:, t]
    assert (tables >= 1).all() and (tables.sum(2) <= MAX_TOTAL).all()
    assert (tables.sum(2).diff(dim=0) < 0).any()  # it did happen
    data = encode_codes(histogram, codes)
    assert torch.equal(decode_codes(histogram, data, 3, 60), codes)


def test_a_state_may_be_used_twice():
    histogram = Histogram(8)
    _, state = histogram.stream(None, histogram.start(2))
    before = state.clone()
    first, _ = histogram.stream(torch.tensor([1, 2]), state)
    second, _ = histogram.stream(torch.tensor([1, 2]), state)
    assert torch.equal(first, second) and torch.equal(state, before)
    histogram = Histogram(8, prior := torch.ones(2, 8, dtype=torch.long))
    histogram.stream(torch.tensor([1, 2]), histogram.start(2))
    assert torch.equal(histogram.prior, prior) and torch.equal(prior, torch.ones(2, 8).long())


def test_frequent_codes_become_cheap():
    codes = torch.tensor([0, 0, 0, 1]).repeat(500)[None]
    bits = 8 * len(encode_codes(Histogram(1024), codes))
    entropy = 0.75 * math.log2(1 / 0.75) + 0.25 * math.log2(1 / 0.25)
    assert 2000 * entropy < bits < 2000 * entropy + 800  # learning which two costs something
    noise = torch.randint(1024, (1, 2000))
    assert 8 * len(encode_codes(Histogram(1024), noise)) < 1.15 * 20000  # noise is not free


def test_a_prior_saves_what_need_not_be_learned():
    shares = torch.tensor([2.0**-k for k in range(1, 13)])
    draw = lambda frames: torch.multinomial(shares, frames, replacement=True)[None]  # noqa: E731
    prior = count([draw(5000), draw(2000)], 1024)
    codes = draw(300)
    without, with_prior = (len(encode_codes(Histogram(1024, p), codes)) for p in (None, prior))
    assert with_prior < 0.7 * without
    # And where it is wrong, the counts of the stream itself take over.
    other = 1023 - draw(4000)
    entropy = -(shares / shares.sum() * (shares / shares.sum()).log2()).sum()
    assert 8 * len(encode_codes(Histogram(1024, prior), other)) < 1.5 * 4000 * entropy


def test_real_codes():
    """At 1.5 kbps, in chunks of 5 s, no prior: a tenth of the bits of recordings, less of ours."""
    codec = minicodec.load("mini_24khz")
    codes = [codec.encode(clip, 1.5)[0] for clip in recordings("speech", 2, 5)]
    sizes = [len(encode_codes(Histogram(1024), clip)) for clip in codes]
    nominal = sum(clip.numel() for clip in codes) * 10 / 8
    print(f"\n1.5 kbps: {sum(sizes) / nominal:.1%} of the nominal size", end="")
    assert sum(sizes) < (0.9 if RECORDINGS.is_dir() else 0.95) * nominal


@pytest.mark.parametrize(
    "prior",
    [torch.zeros(2, 8).long(), torch.ones(2, 8), torch.ones(2, 9).long(), torch.ones(8).long(),
     torch.full((2, 8), MAX_TOTAL), torch.full((2, 8), 1 + MAX_TOTAL // 8),
     torch.full((1, 8), 2**61), torch.ones(0, 8).long()],
)  # fmt: skip
def test_wrong_priors(prior):
    with pytest.raises(ValueError, match=r"a prior is of integers \[K, 8\] from 1 on"):
        Histogram(8, prior)


def test_any_counts_of_a_codec_make_a_prior_or_none():
    """One code of 4096 that is chosen alone is none too many; numbers can be too small to count."""
    codec = Codec(CodecConfig(n_filters=2, dimension=4, codebook_size=4096, bandwidths=(1.0,)))
    (book,) = codec.quantizer.codebooks
    book.counts.zero_()
    book.counts[7] = 1e9
    prior = for_codec(codec).prior
    assert prior[0, 7] == 1 + 2**14 and prior.sum() == 4096 + 2**14
    data = encode_codes(for_codec(codec), codes := torch.full((1, 300), 7))
    assert torch.equal(decode_codes(for_codec(codec), data, 1, 300), codes)
    book.counts[7] = 1e-8
    assert for_codec(codec).prior is None


def test_wrong_input():
    for increment in (0, -3, MAX_TOTAL):
        with pytest.raises(ValueError, match="an increment is from 1 to"):
            Histogram(8, increment=increment)
    histogram = Histogram(8, torch.ones(2, 8).long())
    with pytest.raises(ValueError, match="knows 1 to 2 codebooks, not 3"):
        encode_codes(histogram, torch.zeros(3, 5).long())
    with pytest.raises(ValueError, match="knows 1 or more codebooks, not 0"):
        Histogram(8).start(0)
    with pytest.raises(ValueError, match="at least one clip"):
        count([], 8)
    with pytest.raises(ValueError, match="lie in 0 to 7"):
        count([torch.tensor([[8]])], 8)
    with pytest.raises(ValueError, match=r"are \[1, T\], but these are \[2, 1\]"):
        count([torch.tensor([[1]]), torch.tensor([[1], [2]])], 8)


def test_a_codec_brings_the_counts_of_its_codes(tmp_path):
    """Counts of training are saved with the codec, and both sides begin with them."""
    config = CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5,), codebook_size=16)
    codec = Codec(config).eval()
    assert for_codec(codec).prior is None  # never trained, so never counted
    for book in codec.quantizer.codebooks:
        book.counts.copy_(torch.arange(16.0) / 3)
    save_codec(codec, tmp_path / "codec.safetensors", half=True)
    prior = for_codec(load_codec(tmp_path / "codec.safetensors")).prior
    assert torch.equal(prior, for_codec(codec).prior)
    assert len(for_codec(codec).fingerprint) == 8 and any(for_codec(codec).fingerprint)
    assert prior.shape == (config.max_n_q, 16) and prior[0, 0] == 1
    torch.testing.assert_close(prior[0] / prior[0].sum(), torch.arange(16) / 120, atol=2e-3, rtol=0)


def test_learned_codebooks_bring_no_counts():
    config = CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5,), quantizer="factorized")
    assert for_codec(Codec(config)).prior is None
