"""`keyturn service`, with a manager that answers as systemd's does, and without one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.scenarios.backtests import Answer, Keyturn

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
    monkeypatch.setattr("state.service_units.SHARED", ())
    return Manager(folder, tmp_path / "config" / "systemd" / "user" / "keyturn.service")


def shown(answer: Answer, tmp_path: Path) -> tuple[int, str]:
    """Its code, and all that it says, without the paths and the logins of this machine."""
    lines = [line for line in (answer.out + answer.err).splitlines() if not line.startswith("at boot")]
    text = "\n".join(lines).replace(str(tmp_path), "<home>")
    return answer.code, text.replace(f"gui/{os.getuid()}", "gui/<user>")


def test_install_writes_the_unit_and_starts_nothing(
    keyturn: Keyturn, manager: Manager, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """SY-02: it says what to type next."""
    assert shown(keyturn("service", "install"), tmp_path) == snapshot
    assert manager.asked() == ["--user daemon-reload"]
    assert '"-P" "-m" "app" "engine" "watch"' in manager.unit.read_text()
    assert (tmp_path / "home" / "state").stat().st_mode & 0o777 == 0o700

    assert shown(keyturn("service", "install"), tmp_path) == snapshot(name="again")


def test_install_without_a_manager_writes_the_unit(
    keyturn: Keyturn, manager: Manager, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """SY-02: as over SSH without a session, or in a container."""
    monkeypatch.setenv("PATH", "/nowhere")

    assert shown(keyturn("service", "install"), tmp_path) == snapshot
    assert manager.unit.exists()


def test_a_unit_of_another_program_is_refused(
    keyturn: Keyturn, manager: Manager, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """SY-02"""
    manager.unit.parent.mkdir(parents=True)
    manager.unit.write_text("[Service]\n")

    for word in ("install", "remove"):
        assert shown(keyturn("service", word), tmp_path) == snapshot(name=word)
    assert manager.unit.read_text() == "[Service]\n"
    assert keyturn("service", "status").code == 1


def test_remove_takes_the_unit_and_nothing_else(
    keyturn: Keyturn, manager: Manager, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """SY-02: not while it runs."""
    keyturn("service", "install")
    settings = tmp_path / "home" / "settings.toml"
    settings.write_text('profile = "micro"\n')
    manager.answers("is-active", "active")

    assert shown(keyturn("service", "remove"), tmp_path) == snapshot(name="while it runs")
    assert manager.unit.exists()

    manager.answers("is-active", "inactive")
    assert shown(keyturn("service", "remove"), tmp_path) == snapshot(name="stopped")
    assert not manager.unit.exists()
    assert settings.exists()
    assert manager.asked()[-2:] == ["--user disable keyturn", "--user daemon-reload"]
    assert shown(keyturn("service", "remove"), tmp_path) == snapshot(name="removed")


def test_status_says_what_is_there(
    keyturn: Keyturn, manager: Manager, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """SY-02, SY-06: and whether others can read the file of keys."""
    assert (keyturn("service", "status").code, keyturn("service", "status", "--json").json["state"]) == (1, "missing")

    keyturn("service", "install")
    manager.answers("is-active", "active")
    manager.answers("is-enabled", "enabled")
    keys = tmp_path / "home" / "environment"
    keys.write_text("APCA_API_KEY_ID=PK\n")
    keys.chmod(0o644)

    answer = keyturn("service", "status")
    assert shown(answer, tmp_path) == snapshot
    assert "PK" not in answer.out

    manager.unit.write_text(manager.unit.read_text() + "# mine\n")
    assert keyturn("service", "status", "--json").json["state"] == "differs"


def test_on_macos_it_is_an_agent_of_launchd(
    keyturn: Keyturn, manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """SY-02"""
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("PATH", "/nowhere")

    answer = keyturn("service", "install")

    path = tmp_path / "user" / "Library" / "LaunchAgents" / "keyturn.engine.plist"
    assert path.exists()
    assert shown(answer, tmp_path) == snapshot
    assert keyturn("service", "status").code == 0
    assert keyturn("service", "remove").code == 0
    assert not path.exists()
    assert manager.asked() == []
