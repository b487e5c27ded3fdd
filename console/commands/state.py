"""`keyturn state`: look at and look after the state folder (SP-04)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.commands.shared import Account, composition_of, print_json, say

commands = typer.Typer(help="Look after the state folder.", no_args_is_help=True, rich_markup_mode=None)


@commands.command()
def show(context: typer.Context, account: Account = None) -> None:
    """Print the state documents as JSON.

    Example: keyturn state show
    """
    print_json(composition_of(context).show(account))


@commands.command()
def backup(
    context: typer.Context,
    target: Annotated[Path | None, typer.Argument(help="A file or folder; here without it.")] = None,
    account: Account = None,
) -> None:
    """Write journal, documents and the exchange's log into one archive, also while an engine runs.

    Example: keyturn state backup /var/backups
    """
    say(str(composition_of(context).backup(account, target)))
