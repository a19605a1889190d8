"""Make `import torchaudio` work beside a CPU build of torch.

The torchaudio wheel on PyPI is built for CUDA, and its compiled extension does not load where torch
brings no CUDA libraries. All that this project uses of torchaudio is plain Python, so here the
extension is dropped. Where torchaudio imports already, nothing is touched.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path


def error_of_import() -> str:
    """What `import torchaudio` prints when it fails, in a fresh process; empty when it works."""
    run = subprocess.run(
        [sys.executable, "-c", "import torchaudio"], capture_output=True, text=True, check=False
    )
    return run.stderr.strip() or f"exit status {run.returncode}" if run.returncode else ""


def main() -> int:
    error = error_of_import()
    if not error:
        print("torchaudio: imports as it is")
        return 0

    import torch

    last_line = error.splitlines()[-1]
    spec = importlib.util.find_spec("torchaudio")
    if spec is None or spec.origin is None:
        print("torchaudio: not installed; pip install -e '.[book]' -c constraints.txt")
        return 1
    if ".so" not in error or torch.version.cuda is not None:
        print(f"torchaudio: does not import, for a reason this script cannot mend: {last_line}")
        return 1

    extensions = sorted((Path(spec.origin).parent / "lib").glob("*.so"))
    for extension in extensions:
        extension.unlink()
    error = error_of_import()
    if error:
        print(f"torchaudio: still does not import: {error.splitlines()[-1]}")
        return 1
    names = ", ".join(extension.name for extension in extensions)
    print(f"torchaudio: dropped its CUDA extension ({names}); the pure Python part imports")
    return 0


if __name__ == "__main__":
    sys.exit(main())
