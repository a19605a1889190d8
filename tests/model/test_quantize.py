"""The quantizer finds the nearest, learns, and mends what the official one gets wrong."""

import subprocess
import sys

import encodec.quantization.core_vq as official_vq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from in_threads import Together
from torch.utils._python_dispatch import TorchDispatchMode

from minicodec.model import quantize
from minicodec.model.quantize import (
    Codebook,
    ResidualVectorQuantizer,
    check_codes,
    kmeans,
    nearest,
)

STEPS = 60


def manifold(count: int) -> torch.Tensor:
    """Vectors [N, 128] on a curved surface of four dimensions, as latents of real sound are."""
    generator = torch.Generator().manual_seed(7)
    first = torch.randn(4, 64, generator=generator)
    second = torch.randn(64, 128, generator=generator) / 8
    return torch.tanh(torch.randn(count, 4) @ first) @ second


def relative_error(x: torch.Tensor, quantized: torch.Tensor) -> float:
    return float((x - quantized).pow(2).sum() / (x - x.mean(0)).pow(2).sum())


@pytest.fixture
def official_book(monkeypatch):
    """Their codebook. Its k-means would take 2.5 GB for differences; distances suffice."""
    monkeypatch.setattr(official_vq, "kmeans", lambda x, size, iterations=20: kmeans(x, size))
    return lambda size, threshold=2: official_vq.EuclideanCodebook(
        128, size, kmeans_init=True, threshold_ema_dead_code=threshold
    )


