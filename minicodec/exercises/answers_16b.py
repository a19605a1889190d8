"""Support: behind the exercises of chapter 16b: right answers and input."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from minicodec.exercises.answers_06 import encode
from minicodec.exercises.trying import Failed, draw, value_and_gradients
from minicodec.generation.levels import freeze_levels, swap_levels
from minicodec.generation.probing import excess
from minicodec.generation.probing import information as package_information
from minicodec.model.quantize import nearest


def split(z: Tensor, book: Tensor, books: Sequence[Tensor]) -> Tensor:
    """Codes of a semantic book and, beside it, of a chain of acoustic ones.

    Shape:
        z: [frames, D]; book: [N, D]; books: K × [N, D] → [1 + K, frames]
    """
    return torch.cat([nearest(z, book)[None], encode(z, books)])


def in_one_chain(z: Tensor, book: Tensor, books: Sequence[Tensor]) -> Tensor:
    """As chapter 06 does it: the acoustic books get what the semantic one left over."""
    return encode(z, [book, *books])


def after_the_chain(z: Tensor, book: Tensor, books: Sequence[Tensor]) -> Tensor:
    """The semantic book gets what the acoustic ones left over."""
    codes = encode(z, books)
    rest = z - sum(level[row] for level, row in zip(books, codes))
    return torch.cat([nearest(rest, book)[None], codes])


def swap(ours: Tensor, theirs: Tensor, levels: Sequence[int]) -> Tensor:
    """Some levels, which count from 1, from the other clip [K, T]."""
    return swap_levels(ours[None], theirs[None], levels)[0]


def swap_other_rows(
    rows: Callable[[int, Sequence[int]], Sequence[int]],
) -> Callable[[Tensor, Tensor, Sequence[int]], Tensor]:
    """A swap of other rows: of those that `rows` gives for K and the levels."""

    def swapped(ours: Tensor, theirs: Tensor, levels: Sequence[int]) -> Tensor:
        mixed = ours.clone()
        chosen = list(rows(len(ours), levels))
        mixed[chosen] = theirs[chosen]
        return mixed

    return swapped


def freeze(codes: Tensor, level: int) -> Tensor:
    """One level held at its most common code [K, T]."""
    return freeze_levels(codes[None], [level])[0]


def frozen_at(code: Callable[[Tensor], Any], off: int = 1) -> Callable[[Tensor, int], Tensor]:
    """A level held at something else: at what `code` makes of its row."""

    def held(codes: Tensor, level: int) -> Tensor:
        still = codes.clone()
        still[level - off] = code(codes[level - off])
        return still

    return held


def information(codes: Tensor, labels: Tensor) -> float:
    """Bits that the codes say of the labels."""
    return package_information(codes, labels, int(codes.max()) + 1, int(labels.max()) + 1)


def frozen_at_the_most_common_of_all(codes: Tensor, level: int) -> Tensor:
    """A level held at the code that is the most common of the whole clip."""
    return frozen_at(lambda row: codes.flatten().mode().values)(codes, level)


def all_others_frozen(codes: Tensor, level: int) -> Tensor:
    """Every level held but one."""
    others = [k for k in range(1, len(codes) + 1) if k != level]
    return freeze_levels(codes[None], others)[0]


def corrected(codes: Tensor, labels: Tensor) -> float:
    """The same, with Miller's correction."""
    sizes = int(codes.max()) + 1, int(labels.max()) + 1
    return information(codes, labels) - excess(codes, labels, *sizes)


