"""What pyproject.toml cannot say: a wheel and an sdist hold the commit that they were built of (state/host_info.py)."""

from __future__ import annotations

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from state.host_info import WRITTEN, commit_of  # noqa: E402


def write_commit(folder: str) -> None:
    """Into what is built, never into the clone. Without git an sdist's own file is kept, or there is none."""
    if commit := commit_of(ROOT):
        (Path(folder) / WRITTEN).write_text(f"{commit}\n")


class BuildWithCommit(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            write_commit(self.build_lib)


class SdistWithCommit(sdist):
    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        write_commit(base_dir)


setup(cmdclass={"build_py": BuildWithCommit, "sdist": SdistWithCommit})
