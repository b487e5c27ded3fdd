"""`keyturn service`: the engine as a unit of the user's service manager, systemd or launchd (SY-02)."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from console.commands.assembly.host import Host, own_program
from console.commands.shared import AsJson, host_of, print_json, say
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError

if TYPE_CHECKING:
    from state.service_units import ServicePlan, UnitFile

NOT_INSTALLED = 1
MANAGER_SECONDS = 20.0
"""Time-out for a manager's answer."""
SYSTEMD_NEXT = (
    "start it now and at every login: systemctl --user enable --now keyturn",
    "and at every boot, without a login: loginctl enable-linger",
)
LINGERING = Path("/var/lib/systemd/linger")
"""Contains a file for each user whose services start at boot."""
RUNS = ("active", "activating", "reloading", "deactivating")

commands = typer.Typer(
    help="Install the engine as a systemd or launchd service.", no_args_is_help=True, rich_markup_mode=None
)


@commands.callback()
def service() -> None:
    """Install the engine as a systemd or launchd service."""


@commands.command()
def install(context: typer.Context) -> None:
    """Write the unit that runs the engine under its watchdog: for systemd's user manager, or on macOS for launchd.

    It overwrites its own unit, and no other. Nothing is started; the next commands are printed.

    Example: keyturn service install
    """
    from state.files import make_folder
    from state.service_units import UnitState, denies_namespaces

    unit = _unit(host_of(context))
    for folder in unit.plan.folders:
        make_folder(folder)
    before = unit.file.write()
    done = {UnitState.MISSING: "written", UnitState.DIFFERS: "written anew", UnitState.AS_WRITTEN: "is as it should be"}
    say(f"{unit.file.path}: {done[before]}")
    if unit.manager is Systemd and denies_namespaces():
        say("this system denies user namespaces: the unit goes without those protections")
    for line in unit.manager.after_install(unit):
        say(line)


@commands.command()
def remove(context: typer.Context) -> None:
    """Remove the unit that `install` wrote. Settings, state and keys stay; stop a running service first.

    Example: keyturn service remove
    """
    from state.service_units import UnitState

    unit = _unit(host_of(context))
    if unit.file.state() is UnitState.MISSING:
        say(f"{unit.file.path}: there is none")
        return
    if (stop := unit.manager.runs(unit)) is not None:
        raise OperatorError(f"the service runs; stop it first: {stop}")
    unit.manager.before_remove(unit)
    unit.file.remove()
    for line in unit.manager.after_remove():
        say(line)
    say(f"{unit.file.path}: removed; settings and state stay")


@commands.command()
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Print whether the unit is installed and current, and the manager's state of it.

    Exit code 0 if it is installed, 1 if not. `keyturn status` shows the engine's state.

    Example: keyturn service status
    """
    from state.service_units import UnitState

    unit = _unit(host_of(context))
    state = unit.file.state()
    found = {"unit": str(unit.file.path), "state": state.value, **unit.manager.said(unit), "keys": _keys(unit.plan)}
    if as_json:
        print_json(found)
    else:
        say(f"{unit.file.path}: {_STATES[state.value]}")
        for name, words in unit.manager.said(unit).items():
            say(f"{name}: {words}")
        say(f"keys file: {found['keys']}")
    if state in (UnitState.MISSING, UnitState.OF_ANOTHER):
        raise typer.Exit(NOT_INSTALLED)


_STATES = {
    "missing": "not installed; keyturn service install",
    "as written": "installed",
    "differs": "installed, and not as this release writes it; keyturn service install updates it",
    "of another": "not written by Keyturn",
}


def _keys(plan: ServicePlan) -> str:
    """Describe the file of keys, and whether others may read it."""
    try:
        mode = plan.keys.stat().st_mode & 0o777
    except OSError:
        return f"none ({plan.keys}); the keyring is asked"
    return f"{plan.keys}" if not mode & 0o077 else f"{plan.keys}, OTHERS CAN READ IT: chmod 600"


# ── managers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Systemd:
    """The user's systemd manager."""

    @staticmethod
    def unit(host: Host, plan: ServicePlan) -> UnitFile:
        from state.service_units import UNIT_MARK, UNIT_NAME, UnitFile, denies_namespaces, unit_of

        config = host.environ.get("XDG_CONFIG_HOME") or str(_home(host) / ".config")
        text = unit_of(plan, has_namespaces=not denies_namespaces())
        return UnitFile(Path(config) / "systemd" / "user" / UNIT_NAME, text, UNIT_MARK)

    @staticmethod
    def after_install(_unit: Unit) -> tuple[str, ...]:
        return (*_told(("systemctl", "--user", "daemon-reload")), *SYSTEMD_NEXT)

    @staticmethod
    def runs(_unit: Unit) -> str | None:
        is_active = _asked(("systemctl", "--user", "is-active", "keyturn")) in RUNS
        return "systemctl --user stop keyturn" if is_active else None

    @staticmethod
    def before_remove(_unit: Unit) -> None:
        """Disable the start at login too."""
        _asked(("systemctl", "--user", "disable", "keyturn"))

    @staticmethod
    def after_remove() -> tuple[str, ...]:
        return _told(("systemctl", "--user", "daemon-reload"))

    @staticmethod
    def said(_unit: Unit) -> dict[str, str]:
        lingers = (LINGERING / pwd.getpwuid(os.getuid()).pw_name).is_file()
        return {
            "service": _asked(("systemctl", "--user", "is-active", "keyturn")) or "no user manager answers",
            "at login": _asked(("systemctl", "--user", "is-enabled", "keyturn")) or "no user manager answers",
            "at boot": "yes" if lingers else "no; loginctl enable-linger",
        }


