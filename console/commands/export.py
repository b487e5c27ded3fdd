"""The commands that pass tables: a basket in, positions, orders, trades and quotes out (OP-05).

`keyturn positions`, `orders`, `trades`, `quote` and `export` print the desk's rows of a running engine. They only read:
no desk is attached, nobody takes control, and nothing is recorded (SY-08).
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.commands.assembly.host import Host
from console.commands.shared import Account, AsJson, host_of, print_json, say
from core.ports import OperatorError
from state.accounts import account_of
from state.running_engine import holder

if TYPE_CHECKING:
    from core.model.basket import Basket
    from core.views import DeskView
    from core.views.export import Exported
    from state.files import AccountFolder


HISTORY_PANE = "history"
TIMEOUT = 10.0
"""Time-out for the engine's snapshot, in seconds."""
AT_ONCE = 1 << 18
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV with every column and a header line.")]


def positions(context: typer.Context, account: Account = None, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Print what is held, as the running engine's desk shows it.

    Example: keyturn positions --json
    """
    _print(context, "positions", account, as_json=as_json, as_csv=as_csv)


def orders(context: typer.Context, account: Account = None, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Print the orders of today, as the running engine's desk shows them.

    Example: keyturn orders --csv
    """
    _print(context, "orders", account, as_json=as_json, as_csv=as_csv)


def trades(context: typer.Context, account: Account = None, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Print the trades of today from open to flat, as the running engine's desk shows them.

    Example: keyturn trades --csv
    """
    _print(context, "trades", account, as_json=as_json, as_csv=as_csv)


def export(
    context: typer.Context,
    pane: Annotated[
        str | None, typer.Argument(help="account, positions, alerts, log, chart, history …; default: name every table.")
    ] = None,
    account: Account = None,
    day: Annotated[
        str | None, typer.Option("--day", help="Of history: the day, 2026-11-19; default: the last.")
    ] = None,
    symbol: Annotated[str | None, typer.Option("--symbol", help="Of a chart: the symbol.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Print any table of the desk, as the running engine's desk shows it; history comes from the journal alone.

    Example: keyturn export protections --csv
    """
    from core.views.export import OF_CHART, TABLES

    if pane is None:
        for name in (*TABLES, HISTORY_PANE):
            say(name)
        return
    if pane == HISTORY_PANE:
        _print_history(context, account, day, as_json=as_json, as_csv=as_csv)
        return
    if day is not None:
        raise OperatorError(f"--day {day}: {pane} is of now; `keyturn export history` has other days")
    if symbol is None and pane in OF_CHART:
        raise OperatorError(f"export {pane}: of which symbol? Add --symbol SPY")
    if symbol is not None and pane not in OF_CHART:
        raise OperatorError(f"--symbol {symbol}: {pane} is of all symbols; leave the option out")
    _print(context, pane, account, as_json=as_json, as_csv=as_csv, symbol=symbol)


def quote(
    context: typer.Context,
    symbol: Annotated[str, typer.Argument(help="A symbol that the engine follows.")],
    account: Account = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Print the newest quote of a symbol that the running engine follows.

    Example: keyturn quote SPY --json
    """
    from core.model.instrument import capitals
    from core.model.values import Symbol
    from core.views.export import quote_of

    asked = Symbol(capitals(symbol))
    found = quote_of(_view(context, account), asked)
    if found is None:
        raise OperatorError(f"{asked}: the engine does not follow it; add it to a watchlist")
    if as_json:
        print_json(found)
    else:
        _print_rows(list(found), [found], as_csv=as_csv)


def _print_history(
    context: typer.Context, account: str | None, day: str | None, *, as_json: bool, as_csv: bool
) -> None:
    """Print a day's orders and trades from the journal; no engine need run. Raises `OperatorError`."""
    from core.views.builders.history import history_of
    from core.views.export import HISTORY
    from state.accounts import account_of
    from state.journal import days_of, read_day

    journal = account_of(host_of(context).home, account).journal
    days = days_of(journal)
    if not days:
        raise OperatorError(f"{journal}: no day is recorded yet")
    chosen = {each.isoformat(): each for each in days}.get(day or days[-1].isoformat())
    if chosen is None:
        raise OperatorError(f"--day {day}: the journal has none; from {days[0]} to {days[-1]} it has {len(days)}")
    rows = history_of(read_day(journal, chosen))[0]
    _print_exported(HISTORY, rows, as_json=as_json, as_csv=as_csv, empty=f"no orders and no trades on {chosen}")


def _print(
    context: typer.Context,
    pane: str,
    account: str | None,
    *,
    as_json: bool,
    as_csv: bool,
    symbol: str | None = None,
) -> None:
    from core.views.export import TABLES

    if pane not in TABLES:
        raise OperatorError(f"{pane}: no such table; one of {', '.join((*TABLES, HISTORY_PANE))}")
    exported: Exported = TABLES[pane]
    rows = exported.rows(_view(context, account, symbol))
    _print_exported(exported, rows, as_json=as_json, as_csv=as_csv, empty=f"{pane}: there are none now")


def _print_exported(exported: Exported, found: Iterable[object], *, as_json: bool, as_csv: bool, empty: str) -> None:
    from core.views.export import first_of, names_of, row_of

    rows = [row_of(row) for row in found]
    if as_json:
        print_json(rows)
    else:
        _print_rows(names_of(exported) if as_csv else first_of(exported), rows, as_csv=as_csv, empty=empty)


def _print_rows(names: Sequence[str], rows: Sequence[dict[str, Any]], *, as_csv: bool, empty: str = "") -> None:
    """Print a table, or its columns alone as CSV; `empty` instead of a table without rows."""
    from core.views.export import as_csv as csv_of
    from core.views.export import in_a_cell

    if as_csv:
        for text in csv_of(names, rows).splitlines():
            say(text)
        return
    if not rows:
        say(empty)
        return
    table = [[name.replace("_", " ") for name in names]]
    table += [[in_a_cell(row[name]) for name in names] for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(len(names))]
    for line in table:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _view(context: typer.Context, account: str | None, symbol: str | None = None) -> DeskView:
    from core.model.instrument import capitals
    from state.accounts import account_of

    return view_of(account_of(host_of(context).home, account), capitals(symbol or ""))


def view_of(folder: AccountFolder, symbol: str = "") -> DeskView:
    """Return the current view of the account's engine, with the chart of a symbol. Raises `OperatorError`."""
    from state.engine_socket import NoEngineError, connected

    try:
        connection = connected(folder.engine_socket, TIMEOUT)
    except NoEngineError:
        if not folder.views_socket.exists():
            raise
        connection = connected(folder.views_socket, TIMEOUT)  # a demo
    return view_over(connection, symbol)


def view_over(connection: socket.socket, symbol: str = "") -> DeskView:
    """Return one view from the engine at the other end, and close the connection. Raises `OperatorError`."""
    from importlib.metadata import version

    from core.protocol.codec import FrameError, decode_view
    from core.protocol.frames import LARGEST, PROTOCOL, FrameReader, Hello, Refused, Role, Snapshot, from_engine, pack
    from core.views import DeskView
    from state.host_info import release

    reader = FrameReader(LARGEST)
    try:
        with closing(connection):
            connection.sendall(pack(Hello(PROTOCOL, release(version("keyturn")), Role.LOOK, symbol=symbol)))
            while content := connection.recv(AT_ONCE):
                for frame in reader.feed(content):
                    told = from_engine(frame)
                    if isinstance(told, Refused):
                        raise OperatorError(told.words)
                    if isinstance(told, Snapshot):
                        view = decode_view(told.value)
                        assert isinstance(view, DeskView)
                        return view
    except FrameError as error:
        raise OperatorError(f"the engine's answer cannot be read: {error}; `keyturn engine restart`") from None
    except OSError as error:
        raise OperatorError(f"the engine does not answer ({error}); see `keyturn status`") from None
    raise OperatorError("the engine is not ready; see `keyturn status`")


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

    Raises OperatorError: no engine runs, it refused the basket, or it did not answer.
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