@given(st.integers(1, 40), st.integers(1, 30), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_nearest_is_nearest(count, size, dim):
    x, embedding = torch.randn(count, dim), torch.randn(size, dim)
    distances = torch.cdist(x.double(), embedding.double())
    chosen = distances.gather(1, nearest(x, embedding)[:, None])[:, 0]
    torch.testing.assert_close(chosen, distances.min(1).values, atol=1e-5, rtol=1e-5)


def test_near_ties_fall_as_in_the_official_code():
    """Far from zero, squares of lengths round away most of what tells the vectors apart."""
    x, embedding = 1000 + torch.rand(20000, 16), 1000 + torch.rand(64, 16)
    theirs = official_vq.EuclideanCodebook(16, 64)
    theirs.embed.copy_(embedding)
    codes = nearest(x, embedding)
    assert torch.equal(codes, theirs.quantize(x))
    distances = torch.cdist(x.double(), embedding.double())
    assert (codes != distances.argmin(1)).sum() > 10000  # it hardly ever finds the nearest here


def test_a_vector_of_the_codebook_is_its_own_code():
    book = Codebook(size=64, dim=16)
    assert torch.equal(book.encode(book.embedding), torch.arange(64))
    assert torch.equal(book.decode(torch.tensor([[3, 5]])), book.embedding[None, [3, 5]])


def trained(dim=128, n_q=4, size=64, steps=20) -> ResidualVectorQuantizer:
    rvq = ResidualVectorQuantizer(dim, n_q, size)
    for _ in range(n_q + steps):
        rvq(manifold(1000).T[None])
    return rvq.eval()


def test_encode_decode_and_forward_say_the_same():
    rvq = trained(n_q=3)
    x = manifold(70).view(2, 35, 128).transpose(1, 2)
    result = rvq(x, n_q=2)
    assert torch.equal(result.codes, rvq.encode(x, n_q=2))
    assert result.codes.shape == (2, 2, 35) and result.codes.dtype == torch.int64
    torch.testing.assert_close(rvq.decode(result.codes), result.quantized)
    assert torch.equal(rvq.encode(x)[:, :2], result.codes)  # fewer levels are a prefix


def test_each_level_describes_what_the_last_one_missed():
    rvq, x = trained(), manifold(2000).T[None]
    codes = rvq.encode(x)
    errors = [
        relative_error(x[0].T, rvq.decode(codes[:, :k])[0].T) for k in range(1, codes.shape[1] + 1)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] < 0.5 and errors[-1] < 0.7 * errors[0]


def test_the_gradient_passes_straight_through():
    for training in (True, False):
        rvq = trained(n_q=2).train(training)
        x = manifold(50).T[None].requires_grad_()
        weight = torch.randn(1, 128, 50)
        result = rvq(x)
        (result.quantized * weight).sum().backward()
        torch.testing.assert_close(x.grad, weight)
        assert not torch.equal(result.quantized, x)


def test_the_commitment_is_what_each_level_leaves_over():
    rvq, x = ResidualVectorQuantizer(8, 3, 16).eval(), torch.randn(2, 8, 20)
    _, codes, commitment = rvq(x)
    left = [(x - rvq.decode(codes[:, :k])).pow(2).mean() for k in (1, 2, 3)]
    torch.testing.assert_close(commitment, sum(left) / 3)


def test_training_starts_each_codebook_once_and_then_moves_it():
    batches = [torch.randn(2, 8, 2000) for _ in range(4)]  # of which k-means will not see the end
    rvq, book = ResidualVectorQuantizer(8, 1, 16), Codebook(16, 8)
    book.load_state_dict(rvq.codebooks[0].state_dict())
    for step, x in enumerate(batches):
        flat = x.transpose(1, 2).reshape(-1, 8)
        torch.manual_seed(step)
        codes = rvq(x).codes
        torch.manual_seed(step)
        if step == 0:
            book.initialize(flat)
            assert torch.equal(codes.flatten(), book.encode(flat))
        else:
            assert torch.equal(codes.flatten(), book.encode(flat))  # of what was learned before
            book.update(flat, book.encode(flat))
        assert same(book, rvq.codebooks[0])


def test_the_commitment_is_felt_at_every_level():
    """The gradient of each level's own term, by taking the terms of the levels before away."""
    rvq = trained(n_q=4)

    def gradient(n_q: int) -> torch.Tensor:
        x = manifold_fixed.clone().requires_grad_()
        (n_q * rvq(x, n_q).commitment).backward()
        return x.grad

    manifold_fixed = manifold(200).T[None]
    norms = [gradient(1).norm().item()]
    norms += [(gradient(k) - gradient(k - 1)).norm().item() for k in (2, 3, 4)]
    assert min(norms) > 0.05 * norms[0] > 0


def test_the_official_commitment_is_felt_at_the_first_alone(monkeypatch):
    monkeypatch.setattr(official_vq, "kmeans", lambda x, size, iterations=20: kmeans(x, size))
    theirs = official_vq.ResidualVectorQuantization(
        num_quantizers=4, dim=128, codebook_size=64, kmeans_init=True
    )
    x = manifold(1000).T[None].requires_grad_()
    losses = theirs(x)[2]
    norms = []
    for loss in losses:
        (gradient,) = torch.autograd.grad(loss, x, retain_graph=True, allow_unused=True)
        norms.append(0.0 if gradient is None else gradient.norm().item())
    print(f"\nofficial commitment gradients by level: {[f'{n:.4f}' for n in norms]}")
    assert norms[0] > 0 and norms[1:] == [0, 0, 0]


def test_a_kmeans_start_survives_the_first_update(official_book):
    """Theirs divides means by counts a second time, and most of the codebook dies at once."""
    size = 256
    torch.manual_seed(0)
    batches = [manifold(2400) for _ in range(STEPS)]
    ours, theirs = Codebook(size, 128), official_book(size)
    table = []
    for step, x in enumerate(batches):
        if step == 0:
            ours.initialize(x)
        ours.update(x, ours.encode(x))
        theirs(x)
        fresh = manifold(2400)
        table.append(
            (
                relative_error(fresh, ours.decode(ours.encode(fresh))),
                len(ours.encode(fresh).unique()),
                relative_error(fresh, theirs.decode(theirs.encode(fresh))),
                len(theirs.encode(fresh).unique()),
            )
        )
    for step in (0, 1, STEPS - 1):
        ours_error, ours_used, error, used = table[step]
        print(f"\nafter update {step + 1}: ours {ours_error:.3f} with {ours_used} of {size} codes "
              f"used, official {error:.3f} with {used}", end="")  # fmt: skip
    errors = [row[0] for row in table]
    assert max(errors) < 1.2 * errors[0]
    assert min(row[1] for row in table) > 0.8 * size
    assert table[0][2] > 2 * errors[0] and table[0][3] < 0.5 * size
    assert table[-1][2] > 1.2 * errors[-1]


def test_dead_codes_come_back_to_life_and_stay():
    book, x = Codebook(64, 128), manifold(2000)
    book.initialize(x)
    book.counts[:8], book.sums[:8], book.embedding[:8] = 1e-3, 1e-3 * 100.0, 100.0
    book.update(x, book.encode(x))
    revived = book.embedding[:8].clone()
    to_latents = torch.cdist(revived, x, compute_mode="donot_use_mm_for_euclid_dist")
    assert to_latents.min(1).values.max() < 1e-5  # they are latents of this batch
    book.update(x, book.encode(x))
    assert (book.embedding[:8] - revived).norm(dim=1).max() < 5  # and not back at 100
    assert len(book.encode(x).unique()) > 60


def test_the_official_replacement_has_no_effect(official_book):
    """Two codebooks on the same data, one with replacement and one without, stay bit-equal."""
    books = {}
    for threshold in (0, 2):
        torch.manual_seed(3)
        books[threshold] = official_book(256, threshold)
        for step in range(20):
            torch.manual_seed(100 + step)  # replacement draws numbers: give both the same data
            books[threshold](manifold(1000))
    assert (books[2].cluster_size < 2).sum() > 0  # there were dead codes to replace
    assert torch.equal(books[0].embed, books[2].embed)
    ours = {}
    for share in (0.0, 0.1):
        torch.manual_seed(3)
        ours[share] = Codebook(256, 128, dead_share=share)
        ours[share].initialize(manifold(1000))
        ours[share].counts[:50] = 0.01
        for step in range(20):
            torch.manual_seed(100 + step)
            x = manifold(1000)
            ours[share].update(x, ours[share].encode(x))
    assert not torch.equal(ours[0.0].embedding, ours[0.1].embedding)


def test_an_average_follows_its_latents():
    """One code, chosen by all: its vector is the running mean of everything it was given."""
    book = Codebook(size=1, dim=2, decay=0.5)
    book.initialize(torch.zeros(4, 2))
    book.update(torch.ones(4, 2), torch.zeros(4, dtype=torch.long))
    assert torch.allclose(book.embedding, torch.full((1, 2), 0.5))
    book.update(torch.ones(4, 2), torch.zeros(4, dtype=torch.long))
    assert torch.allclose(book.embedding, torch.full((1, 2), 0.75))
    torch.testing.assert_close(book.embedding, book.sums / book.counts[:, None])


def test_a_book_begins_with_vectors_of_length_one():
    book = Codebook(2000, 64)
    assert book.embedding.norm(dim=1).mean() == pytest.approx(1, abs=0.02)
    assert len(ResidualVectorQuantizer(dim=8, n_q=1).codebooks[0].embedding) == 1024
    book.update(torch.randn(100, 64), torch.arange(100))
    torch.testing.assert_close(book.embedding, book.sums / book.counts[:, None])


def test_an_average_remembers_about_a_hundred_batches():
    book, codes = Codebook(size=1, dim=2), torch.zeros(4, dtype=torch.long)
    book.initialize(torch.zeros(4, 2))
    for step in range(1, 101):
        book.update(torch.ones(4, 2), codes)
        torch.testing.assert_close(book.embedding, torch.full((1, 2), 1 - 0.99**step))


@pytest.mark.parametrize(
    ("share", "used", "dies"),
    [({}, 0.09, True), ({}, 0.11, False), ({"dead_share": 0.5}, 0.5, False)],
)
def test_whose_share_is_too_small_dies(share, used, dies):
    """`used` is the first vector's share of an even split. A share that just suffices does."""
    book = Codebook(2, 1, decay=0.0, **share)
    count = round(100 * used)
    codes = (torch.arange(200) >= count).long()
    book.update(torch.where(codes == 0, -1.0, 1.0)[:, None], codes)
    expected = [[100.0], [200.0 - count]] if dies else [[count], [200.0 - count]]
    assert book.counts[:, None].tolist() == expected
    torch.testing.assert_close(book.embedding.abs(), torch.ones(2, 1))
    torch.testing.assert_close(book.embedding, book.sums / book.counts[:, None])


def test_an_update_draws_only_for_the_dead():
    """So that runs with the same seed stay the same."""
    book, x = Codebook(16, 128), manifold(500)
    book.initialize(x)
    before = torch.get_rng_state()
    book.update(x, book.encode(x))
    assert torch.equal(torch.get_rng_state(), before)
    book.counts[0] = 1e-6
    book.update(x[:1], book.encode(x[:1]))
    assert not torch.equal(torch.get_rng_state(), before)


def test_codebooks_learn_without_gradients():
    x = manifold(100).requires_grad_()
    book = Codebook(16, 128)
    book.initialize(x)
    book.counts[0] = 1e-6
    book.update(x, book.encode(x))
    assert not any(value.requires_grad for value in book.state_dict(keep_vars=True).values())


def test_expiry_is_relative_to_use_not_to_the_batch():
    """A small batch chooses each code rarely. That makes none of them dead."""
    torch.manual_seed(0)
    x = manifold(64)
    book = Codebook(64, 128)
    book.initialize(x)  # as many vectors as codes: each is chosen once, and stays where it is
    book.update(x, book.encode(x))
    assert torch.allclose(book.decode(book.encode(x)), x, atol=1e-5)
    threshold = official_vq.EuclideanCodebook(128, 64).threshold_ema_dead_code
    assert (book.counts < threshold).all()  # the official rule would throw every one of them out


def official_rvq(n_q: int, size: int) -> torch.nn.Module:
    return official_vq.ResidualVectorQuantization(
        num_quantizers=n_q, dim=128, codebook_size=size, kmeans_init=True
    )


def test_levels_start_one_step_after_another():
    """So that each k-means sees what trained levels leave over; the official ones start at once."""
    rvq = ResidualVectorQuantizer(dim=128, n_q=3, codebook_size=32)
    x = manifold(500).T[None]
    assert [rvq(x).codes.shape[1] for _ in range(5)] == [1, 2, 3, 3, 3]
    assert all(book.initialized for book in rvq.codebooks)
    official = official_rvq(3, 32).train()
    official(x)
    assert [bool(layer._codebook.inited) for layer in official.layers] == [True, True, True]


def test_eval_mode_changes_nothing():
    for rvq in (trained(n_q=2), ResidualVectorQuantizer(128, 2, 64).eval()):
        before = {key: value.clone() for key, value in rvq.state_dict().items()}
        for _ in range(3):
            rvq(manifold(100).T[None])
            rvq.encode(manifold(100).T[None])
        after = rvq.state_dict()
        assert all(torch.equal(before[key], after[key]) for key in before)
    official = official_rvq(1, 64).eval()
    official(manifold(100).T[None])
    assert official.layers[0]._codebook.inited  # theirs learns a codebook from what it is to judge


TWO_PROCESSES = """
import sys, torch, torch.distributed as dist
import encodec.quantization.core_vq as official_vq
from minicodec.model.quantize import Codebook
rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method="file://" + sys.argv[2], rank=rank, world_size=2)
torch.manual_seed(0)
data = torch.tanh(torch.randn(6, 2, 200, 4) @ torch.randn(4, 16))
torch.manual_seed(1 + rank)  # as in training: what is drawn at random differs
ours, theirs = Codebook(32, 16), official_vq.EuclideanCodebook(16, 32, kmeans_init=True)
for step, batch in enumerate(data):
    x = batch[rank]
    if step == 0:
        ours.initialize(x)
        ours.counts[:4] = 1e-3  # some die, and are replaced
    ours.update(x, ours.encode(x))
    theirs(x)
torch.save({"ours": ours.state_dict(), "theirs": theirs.embed}, sys.argv[3])
dist.barrier()
dist.destroy_process_group()  # a process that ends with its threads still running may crash
"""


def test_codebooks_agree_across_processes(tmp_path):
    """Two processes end with one codebook, which saw both their data; the official ones drift."""
    run = [sys.executable, "-W", "ignore", "-c", TWO_PROCESSES]
    workers = [
        subprocess.Popen([*run, str(rank), str(tmp_path / "meet"), str(tmp_path / f"{rank}.pt")])
        for rank in (0, 1)
    ]
    assert [worker.wait(timeout=600) for worker in workers] == [0, 0]
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    for key, value in first["ours"].items():
        assert torch.equal(value, second["ours"][key]), key
    assert not torch.equal(first["theirs"], second["theirs"])

    # One process with the batches of both gets the same, as far as sums of floats can be.
    torch.manual_seed(0)
    data = torch.tanh(torch.randn(6, 2, 200, 4) @ torch.randn(4, 16))
    torch.manual_seed(1)
    alone = Codebook(32, 16)
    for step, batch in enumerate(data):
        x = batch.flatten(0, 1)
        if step == 0:
            alone.initialize(x)
            alone.counts[:4] = 1e-3
        alone.update(x, alone.encode(x))
    torch.testing.assert_close(first["ours"]["embedding"], alone.embedding, atol=1e-4, rtol=1e-4)


@pytest.fixture
def in_threads(monkeypatch):
    """Codebooks of a group, each in a thread of its own."""

    def train(data, work) -> list[Codebook]:
        books = [Codebook(32, 128) for _ in data]
        group = Together(len(data))
        with monkeypatch.context() as patch:
            patch.setattr(quantize, "distributed", group)
            group.run(lambda rank: work(books[rank], data[rank]))
        for book in books[1:]:
            assert same(book, books[0])
        return books

    return train


def same(book: Codebook, other: Codebook) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(value, theirs[key]) for key, value in book.state_dict().items())


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_group_starts_from_the_latents_of_all(in_threads, size):
    # As latents of one clip come: rows that lie far apart in memory.
    data = [manifold(100).T.contiguous().T for _ in range(size)]
    (book, *_) = in_threads(data, lambda book, x: book.initialize(x))
    assert book.counts.sum() == size * 100  # each latent chose one


