"""What is each part of chapter 10's recipe worth? Its own cells, run with several seeds.

    OMP_NUM_THREADS=1 python benchmarks/recipe_parts.py

Cells of the chapter are run as they stand, so what is measured is what is taught. Runs that share a
seed share their batches, and can be compared in pairs. Takes some minutes.
"""

import argparse
import json
import warnings
from pathlib import Path

import matplotlib
import torch
from machine import machine
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = ROOT / "chapters" / "10_training.ipynb"
#: Names of the chapter that are used here; each is defined in one of its cells.
BUILT = ("sample_rate", "config", "my_mix", "clips", "my_forward", "my_codebook_start",
         "start_codebooks", "my_update", "new_state", "my_rate", "my_loop", "RECIPES")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "-o", "--output", type=Path, default=ROOT / "minicodec" / "weights" / "recipe_parts.json"
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    chapter = cells()
    runs = {
        label: [
            dict(zip(("losses", "entropy"), chapter["judged"](chapter["trained"](change, seed))))
            for seed in tqdm(range(1, args.seeds + 1), label)
        ]
        for label, change in chapter["RECIPES"].items()
    }
    text = json.dumps({**machine(), "levels": chapter["levels"], "runs": runs}, indent=1)
    args.output.write_text(text + "\n")


def cells() -> dict:
    """What the chapter has built when its recipes are there; no cell trains or plays before."""
    matplotlib.use("Agg")
    warnings.simplefilter("ignore")
    names: dict = {}
    for cell in json.loads(CHAPTER.read_text())["cells"]:
        source = "".join(cell["source"])
        if source.startswith("exercises."):
            continue  # checks: what they check is whole, as the chapter has its answers
        if cell["cell_type"] == "code" and any(defines(source, name) for name in BUILT):
            # What trains in the same cell comes after what it defines.
            exec(source.split("\ncodecs = {")[0], names)
    return names


def defines(source: str, name: str) -> bool:
    return any(line.startswith((f"def {name}(", f"{name} = ")) for line in source.splitlines())


if __name__ == "__main__":
    main()
