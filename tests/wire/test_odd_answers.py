"""One row, frame or figure of the exchange is odd, over real sockets: all else is used, and a kill in between loses
nothing (EX-26).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.facts import BrokerMessagesQuarantined, OrderFilled, PositionCorrected, ReconciliationFailed
from core.model.account import Channel
from core.model.codes import ReadOnlyCode
from core.model.order import OrderStatus, Side
from core.model.reconciliation import NO_SYMBOL, DifferenceKind
from core.model.values import ClientOrderId, Symbol
from core.views import DeskView
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import (
    IBM,
    SPY,
    Open,
    a_buy,
    a_buy_of_two,
    a_desk,
    a_market,
    is_held,
    says,
    started,
    status_of,
    turn,
    waits,
    written,
)
from tests.wire.test_contradicting_exchange import ONE_AND_A_HALF, a_filled_entry, as_a_kill_leaves_it
from tests.wire.test_leaving import a_limit

Rows = list[dict[str, Any]]
SOON = {"KEYTURN_RECONCILIATION__EVERY_SECONDS": "5"}


def tells(market: LoopbackExchange, kind: str, change: Callable[[Any], Any]) -> None:
    market.call(lambda: market.door.told_as.update({kind: change}))


def comparisons(desk: Open, market: LoopbackExchange, many: int) -> DeskView:
    """The picture after so many more of them."""
    asked = len(market.received("GET", "/v2/positions"))
    return waits(desk, lambda _: len(market.received("GET", "/v2/positions")) >= asked + 2 * many, "comparisons")


@pytest.fixture
def market() -> Iterator[LoopbackExchange]:
    with a_market(symbols=(SPY, IBM)) as exchange:
        yield exchange


def a_resting_buy(desk: Open, symbol: Symbol = SPY) -> ClientOrderId:
    order = turn(desk, a_limit(desk, "0.99", "1.5", symbol=symbol))
    waits(desk, lambda _: status_of(desk, order) is OrderStatus.SUBMITTED, "it rests")
    return order


def test_rows_out_of_place_are_the_same_books(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-09, EX-26: the newer order first, a millisecond apart; the desk trades on, and one line says it"""
    with a_desk(market, tmp_path / "home", **SOON) as desk:
        first, second = a_resting_buy(desk), a_resting_buy(desk, IBM)
        at = market.floor.papers.of(first).submitted_at
        market.call(lambda: setattr(market.floor.papers.of(second), "submitted_at", at + timedelta(milliseconds=1)))
        tells(market, "orders", lambda rows: rows[::-1])
        seen = comparisons(desk, market, 3)
        lines = [row.text for row in seen.log if "order of their submission" in row.text]

    assert seen.status.word == "on"
    assert (status_of(desk, first), status_of(desk, second)) == (OrderStatus.SUBMITTED, OrderStatus.SUBMITTED)
    assert len(lines) == 1
    assert not any(isinstance(fact, ReconciliationFailed) for fact in written(desk))


