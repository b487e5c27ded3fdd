"""What is built holds the program and nothing else, and an empty environment with it has a working `keyturn`."""

from __future__ import annotations

import json
import os
import re
import signal
import tarfile
import zipfile
from email import message_from_bytes
from email.message import Message
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from state.host_info import WRITTEN, commit_of
from tests.package.building import ROOT, Built, Environment, build, install
from tests.real.terminal import Pty

PACKAGES = ("console", "core", "state", "widgets")
MAN_PAGE = "share/man/man1/keyturn.1"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return install(built.wheel, tmp_path_factory.mktemp("installed"))


def in_the_tree() -> dict[str, bytes]:
    """Every file of the program, whatever its kind."""
    files = [path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file()]
    here = [path for path in (ROOT / "app.py", *files) if path.suffix != ".pyc"]
    return {str(path.relative_to(ROOT)): path.read_bytes() for path in here}


def in_the_wheel(built: Built) -> dict[str, bytes]:
    with zipfile.ZipFile(built.wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata_of(built: Built) -> Message:
    return message_from_bytes(next(v for k, v in in_the_wheel(built).items() if k.endswith(".dist-info/METADATA")))


# ── what is in it ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_wheel_holds_every_file_of_the_program_and_no_other(built: Built) -> None:
    """SY-07"""
    found = {k: v for k, v in in_the_wheel(built).items() if ".dist-info/" not in k and ".data/" not in k}
    commit = commit_of(ROOT)
    expected = {**in_the_tree(), **({WRITTEN: f"{commit}\n".encode()} if commit else {})}

    assert found.keys() == expected.keys()
    assert found == expected
    assert "console/desk.tcss" in found


def test_the_wheel_holds_the_manual_page(built: Built) -> None:
    """SY-07"""
    found = {name.partition(".data/data/")[2]: text for name, text in in_the_wheel(built).items()}

    assert found[MAN_PAGE] == (ROOT / "docs" / "keyturn.1").read_bytes()


def test_the_sdist_holds_what_the_wheel_is_made_of_and_no_test(built: Built) -> None:
    """SY-07"""
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert in_the_tree().keys() <= names
    assert {"LICENSE", "README.md", "docs/keyturn.1", "pyproject.toml", "requirements.lock", "setup.py"} <= names
    assert not [name for name in names if name.startswith("tests") or Path(name).name.startswith("test_")]


def test_the_metadata_is_what_an_index_or_an_installer_reads(built: Built) -> None:
    """SY-07"""
    told = metadata_of(built)

    assert (told["Name"], told["Requires-Python"]) == ("keyturn", ">=3.11")
    assert told["Description-Content-Type"] == "text/markdown"
    assert told.get_payload(decode=True) == (ROOT / "README.md").read_bytes()
    assert len(told["Summary"]) < 100
    assert "Environment :: Console" in told.get_all("Classifier", ())


def test_the_licence_is_named_and_in_all_that_is_built(built: Built) -> None:
    """SY-07"""
    told, licence = metadata_of(built), (ROOT / "LICENSE").read_bytes()
    with tarfile.open(built.sdist) as archive:
        member = next(each for each in archive if each.name.partition("/")[2] == "LICENSE")
        in_the_sdist = archive.extractfile(member)
        assert in_the_sdist is not None
        assert in_the_sdist.read() == licence

    assert b"Apache License" in licence
    assert (told["License-Expression"], told.get_all("License-File")) == ("Apache-2.0", ["LICENSE"])
    assert [v for k, v in in_the_wheel(built).items() if k.endswith(".dist-info/licenses/LICENSE")] == [licence]


def test_everything_that_the_wheel_requires_is_locked(built: Built) -> None:
    """SY-07"""
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    wanted = [Requirement(text) for text in metadata_of(built).get_all("Requires-Dist", ())]

    assert wanted
    assert {one.name for one in wanted} <= locked


# ── an empty environment with it ─────────────────────────────────────────────────────────────────────────────────────


def test_the_program_is_the_one_that_was_installed(installed: Environment) -> None:
    """SY-07: and not this tree."""
    where = installed.run(installed.python, "-c", "import app, core; print(app.__file__, core.__file__)")

    assert [Path(path).is_relative_to(installed.folder) for path in where.stdout.split()] == [True, True]
    assert (installed.folder / MAN_PAGE).is_file()


def test_it_says_its_version_and_the_commit_that_it_was_built_of(installed: Environment) -> None:
    """SY-07"""
    answer = installed.run(installed.program, "--version")
    commit = commit_of(ROOT)

    which = f"{version('keyturn')} ({commit})" if commit else version("keyturn")
    assert (answer.returncode, answer.stdout) == (0, f"keyturn {which}\n")


def test_it_has_its_help_and_runs_a_strategy_in_a_process(installed: Environment) -> None:
    """SY-07"""
    shown = installed.run(installed.program, "--help")
    new = installed.run(installed.program, "strategies", "new", "mine")
    checked = installed.run(installed.program, "strategies", "check", "mine")

    assert (shown.returncode, shown.stderr) == (0, "")
    assert " demo " in shown.stdout
    assert (new.returncode, new.stderr) == (0, "")
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.fixture
def elsewhere(installed: Environment, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(installed.home)
    for name in [name for name in os.environ if name.startswith("PYTHON")]:
        monkeypatch.delenv(name)
    return installed.home


def test_its_desk_opens_writes_a_journal_and_closes(installed: Environment, elsewhere: Path) -> None:
    """SY-07"""
    with Pty([installed.program, "demo"], {"KEYTURN_HOME": str(elsewhere), "PYTHONPATH": ""}) as desk:
        desk.until(lambda: b"KEYTURN" in desk.raw)
        desk.until(lambda: any(elsewhere.rglob("heartbeat")) and any(elsewhere.rglob("documents.json")))
        os.kill(desk.pid, signal.SIGTERM)
        desk.ended()
    shown = installed.run(installed.program, "state", "show")
    proved = installed.run(installed.program, "journal", "verify", "--json")

    assert (shown.returncode, proved.returncode) == (0, 0), shown.stderr + proved.stderr
    assert json.loads(proved.stdout)["records"] > 0