def test_a_group_moves_its_averages_by_the_latents_of_all(in_threads):
    data, start = [manifold(100) for _ in range(3)], Codebook(32, 128)
    start.initialize(torch.cat(data))

    def work(book, x):
        book.load_state_dict(start.state_dict())
        book.update(x, book.encode(x))

    (book, *_) = in_threads(data, work)
    start.update(torch.cat(data), start.encode(torch.cat(data)))
    torch.testing.assert_close(book.sums, start.sums)
    torch.testing.assert_close(book.counts, start.counts)
    torch.testing.assert_close(book.embedding, start.embedding)


def test_a_group_revives_the_dead_from_the_latents_of_all(in_threads):
    data = [manifold(100) for _ in range(3)]

    def work(book, x):
        book.initialize(x)
        book.counts[:20], book.sums[:20] = 1e-6, 1e-6
        book.update(x, torch.full((100,), 31))

    (book, *_) = in_threads(data, work)
    differences = book.embedding[:20, None] - torch.stack(data)[:, None]
    distances = differences.norm(dim=-1).amin(2)  # [3, 20]
    assert distances.amin(0).max() < 1e-5
    assert len(distances.argmin(0).unique()) == 3


def test_torch_may_be_built_without_processes(monkeypatch):
    monkeypatch.setattr(quantize.distributed, "is_available", lambda: False)
    monkeypatch.delattr(quantize.distributed, "is_initialized")
    rvq = ResidualVectorQuantizer(dim=8, n_q=1, codebook_size=4)
    assert [rvq(torch.randn(1, 8, 20)).codes.shape[1] for _ in range(2)] == [1, 1]


