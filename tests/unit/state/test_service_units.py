"""What systemd and launchd are told: read back by systemd itself where it is installed, and by a parser of plists."""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from core.ports import OperatorError
from state import service_units
from state.files import Home
from state.service_units import (
    BY_NAMESPACES,
    LATEST_STOP,
    UNIT_NAME,
    ServicePlan,
    UnitFile,
    UnitState,
    denies_namespaces,
    plan_of,
    quoted,
    unit_of,
)
from state.watchdog.presence import Limits
from state.watchdog.watchdog import GAVE_UP

PLAN = ServicePlan(
    ("/opt/key turn/bin/python3", "-P", "-m", "app", "engine", "watch"),
    {"KEYTURN_HOME": "/srv/100%/key turn"},
    (Path("/srv/100%/key turn"), Path("/srv/100%/key turn/state")),
    Path("/srv/100%/key turn/environment"),
    Path("/srv/100%/key turn/state"),
)
MOST_EXPOSED = 32
"""In tenths, as `systemd-analyze security` reckons it; it takes a user's unit for one of root."""

analyze = shutil.which("systemd-analyze")
with_systemd = pytest.mark.skipif(analyze is None, reason="systemd-analyze is not installed")


def settings_of(unit: str) -> dict[str, str]:
    """Its lines, by name; the last of several."""
    return dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))


def analyzed(tmp_path: Path, unit: str, *words: str) -> subprocess.CompletedProcess[str]:
    """What systemd makes of a unit, in a folder of its own."""
    path, run = tmp_path / UNIT_NAME, tmp_path / "run"
    path.write_text(unit)
    run.mkdir(mode=0o700, exist_ok=True)
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(run), "HOME": str(tmp_path), "SYSTEMD_PAGER": ""}
    asked = [str(analyze), *words, str(path)]
    return subprocess.run(asked, env=environ, capture_output=True, text=True, check=False)


@with_systemd
@pytest.mark.parametrize("has_namespaces", [True, False])
def test_systemd_accepts_the_unit(tmp_path: Path, has_namespaces: bool) -> None:
    """SY-02: every directive is one that it knows, and every value one that it takes."""
    plan = replace(PLAN, command=(shutil.which("true") or "/bin/true", *PLAN.command[1:]))

    answer = analyzed(tmp_path, unit_of(plan, has_namespaces=has_namespaces), "verify", "--user", "--man=no")

    assert (answer.returncode, answer.stderr) == (0, "")


@with_systemd
def test_systemd_finds_a_planted_mistake(tmp_path: Path) -> None:
    """SY-02"""
    wrong = unit_of(replace(PLAN, command=("/bin/true",))).replace("ProtectSystem=strict", "ProtectSystem=very")

    assert "protect system value" in analyzed(tmp_path, wrong, "verify", "--user", "--man=no").stderr


@with_systemd
def test_the_unit_is_no_more_exposed_than_it_was(tmp_path: Path) -> None:
    """SY-02"""
    words = ("security", "--offline=yes", "--user", "--no-pager", f"--threshold={MOST_EXPOSED}")

    answer = analyzed(tmp_path, unit_of(PLAN), *words)

    assert answer.returncode == 0, answer.stdout[-200:]
    found = re.search(r"exposure level for keyturn.service: (\d\.\d)", answer.stdout)
    assert found is not None
    print(f"\nexposure, 0 best, 10 worst: {found[1]}")


def test_systemd_restarts_as_the_watchdog_does() -> None:
    """SY-02"""
    found, limits = settings_of(unit_of(PLAN)), Limits()

    assert (found["Type"], found["NotifyAccess"], found["Restart"]) == ("notify", "main", "on-failure")
    assert int(found["StartLimitIntervalSec"]) == limits.within_seconds
    assert int(found["StartLimitBurst"]) == limits.restarts + 1
    assert found["RestartPreventExitStatus"].split() == ["1", "2", str(GAVE_UP)]
    assert int(found["TimeoutStartSec"]) > limits.starting_seconds
    assert int(found["TimeoutStopSec"]) == LATEST_STOP > 2 * limits.timeout_seconds
    assert int(found["WatchdogSec"]) > 2 * limits.look_seconds


def test_words_are_read_back_as_they_are() -> None:
    """SY-02: a path with a blank, a percent sign, a quote, a dollar or a line's end is one word and nothing else."""
    assert quoted("/opt/key turn/50%") == '"/opt/key turn/50%%"'
    assert quoted('a"b\\c') == '"a\\"b\\\\c"'
    assert quoted("$HOME", is_command=True) == '"$$HOME"'
    assert quoted("$HOME") == '"$HOME"'
    assert quoted("a\nb") == '"a\\x0ab"'