class Launchd:
    """The agents of the logged-in user."""

    @staticmethod
    def unit(host: Host, plan: ServicePlan) -> UnitFile:
        from state.service_units import PLIST_MARK, PLIST_NAME, UnitFile, plist_of

        return UnitFile(_home(host) / "Library" / "LaunchAgents" / PLIST_NAME, plist_of(plan), PLIST_MARK)

    @staticmethod
    def after_install(unit: Unit) -> tuple[str, ...]:
        return (f"start it now and at every login: launchctl bootstrap gui/{os.getuid()} '{unit.file.path}'",)

    @staticmethod
    def runs(_unit: Unit) -> str | None:
        from state.service_units import LABEL

        target = f"gui/{os.getuid()}/{LABEL}"
        return f"launchctl bootout {target}" if _asked(("launchctl", "print", target)) else None

    @staticmethod
    def before_remove(_unit: Unit) -> None:
        """Do nothing: only the file defines it."""

    @staticmethod
    def after_remove() -> tuple[str, ...]:
        return ()

    @staticmethod
    def said(unit: Unit) -> dict[str, str]:
        return {"service": "loaded" if Launchd.runs(unit) else "not loaded"}


Manager = type[Systemd] | type[Launchd]


@dataclass(frozen=True, slots=True)
class Unit:
    manager: Manager
    plan: ServicePlan
    file: UnitFile


def _unit(host: Host) -> Unit:
    """Return the unit for this system. Raises `OperatorError`."""
    from state.service_units import plan_of

    plan = plan_of(host.home, host.environ, own_program("engine", "watch"))
    manager: Manager = Launchd if sys.platform == "darwin" else Systemd
    return Unit(manager, plan, manager.unit(host, plan))


def is_installed(host: Host) -> bool:
    """Return whether our unit is there, in any version."""
    from state.service_units import UnitState

    try:
        return _unit(host).file.state() in (UnitState.AS_WRITTEN, UnitState.DIFFERS)
    except OperatorError:
        return False


def _home(host: Host) -> Path:
    return Path(host.environ.get("HOME") or Path.home())


def _told(words: Sequence[str]) -> tuple[str, ...]:
    """Send a command to the manager; return a line for the operator if it failed."""
    answer = _answer(words)
    if answer is not None and answer.returncode == 0:
        return ()
    return (f"no user manager answers here: log in, then {' '.join(words)}",)


def _asked(words: Sequence[str]) -> str:
    """Return a manager's output on one line; empty if none answers."""
    answer = _answer(words)
    return " ".join(answer.stdout.split()) if answer is not None else ""


def _answer(words: Sequence[str]) -> subprocess.CompletedProcess[str] | None:
    """Run a command; None if there is no such program, or no answer in time."""
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=MANAGER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