def test_kmeans_finds_clusters():
    centres = 10 * torch.randn(4, 3)
    x = (centres[:, None] + 0.01 * torch.randn(4, 50, 3)).reshape(-1, 3)
    errors = []
    for seed in range(5):  # Lloyd's algorithm may stop at a worse place: some start finds the best
        torch.manual_seed(seed)
        means, counts = kmeans(x, 4)
        assert counts.sum() == 200
        errors.append(torch.cdist(centres, means).min(1).values.max().item())
    assert min(errors) < 0.1


@pytest.mark.parametrize("count", [12, 500])
def test_kmeans_step_by_step(count):
    """From rows of its own, all different, to the means of those nearest to each, and again."""
    x = manifold(count)

    def after(iterations: int) -> tuple[torch.Tensor, torch.Tensor]:
        torch.manual_seed(3)
        return kmeans(x, 8, iterations)

    means, counts = after(0)
    assert (means[:, None] == x).all(2).any(1).all() and len(means.unique(dim=0)) == 8
    assert counts.tolist() == [0] * 8
    for iterations in (1, 2, 3):
        codes = torch.cdist(x.double(), means.double()).argmin(1)
        means, counts = after(iterations)
        torch.testing.assert_close(means, torch.stack([x[codes == k].mean(0) for k in range(8)]))
        assert torch.equal(counts, codes.bincount().float())


