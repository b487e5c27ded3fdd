"""`keyturn kill`: the kill switch from another terminal (OP-08)."""

from __future__ import annotations

from typing import Annotated

import typer

from console.commands.shared import Account, composition_of, say


def kill(
    context: typer.Context,
    account: Account = None,
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Stage the flattening too; each close needs its key.")
    ] = False,
) -> None:
    """Halt everything that could open; stays until REARM is typed at the desk.

    Example: keyturn kill --flatten
    """
    say(composition_of(context).kill(account, flatten))
