"""What happened to the account, by the desk's adapter, over HTTP at the loopback exchange."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.commands.assembly.host import Host
from core.brokers.alpaca.books import KINDS, a_non_trade
from core.brokers.alpaca.fields import UnreadableFieldError
from core.facts import ActivitiesCompared, CashMoved
from core.messages.desk_commands import CompareActivities
from core.model.reconciliation import ActivityKind, DropCopy
from core.model.values import plain
from tests.kit.rows import cases
from tests.kit.timeline import timeline
from tests.unit.core.brokers.alpaca_door import Door, Says, a_broker, a_door, an_account_json
from tests.wire.clients import a_market_order, trading_client
from tests.wire.desk_side import a_desk_broker
from tests.wire.exchange.clocks import StillClock
from tests.wire.exchange.server import MORNING, LoopbackExchange
from tests.wire.open_desk import TODAY, Open, a_market, environ, opened, says, two_shares_are_bought, written

SINCE = date(2026, 11, 16)
EVENTS = (
    "2026-11-19 interest 0.12; 2026-11-19 transfer -120.50; 2026-11-20 dividend SPY 0.333; 2026-11-23 split SPY 2:1"
)
FEES = Decimal("0.0000206"), Decimal("0.000195")
A_DAY_ON = 24 * 3600


def test_each_kind_of_activity_is_read() -> None:
    """EX-09: each as what it is, money exact."""
    with LoopbackExchange(clock=StillClock(MORNING), events=EVENTS, fees=FEES) as exchange:
        client = trading_client(exchange)
        client.submit_order(a_market_order("entry", quantity="5"))
        client.submit_order(a_market_order("exit", side="sell", quantity="2"))
        exchange.moves_on(5 * A_DAY_ON)

        copy = a_desk_broker(exchange).activities(SINCE)

    assert isinstance(copy, DropCopy)
    assert [(fill.side.value, plain(fill.execution.quantity)) for fill in copy.fills] == [("buy", "5"), ("sell", "2")]
    told = [(one.kind, one.day.day, plain(one.amount)) for one in copy.activities]
    assert told[:2] == [(ActivityKind.INTEREST, 19, "0.12"), (ActivityKind.TRANSFER, 19, "-120.5")]
    fees = [(kind, day) for kind, day, _ in told if kind is ActivityKind.FEE]
    assert fees == [(ActivityKind.FEE, 19)] * 2
    assert (ActivityKind.DIVIDEND, 20, "1") in told
    (split,) = [one for one in copy.activities if one.kind is ActivityKind.SPLIT]
    assert (split.symbol, split.quantity) == ("SPY", 3)
    assert [plain(position.quantity) for position in copy.positions] == ["6"]
    assert copy.unreadable == ()


def test_a_desk_records_each_activity_once(tmp_path: Path) -> None:
    """EX-09, SP-05: at a start, when the operator asks, and at the next start; a purchase lies between."""
    yesterday = TODAY - timedelta(days=1)
    events = f"{yesterday} interest 0.12; {yesterday} fee -0.35"
    with a_market(events=events) as market:
        keyturn = Host.of(environ(market, tmp_path))
        with opened(keyturn) as desk:
            desk.waits(lambda view: says(view, "activities agree with the journal"), "the first list")
            desk.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree, and a price")
            two_shares_are_bought(desk)
            desk.waits(lambda view: view.positions and view.positions[0].covered == 2, "a covered position")
            compares(desk)
        with opened(keyturn) as desk:
            desk.waits(lambda view: view.status.word == "on", "the books agree")
            compares(desk)
        facts = written(desk)

    moved = [fact.amount for fact in facts if isinstance(fact, CashMoved)]
    assert moved == [Decimal("0.12"), Decimal("-0.35")]
    lists = [fact for fact in facts if isinstance(fact, ActivitiesCompared)]
    assert [fact.differences for fact in lists] == [()] * 3
    assert lists[0].cash > lists[1].cash == lists[2].cash


def compares(desk: Open) -> None:
    """The operator asks for a list, and it is here."""
    book = desk.runtime.engine.state.activities
    before = book.state.as_of
    timeline().advance(1)
    desk.sends(CompareActivities())
    desk.waits(lambda _: book.state.as_of != before, "another list", 90)  # a start leaves room for the minute before it


def test_every_page_of_activities_is_read_once() -> None:
    """EX-09: 250 fees are three pages."""
    events = ";".join(f"2026-11-19 fee -0.{number:03d}" for number in range(1, 251))
    with LoopbackExchange(clock=StillClock(MORNING), events=events) as exchange:
        exchange.moves_on(60)
        copy = a_desk_broker(exchange).activities(SINCE)

    assert isinstance(copy, DropCopy)
    assert len({one.id for one in copy.activities}) == len(copy.activities) == 250
    assert sum(one.amount for one in copy.activities) == Decimal("-31.375")


def an_activity_json(**fields: Any) -> dict[str, Any]:
    usual = {"id": "20261119000000000::1", "activity_type": "DIV", "date": "2026-11-19", "net_amount": "2.51"}
    return {**usual, **fields}


def answers(*activities: object) -> tuple[Says, ...]:
    account = Says(200, an_account_json())
    return account, Says(200, list(activities)), Says(200, []), account


def the_copy(door: Door) -> DropCopy:
    copy = a_broker(door).activities(SINCE)
    assert isinstance(copy, DropCopy)
    return copy


@cases(
    "fields words",
    ({"net_amount": "lots"}, "net_amount 'lots' is no number"),
    ({"date": "yesterday"}, "date is no day"),
    ({"currency": "EUR"}, "currency EUR is not USD"),
    ({"activity_type": None}, "activity_type is missing"),
    ({"qty": "NaN", "symbol": "SPY"}, "qty 'NaN' is no number"),
)
def test_an_unreadable_activity_is_named(fields: dict[str, Any], words: str) -> None:
    """EX-09: nothing is lost."""
    odd = an_activity_json(id="20261119000000000::2", **fields)
    with a_door(*answers(an_activity_json(), odd)) as door:
        copy = the_copy(door)

    assert [one.id for one in copy.activities] == ["20261119000000000::1"]
    (unread,) = copy.unreadable
    assert (unread.id, unread.reason) == ("20261119000000000::2", f"activity 20261119000000000::2: {words}")


def test_figures_that_move_meanwhile_are_read_again() -> None:
    """EX-09: the list and the cash are of one moment."""
    first, page, held, later = Says(200, an_account_json(cash="1")), *answers(an_activity_json())[1:]
    with a_door(first, page, held, later, *answers(an_activity_json())) as door:
        copy = the_copy(door)

        assert copy.account.cash == Decimal(an_account_json()["cash"])
        assert len(door.asked) == 8


def test_activity_text_loses_control_characters() -> None:
    """EX-09, MD-07"""
    odd = a_non_trade(an_activity_json(activity_type="GIFT", activity_sub_type="S" * 190))

    assert odd.kind is ActivityKind.OTHER
    assert odd.words.startswith("GIFT SSS")
    assert len(odd.words) == 160
    with pytest.raises(UnreadableFieldError, match="no plain text"):
        a_non_trade(an_activity_json(activity_sub_type="red\x1b[31m"))


def test_a_cancelled_activity_moves_no_cash() -> None:
    """EX-09"""
    gone = a_non_trade(an_activity_json(status="canceled", qty="10", symbol="SPY"))

    assert (gone.amount, gone.quantity, gone.words) == (0, None, "DIV, cancelled")
    assert KINDS["DIV"] is gone.kind
