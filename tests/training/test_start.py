"""Where learning starts: another codec's weights, codebooks from many latents."""

import dataclasses

import pytest
import torch
from short_runs import CODEC, CONFIG, Tones, batch, changed, same, started, trainer

from minicodec.model.checkpoint import inference_weights, save_codec
from minicodec.model.codec import Codec
from minicodec.training.batches import Batches
from minicodec.training.sources import Weighted
from minicodec.training.start import codebook_totals, start_codebooks, weights_from


def test_weights_from_a_file_and_totals_counted_anew(tmp_path):
    codec = started()
    save_codec(codec, tmp_path / "c.safetensors")
    other = Codec(CODEC).train()
    weights_from(other, tmp_path / "c.safetensors")
    clip = batch(5, 3)
    assert torch.equal(other.eval().encode(clip), codec.encode(clip))
    torch.testing.assert_close(other(clip).audio, codec(clip).audio)
    before = [book.embedding.clone() for book in other.quantizer.codebooks]
    codebook_totals(other, other.encoder(clip), frames=100, fresh=False)
    for book, vectors in zip(other.quantizer.codebooks, before):
        torch.testing.assert_close(book.sums / book.counts[:, None], vectors)
        assert float(book.counts.sum()) == pytest.approx(100, rel=0.01)
    with pytest.raises(ValueError, match="another config"):
        weights_from(Codec(dataclasses.replace(CODEC, n_filters=4)), tmp_path / "c.safetensors")


def test_weights_from_a_run(tmp_path):
    run = trainer(tmp_path / "run", changed(averaging=0.5))
    run.run()
    codec = Codec(CODEC).train()
    weights_from(codec, tmp_path / "run")
    mine, last = inference_weights(codec), inference_weights(run.codec)
    for name, mean in inference_weights(run.update.averaged).items():
        if "counts" not in name:  # they are counted anew
            torch.testing.assert_close(mine[name], mean)
    first = "encoder.layers.0.weight"
    assert not torch.allclose(mine[first], last[first])


def test_codebooks_start_from_clips_that_the_seed_alone_decides():
    def start(seed, fresh=True):
        torch.manual_seed(7)
        codec = Codec(CODEC).train()
        weights = [w.clone() for w in codec.parameters()]
        start_codebooks(codec, Batches([Weighted(Tones(), 1.0)], changed(seed=seed)), fresh)
        assert all(map(torch.equal, weights, codec.parameters()))
        return codec.quantizer

    assert same(start(1), start(1)) and not same(start(1), start(2))
    fresh, kept = start(1), start(1, fresh=False)
    torch.manual_seed(7)
    untouched = Codec(CODEC).quantizer
    for new, old, first in zip(fresh.codebooks, kept.codebooks, untouched.codebooks):
        assert bool(new.initialized) and not torch.equal(new.embedding, first.embedding)
        assert torch.equal(old.embedding, first.embedding)
        # One step's latents: two clips of 7 frames, so that totals move on as they will.
        assert float(new.counts.sum()) == pytest.approx(14, rel=0.01)


def test_learned_codebooks_are_left_alone():
    codec = Codec(dataclasses.replace(CODEC, quantizer="factorized"))
    before = {k: v.clone() for k, v in codec.state_dict().items()}
    start_codebooks(codec, Batches([Weighted(Tones(), 1.0)], CONFIG), fresh=True)
    assert all(torch.equal(v, before[k]) for k, v in codec.state_dict().items())
