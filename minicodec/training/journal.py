"""What a run writes down: a line of JSON every few steps, and TensorBoard's curves and sounds.

`minicodec.plotting.learning_curves` draws the lines.

Chapter 10.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor


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
        self.path.write_text("".join(json.dumps(line) + "\n" for line in kept))
        self._board: Any = _board(folder, since) if tensorboard else None

    def write(self, row: Mapping[str, float]) -> None:
        """Add a line; it has at least a "step"."""
        with self.path.open("a") as file:
            file.write(json.dumps(dict(row)) + "\n")
        if self._board is not None:
            for name, value in row.items():
                self._board.add_scalar(name, value, row["step"])
            self._board.flush()

    def sound(self, name: str, clip: Tensor, sample_rate: int, step: int) -> None:
        """Add a clip [1, C, T] to TensorBoard."""
        if self._board is not None:
            self._board.add_audio(name, clip[0, :1].cpu().clamp(-1, 1), step, sample_rate)


def read(path: str | Path) -> list[dict[str, float]]:
    """The lines of a journal; a last line whose writing was interrupted is left out."""
    if not Path(path).is_file():
        return []
    rows = []
    for line in Path(path).read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows


def _board(folder: Path, since: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError("TensorBoard is missing: pip install tensorboard.") from error
    return SummaryWriter(str(folder / "tensorboard"), purge_step=since)
