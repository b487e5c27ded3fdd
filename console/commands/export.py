"""`keyturn positions`, `orders`, `trades`, `quote` and `export`: print the desk's rows of a running engine.

They only read: no desk is attached, nobody takes control, and nothing is recorded (SY-08).
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.commands.shared import Account, AsJson, host_of, print_json, say
from core.ports import OperatorError

if TYPE_CHECKING:
    from core.views import DeskView
    from core.views.export import Exported
    from state.files import AccountFolder

PATIENCE = 10.0
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
    pane: Annotated[str, typer.Argument(help="proposals, positions, orders, trades, protections, watch …")],
    account: Account = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Print the rows of any pane, as the running engine's desk shows them.

    Example: keyturn export protections --csv
    """
    _print(context, pane, account, as_json=as_json, as_csv=as_csv)


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
    found = quote_of(_picture(context, account), asked)
    if found is None:
        raise OperatorError(f"{asked}: the engine does not follow it; add it to a watchlist")
    if as_json:
        print_json(found)
    else:
        _print_rows(list(found), [found], as_csv=as_csv)


def _print(context: typer.Context, pane: str, account: str | None, *, as_json: bool, as_csv: bool) -> None:
    from core.views.export import PANES, cells, first_of, names_of

    if pane not in PANES:
        raise OperatorError(f"{pane}: no such pane; one of {', '.join(PANES)}")
    exported: Exported = PANES[pane]
    rows = [cells(row) for row in exported.rows(_picture(context, account))]
    if as_json:
        print_json(rows)
    else:
        _print_rows(names_of(exported) if as_csv else first_of(exported), rows, as_csv=as_csv)


def _print_rows(names: Sequence[str], rows: Sequence[dict[str, Any]], *, as_csv: bool) -> None:
    from core.views.export import as_csv as csv_of

    if as_csv:
        for text in csv_of(names, rows).splitlines():
            say(text)
        return
    table = [[name.replace("_", " ") for name in names]]
    table += [["" if row[name] is None else str(row[name]) for name in names] for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(len(names))]
    for line in table:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _picture(context: typer.Context, account: str | None) -> DeskView:
    from state.accounts import account_of

    return picture_of(account_of(host_of(context).home, account))


def picture_of(folder: AccountFolder) -> DeskView:
    """Return the current view of the account's engine. Raises `OperatorError`."""
    from state.engine_socket import connected

    return picture_over(connected(folder.engine_socket, PATIENCE))


def picture_over(connection: socket.socket) -> DeskView:
    """Return one view from the engine at the other end, and close the connection. Raises `OperatorError`."""
    from importlib.metadata import version

    from core.protocol.codec import FrameError, decode_view
    from core.protocol.frames import LARGEST, PROTOCOL, FrameReader, Hello, Picture, Refused, Role, from_engine, pack
    from core.views import DeskView
    from state.release import release

    reader = FrameReader(LARGEST)
    try:
        with closing(connection):
            connection.sendall(pack(Hello(PROTOCOL, release(version("keyturn")), Role.LOOK)))
            while content := connection.recv(AT_ONCE):
                for frame in reader.feed(content):
                    told = from_engine(frame)
                    if isinstance(told, Refused):
                        raise OperatorError(told.words)
                    if isinstance(told, Picture):
                        view = decode_view(told.value)
                        assert isinstance(view, DeskView)
                        return view
    except FrameError as error:
        raise OperatorError(f"the engine's answer cannot be read: {error}; `keyturn engine restart`") from None
    except OSError as error:
        raise OperatorError(f"the engine does not answer ({error}); see `keyturn status`") from None
    raise OperatorError("the engine is not ready; see `keyturn status`")
