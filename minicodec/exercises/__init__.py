"""Support: exercises that are checked, and checks that name the mistake.

    exercises.check("05.nearest_code", my_nearest)

compares an answer with the package's, on fresh random input, and says in one sentence what is wrong
with it. It never raises, so that a chapter runs on with gaps. `exercises.progress()` shows what is
done, and `exercises.unlabelled(…)` hides which sound is which. The exercises of a chapter stand in
the module of its number.
"""

from minicodec.exercises.blind import unlabelled
from minicodec.exercises.checking import check, grade, reference
from minicodec.exercises.kept import progress

__all__ = ["check", "grade", "progress", "reference", "unlabelled"]
