"""`keyturn strategies`: the house's strategies and your own, whether one would load, and a first one to begin with."""

from __future__ import annotations

from typing import Annotated

import typer

from console.commands.shared import AsJson, Overrides, composition_of, print_json, say
from core.ports import StrategyListing

APART = "it runs in a process of its own, without files, network or other processes"

commands = typer.Typer(help="Strategies of the house and your own. See docs/STRATEGIES.md.", rich_markup_mode=None)


@commands.command(name="list")
def listed(context: typer.Context, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Every strategy: on or off, where it is from, and why one does not load.

    Example: keyturn strategies list
    """
    rows = composition_of(context).strategies(tuple(overrides or ()))
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
    """Every reason why a strategy would be refused; exit code 1 where there is one.

    Example: keyturn strategies check dips
    """
    row = composition_of(context).check_strategy(what, tuple(overrides or ()))
    if as_json:
        print_json(_as_json(row))
    else:
        for fault in row.faults:
            say(fault)
        say(f"{row.name}: {_in_words(row)}")
    if row.faults:
        raise typer.Exit(1)


@commands.command()
def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Small letters, digits and _, as the file will be called.")],
) -> None:
    """Write a complete, working example into your strategies folder; a file that is there is never overwritten.

    Example: keyturn strategies new dips
    """
    path = composition_of(context).new_strategy(name)
    turn = f"`enabled = true` under [strategies.{name}] in settings.toml"
    say(f"{path} is written. Next: `keyturn strategies check {name}`, then {turn}")


def _in_words(row: StrategyListing) -> str:
    if row.faults:
        return "refused"
    if row.source == "the house":
        return "it loads"
    left = f"; what this system does not deny it: {', '.join(row.left_open)}" if row.left_open else ""
    return f"it loads; {APART}{left}"


def _as_json(row: StrategyListing) -> dict[str, object]:
    return {"name": row.name, "on": row.is_on, "from": row.source, "ok": not row.faults, "faults": row.faults}
