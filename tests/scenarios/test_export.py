"""What a running engine shows, for a program: positions, orders, trades, quotes and every pane (SY-08)."""

from __future__ import annotations

import csv
import io
import socket
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from console.commands.export import _print_rows, view_over
from console.keymap import PANES as DESK_PANES
from core.facts import DeskAttached
from core.model.order import Side
from core.model.values import Money, Price, Quantity, Symbol
from core.ports import OperatorError
from core.protocol.frames import (
    LARGEST,
    PROTOCOL,
    FrameReader,
    FromEngine,
    Hello,
    Press,
    PressKind,
    Refused,
    Role,
    from_engine,
    pack,
)
from core.runtime.service.desk_connections import LOOKERS
from core.runtime.service.peers import Peer
from core.runtime.virtual import VirtualRuntime
from core.views import DeskView
from core.views.builders.desk import ViewBuilder
from core.views.export import PARTS, TABLES, as_csv, cells, first_of, names_of, public, quote_of, row_of, value_of
from state.engine_socket import connected
from tests.kit.rows import table
from tests.kit.served import Served, at_a_terminal, served, shown
from tests.kit.simulated_runtime import runtime
from tests.kit.waiting import TIMEOUT, until
from tests.scenarios.house import a_house_in_a_position

SPY = Symbol("SPY")


@pytest.fixture
def engine() -> VirtualRuntime:
    return runtime()


@pytest.fixture
def there(timeline: object, engine: VirtualRuntime) -> Iterator[Served]:
    with served(engine) as found:
        until(lambda: engine.at >= engine.pace.free_until)
        yield found


def test_a_program_is_shown_the_desk_and_attaches_none(there: Served, engine: VirtualRuntime) -> None:
    """SY-08: nothing is recorded, and nobody gets control."""
    recorded: list[object] = []
    engine.engine.state.add_listener(lambda _sequence, _at, fact: recorded.append(fact))

    view = view_over(there.connect())
    again = view_over(there.connect())

    assert isinstance(view, DeskView)
    assert again.status.at >= view.status.at
    assert not [fact for fact in recorded if isinstance(fact, DeskAttached)]
    assert engine.engine.state.desks.holder is None
    assert there.service.desks.count == 0


def test_a_program_that_looks_is_not_heard(there: Served, engine: VirtualRuntime) -> None:
    """SY-08, SY-06: a press over its connection is nothing."""
    with there.connect() as connection:
        connection.sendall(pack(Hello(PROTOCOL, "tests", Role.LOOK)) + pack(Press(1, PressKind.KILL)))
        while connection.recv(1 << 18):
            pass

    assert engine.latch.presses == 0


def test_only_so_many_are_shown_at_once(there: Served) -> None:
    """SY-08: they take no desk's place, and one that takes nothing loses its own."""
    lookers = [there.connect() for _ in range(LOOKERS)]
    for connection in lookers:
        connection.sendall(pack(Hello(PROTOCOL, "tests", Role.LOOK)))
    views = [connection.recv(1) for connection in lookers]
    assert there.service.desks.count == 0
    for connection in lookers:
        connection.close()

    until(lambda: not there.service.desks.is_watched)
    assert all(views)
    assert isinstance(view_over(there.connect()), DeskView)


def test_a_program_names_the_symbol_of_its_chart(there: Served) -> None:
    """SY-08: no desk watches one"""
    asked, other = view_over(there.connect(), "SPY"), view_over(there.connect())

    assert asked.chart is not None
    assert (asked.chart.symbol, other.chart) == (SPY, None)
    assert [row["start"] for row in map(row_of, TABLES["chart"].rows(asked))]


def test_a_demo_shows_its_desk_and_takes_no_other(timeline: object, engine: VirtualRuntime) -> None:
    """SY-08: a desk and a press are refused, and nothing is recorded"""
    recorded: list[object] = []
    with shown(engine) as path:
        until(lambda: engine.at >= engine.pace.free_until)
        engine.engine.state.add_listener(lambda _sequence, _at, fact: recorded.append(fact))
        view = view_over(connected(path, TIMEOUT), "SPY")
        answers = [_answer_to(path, role) for role in (Role.DESK, Role.PRESS)]

    assert view.chart is not None
    assert view.chart.symbol == SPY
    assert all(isinstance(answer, Refused) for answer in answers)
    assert not [fact for fact in recorded if isinstance(fact, DeskAttached)]
    assert engine.latch.presses == 0


def test_a_reader_that_takes_nothing_holds_up_no_other(timeline: object, engine: VirtualRuntime) -> None:
    """SY-08: so many are shown a demo at once; the next one is refused, and nothing waits without an end"""
    with shown(engine, in_small_pieces) as path:
        until(lambda: engine.at >= engine.pace.free_until)
        slow = [_looks_at(path) for _ in range(LOOKERS - 1)]
        assert all(connection.recv(1) for connection in slow)

        assert isinstance(view_over(connected(path, TIMEOUT)), DeskView)
        slow.append(_looks_at(path))
        assert slow[-1].recv(1)
        with pytest.raises(OperatorError, match=str(LOOKERS)):
            view_over(connected(path, TIMEOUT))
        assert [_whole(connection) for connection in slow] == [True] * LOOKERS
        assert isinstance(view_over(connected(path, TIMEOUT)), DeskView)


