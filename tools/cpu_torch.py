"""Bring PyTorch's small build for processors into an environment, where there is no use for CUDA.

    python tools/cpu_torch.py .venv/bin/python        before anything else is installed there

On Linux, pip alone brings the build for NVIDIA cards, and with it some 4 GB that nothing uses where
there is no such card. `uv` knows where the small build is. Where it cannot be had, pip's is just as
good, only larger, so nothing fails here.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = "uv>=0.7"  # from here on it knows where torch is to be had


def is_wanted(platform: str = sys.platform, torch: str | None = None) -> bool:
    """On Linux without NVIDIA's driver, unless somebody has named another build, as uv would.

    Args:
        torch: what the environment variable UV_TORCH_BACKEND says.
    """
    return platform == "linux" and not torch and shutil.which("nvidia-smi") is None


def pin() -> str:
    """What `constraints.txt` says of torch."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith("torch=="))


def has_torch(python: str) -> bool:
    """Whether an environment has torch already, of whatever build."""
    asks = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
    return subprocess.run([python, "-c", asks], check=False).returncode == 0


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    python = sys.argv[1]
    if not is_wanted(torch=os.environ.get("UV_TORCH_BACKEND")) or has_torch(python):
        return 0
    print("No NVIDIA card here: PyTorch's build for processors is enough.", flush=True)
    env = {"UV_HTTP_RETRIES": "1", **os.environ}  # a network that has it not says so at once
    brings_uv = [python, "-m", "pip", "install", "-q", UV]
    brings_torch = [python, "-m", "uv", "pip", "install", "--python", python,
                    "--torch-backend=cpu", pin()]  # fmt: skip
    for command in (brings_uv, brings_torch):
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            print("It cannot be had from here; pip brings what it finds.")
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