def test_a_cluster_that_nobody_chose_keeps_its_mean():
    means, counts = kmeans(torch.ones(1, 3), 4)
    assert torch.equal(means, torch.ones(4, 3)) and counts.tolist() == [1, 0, 0, 0]


def test_a_cluster_of_one_sits_on_it():
    """Also when another has left it: from 4 and 5 the means go to 2 and 5, then to 0 and 5."""
    x = torch.tensor([0.0, 4, 5, 5, 5, 5, 5, 5])[:, None]
    for seed in range(20):
        torch.manual_seed(seed)
        means, counts = kmeans(x, 2)
        assert counts.tolist() in ([1, 7], [7, 1], [2, 6], [6, 2], [8, 0])
        assert all(mean in x for mean in means[counts == 1])


def test_everything_is_made_where_the_latents_are():
    with torch.device("meta"):  # what is made nowhere in particular has no values there
        x = torch.randn(40, 8, device="cpu")
        for count in (40, 10):
            means, counts = kmeans(x[:count], 16, iterations=0)
            assert counts.tolist() == [0] * 16
            assert all(mean.tolist() in x.tolist() for mean in means)
    book = Codebook(16, 8)
    book.initialize(x)
    book.counts[:4] = 1e-6
    with torch.device("meta"):
        book.update(x, book.encode(x))
    assert (book.embedding[:4, None] - x).norm(dim=2).amin(1).max() < 1e-5