def test_the_unit_names_its_folders_and_no_key() -> None:
    """SY-02, SY-06"""
    unit = unit_of(PLAN)

    assert settings_of(unit)["ReadWritePaths"] == '"-/srv/100%%/key turn" "-/srv/100%%/key turn/state"'
    assert settings_of(unit)["EnvironmentFile"] == "-/srv/100%%/key turn/environment"
    assert 'Environment="KEYTURN_HOME=/srv/100%%/key turn"' in unit


def test_the_unit_starts_without_user_namespaces(tmp_path: Path) -> None:
    """SY-02: with them it would end with 226/NAMESPACE."""
    assert not denies_namespaces(tmp_path)
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "apparmor_restrict_unprivileged_userns").write_text("1\n")
    assert denies_namespaces(tmp_path)

    without = unit_of(PLAN, has_namespaces=False)
    assert not {line.split("=")[0] for line in BY_NAMESPACES.splitlines()} & settings_of(without).keys()
    assert "NoNewPrivileges=yes" in without
    assert "left out" in without


def test_the_unit_allows_strategy_sandboxes() -> None:
    """SY-02, ST-01: its process takes namespaces and a root of its own."""
    found = settings_of(unit_of(PLAN))

    assert "RestrictNamespaces" not in found
    assert "@mount" in found["SystemCallFilter"]


def test_launchd_reads_what_it_needs() -> None:
    """SY-02"""
    text = service_units.plist_of(PLAN)
    found = plistlib.loads(text.encode())

    assert text.splitlines()[1] == service_units.PLIST_MARK
    assert found["Label"] == "keyturn.engine"
    assert found["ProgramArguments"] == list(PLAN.command)
    assert found["EnvironmentVariables"] == PLAN.variables
    assert (found["RunAtLoad"], found["KeepAlive"]) == (True, {"Crashed": True})
    assert (found["Umask"], found["ExitTimeOut"]) == (0o077, LATEST_STOP)
    assert found["StandardErrorPath"] == "/srv/100%/key turn/state/service.log"


# ── whose file it is ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=["systemd", "launchd"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> UnitFile:
    is_systemd = request.param == "systemd"
    text = unit_of(PLAN) if is_systemd else service_units.plist_of(PLAN)
    name, mark = (
        (UNIT_NAME, service_units.UNIT_MARK) if is_systemd else (service_units.PLIST_NAME, service_units.PLIST_MARK)
    )
    return UnitFile(tmp_path / "there" / "user" / name, text, mark)


def test_a_unit_is_rewritten_where_it_differs(file: UnitFile) -> None:
    """SY-02"""
    assert file.state() is UnitState.MISSING
    assert file.write() is UnitState.MISSING
    assert file.path.read_text() == file.text
    assert file.write() is UnitState.AS_WRITTEN

    file.path.write_text(file.text + "\n")
    assert file.write() is UnitState.DIFFERS
    assert file.path.read_text() == file.text
    assert file.remove() is UnitState.AS_WRITTEN
    assert file.remove() is UnitState.MISSING


@pytest.mark.parametrize("kind", ["another's", "a link", "a folder", "rubbish"])
def test_a_unit_of_another_is_left_as_it_is(file: UnitFile, kind: str) -> None:
    """SY-02: also a link to nowhere, as a masked unit is one."""
    file.path.parent.mkdir(parents=True)
    if kind == "a link":
        file.path.symlink_to("/dev/null")
    elif kind == "a folder":
        file.path.mkdir()
    else:
        file.path.write_bytes(b"[Unit]\nDescription=mine\n" if kind == "another's" else b"\xff\x00" * 99)

    assert file.state() is UnitState.OF_ANOTHER
    with pytest.raises(OperatorError, match="was not written by Keyturn"):
        file.write()
    with pytest.raises(OperatorError, match="was not written by Keyturn"):
        file.remove()
    assert file.path.exists()


def test_the_service_uses_the_operators_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-02: its manager has an environment of its own."""
    monkeypatch.setattr("state.service_units.SHARED", ())
    by_home = {"KEYTURN_HOME": str(tmp_path), "APCA_API_SECRET_KEY": "s"}
    by_xdg = {"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "HOME": "/h"}

    one = plan_of(Home.of(by_home), by_home, ["keyturn"])
    other = plan_of(Home.of(by_xdg), by_xdg, ["keyturn"])

    assert one.variables == {"KEYTURN_HOME": str(tmp_path), "KEYTURN_EXPECTS": str(one.folders[-1])}
    assert one.folders == (tmp_path, tmp_path / "state")
    assert other.variables == {"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "KEYTURN_EXPECTS": "/s/keyturn"}
    assert other.folders == (Path("/c/keyturn"), Path("/s/keyturn"))
    assert other.keys == Path("/c/keyturn/environment")


def test_temporary_folders_make_no_service() -> None:
    """SY-02: it would see another /tmp."""
    environ = {"KEYTURN_HOME": "/tmp/keyturn"}

    with pytest.raises(OperatorError, match="/tmp/keyturn is a temporary folder"):
        plan_of(Home.of(environ), environ, ["keyturn"])
