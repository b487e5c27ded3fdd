"""`keyturn service`, with a manager that answers as systemd's does, and without one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.scenarios.backtests import Keyturn

SYSTEMCTL = """#!/bin/sh
echo "$*" >> "$MANAGER/asked"
cat "$MANAGER/$2" 2>/dev/null
exit 0
"""


@dataclass
class Manager:
    """A `systemctl` on the path, what it answers to each word, and what it was asked."""

    folder: Path
    unit: Path

    def answers(self, word: str, text: str) -> None:
        (self.folder / word).write_text(f"{text}\n")

    def asked(self) -> list[str]:
        path = self.folder / "asked"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manager:
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(SYSTEMCTL)
    program.chmod(0o755)
    folder = tmp_path / "manager"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("MANAGER", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("state.services.plan.SHARED", ())
    return Manager(folder, tmp_path / "config" / "systemd" / "user" / "keyturn.service")


def test_install_writes_the_unit_and_says_what_to_type_next(keyturn: Keyturn, manager: Manager, tmp_path: Path) -> None:
    """SY-02: nothing is asked, and nothing is started."""
    answer = keyturn("service", "install")

    assert (answer.code, answer.err) == (0, "")
    assert answer.lines[0] == f"{manager.unit}: written"
    assert answer.lines[-2:] == [
        "start it now and at every login: systemctl --user enable --now keyturn",
        "and at every boot, without a login: loginctl enable-linger",
    ]
    assert manager.asked() == ["--user daemon-reload"]
    assert '"-P" "-m" "app" "engine" "watch"' in manager.unit.read_text()
    assert (tmp_path / "home" / "state").stat().st_mode & 0o777 == 0o700
    assert keyturn("service", "install").lines[0] == f"{manager.unit}: is as it should be"


def test_install_without_a_manager_writes_the_unit_all_the_same(
    keyturn: Keyturn, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SY-02: as over SSH without a session, or in a container."""
    monkeypatch.setenv("PATH", "/nowhere")

    answer = keyturn("service", "install")

    assert answer.code == 0
    assert manager.unit.exists()
    assert "no user manager answers here: log in, then systemctl --user daemon-reload" in answer.lines


def test_a_unit_of_another_is_refused_in_one_line(keyturn: Keyturn, manager: Manager) -> None:
    """SY-02"""
    manager.unit.parent.mkdir(parents=True)
    manager.unit.write_text("[Service]\n")

    for word in ("install", "remove"):
        answer = keyturn("service", word)
        assert (answer.code, answer.err) == (
            2,
            f"keyturn: {manager.unit} was not written by Keyturn; move it away first\n",
        )
    assert manager.unit.read_text() == "[Service]\n"
    assert keyturn("service", "status").code == 1


def test_remove_takes_the_unit_and_nothing_else(keyturn: Keyturn, manager: Manager, tmp_path: Path) -> None:
    """SY-02: not while it runs."""
    keyturn("service", "install")
    settings = tmp_path / "home" / "settings.toml"
    settings.write_text('profile = "micro"\n')
    manager.answers("is-active", "active")

    answer = keyturn("service", "remove")
    assert (answer.code, answer.err) == (
        2,
        "keyturn: the service runs; stop it first: systemctl --user stop keyturn\n",
    )
    assert manager.unit.exists()

    manager.answers("is-active", "inactive")
    assert keyturn("service", "remove").lines == [f"{manager.unit}: removed; settings and state stay"]
    assert not manager.unit.exists()
    assert settings.exists()
    assert manager.asked()[-2:] == ["--user disable keyturn", "--user daemon-reload"]
    assert keyturn("service", "remove").lines == [f"{manager.unit}: there is none"]


def test_status_says_what_is_there(keyturn: Keyturn, manager: Manager, tmp_path: Path) -> None:
    """SY-02, SY-06: and whether others can read the file of keys."""
    assert (keyturn("service", "status").code, keyturn("service", "status", "--json").json["state"]) == (1, "missing")

    keyturn("service", "install")
    manager.answers("is-active", "active")
    manager.answers("is-enabled", "enabled")
    keys = tmp_path / "home" / "environment"
    keys.write_text("APCA_API_KEY_ID=PK\n")
    keys.chmod(0o644)

    answer = keyturn("service", "status")
    assert answer.code == 0
    assert f"{manager.unit}: installed" in answer.lines
    assert "service: active" in answer.lines
    assert "at login: enabled" in answer.lines
    assert f"keys file: {keys}, OTHERS CAN READ IT: chmod 600" in answer.lines
    assert "PK" not in answer.out

    manager.unit.write_text(manager.unit.read_text() + "# mine\n")
    assert keyturn("service", "status", "--json").json["state"] == "differs"


def test_on_macos_it_is_an_agent_of_launchd(
    keyturn: Keyturn, manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SY-02"""
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("PATH", "/nowhere")

    answer = keyturn("service", "install")

    path = tmp_path / "user" / "Library" / "LaunchAgents" / "keyturn.engine.plist"
    assert path.exists()
    assert answer.lines == [
        f"{path}: written",
        f"start it now and at every login: launchctl bootstrap gui/{os.getuid()} '{path}'",
    ]
    assert keyturn("service", "status").code == 0
    assert keyturn("service", "remove").code == 0
    assert not path.exists()
    assert manager.asked() == []
