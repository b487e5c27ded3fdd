"""`keyturn basket`: a file of orders, handed to the desk that runs, where it becomes a plan (OP-05)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from console.commands.shared import Account, composition_of, say
from core.ports import OperatorError


def basket(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV: symbol,side (buy, sell, short, cover), and of quantity,notional,type,limit_price,stop_price,"
            "time_in_force what is needed."
        ),
    ],
    deploy: Annotated[
        str | None, typer.Option("--deploy", help="USD, shared equally by the rows that open and name no size.")
    ] = None,
    is_checked: Annotated[bool, typer.Option("--check", help="Read the file, say what it holds, do no more.")] = False,
    account: Account = None,
) -> None:
    """Hand a file of orders to the desk, where p opens it; nothing is sent before it is marked and signed there.

    A sale without a size sells all that is held. A file with a row that cannot be read becomes no plan.

    Example: keyturn basket rebalance.csv --check
    """
    from core.files.basket_file import LARGEST_FILE, BasketFileError, read_plan
    from core.files.csv_table import text_of

    amount, text = _amount(deploy), text_of(file, LARGEST_FILE)
    try:
        rows = read_plan(file, text, amount)
    except BasketFileError as error:
        for fault in error.faults:
            say(fault, err=True)
        say(f"{file.name}: nothing was staged; mend these rows and run it again", err=True)
        raise typer.Exit(1) from None
    reducing = sum(row.effect.only_reduces for row in rows)
    orders = "order" if len(rows) == 1 else "orders"
    held = f"{file.name}: {len(rows)} {orders}, {reducing} to sell or cover, {len(rows) - reducing} to open"
    if is_checked:
        say(f"{held}; the file can be read, nothing was staged")
        return
    say(f"{held}; {composition_of(context).plan(account, file.name, text, amount)}")


def _amount(text: str | None) -> Decimal | None:
    from core.files.basket_file import number_of

    if text is None:
        return None
    amount = number_of(text)
    if not amount:
        raise OperatorError(f"--deploy {text}: is no amount in USD such as 50000")
    return amount