@pytest.mark.parametrize("count", [1, 5, 63])
def test_kmeans_with_fewer_vectors_than_clusters(count):
    x = manifold(count)
    means, counts = kmeans(x, 64)
    assert torch.isfinite(means).all() and counts.sum() == count
    book = Codebook(64, 128)
    book.initialize(x)
    assert book.counts.min() == 1  # who was not chosen has time to be
    torch.testing.assert_close(book.embedding, book.sums / book.counts[:, None])
    book.update(x, book.encode(x))
    assert torch.isfinite(book.embedding).all()


class Largest(TorchDispatchMode):
    """Bytes of the largest tensor that any operation gives."""

    size = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for value in made if isinstance(made, (tuple, list)) else (made,):
            if isinstance(value, torch.Tensor):
                self.size = max(self.size, value.numel() * value.element_size())
        return made


def test_kmeans_needs_no_table_of_differences():
    """For 64 seconds and 1024 entries the official table of differences has 2.5 GB."""
    peaks = {}
    for name, run in (
        ("ours", lambda: kmeans(manifold(9600), 512, iterations=1)),
        ("official", lambda: official_vq.kmeans(manifold(1200), 512, 1)),
    ):
        with Largest() as seen:
            run()
        peaks[name] = seen.size
    assert peaks["ours"] < 100e6
    assert peaks["official"] >= 1200 * 512 * 128 * 4  # for an eighth of the vectors


@pytest.mark.parametrize("shape", [(1, 7, 5), (8, 5), (1, 8, 5, 1)])
def test_wrong_latents(shape):
    rvq = ResidualVectorQuantizer(dim=8, n_q=2, codebook_size=16)
    for call in (rvq, rvq.encode):
        with pytest.raises(ValueError, match=r"takes latents \[B, 8, T\], but was given"):
            call(torch.randn(shape))


@pytest.mark.parametrize("n_q", [0, -1, 3])
def test_wrong_levels(n_q):
    rvq = ResidualVectorQuantizer(dim=8, n_q=2, codebook_size=16)
    for call in (rvq, rvq.encode):
        with pytest.raises(ValueError, match=f"has 1 to 2 codebooks, not {n_q}"):
            call(torch.randn(1, 8, 5), n_q)
    with pytest.raises(ValueError, match="not 3"):
        rvq.decode(torch.zeros(1, 3, 5, dtype=torch.long))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_codes_may_be_any_integers_in_their_range(dtype):
    """Small integers too: a limit of 1024 is beyond what eight bits can be compared with."""
    for codes in ([[[0]]], [[[0, 15, 2, 3], [7, 15, 1, 9]]], [[[3]], [[4]]]):
        for size in (16, 1024):
            check_codes(torch.tensor(codes, dtype=dtype), n_q=2, size=size)


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ([[[0]]], r"codes are an integer tensor \[B, K, T\], but this is a list"),
        (torch.zeros(1, 2, 3), r"but this is a tensor \[1, 2, 3\] of float32"),
        (torch.zeros(1, 2, 3, dtype=torch.bool), "of bool"),
        (torch.zeros(2, 3, dtype=torch.long), r"but this is a tensor \[2, 3\] of int64"),
        (torch.zeros(1, 2, 0, dtype=torch.long), r"at least one frame .* \[1, 2, 0\]"),
        (torch.zeros(1, 0, 3, dtype=torch.long), r"1 to 2 levels, but their shape is \[1, 0, 3\]"),
        (torch.zeros(1, 3, 3, dtype=torch.long), r"1 to 2 levels, but their shape is \[1, 3, 3\]"),
        (torch.tensor([[[0, 16]]]), "between 0 and 15, but these reach from 0 to 16"),
        (torch.tensor([[[-1, 15]]]), "between 0 and 15, but these reach from -1 to 15"),
    ],
)
def test_what_no_codes_can_be(codes, words):
    with pytest.raises(ValueError, match=words):
        check_codes(codes, n_q=2, size=16)
