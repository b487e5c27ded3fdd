"""The commands that pass tables: a basket in, positions, orders, trades and quotes out (OP-05).

`keyturn positions`, `orders`, `trades`, `quote` and `export` print the desk's rows of a running engine. They only read:
no desk is attached, nobody takes control, and nothing is recorded (SY-08).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from console.commands.assembly.host import Host
from console.commands.shared import Account, AsJson, host_of, print_json, say
from core.ports import OperatorError
from state.accounts import account_of
from state.running_engine import holder, last_account

if TYPE_CHECKING:
    from msgspec import Raw

    from core.messages.commands import BasketRow, OpenBasket
    from core.model.basket import Basket, BasketCheck, Deployment
    from core.protocol.frames import Frame, Role
    from core.views import DeskView
    from core.views.export import Exported
    from state.files import AccountFolder, Home


T = TypeVar("T")
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
    return view_over(_connection_of(folder), symbol)


def _connection_of(folder: AccountFolder) -> socket.socket:
    """Connect to the account's engine, or to its demo. Raises `OperatorError`; `NoEngineError` if none runs."""
    from state.engine_socket import NoEngineError, connected

    try:
        return connected(folder.engine_socket, TIMEOUT)
    except NoEngineError:
        if not folder.views_socket.exists():
            raise
        return connected(folder.views_socket, TIMEOUT)  # a demo


def view_over(connection: socket.socket, symbol: str = "") -> DeskView:
    """Return one view from the engine at the other end, and close the connection. Raises `OperatorError`."""
    from core.protocol.codec import decode_view
    from core.protocol.frames import Role
    from core.views import DeskView

    view = _answer_over(connection, Role.LOOK, decode_view, symbol=symbol)
    assert isinstance(view, DeskView)
    return view


def check_over(connection: socket.socket, command: OpenBasket) -> BasketCheck:
    """Return the verdicts of the engine at the other end, and close the connection. Raises `OperatorError`."""
    from msgspec import Raw

    from core.model.basket import BasketCheck
    from core.protocol.codec import decode, encode
    from core.protocol.frames import Check, Role

    basket = Check(Raw(encode(command)))
    return _answer_over(connection, Role.CHECK, lambda value: decode(value, BasketCheck), basket)


def _answer_over(connection: socket.socket, role: Role, read: Callable[[Raw], T], *asked: Frame, symbol: str = "") -> T:
    """Return the only answer to a connection that is no desk's, and close it. Raises `OperatorError`."""
    from importlib.metadata import version

    from core.protocol.codec import FrameError
    from core.protocol.frames import (
        LARGEST,
        PROTOCOL,
        Checked,
        FrameReader,
        Hello,
        Refused,
        Snapshot,
        from_engine,
        pack,
    )
    from state.host_info import release

    reader = FrameReader(LARGEST)
    try:
        with closing(connection):
            hello = Hello(PROTOCOL, release(version("keyturn")), role, symbol=symbol)
            connection.sendall(b"".join(map(pack, (hello, *asked))))
            while content := connection.recv(AT_ONCE):
                for frame in reader.feed(content):
                    told = from_engine(frame)
                    if isinstance(told, Refused):
                        raise OperatorError(told.words)
                    if isinstance(told, Snapshot | Checked):
                        return read(told.value)
    except FrameError as error:
        raise OperatorError(f"the engine's answer cannot be read: {error}; `keyturn engine restart`") from None
    except OSError as error:
        raise OperatorError(f"the engine does not answer ({error}); see `keyturn status`") from None
    raise OperatorError("the engine is not ready; see `keyturn status`")


