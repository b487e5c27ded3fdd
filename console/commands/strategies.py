"""`keyturn strategies`: list the built-in and user strategies, check one, and create an example."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.engines import strategies_folder_of
from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from console.commands.shared import AsJson, Overrides, host_of, print_json, say, tell
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError

if TYPE_CHECKING:
    from core.settings.settings import Settings
    from state.user_strategies import Found

BUILT_IN = "built-in"
"""The source of a strategy that comes with the program."""
APART = "it runs in its own process, without files, network or other processes"

commands = typer.Typer(help="List, check and create strategies. See docs/STRATEGIES.md.", rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class StrategyListing:
    """One strategy: its name, whether it is enabled, its source (`built-in` or its file), and its faults.

    Attributes
    ----------
    left_open
        The accesses that this system cannot deny the process of a user strategy.
    """

    name: str
    is_on: bool
    source: str
    faults: tuple[str, ...]
    left_open: tuple[str, ...] = ()


@commands.command(name="list")
def listed(context: typer.Context, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Print every strategy: on or off, its source, and why it does not load.

    Example: keyturn strategies list
    """
    rows = _listings(host_of(context), tuple(overrides or ()))
    if as_json:
        print_json([_as_json(row) for row in rows])
        return
    for row in rows:
        stands = "REFUSED" if row.faults else "on" if row.is_on else "off"
        say(f"{row.name:<24} {stands:<8} {row.source}")
        for fault in row.faults:
            say(f"  {fault}")


@commands.command()
def check(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="FILE|NAME", help="A file, or a name in your strategies folder.")],
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Print every reason why a strategy would be refused; exit code 1 if there is one.

    Example: keyturn strategies check dips
    """
    row = _looked_at(host_of(context), what, tuple(overrides or ()))
    tell(as_json, lambda: _as_json(row), (*row.faults, f"{row.name}: {_in_words(row)}"))
    if row.faults:
        raise typer.Exit(1)


@commands.command()
def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the strategy and its file: lower-case letters, digits and _.")],
) -> None:
    """Write a complete, working example into your strategies folder; an existing file is never overwritten.

    Example: keyturn strategies new dips
    """
    from state.user_strategies import write_new

    host = host_of(context)
    path = write_new(strategies_folder_of(host, settings_of(host)), name)
    turn = f"`enabled = true` under [strategies.{name}] in settings.toml"
    say(f"{path} is written. Next: `keyturn strategies check {name}`, then {turn}")


def _in_words(row: StrategyListing) -> str:
    if row.faults:
        return "refused"
    if row.source == BUILT_IN:
        return "it loads"
    left = f"; what this system does not deny it: {', '.join(row.left_open)}" if row.left_open else ""
    return f"it loads; {APART}{left}"


def _as_json(row: StrategyListing) -> dict[str, object]:
    return {"name": row.name, "on": row.is_on, "from": row.source, "ok": not row.faults, "faults": row.faults}


def _listings(host: Host, overrides: tuple[str, ...]) -> tuple[StrategyListing, ...]:
    """Return the built-in strategies in order, then the user's by name, with a file or only a settings table."""
    from core.settings.strategies import HOUSE_NAMES
    from state.user_strategies import found_in

    settings = settings_of(host, overrides)
    of = settings.strategies.of
    listed = [StrategyListing(name, of(name).enabled, BUILT_IN, ()) for name in HOUSE_NAMES]
    files = found_in(strategies_folder_of(host, settings))
    for found in files:
        faults = (*found.faults, *_faults_in_table(found, settings))
        is_on = found.name in settings.strategies.own and of(found.name).enabled
        listed.append(StrategyListing(found.name, is_on, str(found.path), faults))
    for name in sorted(set(settings.strategies.own) - {found.name for found in files}):
        path = strategies_folder_of(host, settings) / f"{name}.py"
        fault = f"{path.name} is not there; put it back, or take [strategies.{name}] out of the settings"
        listed.append(StrategyListing(name, of(name).enabled, str(path), (fault,)))
    return tuple(listed)


def _looked_at(host: Host, what: str, overrides: tuple[str, ...]) -> StrategyListing:
    """Return a file, or a name in the folder, with every reason for its refusal."""
    from core.runtime.strategy_host.process import left_open
    from core.settings.strategies import HOUSE_NAMES
    from state.user_strategies import look_at

    settings = settings_of(host, overrides)
    if what in HOUSE_NAMES:
        return StrategyListing(what, settings.strategies.of(what).enabled, BUILT_IN, ())
    is_path = what.endswith(".py") or "/" in what
    path = Path(what).expanduser().absolute() if is_path else strategies_folder_of(host, settings) / f"{what}.py"
    if not os.path.lexists(path):
        if is_path:
            raise OperatorError(f"{path}: no such file; check the path")
        raise OperatorError(f"there is no strategy {path}; `keyturn strategies list` shows those that there are")
    found = look_at(path)
    faults = (*found.faults, *_faults_in_table(found, settings))
    return StrategyListing(
        found.name, settings.strategies.of(found.name).enabled, str(path), faults, left_open(found.layers)
    )


def _faults_in_table(found: Found, settings: Settings) -> tuple[str, ...]:
    """Return why it cannot be constructed with its settings table."""
    from core.strategies.builtin import MissingStrategy, StrategyKinds, started

    if found.kind is None or found.name not in settings.strategies.own:
        return ()
    made = started(StrategyKinds({found.name: found.kind}, {}), found.name, settings.strategies.of(found.name), None)
    return (made.reason,) if isinstance(made, MissingStrategy) else ()