def informed_of_pairs(of: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """A sum over the pairs that occur, of p(c, l), p(c) and p(l)."""

    def of_joint(joint: Tensor) -> Tensor:
        code, label = (joint.sum(dim, keepdim=True).expand_as(joint) for dim in (1, 0))
        seen = joint > 0
        return of(joint[seen], code[seen], label[seen]).sum()

    return informed(of_joint)


def informed(of: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """A number made of the joint shares [codes, labels]."""

    def bits(codes: Tensor, labels: Tensor) -> Tensor:
        joint = torch.zeros(int(codes.max()) + 1, int(labels.max()) + 1)
        joint.index_put_((codes, labels), torch.ones(len(codes)), accumulate=True)
        return of(joint / len(codes))

    return bits


def counted_once(codes: Tensor, labels: Tensor) -> Tensor:
    """As if each pair came once, as `counts[codes, labels] += 1` has it."""
    pairs = torch.stack([codes, labels]).unique(dim=1)
    return torch.tensor(information(*pairs))


def entropy(share: Tensor) -> Tensor:
    """In bits, of shares of any shape."""
    seen = share[share > 0]
    return -(seen * seen.log2()).sum()


def tables(
    of: Callable[[Tensor], Tensor], first: float = 1.0
) -> Callable[[Tensor, Tensor, int, int], Tensor]:
    """A table made otherwise, of the counts [size, kinds], each begun at `first`."""

    def table(codes: Tensor, labels: Tensor, size: int, kinds: int) -> Tensor:
        counts = torch.full((size, kinds), first)
        counts.index_put_((codes, labels), torch.ones(len(codes)), accumulate=True)
        return of(counts)

    return table


def distilled(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """A loss of the student's vectors and the teacher's, which get no gradient."""
    return lambda students, teachers: loss(students, teachers.detach())


def cosine(students: Tensor, teachers: Tensor, dim: int = 1) -> Tensor:
    """Of the angle between the vectors."""
    return F.cosine_similarity(students, teachers, dim=dim)


def pulled(answer: Callable[..., Any], students: Tensor, teachers: Tensor) -> Any:
    """The loss, and the gradient with which it pulls each side."""
    students, teachers = (x.clone().requires_grad_() for x in (students, teachers))
    to = {"gradient at the student": students, "gradient at the teacher": teachers}
    result = answer(students, teachers)
    if not (students.requires_grad and teachers.requires_grad):
        raise Failed(
            "It takes the gradient away from a tensor that it was given, for whoever uses it "
            "afterwards, too; `detach` gives a new one."
        )
    return value_and_gradients(result, torch.ones(()), to)


def two_vectors(generator: Generator) -> tuple[Tensor, Tensor]:
    """Students and teachers [B, D, T] of different lengths: alike, but opposite in frame 0."""
    shape = draw(generator, 2, 3), draw(generator, 6, 9), draw(generator, 4, 5)
    teachers = torch.randn(shape, generator=generator)
    students = teachers + torch.randn(shape, generator=generator)
    students[:, :, 0] -= 3 * teachers[:, :, 0]
    lengths = 0.5 + 2 * torch.rand(shape[0], 1, shape[2], generator=generator)
    return lengths * students, teachers


def latents_and_two_kinds(generator: Generator) -> tuple[Tensor, Tensor, list[Tensor]]:
    """z [40, D], a book [16, D] and K × [16, D], finer from level to level."""
    n_q, dim = draw(generator, 3, 5), draw(generator, 7, 9)
    z = torch.randn(40, dim, generator=generator)
    books = [0.7**level * torch.randn(16, dim, generator=generator) for level in range(n_q)]
    return z, torch.randn(16, dim, generator=generator), books


def codes_and_labels(generator: Generator) -> tuple[Tensor, Tensor]:
    """Codes [200] that say something of labels [200], but not all."""
    kinds = draw(generator, 3, 6)
    labels = torch.randint(kinds, (200,), generator=generator)
    codes = 2 * labels + torch.randint(5, (200,), generator=generator)
    codes[:2], labels[:2] = torch.tensor([0, 2 * kinds + 2]), torch.tensor([0, kinds - 1])
    return codes, labels


def frames_and_sizes(generator: Generator) -> tuple[Tensor, Tensor, int, int]:
    """Codes and labels [200], and how many of each there can be: more than come."""
    codes, labels = codes_and_labels(generator)
    return codes, labels, int(codes.max()) + 3, int(labels.max()) + 2


def windows_and_table(generator: Generator) -> tuple[Tensor, Tensor]:
    """Codes [40 windows, 7 frames] and a table [size, kinds] of logarithms."""
    size, kinds = draw(generator, 9, 12), draw(generator, 4, 6)
    table = torch.rand(size, kinds, generator=generator).pow(2)
    codes = torch.randint(size, (40, 7), generator=generator)
    return codes, (table / table.sum() + 1e-4).log()


def two_clips_and_levels(generator: Generator) -> tuple[Tensor, Tensor, list[int]]:
    """Codes [6, 9] twice, nowhere alike, and two levels that are no neighbours, of 2 to 5."""
    ours = torch.randint(50, (6, 9), generator=generator)
    theirs = 50 + torch.randint(50, (6, 9), generator=generator)
    return ours, theirs, [[2, 4], [2, 5], [3, 5]][draw(generator, 0, 2)]


def codes_and_level(generator: Generator) -> tuple[Tensor, int]:
    """Codes [5, 30] of a few kinds, and a level that is neither the first nor the last.

    The most common code of a level is not the largest, nor the one in the middle.
    """
    codes = torch.randint(1, 5, (5, 30), generator=generator) ** 2
    codes[:, 5:19] = torch.randint(26, 40, (5, 1), generator=generator)
    codes[:, 29] = 49
    return codes, draw(generator, 2, 4)
