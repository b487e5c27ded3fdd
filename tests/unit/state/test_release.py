"""`--version` says the commit: a clone asks git, what was built has it in a file, and without both there is none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from state import host_info
from state.host_info import WRITTEN, commit_of, release
from tests.kit.tools import needs

pytestmark = needs("git")


def git(folder: Path, *words: str) -> str:
    """Run git without this machine's settings."""
    who = ("-c", "user.name=Someone", "-c", "user.email=someone@example.com")
    asked = ["git", "-C", str(folder), *who, *words]
    environ = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(asked, check=True, capture_output=True, text=True, env=environ).stdout.strip()


@pytest.fixture(autouse=True)
def waits_for_slow_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_info, "TIMEOUT", 600.0)


def a_clone(folder: Path) -> str:
    """The commit of a repository with one file."""
    git(folder, "init", "-q")
    (folder / "app.py").write_text("1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return git(folder, "rev-parse", "HEAD")


def as_built(folder: Path, text: str) -> None:
    (folder / WRITTEN).parent.mkdir()
    (folder / WRITTEN).write_text(text)


def test_a_clone_has_its_commit_and_is_dirty_or_not(tmp_path: Path) -> None:
    """SY-07"""
    commit = a_clone(tmp_path)
    clean = release("0.1.0", tmp_path)
    (tmp_path / "app.py").write_text("2\n")

    assert clean == f"0.1.0 ({commit[:8]})"
    assert release("0.1.0", tmp_path) == f"0.1.0 ({commit[:8]}-dirty)"


def test_a_tagged_clone_counts_commits_since(tmp_path: Path) -> None:
    """SY-07"""
    a_clone(tmp_path)
    git(tmp_path, "tag", "-a", "v0.1.0", "-m", "first")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "second")

    assert commit_of(tmp_path) == f"v0.1.0-1-g{git(tmp_path, 'rev-parse', 'HEAD')[:8]}"


def test_another_repository_of_the_environment_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-07: a hook of git exports its own."""
    commit = a_clone(tmp_path)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))

    assert commit_of(tmp_path) == commit[:8]


def test_a_build_has_its_written_commit(tmp_path: Path) -> None:
    """SY-07"""
    as_built(tmp_path, "82a2555d\n")

    assert release("0.1.0", tmp_path) == "0.1.0 (82a2555d)"


def test_an_installation_inside_another_clone_has_no_commit(tmp_path: Path) -> None:
    """SY-07"""
    a_clone(tmp_path)
    installed = tmp_path / "site-packages"
    installed.mkdir()

    assert release("0.1.0", installed) == "0.1.0"


def test_without_git_there_is_the_version_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-07"""
    a_clone(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert release("0.1.0", tmp_path) == "0.1.0"


def test_a_broken_repository_gives_the_version_alone(tmp_path: Path) -> None:
    """SY-07"""
    (tmp_path / ".git").touch()

    assert release("0.1.0", tmp_path) == "0.1.0"
