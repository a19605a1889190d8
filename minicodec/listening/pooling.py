"""Support: the files of a whole class to one result: who counts, and why others do not."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from minicodec.listening import headphones
from minicodec.listening.abx_result import read_abx
from minicodec.listening.analysis import Analysis, read_ratings, scores_of, screen
from minicodec.listening.paired import differences, holm
from minicodec.listening.pooled import Heard, Pooled, Rated
from minicodec.listening.returned import tables
from minicodec.listening.submission import Submission, submission
from minicodec.sound.names import printable


def pool(results: str | Path | Mapping[str, bytes] | Iterable[str | Path]) -> Pooled:
    """Read what a class handed in, leave out what does not count and say why, and analyse the rest.

    Left out are files that cannot be read or are of another test, sessions handed in twice, second
    sessions of one listener, and listeners who failed the headphone check. Then, test by test, who
    did not finish it, and in MUSHRA who does not pass the screening of BS.1534-3 (`screen`). All
    others count.

    Args:
        results: a folder, of which the CSV files are read; or names of files; or an upload, as
            Colab gives it.

    Raises:
        ValueError: where nothing is left at all, with the first reason.
    """
    given = _given(results)
    excluded: dict[str, str] = {}
    read = _read(given, excluded)
    kept = _once(read, excluded)
    for each in kept:
        if not each.headphones:
            excluded[each.file] = (
                f"{printable(each.listener)} failed the headphone check: {each.heard} of "
                f"{headphones.TRIALS}"
            )
    kept = [each for each in kept if each.headphones]
    if not kept:
        name, why = next(iter(excluded.items()))
        raise ValueError(f"no file of {len(given)} is left; the first: {name}: {why}.")
    titles = {title: "ratings" for each in kept for title in each.ratings}
    titles |= {title: "trials" for each in kept for title in each.trials}
    tests = [
        _rated(title, kept) if kind == "ratings" else _heard(title, kept)
        for title, kind in titles.items()
    ]
    return Pooled(len(given), [each.listener for each in kept], excluded, tests)


def _given(results: object) -> list[tuple[str, object]]:
    """Name and what `tables` reads, of each file."""
    if isinstance(results, (str, Path)):
        folder = Path(results)
        if not str(results).strip() or not folder.is_dir():
            raise ValueError(f"{printable(str(results))!r} is not a folder of results.")
        found = sorted(p for p in folder.iterdir() if p.suffix.lower() == ".csv" and p.is_file())
        if not found:
            raise ValueError(f"{printable(str(folder))} has no CSV file in it.")
        return [(printable(path.name), path) for path in found]
    if isinstance(results, Mapping):
        named: list[tuple[str, object]] = [
            (printable(str(name)), {name: data}) for name, data in results.items()
        ]
    elif isinstance(results, Iterable) and not isinstance(results, bytes):
        named = [(printable(Path(str(each)).name), each) for each in results]
    else:
        raise ValueError(
            f"results are a folder, names of files or an upload, not a {type(results).__name__}."
        )
    if not named:
        raise ValueError("there are no results.")
    return named


def _read(given: list[tuple[str, object]], excluded: dict[str, str]) -> list[Submission]:
    found = []
    for name, each in given:
        try:
            ((_, rows),) = tables(each)  # type: ignore[arg-type]
            found.append(submission(name, rows))
        except ValueError as error:
            # The report names the file already, without its folder.
            said = str(error).removeprefix(printable(str(each))).removeprefix(name)
            excluded[name] = said.lstrip(": ").rstrip(".")
    if not found:
        return []
    (kit, _), *_ = Counter(each.kit for each in found).most_common()
    for each in found:
        if each.kit != kit:
            excluded[each.file] = f"is of the test {printable(each.kit)}, the others of {kit}"
    return [each for each in found if each.kit == kit]


def _once(read: list[Submission], excluded: dict[str, str]) -> list[Submission]:
    """The first session of each listener, in one copy."""
    first: dict[str, Submission] = {}
    for each in sorted(read, key=lambda each: each.session):
        known = first.setdefault(each.listener, each)
        if known is not each:
            what = "the same session" if known.session == each.session else "a later session"
            excluded[each.file] = f"{what} of {printable(each.listener)}, as {known.file}"
    return list(first.values())


def _rated(title: str, kept: list[Submission]) -> Rated:
    excluded, ratings = {}, []
    for each in kept:
        if title in each.ratings:
            try:
                ratings += read_ratings(each.ratings[title])
            except ValueError as error:
                excluded[each.listener] = f"handed in what cannot be read: {error}".rstrip(".")
        else:
            excluded[each.listener] = "did not take this test"
    rated: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for rating in ratings:
        rated[rating.listener].add((rating.item, rating.condition))
    # What most of them rated was asked for: one strange file must not put all others out.
    sets = Counter(map(frozenset, rated.values()))
    asked = max(sets, key=lambda each: (sets[each], len(each)), default=frozenset())
    for who, mine in rated.items():
        if mine != asked:
            others = f" and {len(mine - asked)} others" if mine - asked else ""
            excluded[who] = f"rated {len(mine & asked)} of {len(asked)} versions{others}"
    ratings = [rating for rating in ratings if rating.listener not in excluded]
    excluded |= screen(ratings)
    ratings = [rating for rating in ratings if rating.listener not in excluded]
    if not ratings:
        return Rated(title, None, excluded, [])
    count = len({rating.listener for rating in ratings})
    pairs = differences(ratings) if count > 1 else []
    return Rated(title, Analysis(ratings, {}, scores_of(ratings)), excluded, pairs)


def _heard(title: str, kept: list[Submission]) -> Heard:
    excluded, results = {}, {}
    most = Counter(len(each.trials[title]) for each in kept if title in each.trials)
    (trials, _), *_ = most.most_common()
    for each in kept:
        if title not in each.trials:
            excluded[each.listener] = "did not take this test"
            continue
        try:
            results[each.listener] = read_abx(each.trials[title], trials=trials)
        except ValueError as error:
            excluded[each.listener] = f"handed in what cannot be read: {error}".rstrip(".")
    adjusted = holm([result.p for result in results.values()])
    return Heard(title, results, dict(zip(results, adjusted)), excluded)
