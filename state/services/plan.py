"""What a service manager has to know, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.ports import OperatorError
from state.folders import Home

PLACES = ("KEYTURN_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
"""Variables that say where settings and state are; a manager has an environment of its own."""
SHARED = (Path("/tmp"), Path("/var/tmp"))
LATEST_STOP = 45
"""Seconds that a stop may take: twice the watchdog's patience, and the rest of the way."""


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """The engine under its watchdog, for one user.

    Attributes
    ----------
    command
        What is run in the foreground.
    variables
        What goes into its environment; never a key.
    folders
        What it writes to; they are there.
    keys
        A file of `NAME=VALUE` lines that the manager reads where it is there: keys, where no keyring has them.
    logs
        Where lines go that no manager keeps.
    """

    command: tuple[str, ...]
    variables: Mapping[str, str]
    folders: tuple[Path, ...]
    keys: Path
    logs: Path


def plan_of(home: Home, environ: Mapping[str, str], command: list[str]) -> ServicePlan:
    """Raises `OperatorError` where a service could not find its files again."""
    for folder in home.own:
        if any(folder.is_relative_to(shared) for shared in SHARED):
            raise OperatorError(
                f"{folder} is for what may vanish, and a service sees a /tmp of its own; choose another"
            )
    chosen = {name: environ[name] for name in PLACES if environ.get(name)}
    if "KEYTURN_HOME" in chosen:
        chosen = {"KEYTURN_HOME": str(Path(chosen["KEYTURN_HOME"]).expanduser().absolute())}
    folders = tuple(dict.fromkeys(home.own))
    return ServicePlan(tuple(command), chosen, folders, home.settings.parent / "environment", home.state)
