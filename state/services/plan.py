"""The data for a service definition, independent of the manager."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.ports import OperatorError
from state.folders import Home

PLACES = ("KEYTURN_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
"""Variables for the place of settings and state; a manager has a separate environment."""
SHARED = (Path("/tmp"), Path("/var/tmp"))
LATEST_STOP = 45
"""Time-out of a stop in seconds: twice the watchdog's time-out, plus a margin."""


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """The engine under its watchdog, for one user.

    Attributes
    ----------
    command
        The foreground command.
    variables
        Its environment variables; never a key.
    folders
        The folders that it writes to; they exist.
    keys
        A file of `NAME=VALUE` lines that the manager reads if it exists: the keys, on systems without a keyring.
    logs
        The folder for output, for managers without a log.
    """

    command: tuple[str, ...]
    variables: Mapping[str, str]
    folders: tuple[Path, ...]
    keys: Path
    logs: Path


def plan_of(home: Home, environ: Mapping[str, str], command: list[str]) -> ServicePlan:
    """Return the plan. Raises `OperatorError` if a service could not find its files again."""
    for folder in home.own:
        if any(folder.is_relative_to(shared) for shared in SHARED):
            raise OperatorError(f"{folder} is a temporary folder, and a service has its own /tmp; choose another")
    chosen = {name: environ[name] for name in PLACES if environ.get(name)}
    if "KEYTURN_HOME" in chosen:
        chosen = {"KEYTURN_HOME": str(Path(chosen["KEYTURN_HOME"]).expanduser().absolute())}
    folders = tuple(dict.fromkeys(home.own))
    return ServicePlan(tuple(command), chosen, folders, home.settings.parent / "environment", home.state)
