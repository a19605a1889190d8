"""The attack that `tools/attack.py` makes at length, in brief; and that it would find something."""

import attack
import pytest
from attack import AREAS, Files


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            attack.stream_reader, "fingerprint", attack.fingerprint
        )  # put back at the end
        yield Files(tmp_path_factory.mktemp("attack"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("area", AREAS)
def test_nothing_but_the_named_errors(files, area):
    cases = 15 if area == "models" else 60
    row, failures = attack.attack(area, files, 0, cases)
    assert not failures
    taken, refused, failed = (int(word) for word in row.split()[-4:-1])
    assert taken + refused == cases and failed == 0
    assert taken and refused  # else the files are not spoilt, or all are


def test_what_is_wrong_is_found():
    def raises(error):
        def case(_):
            raise error

        return case

    assert attack.attempt(lambda _: 1, 0, ValueError) == "taken"
    assert attack.attempt(raises(ValueError("no")), 0, ValueError) == "refused"
    for error in (ValueError("two\nlines"), ValueError("x" * 2000), KeyError("x"), MemoryError()):
        assert attack.attempt(raises(error), 0, ValueError) not in ("taken", "refused")
