"""Support of all benchmarks: where and when something was measured, and with which versions."""

import datetime
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def machine(*packages: str) -> dict[str, Any]:
    """Processor, versions, commit and date, as each result in `benchmarks/` holds them.

    Args:
        packages: distributions whose version matters too, such as "encodec".
    """
    import torch

    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    model = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {"cpu": model[0] if model else platform.processor(), "cores": len(model) or None,
            "torch": torch.__version__, "vectors": torch.backends.cpu.get_cpu_capability(),
            "python": platform.python_version(), "commit": commit.stdout.strip() or None,
            "date": datetime.date.today().isoformat(),
            **{name: _version(name) for name in packages}}  # fmt: skip


def opus_version() -> str:
    """What Opus's command-line tools say that they are."""
    told = subprocess.run(["opusenc", "--version"], capture_output=True, text=True, check=False)
    return (told.stdout or told.stderr).splitlines()[0]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
