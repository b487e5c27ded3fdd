"""Add, change and remove the `[agents.NAME]` tables of the settings file; every other byte of it stays (OP-09).

A changed file is written only if it says what the old one said but for that table, and still loads. It is replaced
atomically.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.files.regular_file import bytes_of
from core.ports import OperatorError
from state.files import LARGEST, Home, TomlError, make_folder, replace_file, toml_of

BY_HAND = "edit the file by hand; it was left as it was"
_HEADER = re.compile(r"\s*\[")
_CONTENT = re.compile(r"\s*[^#\s]")

Edit = Callable[[str], str]


class AgentTableError(OperatorError):
    """The settings file was left as it was, and why."""


def add_agent(home: Home, name: str, values: Mapping[str, str], check: Callable[[Home], object]) -> None:
    """Append a table with these keys; each value is TOML. `check` loads the settings of a home, and raises.

    Raises AgentTableError: there is one, or the file would not load.
    """
    text = _text_of(home.settings)
    if name in _agents_in(text):
        raise AgentTableError(f"agent {name} is set up already; change its table in {home.settings}")
    lines = [f"[agents.{name}]", *(f"{key} = {value}" for key, value in values.items())]
    before = "" if not text else text if text.endswith("\n\n") else text.rstrip("\n") + "\n\n"
    added = toml_of("\n".join(lines))["agents"][name]  # type: ignore[index]
    _write(home, before + "\n".join(lines) + "\n", lambda agents: agents.update({name: added}), check)


def remove_agent(home: Home, name: str, check: Callable[[Home], object]) -> None:
    """Remove the table of an agent. Raises `AgentTableError`."""
    text = _text_of(home.settings)
    start, end, lines = _table_of(home, text, name)
    while start and not lines[start - 1].strip() and (end == len(lines) or not lines[end].strip()):
        start -= 1  # one of the blank lines around it
    _write(home, "".join(lines[:start] + lines[end:]), lambda agents: agents.pop(name), check)


def switch_agent(home: Home, name: str, check: Callable[[Home], object], *, enabled: bool) -> bool:
    """Set `enabled` in the table of an agent. Return whether that changed it. Raises `AgentTableError`."""
    text = _text_of(home.settings)
    start, end, lines = _table_of(home, text, name)
    if _agents_in(text)[name].get("enabled", True) is enabled:
        return False
    line = f"enabled = {str(enabled).lower()}\n"
    known = next((at for at in range(start + 1, end) if re.match(r"\s*enabled\s*=", lines[at])), None)
    if known is not None:
        _, hash_, comment = lines[known].rstrip("\r\n").partition("#")
        lines[known] = line if not hash_ else f"{line.rstrip()}  #{comment}\n"
    else:
        lines[start] = lines[start].rstrip("\r\n") + "\n" + line
    _write(home, "".join(lines), lambda agents: agents[name].update(enabled=enabled), check)
    return True


def _text_of(path: Path) -> str:
    if path.is_symlink():
        raise AgentTableError(f"{path} is a link; {BY_HAND}")
    try:
        return bytes_of(path, LARGEST).decode()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise AgentTableError(f"{path} cannot be read ({error}); {BY_HAND}") from None


def _tables_in(text: str) -> dict[str, Any]:
    try:
        return toml_of(text.removeprefix("\ufeff"))
    except TomlError as error:
        raise AgentTableError(
            f"the settings file is no TOML ({error}); correct it first, it was left as it was"
        ) from None


def _agents_in(text: str) -> dict[str, Any]:
    agents = _tables_in(text).get("agents", {})
    return agents if isinstance(agents, dict) else {}


def _table_of(home: Home, text: str, name: str) -> tuple[int, int, list[str]]:
    """Return the lines of the file, and the first line of the table and the one behind its last key."""
    if name not in _agents_in(text):
        known = ", ".join(_agents_in(text)) or "none"
        raise AgentTableError(f"no agent {name} is set up in {home.settings}; there is {known}")
    lines = text.splitlines(keepends=True)
    header = re.compile(rf"\s*\[\s*agents\s*\.\s*(?:{name}|\"{name}\"|'{name}')\s*\]\s*(?:#.*)?$")
    start = next((at for at, line in enumerate(lines) if header.match(line.rstrip("\r\n"))), None)
    if start is None:
        raise AgentTableError(f"agent {name} has no table [agents.{name}] of its own in {home.settings}; {BY_HAND}")
    end = next((at for at in range(start + 1, len(lines)) if _HEADER.match(lines[at])), len(lines))
    while end > start + 1 and not _CONTENT.match(lines[end - 1]):
        end -= 1  # comments above the next table are that one's
    return start, end, lines


def _write(home: Home, text: str, change: Callable[[dict[str, Any]], object], check: Callable[[Home], object]) -> None:
    """Replace the file, if only that table differs and the settings load."""
    wanted: dict[str, Any] = deepcopy(_tables_in(_text_of(home.settings)))
    agents = wanted.setdefault("agents", {})
    change(agents)
    if not agents:
        del wanted["agents"]
    if _tables_in(text) != wanted:
        raise AgentTableError(f"{home.settings} is not written in a way that can be changed safely; {BY_HAND}")
    make_folder(home.settings.parent)
    trial = home.settings.with_name(f".{home.settings.name}.trial")
    try:
        replace_file(trial, text.encode(), durable=False)
        check(replace(home, settings=trial))
    except OperatorError as error:
        words = str(error).replace(trial.name, home.settings.name)
        raise AgentTableError(f"the settings would not load, and the file was left as it was: {words}") from None
    finally:
        trial.unlink(missing_ok=True)
    replace_file(home.settings, text.encode())