def in_small_pieces(connection: socket.socket) -> Peer:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    return at_a_terminal(connection)


def _looks_at(path: Path) -> socket.socket:
    connection = connected(path, TIMEOUT)
    connection.sendall(pack(Hello(PROTOCOL, "tests", Role.LOOK, symbol="SPY")))
    return connection


def _whole(connection: socket.socket) -> bool:
    """Return whether the rest of a view comes, after its first byte."""
    reader, rest = FrameReader(LARGEST), b"\0"
    with connection:
        while content := connection.recv(1 << 16):
            rest += content
    return len(list(reader.feed(rest))) == 1


def _answer_to(path: Path, role: Role) -> FromEngine:
    reader = FrameReader(LARGEST)
    with connected(path, TIMEOUT) as connection:
        connection.sendall(pack(Hello(PROTOCOL, "tests", role)) + pack(Press(1, PressKind.KILL)))
        return next(from_engine(frame) for frame in reader.feed(connection.recv(1 << 16)))


def test_each_pane_is_exported_with_every_field() -> None:
    """SY-08"""
    view = ViewBuilder(a_house_in_a_position().engine).draw(datetime(2026, 1, 5, 15, 7, tzinfo=UTC))
    names = {pane.value for pane in DESK_PANES} - {"history"}

    assert names <= TABLES.keys()
    for name, exported in TABLES.items():
        rows = [row_of(row) for row in exported.rows(view)]
        assert set(first_of(exported)) <= set(names_of(exported)), name
        assert all(list(row) == names_of(exported) for row in rows), name
        own = {each.name for each in fields(exported.kind)}
        own |= {each.name for part in own & PARTS.keys() for each in fields(PARTS[part])}
        assert set(map(public, own - PARTS.keys())) <= set(names_of(exported)), name
        assert len(set(names_of(exported))) == len(names_of(exported)), name
        read = list(csv.DictReader(io.StringIO(as_csv(names_of(exported), rows))))
        assert len(read) == len(rows), name
    (position,) = [row_of(row) for row in TABLES["positions"].rows(view)]
    assert (position["symbol"], Decimal(position["quantity"])) == ("SPY", view.positions[0].quantity)
    own = {each.name for each in fields(view.positions[0])} - PARTS.keys()
    assert set(map(public, own)) <= position.keys()
    assert {"profit_in_r", "stop_held_by", "closing", "value", "profit_fraction", "unprotected"} <= position.keys()


def test_each_kind_of_figure_is_rounded_as_on_the_desk() -> None:
    """SY-08: prices to four decimals, money to cents, quantities not at all"""
    third = Decimal(1) / 3
    view = ViewBuilder(a_house_in_a_position().engine).draw(datetime(2026, 1, 5, 15, 7, tzinfo=UTC))
    row = replace(
        view.positions[0],
        average_price=Price(100 + third),
        profit=Money(third),
        result_in_risk=third,
        quantity=Quantity(Decimal("0.123456789")),
        targets=(Price(third),),
    )
    found = cells(row)
    assert [found[name] for name in ("average_price", "profit", "profit_in_r", "quantity", "targets")] == [
        "100.3333",
        "0.33",
        "0.3333",
        "0.123456789",
        ["0.3333"],
    ]


def test_a_quote_is_of_a_symbol_that_is_followed() -> None:
    """SY-08"""
    view = ViewBuilder(a_house_in_a_position().engine).draw(datetime(2026, 1, 5, 15, 7, tzinfo=UTC))

    found = quote_of(view, SPY)

    assert found is not None
    assert found["last"] == value_of(next(row.last for row in view.symbols if row.symbol == SPY))
    assert quote_of(view, Symbol("ZZZZ")) is None


@table(
    "value cell",
    (Decimal("1.500"), "1.5"),
    (Decimal("-2"), "-2"),
    (Decimal("175.0914814814814814814814815"), "175.0915"),
    (Decimal("0.00005"), "0.0001"),
    (datetime(2026, 1, 5, 15, tzinfo=UTC), "2026-01-05T15:00:00Z"),
    (Side.BUY, "buy"),
    (None, ""),
    (True, "true"),
    ((), ""),
    ((Decimal(1), Side.SELL), '["1", "sell"]'),
    ("=1+1", "'=1+1"),
    ("a\x1b[2Jb", "a\ufffd[2Jb"),
)
def test_cells_are_plain(value: object, cell: str) -> None:
    """SY-08, SY-06: four decimals at most, and no spreadsheet evaluates a cell."""
    text = as_csv(["one", "two"], [{"one": value_of(value), "two": 1}])

    assert next(csv.reader(io.StringIO(text.partition("\n")[2]))) == [cell, "1"]


def test_a_table_without_rows_has_no_columns_and_its_csv_has(capsys: pytest.CaptureFixture[str]) -> None:
    """SY-08: a script reads the columns; a person reads that there is nothing"""
    found = []
    for as_csv_too in (False, True):
        _print_rows(("symbol", "side"), (), as_csv=as_csv_too, empty="nothing")
        found.append(capsys.readouterr().out.split())
    assert found == [["nothing"], ["symbol,side"]]


def test_no_engine_is_one_line(there: Served) -> None:
    """SY-07"""
    there.service.runtime.leave()
    there.thread.join()

    with pytest.raises(OperatorError):
        view_over(there.connect())
