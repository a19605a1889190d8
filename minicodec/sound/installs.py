"""Support: what to type where a package is missing that only some of the work needs."""

import re
from importlib import metadata


def remedy(*packages: str) -> str:
    """The command that brings packages, in the versions that minicodec asks for.

    It names the packages and not `minicodec[train]`: for that, pip would have to know where
    minicodec comes from, and would put what it finds there in place of what is here, be it the
    release of a chapter or a checkout that somebody works on.

    >>> print(remedy("accelerate"))
    pip install "accelerate>=0.30"
    >>> print(remedy("a-package-of-yours", "onnx"))
    pip install a-package-of-yours "onnx>=1.15"
    """
    try:
        asked = metadata.requires("minicodec") or []
    except metadata.PackageNotFoundError:  # the source alone, on the path
        asked = []
    # Such as: accelerate>=0.30; extra == "train"
    found = {re.split(r"[^\w.-]", line)[0]: line.split(";")[0].strip() for line in asked}
    wanted = [found.get(package, package) for package in packages]
    # A shell would take > for the name of a file.
    quoted = [f'"{each}"' if ">" in each else each for each in wanted]
    return f"pip install {' '.join(quoted)}"
