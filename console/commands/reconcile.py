"""`keyturn reconcile`: our books beside the broker's, and the deliberate way out of a read-only desk (EX-09)."""

from __future__ import annotations

from typing import Annotated

import typer

from console.commands.shared import Account, AsJson, composition_of, counted, print_json, say
from core.ports import OperatorError

WORD = "ACCEPT"


def reconcile(
    context: typer.Context,
    account: Account = None,
    accept_broker: Annotated[
        bool, typer.Option("--accept-broker", help="Take the broker's word for every position that differs.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help=f"Do not ask for the word {WORD}.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare with the broker, while no engine runs. Exit code 0 the books agree, 1 they differ.

    Example: keyturn reconcile --accept-broker
    """
    composition = composition_of(context)
    found = composition.reconcile(account, False)
    if accept_broker and not found["ok"]:
        if not yes:
            _tell(found, err=True)
            _ask_for_the_word()
        found = composition.reconcile(account, True)
    if as_json:
        print_json(found)
    else:
        _tell(found)
    if not found["ok"]:
        raise typer.Exit(1)


def _tell(found: dict[str, object], *, err: bool = False) -> None:
    word = "the books agree" if found["ok"] else "the books DIFFER"
    has = f"{counted(found['positions'], 'position')} and {counted(found['orders'], 'working order')}"
    say(f"{word}: the broker has {has}", err=err)
    differences = found["differences"]
    assert isinstance(differences, list)
    for one in differences:
        note = f"; {one['note']}" if one["note"] else ""
        say(
            f"  {one['kind']} {one['symbol']}: here {one['local'] or '–'}, broker {one['broker'] or '–'}{note}", err=err
        )


def _ask_for_the_word() -> None:
    typed = typer.prompt(f"Our positions become the broker's. Type {WORD}", default="", show_default=False, err=True)
    if typed.strip() != WORD:
        raise OperatorError(f"nothing was changed: {WORD} was not typed")
