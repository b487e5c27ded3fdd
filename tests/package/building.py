"""Wheel and sdist of this tree, and an empty environment in which the wheel is all of Keyturn that there is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Built:
    wheel: Path
    sdist: Path


def build(into: Path) -> Built:
    """As `make wheel` does: the sdist of the tree, then the wheel of that sdist, with the locked setuptools."""
    traces = ROOT / "keyturn.egg-info"
    shutil.rmtree(traces, ignore_errors=True)
    try:
        asked = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(into)]
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    finally:
        shutil.rmtree(traces, ignore_errors=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return Built(next(into.glob("*.whl")), next(into.glob("*.tar.gz")))


@dataclass(frozen=True)
class Environment:
    """A virtual environment; `home` is where its Keyturn keeps its state."""

    folder: Path
    home: Path

    @property
    def program(self) -> str:
        return str(self.folder / "bin" / "keyturn")

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    @property
    def packages(self) -> Path:
        return next((self.folder / "lib").glob("python*")) / "site-packages"

    @property
    def variables(self) -> dict[str, str]:
        """Of this process, without what leads Python back into the tree."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "KEYTURN"))}
        return {**outside, "KEYTURN_HOME": str(self.home), "COLUMNS": "100"}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.home, env=self.variables, capture_output=True, text=True, check=False)


def install(wheel: Path, into: Path) -> Environment:
    """pip installs the wheel; what it requires, and nothing else of the lock, is linked from this environment."""
    home = into / "elsewhere"
    home.mkdir()
    there = Environment(into / "venv", home)
    venv.create(there.folder, with_pip=False)
    asked = ["-m", "pip", "--python", there.python, "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, *asked], check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    ours = PathDistribution(next(there.packages.glob("keyturn-*.dist-info")))
    for name in sorted(required(ours)):
        link(distribution(name), there.packages)
    return there


def required(ours: Distribution) -> set[str]:
    """The names of all that it needs, without extras of its own."""
    known: set[str] = set()
    waiting = [Requirement(text) for text in ours.requires or ()]
    waiting = [one for one in waiting if one.marker is None or one.marker.evaluate({"extra": ""})]
    while waiting:
        one = waiting.pop()
        if one.name in known:
            continue
        known.add(one.name)
        for extra in ("", *one.extras):
            for text in distribution(one.name).requires or ():
                further = Requirement(text)
                if further.marker is None or further.marker.evaluate({"extra": extra}):
                    waiting.append(further)
    return known


def link(found: Distribution, folder: Path) -> None:
    """Each of its top-level files and folders, as links."""
    where = Path(str(found.locate_file("")))
    for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
        if not (folder / top).exists():
            (folder / top).symlink_to(where / top)
