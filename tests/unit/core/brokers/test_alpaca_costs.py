"""What each task of the desk takes of Alpaca's trading API, as it is counted before it leaves (RK-24)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.execution.gateway import COSTS, requests_of
from core.market.port import MarketData
from core.messages.effects import (
    CancelOrder,
    Effect,
    FetchAccount,
    FetchActivities,
    FetchBooks,
    FetchClock,
    FetchFigures,
    FetchSessions,
    LookUpOrder,
    LookUpSymbols,
    ReplaceOrder,
    SubmitOrder,
)
from core.messages.inputs import AccountFetched, BooksFetched
from core.model.account import Account
from core.model.bar import NoQuote
from core.model.broker import BrokerBooks
from core.model.staging import Approval
from core.model.values import BrokerOrderId, Digest, ProposalId, Symbol, TicketId
from core.runtime.call_record import counted
from core.runtime.clock_guard import ClockGuard
from core.runtime.pending_requests import RequestExecutor
from core.settings.settings import Settings
from tests.unit.core.brokers.alpaca_door import (
    NOON,
    OURS,
    Asked,
    Behaviour,
    Door,
    Drops,
    Says,
    a_broker,
    a_buy,
    a_door,
    a_position_json,
    an_account_json,
    an_asset_json,
    an_order_json,
)

pytestmark = pytest.mark.usefixtures("timeline")

THEIRS = BrokerOrderId("61e69015-8549-4bfd-b9c3-01e75843f47d")
SPY, IBM = Symbol("SPY"), Symbol("IBM")
APPROVAL = Approval("a", TicketId("t"), None, Digest("digest"), NOON + timedelta(seconds=5))
ASSETS = {
    FetchFigures(ProposalId("p"), None, SPY): 1,
    FetchFigures(ProposalId("p"), None, SPY, is_quote_alone=True): 1,
    FetchBooks((SPY, IBM)): 2,
    LookUpSymbols((SPY, IBM), NOON, NOON): 2,
}
"""Tasks that ask for assets too, with how many."""
TASKS: tuple[Effect, ...] = (
    SubmitOrder(a_buy(), APPROVAL), ReplaceOrder(a_buy(replaces="another"), APPROVAL, THEIRS),
    CancelOrder(OURS, THEIRS), LookUpOrder(OURS), FetchAccount(), FetchClock(), FetchBooks(),
    FetchSessions(NOON.date(), NOON.date()),
    FetchActivities(NOON.date()), *ASSETS,
)  # fmt: skip


class NoMarket:
    """Quotes and history cost nothing of the trading API."""

    def quote(self, _symbol: Symbol) -> NoQuote:
        return NoQuote("none")

    def history(self, *_asked: object) -> list[Any]:
        return []


def asset(asked: Asked) -> Behaviour:
    return Says(200, an_asset_json(symbol=asked.path.rsplit("/", 1)[1]))


def alpaca(door: Door) -> Door:
    order = Says(200, an_order_json())
    door.routes = {
        "POST /v2/orders": order, f"PATCH /v2/orders/{THEIRS}": order, f"DELETE /v2/orders/{THEIRS}": Says(204),
        "GET /v2/orders:by_client_order_id": order, "GET /v2/account": Says(200, an_account_json()),
        "GET /v2/account/activities": Says(200, []),
        "GET /v2/clock": Says(200, {"timestamp": "2026-11-20T12:00:00-05:00", "is_open": True}),
        "GET /v2/calendar": Says(200, []), "GET /v2/orders": Says(200, []),
        "GET /v2/positions": Says(200, [a_position_json()]),
        "GET /v2/assets/SPY": asset, "GET /v2/assets/IBM": asset,
    }  # fmt: skip
    return door


def test_every_task_takes_what_is_counted_for_it() -> None:
    """RK-24: a new kind of task needs its line in the table"""
    taken = {}
    for task in TASKS:
        with a_door() as door:
            broker = a_broker(alpaca(door))
            market: MarketData = NoMarket()  # type: ignore[assignment]
            RequestExecutor(broker, market).ask(task, Settings())
            taken[task] = len(door.asked)
            assert counted(broker).beyond == 0

    assert taken == {task: (requests_of(task) or 0) + ASSETS.get(task, 0) for task in TASKS}
    assert {type(task) for task in TASKS} == set(COSTS)


def test_repeats_and_second_looks_are_told() -> None:
    """RK-24: all that is sent is counted before it leaves, or told behind it"""
    filled = an_order_json(status="filled", filled_qty="10", filled_avg_price="100.5")
    held = an_order_json(order_class="oto", legs=None)
    stories: dict[Effect, tuple[Behaviour, ...]] = {
        FetchAccount(): (Drops(), Says(429, b"", {"Retry-After": "1"}), Says(200, an_account_json())),
        LookUpOrder(OURS): (Says(200, filled), Says(200, [])),
        LookUpOrder(OURS, with_legs=True): (Says(200, held), Drops()),
        CancelOrder(OURS, None): (Says(200, an_order_json()), Says(504), Says(204)),
        FetchBooks(): (Says(200, an_account_json()), Says(200, [])),
    }
    told = {}
    for task, answers in stories.items():
        with a_door(*answers) as door:
            broker = a_broker(alpaca(door))
            door.routes[f"GET /v2/orders/{THEIRS}"] = Says(200, held)
            RequestExecutor(broker, NoMarket()).ask(task, Settings())  # type: ignore[arg-type]
            told[task] = len(door.asked), (requests_of(task) or 0) + counted(broker).beyond

    assert all(sent == known for sent, known in told.values()), told
    assert [sent for sent, _ in told.values()] == [3, 2, 3, 3, 12]


def test_an_account_is_dated_by_the_desks_time() -> None:
    """EX-22, EX-23: a look-up compares its date with the desk's own times; the machine's clock may be an hour off."""
    steady = [100.0]
    guard = ClockGuard(lambda: NOON - timedelta(hours=1), lambda: steady[0], NOON)
    with a_door() as door:
        asking = RequestExecutor(a_broker(alpaca(door)), NoMarket(), guard)  # type: ignore[arg-type]

        account, books = (asking.ask(task, Settings()) for task in (FetchAccount(), FetchBooks()))

        assert isinstance(account, AccountFetched)
        assert isinstance(account.answer, Account)
        assert isinstance(books, BooksFetched)
        assert isinstance(books.answer, BrokerBooks)
        assert (account.answer.at, books.answer.account.at) == (NOON, NOON)
