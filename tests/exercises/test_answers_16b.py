"""Right answers of chapter 16b do as the package does, and draw none of the chapter's numbers."""

import pytest
import torch

from minicodec.exercises import answers_16b as answers
from minicodec.generation.levels import freeze_levels, swap_levels
from minicodec.generation.split import SplitQuantizer


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_both_branches_are_those_of_the_split_quantizer():
    split = SplitQuantizer(dim=8, n_q=4, codebook_size=16, slower=3, width=16).eval()
    x = torch.randn(1, 8, 60)
    codes = split.encode(x)[0]
    for branch, rows in ((split.semantic, slice(0, 1)), (split.acoustic, slice(1, 4))):
        books = [book.embedding for book in branch.books.codebooks]
        z = branch.into(x)[0].T
        assert torch.equal(answers.split(z, books[0], books)[1:], codes[rows])
        assert torch.equal(answers.split(z, books[0], books)[0], codes[rows][0])


def test_one_chain_is_another_thing(generator):
    given = answers.latents_and_two_kinds(generator)
    right, chain = answers.split(*given), answers.in_one_chain(*given)
    assert torch.equal(right[0], chain[0]) and not torch.equal(right[1], chain[1])


def test_levels_are_swapped_and_frozen_as_in_the_package(generator):
    ours, theirs, levels = answers.two_clips_and_levels(generator)
    assert torch.equal(
        answers.swap(ours, theirs, levels), swap_levels(ours[None], theirs[None], levels)[0]
    )
    codes, level = answers.codes_and_level(generator)
    assert torch.equal(answers.freeze(codes, level), freeze_levels(codes[None], [level])[0])


def test_information_is_what_is_saved(generator):
    codes, labels = answers.codes_and_labels(generator)
    before = answers.informed(lambda p: answers.entropy(p.sum(0)))(codes, labels)
    after = answers.informed(lambda p: answers.entropy(p) - answers.entropy(p.sum(1)))(
        codes, labels
    )
    assert answers.information(codes, labels) == pytest.approx(float(before - after), abs=1e-4)


def test_the_teacher_gets_no_gradient(generator):
    given = answers.two_vectors(generator)
    loss = answers.distilled(lambda s, t: 1 - answers.cosine(s, t).mean())
    pulled = answers.pulled(loss, *given)
    assert pulled["gradient at the student"].any()
    assert not pulled["gradient at the teacher"].any()


def test_a_table_made_of_counts(generator):
    codes, labels, size, kinds = answers.frames_and_sizes(generator)
    counts = answers.tables(lambda n: n)(codes, labels, size, kinds)
    assert counts.shape == (size, kinds) and counts.sum() == len(codes) + size * kinds
    assert counts.min() == 1


def test_nothing_is_drawn_from_the_chapters_random_numbers(generator):
    before = torch.random.get_rng_state()
    for inputs in (
        answers.two_vectors,
        answers.latents_and_two_kinds,
        answers.windows_and_table,
        answers.frames_and_sizes,
        answers.two_clips_and_levels,
        answers.codes_and_level,
    ):
        inputs(generator)
    answers.split(*answers.latents_and_two_kinds(generator))
    assert torch.equal(before, torch.random.get_rng_state())