NOT_RUNNING = 3
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
        str | None, typer.Option("--deploy", help="USD, shared among opening rows without a size.")
    ] = None,
    weight: Annotated[
        str | None, typer.Option("--weight", metavar="equal|risk", help="Shares of --deploy; risk: by 1 ÷ ATR %.")
    ] = None,
    is_checked: Annotated[
        bool, typer.Option("--check", help="Only try each order on the running engine; nothing is staged.")
    ] = False,
    account: Account = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts of --check as JSON.")] = False,
) -> None:
    """Hand a file of orders to the desk, where p opens it; nothing is sent before it is marked and signed there.

    A sale without a size sells the whole position. A file with an unreadable row is refused. --check tries the orders
    on the books, limits, quotes and clock of the running engine and stages nothing: exit code 0 all pass, 1 some would
    be refused or became no order, 3 no engine runs.

    Example: keyturn basket rebalance.csv --deploy 50000 --weight risk --check
    """
    from core.files.basket_file import LARGEST_FILE, BasketFileError, read_plan
    from core.files.csv_files import text_of

    deployment = _deployment(deploy, weight)
    if as_json and not is_checked:
        raise OperatorError("--json is for --check; leave it out, or add --check")
    text = text_of(file, LARGEST_FILE)
    try:
        rows = read_plan(file, text, deployment)
    except BasketFileError as error:
        for fault in error.faults:
            say(fault, err=True)
        say(f"{file.name}: nothing was staged. Fix these rows and retry", err=True)
        raise typer.Exit(1) from None
    reducing = sum(row.effect.only_reduces for row in rows)
    orders = "order" if len(rows) == 1 else "orders"
    held = f"{file.name}: {len(rows)} {orders}, {reducing} to sell or cover, {len(rows) - reducing} to open"
    if is_checked:
        _check(host_of(context).home, account, file.name, rows, deployment, as_json=as_json)
        return
    say(f"{held}; {_handed_in(host_of(context), account, file.name, text, deployment)}")


def _deployment(text: str | None, weight: str | None) -> Deployment | None:
    """Return what --deploy and --weight ask for. Raises `OperatorError`."""
    from core.files.basket_file import LARGEST, number_of
    from core.model.basket import Deployment, DeploymentWeight
    from core.model.values import Money

    if text is None:
        if weight is not None:
            raise OperatorError(f"--weight {weight}: there is nothing to share; add --deploy with an amount in USD")
        return None
    amount = number_of(text)
    if not amount or amount > LARGEST:
        raise OperatorError(f"--deploy {text}: is no amount in USD such as 50000, {LARGEST:,} at most")
    try:
        return Deployment(Money(amount), DeploymentWeight(weight or DeploymentWeight.EQUAL.value))
    except ValueError:
        raise OperatorError(f"--weight {weight}: write equal or risk") from None


def _check(
    home: Home,
    account: str | None,
    name: str,
    rows: Sequence[BasketRow],
    deploy: Deployment | None,
    *,
    as_json: bool,
) -> None:
    """Print the running engine's verdict on each order. Ends the command with its exit code; raises `OperatorError`."""
    from core.messages.commands import OpenBasket
    from core.model.basket import BasketSource
    from core.model.values import AccountId
    from state.engine_socket import NoEngineError

    if account is None and last_account(home) is None:
        say("no engine ran here yet, nothing was checked; `keyturn engine start` or `keyturn demo` begins", err=True)
        raise typer.Exit(NOT_RUNNING)
    folder = account_of(home, account)
    command = OpenBasket(BasketSource.FILE, name, tuple(rows), deploy=deploy, account=AccountId(folder.name))
    try:
        connection = _connection_of(folder)
    except NoEngineError as error:
        say(f"{error}; nothing was checked", err=True)
        raise typer.Exit(NOT_RUNNING) from None
    found = check_over(connection, command)
    if as_json:
        print_json({"account": folder.name, "passes": found.passes, **asdict(found)}, default=_as_text)
    else:
        for line in _lines_of(found, f"{name} at {folder.name}"):
            say(line)
    if not found.passes:
        raise typer.Exit(1)


def _as_text(number: object) -> str:
    """Return a quantity, price or amount as the other tables have it in JSON."""
    from core.model.values import plain

    assert isinstance(number, Decimal)
    return plain(number)


def _lines_of(found: BasketCheck, what: str) -> Iterator[str]:
    from core.model.values import priced

    refused = sum(bool(order.refusals) for order in found.orders)
    counts = f"{len(found.orders) - refused} would pass, {refused} would be refused, {len(found.skipped)} no order"
    yield f"{what}, {found.at:%Y-%m-%d %H:%M:%S} UTC: {counts}"
    if found.refusal:
        yield f"REFUSED  the basket: {found.refusal}"
    for order in found.orders:
        at = "no price known" if order.price is None else f"at {priced(order.price)}"
        cost = "" if order.cost is None else f", {order.cost:,.2f} USD"
        yield f"{'REFUSED' if order.refusals else 'ok':<8} {order.words} {at}{cost} ({order.origin})"
        yield from (f"{'':9}{reason}" for reason in order.refusals)
        yield from (f"{'':9}warning: {reason}" for reason in order.warnings)
    for row in found.skipped:
        yield f"NO ORDER {row.place}: {row.reason}"
    yield "nothing was staged"


def _handed_in(host: Host, account: str | None, name: str, text: str, deploy: Deployment | None) -> str:
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
