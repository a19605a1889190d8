"""Support: what a run writes down. A line of JSON every few steps, TensorBoard's curves and sounds.

`minicodec.plotting.learning_curves` draws the lines.
"""

import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from torch import Tensor

from minicodec.sound.files import NotWritten, reason, write_text
from minicodec.sound.installs import remedy


class Journal:
    """Lines in `folder/metrics.jsonl`, and the same in `folder/tensorboard`.

    Args:
        since: step that the run starts at; what was noted after it, by a run that was killed
            before its next checkpoint, is struck out.

    Raises:
        ValueError: if TensorBoard is asked for and not installed.
    """

    def __init__(self, folder: Path, since: int = 0, tensorboard: bool = False):
        self.path = folder / "metrics.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        kept = [line for line in read(self.path) if line["step"] <= since]
        write_text(self.path, "".join(json.dumps(line) + "\n" for line in kept))
        self._board: Any = _board(folder, since) if tensorboard else None

    def write(self, row: Mapping[str, float]) -> None:
        """Add a line; it has at least a "step".

        Raises:
            NotWritten: in one sentence.
        """
        try:
            with self.path.open("a") as file:
                file.write(json.dumps(dict(row)) + "\n")
        except OSError as error:
            raise NotWritten(f"{self.path} cannot be written: {reason(error)}.") from error
        if self._board is not None:
            for name, value in row.items():
                self._board.add_scalar(name, value, row["step"])
            self._board.flush()

    def sound(self, name: str, clip: Tensor, sample_rate: int, step: int) -> None:
        """Add a clip [1, C, T] to TensorBoard."""
        if self._board is not None:
            self._board.add_audio(name, clip[0, :1].cpu().clamp(-1, 1), step, sample_rate)


def read(path: str | Path) -> list[dict[str, float]]:
    """The lines of a journal; one whose writing was interrupted is left out."""
    if not Path(path).is_file():
        return []
    rows = []
    for line in Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            rows.append(row)
    return rows


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each number over the rows that have it.

    >>> means([{"mel": 1.0}, {"mel": 2.0, "features": 0.5}])
    {'features': 0.5, 'mel': 1.5}
    """
    names = sorted({name for row in rows for name in row})
    return {n: round(fmean(row[n] for row in rows if n in row), 5) for n in names}


def need_tensorboard() -> None:
    """Refuse curves for TensorBoard where it is not installed.

    Raises:
        ValueError: in one sentence that says what to install.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise ValueError(f"TensorBoard is missing: {remedy('tensorboard')}")


def _board(folder: Path, since: int) -> Any:
    need_tensorboard()
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"), purge_step=since)
