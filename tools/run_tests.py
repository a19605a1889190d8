"""Run every check of the project, one stage after another, and stop at the first that fails.

make test                        all stages
python tools/run_tests.py unit   only the named ones
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTEST = [sys.executable, "-m", "pytest"]
MAKE = [os.environ.get("MAKE", "make"), "--no-print-directory"]

STAGES = {
    "lint": [str(BIN / "ruff"), "check", "."],
    "format": [str(BIN / "ruff"), "format", "--check", "."],
    "types": [str(BIN / "mypy")],
    "js": ["node", "--test", *map(str, sorted((ROOT / "tests/listening/js").glob("*.mjs")))],
    "unit": [*PYTEST, "-n", "2", "-m", "not browser"],
    "package": [sys.executable, "tools/check_package.py"],
    # One kernel runs one chapter: loadscope keeps its cells together. The limit only guards against
    # a hang; on the busiest machine the slowest cell took 80 seconds.
    "chapters": [*PYTEST, "-n", "2", "--dist", "loadscope", "--nbval-lax",
                 "--nbval-cell-timeout", "900", "chapters"],
    "book": [*MAKE, "book"],
    # Reads the outputs of the chapters as the book has just run them.
    "promises": [sys.executable, "tools/promises.py"],
    # Reads these outputs, too, and runs the student edition with all its gaps.
    "exercises": [sys.executable, "tools/check_exercises.py"],
    "browser": [*PYTEST, "-m", "browser",
                *(str(file) for ending in ("browser", "firefox")
                  for file in sorted((ROOT / "tests").glob(f"*/test_*_{ending}.py")))],
}  # fmt: skip


def run(command: list[str], env: dict[str, str]) -> tuple[int, str]:
    """Run a command with its output shown; its exit status and the last line it printed."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    tail = b""
    # By chunks, not by lines, so that the dots of pytest appear while it runs.
    while chunk := os.read(process.stdout.fileno(), 65536):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        tail = (tail + chunk)[-2000:]
    lines = tail.decode(errors="replace").strip().splitlines()
    return process.wait(), lines[-1].strip("= ") if lines else ""


def main() -> int:
    names = sys.argv[1:] or list(STAGES)
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        print(f"no stage {', '.join(unknown)}; the stages are {', '.join(STAGES)}")
        return 2

    start, passed = time.monotonic(), []
    for name in names:
        print(f"\n== {name}: {' '.join(STAGES[name]).replace(f'{ROOT}/', '')}", flush=True)
        # Checks that pass here are no student's progress.
        env = {**os.environ, "MINICODEC_PROGRESS": ""}
        if name == "js" and not shutil.which("node") and not env.get("MINICODEC_REQUIRE_NODE"):
            passed.append((name, "skipped: node is not installed, and the players' tests need it"))
            print(passed[-1][1])
            continue
        # Two workers on two cores: threads inside each would only wait for one another.
        if "-n" in STAGES[name]:
            env["OMP_NUM_THREADS"] = "1"
        began = time.monotonic()
        status, last_line = run(STAGES[name], env)
        if status:
            print(f"\nStopped: the stage {name} failed ({last_line}).")
            print(f"To run it alone: .venv/bin/python tools/run_tests.py {name}")
            return 1
        passed.append((name, f"{time.monotonic() - began:4.0f} s  {last_line}"))

    print()
    for name, last_line in passed:
        print(f"{name:9} {last_line}")
    minutes = (time.monotonic() - start) / 60
    print(f"\nAll passed: {', '.join(names)}, in {minutes:.1f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