def test_a_symbol_in_other_letters_loses_no_stop(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-05, EX-26: in fill, order and position; the machine dies with the fill, and the stop is there once"""
    home = tmp_path / "home"
    small = lambda rows: [{**row, "symbol": row["symbol"].lower()} for row in rows]  # noqa: E731
    with a_desk(market, home, **SOON) as desk:
        tells(market, "positions", small)
        tells(market, "orders", small)
        entry = a_resting_buy(desk)
        market.call(lambda: market.floor.papers.of(entry).said.update(symbol="spy"))
        market.call(lambda: market.floor.fill(entry, ONE_AND_A_HALF))
        waits(desk, is_held(SPY), "the shares")
        left = as_a_kill_leaves_it(home)
        waits(desk, lambda view: view.positions[0].covered == ONE_AND_A_HALF, "its stop")
        comparisons(desk, market, 3)
    with a_desk(market, left, **SOON) as desk:
        waits(desk, lambda view: view.positions and view.positions[0].covered == ONE_AND_A_HALF, "its stop")
        seen = comparisons(desk, market, 2)

    assert (seen.status.word, [row.symbol for row in seen.positions]) == ("on", [SPY])
    assert market.received("DELETE") == []
    exits = [order for order in market.orders() if order.side is Side.SELL]
    assert [order.quantity for order in exits] == [ONE_AND_A_HALF]
    filled = [fact for fact in written(desk) if isinstance(fact, OrderFilled)]
    assert [fact.fill.quantity for fact in filled] == [ONE_AND_A_HALF]


def test_a_fill_with_odd_terms_is_guarded(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-05: nobody can read terms of the order, in the frame, the look-up and the list, as long as it lasts"""
    with a_desk(market, tmp_path / "home", **SOON) as desk:
        entry = a_resting_buy(desk)
        odd = {"limit_price": "about 99", "extended_hours": None, "time_in_force": 7, "qty": ["1.5"]}
        market.call(lambda: market.floor.papers.of(entry).said.update(odd))
        market.call(lambda: market.floor.fill(entry, ONE_AND_A_HALF))
        waits(desk, lambda view: view.positions and view.positions[0].covered == ONE_AND_A_HALF, "its stop")
        seen = comparisons(desk, market, 2)

    assert seen.status.word == "on"
    assert market.received("DELETE") == []
    assert "limit_price 'about 99'" in str([line.odd for line in seen.status.connections])


def test_a_long_position_below_zero_opens_nothing(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-26: it is named, its stop stays, and it is no position of three either"""
    with a_desk(market, tmp_path / "home", **SOON) as desk:
        a_filled_entry(market, desk)
        tells(market, "positions", lambda rows: [{**row, "qty": "-3"} for row in rows])
        waits(desk, lambda view: view.positions[0].is_unread, "it is named")
        seen = comparisons(desk, market, 2)
        desk.sends(a_buy_of_two())
        waits(desk, lambda view: view.proposals or says(view, "cannot be read"), "the refusal")
        differences = desk.runtime.engine.state.control.state.differences

    assert [row.kind for row in differences] == [DifferenceKind.UNREADABLE_POSITION]
    assert (seen.positions[0].quantity, seen.positions[0].covered) == (ONE_AND_A_HALF, ONE_AND_A_HALF)
    assert market.received("DELETE") == []
    assert not any(isinstance(fact, PositionCorrected) for fact in written(desk))


def test_pages_without_an_end_are_named(
    market: LoopbackExchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EX-26: a full page of one instant and no way to the others; the desk is on, and nothing opens"""
    monkeypatch.setattr("core.brokers.alpaca.books.ORDERS_ON_A_PAGE", 4)

    first: Rows = []

    def many(rows: Rows) -> Rows:
        first.extend(rows[:1])
        return [{**row, "id": f"order-{n}", "client_order_id": f"by-hand-{n}"} for row in first[:1] for n in range(4)]

    with a_desk(market, tmp_path / "home", **SOON) as desk:
        entry = a_resting_buy(desk)
        tells(market, "orders", many)
        seen = comparisons(desk, market, 2)
        differences = desk.runtime.engine.state.control.state.differences
        status = status_of(desk, entry)

    unlisted = [row.symbol for row in differences if row.kind is DifferenceKind.UNREADABLE_ORDER]
    assert (seen.status.word, unlisted, status) == ("on", [NO_SYMBOL], OrderStatus.SUBMITTED)


def test_frames_without_data_are_counted(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-26, RK-24: a hundred in a minute ask for the books once, and the next line has their number"""
    with a_desk(market, tmp_path / "home") as desk:
        asked = len(market.received("GET", "/v2/positions"))
        for _ in range(100):
            market.call(lambda: market.trades._say({"stream": "trade_updates", "data": None}))
            desk.waits(lambda _: True, "a moment")
        waits(desk, lambda view: says(view, "99 order updates"), "their number")
        more = len(market.received("GET", "/v2/positions")) - asked

    found = [fact for fact in written(desk) if isinstance(fact, BrokerMessagesQuarantined)]
    assert [(fact.line, fact.count) for fact in found] == [(Channel.TRADES, 1), (Channel.TRADES, 99)]
    assert more <= 2 * (2 + 2), "two for these, two of the clock"


def test_another_account_under_the_same_keys_is_kept_out(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-26, EX-09: at a reading and at a start, read-only with the way out; nothing of it is taken in"""
    home = tmp_path / "home"
    with a_desk(market, home, **SOON) as desk:
        a_filled_entry(market, desk)
        folders = {path.name for path in home.iterdir()}
        posts = len(market.received("POST"))
        tells(market, "account", lambda account: {**account, "account_number": "PA9"})
        tells(market, "positions", lambda _: [])
        waits(desk, lambda view: view.status.word == "read-only", "it is noticed")
        desk.sends(a_buy(SPY, "1"))
        comparisons_of_another(desk, market)
        left = as_a_kill_leaves_it(home)
    with started(market, left, **SOON) as desk:
        waits(desk, lambda view: view.status.word == "read-only", "it is noticed at the start")
        assert {path.name for path in left.iterdir()} == folders
        market.call(market.door.told_as.clear)
        waits(desk, lambda view: view.status.word == "on", "it is its own account again")
        seen = waits(desk, lambda view: view.positions[0].covered, "its stop")

    failed = [fact for fact in written(desk) if isinstance(fact, ReconciliationFailed)]
    assert {fact.code for fact in failed} == {ReadOnlyCode.OTHER_ACCOUNT}
    assert seen.positions[0].covered == ONE_AND_A_HALF
    assert len(market.received("POST")) == posts
    assert market.received("DELETE") == []
    assert not any(isinstance(fact, PositionCorrected) for fact in written(desk))


def comparisons_of_another(desk: Open, market: LoopbackExchange) -> None:
    asked = len(market.received("GET", "/v2/account"))
    waits(desk, lambda _: len(market.received("GET", "/v2/account")) > asked + 1, "it is asked again")
