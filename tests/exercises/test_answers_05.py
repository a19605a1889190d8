"""Right answers of chapter 05 do as the package does, and draw no random numbers of the chapter."""

import torch

from minicodec.exercises import answers_05 as answers
from minicodec.model.quantize import Codebook, kmeans, nearest


def test_a_lloyd_step_is_one_round_of_kmeans():
    x = torch.randn(80, 3)
    torch.manual_seed(1)
    means, _ = kmeans(x, 6, iterations=1)
    torch.manual_seed(1)
    start = x[torch.randperm(len(x))[:6]]
    assert torch.allclose(answers.lloyd_step(x, start), means, atol=1e-6)


def test_running_means_are_those_of_the_codebook():
    book = Codebook(5, 4, decay=0.9, dead_share=0.0)
    sums, counts = book.sums.clone(), book.counts.clone()
    for _ in range(3):
        z = torch.randn(30, 4)
        book.update(z, book.encode(z))
        sums, counts = answers.running_means(sums, counts, z, 0.9)
        assert torch.equal(sums, book.sums) and torch.equal(counts, book.counts)


def test_the_rescue_is_that_of_the_codebook():
    sums, counts, fresh = answers.unequal_totals(torch.Generator().manual_seed(0))
    book = Codebook(*sums.shape, decay=1.0)  # nothing fades and nothing is added
    book.sums.copy_(sums)
    book.counts.copy_(counts)
    book.update(fresh[:1], torch.zeros(1, dtype=torch.long))  # all dead ones get this latent
    mine = answers.rescued(sums, counts, fresh[:1].expand_as(sums))
    assert torch.allclose(mine[0], book.sums) and torch.allclose(mine[1], book.counts)
    assert 0 < int((book.counts != counts).sum()) < len(counts)


def test_no_other_measure_finds_the_same_dead():
    for seed in range(40):
        _, counts, _ = answers.unequal_totals(torch.Generator().manual_seed(seed))
        dead = answers.rare(counts)
        others = (counts.mean(), 0.1 * counts.sum(), 0.1 * counts.max(), torch.tensor(2.0))
        found = [int((counts < measure).sum()) for measure in others]
        assert int(dead.sum()) == 6 < min(found) and found[0] < found[1]


def test_a_gradient_step_moves_by_twice_the_mean_difference():
    book, z, rate = answers.book_batch_and_rate(torch.Generator().manual_seed(0))
    codes, right = nearest(z, book), book.clone()
    for latent, code in zip(z, codes):
        right[code] += rate * 2 / len(z) * (latent - book[code])
    assert torch.allclose(answers.gradient_step(book, z, rate), right, atol=1e-6)


def test_at_one_rate_the_gradient_moves_a_vector_of_even_use_as_the_running_mean_does():
    """The rate that chapter 05 names for 16 vectors: 0.01 = 2 · rate / 16."""
    x = torch.eye(16).repeat(10, 1)
    start = torch.eye(16) + 0.1
    moved = answers.running_means(10 * start, torch.full((16,), 10.0), x, 0.99)
    assert torch.allclose(answers.gradient_step(start, x, 0.08), moved[0] / moved[1][:, None])


def test_straight_through_hands_the_gradient_on():
    z, vector, weights = answers.z_vector_and_weights(torch.Generator().manual_seed(0))
    found = answers.passed(answers.straight_through, z, vector, weights)
    assert torch.allclose(found["value"], vector) and torch.equal(found["gradient at z"], weights)
    assert not found["gradient at the vector"].any()


def test_nothing_is_drawn_from_the_chapters_random_numbers():
    before = torch.random.get_rng_state()
    generator = torch.Generator().manual_seed(0)
    answers.running_means(*answers.totals_and_batch(generator))
    answers.lloyd_step(*answers.points_and_means(generator))
    assert torch.equal(before, torch.random.get_rng_state())
