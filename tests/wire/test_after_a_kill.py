"""What a kill leaves to be said: why an entry ended, what a basket's report is made of, and what REARM asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from core.facts import Fact, OrderStateChanged, Rearmed
from core.messages.commands import BasketRow, Kill, MarkInBasket, OpenBasket, ProposeOrder, Rearm, SignBasket
from core.model.basket import BasketPhase, BasketSource
from core.model.order import Effect, OrderStatus, OrderType, StopHolder
from core.model.values import ClientOrderId, Digest, Price, Quantity
from core.views import IN_DOUBT, BasketView, DeskView
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, Open, environ, eventually, opened, posts, says, status_of, turn, waits, written
from tests.wire.test_leaving import holds_its_news_back

LOOSE = {"KEYTURN_RISK__PER_TRADE__USD": "90000", "KEYTURN_RISK__MAX_NOTIONAL__USD": "90000"}
SOON = {"KEYTURN_EXECUTION__LOOK_UP_FIRST_SECONDS": "0.1", "KEYTURN_EXECUTION__LOOK_UP_LONGEST_SECONDS": "0.4"}
AT_ONCE = {"KEYTURN_EXECUTION__CANCEL_RETRY_SECONDS": "0.2"}
LONG = {"KEYTURN_STAGING__BASKET__BUYS_SECONDS": "100", "KEYTURN_STAGING__BASKET__REPORT_SECONDS": "100"}
"""Longer than any of these tests: no report is made because time is over."""
TWO = Quantity(Decimal(2))


@contextmanager
def a_desk(market: LoopbackExchange, home: Path) -> Iterator[Open]:
    with opened(Host.of(environ(market, home, **LOOSE, **SOON, **AT_ONCE, **LONG))) as desk:
        waits(desk, lambda view: view.status.word == "on", "the books agree")
        yield desk


def limit_and_stop(market: LoopbackExchange) -> tuple[Price, Price]:
    """10 USD below the market, and 20 USD below that."""
    last = market.call(lambda: market.floor.price(SPY)).quantize(Decimal(1))
    return Price(last - 10), Price(last - 30)


def an_entry(market: LoopbackExchange) -> ProposeOrder:
    limit, stop = limit_and_stop(market)
    return ProposeOrder(SPY, Effect.OPEN, TWO, OrderType.LIMIT, limit, stop, StopHolder.BROKER)


def an_entry_in_doubt(market: LoopbackExchange, desk: Open) -> ClientOrderId:
    """The broker has it, and neither says so, nor finds it, nor tells its books."""
    holds_its_news_back(market)
    market.make("drop-after-accepting", of="submit")
    market.make("not-found", of="order", times=1000)
    market.make("server-error", of="orders", times=1000)
    entry = turn(desk, an_entry(market))
    waits(desk, lambda view: [IN_DOUBT in row.marks for row in view.orders] == [True], "it is in doubt")
    return entry


def is_killed(view: DeskView) -> bool:
    return view.status.word == "killed"


def reasons_of_the_end(told: list[Fact], order_id: ClientOrderId) -> list[str]:
    changes = [f for f in told if isinstance(f, OrderStateChanged) and f.client_order_id == order_id]
    return [fact.reason for fact in changes if fact.after is OrderStatus.CANCELLED]


def test_a_kill_cancels_an_unanswered_entry(
    market: LoopbackExchange, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """OP-07, EX-06: what the broker said of it meanwhile is no reason of its end."""
    holds_its_news_back(market)
    market.make("hang-after-accepting", of="submit")
    market.make("not-found", of="order", times=1000)
    with a_desk(market, tmp_path) as desk:
        entry = turn(desk, an_entry(market))
        eventually(lambda: posts(market) == 1, "it is on the wire")
        market.make("server-error", of="orders", times=1000)
        desk.sends(Kill("key"))
        doubted = waits(desk, lambda view: [IN_DOUBT in row.marks for row in view.orders] == [True], "it is in doubt")
        market.end()
        waits(desk, lambda _: status_of(desk, entry) is OrderStatus.CANCELLED, "it is gone")
        view = waits(desk, lambda view: not view.kill.entries_working, "nothing works that could open")

    assert doubted.orders[0].reason == snapshot
    assert [row.reason for row in view.orders if row.id == entry] == ["killed by key"]
    assert reasons_of_the_end(written(desk), entry) == ["killed by key"]


def test_a_kill_retries_a_cancel_not_found(market: LoopbackExchange, tmp_path: Path) -> None:
    """OP-07, EX-15: the kill asks again, and its reason is the one that is kept."""
    with a_desk(market, tmp_path) as desk:
        entry = turn(desk, an_entry(market))
        waits(desk, lambda _: status_of(desk, entry) is OrderStatus.SUBMITTED, "it rests")
        market.make("not-found", of="cancel")
        desk.sends(Kill("key"))
        waits(desk, lambda _: status_of(desk, entry) is OrderStatus.CANCELLED, "it is gone")

    assert len(market.received("DELETE", "/v2/orders/")) == 2
    assert reasons_of_the_end(written(desk), entry) == ["killed by key"]


def test_rearm_with_an_order_in_doubt_asks_again(
    market: LoopbackExchange, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """OP-07: it may work at the broker, and a desk that trades again would meet it."""
    with a_desk(market, tmp_path) as desk:
        entry = an_entry_in_doubt(market, desk)
        desk.sends(Kill("key"))
        waits(desk, is_killed, "the kill")

        desk.sends(Rearm("REARM"))
        asked = waits(desk, lambda view: says(view, "not re-armed") or not is_killed(view), "an answer")
        desk.sends(Rearm("REARM", (entry,)))
        waits(desk, lambda view: not is_killed(view), "the second word is taken")
        market.end()
        waits(desk, lambda _: status_of(desk, entry) is OrderStatus.CANCELLED, "the kill's cancel is not forgotten")

    assert is_killed(asked)
    (line,) = [row.text for row in asked.log if "not re-armed" in row.text]
    assert line == snapshot
    assert [fact for fact in written(desk) if isinstance(fact, Rearmed)] == [Rearmed()]


def test_a_killed_plan_reports_what_is_left(
    market_with_a_past: LoopbackExchange, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """OP-05, OP-07, EX-10: the broker is asked again when what was taken back is gone."""
    market = market_with_a_past
    with a_desk(market, tmp_path) as desk:
        waits(desk, lambda view: says(view, "earlier daily close"), "what the checks measure by")
        signs_a_plan_of_one_entry(market, desk)
        waits(desk, rests, "its entry rests")
        reserved = market.call(market.floor.account).buying_power
        market.make("cancel-pending")
        desk.sends(Kill("key"))
        eventually(lambda: market.received("DELETE", "/v2/orders/"), "the cancel is on the wire")
        is_asked = len(market.received("GET", "/v2/positions"))
        desk.sends(Kill("key"))
        eventually(lambda: len(market.received("GET", "/v2/positions")) > is_asked, "the books are read meanwhile")
        market.end("cancel-pending")
        plan = plan_of(waits(desk, lambda view: plan_of(view).phase is BasketPhase.OVER, "the report"))
        free = market.call(market.floor.account).buying_power

    assert plan.report is not None
    assert [(line.status, line.reason) for line in plan.report.lines] == [(OrderStatus.CANCELLED, "killed by key")]
    assert plan.end_reason == snapshot
    assert plan.report.is_of_the_broker
    assert plan.report.power_after == free > reserved


def signs_a_plan_of_one_entry(market: LoopbackExchange, desk: Open) -> None:
    limit, stop = limit_and_stop(market)
    row = BasketRow("row 1", SPY, Effect.OPEN, TWO, None, OrderType.LIMIT, limit, stop)
    desk.sends(OpenBasket(BasketSource.FILE, "rows.csv", (row,)))
    plan = plan_of(waits(desk, lambda view: view.plan and view.plan.rows, "the basket"))
    desk.sends(MarkInBasket(plan.id, plan.rows[0].proposal_id, True))
    tried: list[Digest] = []

    def is_signed(view: DeskView) -> bool:
        """By the digest that is shown; where a quote has changed it meanwhile, by the one that is shown then."""
        plan = plan_of(view)
        if plan.is_open and plan.digest is not None and tried[-1:] != [plan.digest]:
            tried.append(plan.digest)
            desk.sends(SignBasket(plan.id, plan.digest))
        return not plan.is_open

    waits(desk, is_signed, "the basket runs")


def rests(view: DeskView) -> bool:
    return [row.status for row in view.kill.entries_working] == [OrderStatus.SUBMITTED]


def plan_of(view: DeskView) -> BasketView:
    assert view.plan is not None
    return view.plan
