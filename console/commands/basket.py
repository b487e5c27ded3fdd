"""`keyturn basket`: a file of orders, passed to the running desk as a basket (OP-05)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.host import Host
from console.commands.shared import Account, host_of, say
from core.ports import OperatorError
from state.accounts import account_of
from state.running_engine import holder

if TYPE_CHECKING:
    from core.model.basket import Basket

NOT_BEFORE = "nothing is sent before you sign it"


def basket(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV: symbol,side (buy, sell, short, cover), and as needed quantity,notional,type,limit_price,"
            "stop_price,time_in_force."
        ),
    ],
    deploy: Annotated[
        str | None, typer.Option("--deploy", help="USD, divided equally among opening rows without a size.")
    ] = None,
    is_checked: Annotated[bool, typer.Option("--check", help="Only read the file and print its content.")] = False,
    account: Account = None,
) -> None:
    """Hand a file of orders to the desk, where p opens it; nothing is sent before it is marked and signed there.

    A sale without a size sells the whole position. A file with an unreadable row is refused.

    Example: keyturn basket rebalance.csv --check
    """
    from core.files.basket_file import LARGEST_FILE, BasketFileError, read_plan
    from core.files.csv_files import text_of

    amount, text = _amount(deploy), text_of(file, LARGEST_FILE)
    try:
        rows = read_plan(file, text, amount)
    except BasketFileError as error:
        for fault in error.faults:
            say(fault, err=True)
        say(f"{file.name}: nothing was staged. Fix these rows and retry", err=True)
        raise typer.Exit(1) from None
    reducing = sum(row.effect.only_reduces for row in rows)
    orders = "order" if len(rows) == 1 else "orders"
    held = f"{file.name}: {len(rows)} {orders}, {reducing} to sell or cover, {len(rows) - reducing} to open"
    if is_checked:
        say(f"{held}; the file can be read, nothing was staged")
        return
    say(f"{held}; {_handed_in(host_of(context), account, file.name, text, amount)}")


def _amount(text: str | None) -> Decimal | None:
    from core.files.basket_file import number_of

    if text is None:
        return None
    amount = number_of(text)
    if not amount:
        raise OperatorError(f"--deploy {text}: is no amount in USD such as 50000")
    return amount


def _handed_in(host: Host, account: str | None, name: str, text: str, deploy: Decimal | None) -> str:
    """Hand a file of orders to the running engine, and return its answer (OP-05).

    Raises
    ------
    OperatorError
        No engine runs, it refused the basket, or it did not answer.
    """
    from core.facts import BasketOpened, BasketRefused
    from state.basket_inbox import ask

    folder = account_of(host.home, account)
    if holder(folder) is None:
        raise OperatorError(f"{folder.name}: no engine runs to take a basket; open the desk, then run this again")
    answer = ask(folder, name, text, deploy)
    if isinstance(answer, BasketOpened):
        return f"it waits at the desk of {folder.name}{_of_its_rows(answer.plan)}, p opens it there; {NOT_BEFORE}"
    if isinstance(answer, BasketRefused):
        raise OperatorError(f"{name}: the desk of {folder.name} did not open it: {'; '.join(answer.reasons)}")
    raise OperatorError(f"{name}: {folder.name}: {answer}")


def _of_its_rows(plan: Basket) -> str:
    """Describe the orders that would be refused and the skipped rows; empty if every order would pass."""
    against = [line.refusals[0] for line in plan.lines if line.refusals]
    told = [f"{len(against)} would be rejected: {against[0]}"] if against else []
    rows = "row" if len(plan.skipped) == 1 else "rows"
    told += [f"{len(plan.skipped)} {rows} became no order: {plan.skipped[0].reason}"] if plan.skipped else []
    orders = "order" if len(plan.lines) == 1 else "orders"
    return f" with {len(plan.lines)} {orders} ({'; '.join(told)})" if told else ""
