"""A minute without room, or a stated 429: queries wait for it, in sight; orders, cancels and exits do not (RK-24)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.execution.breaker import BreakerPhase
from core.execution.ledger import Ledger
from core.facts import BasketOrderSkipped, CallFailed, ReconciliationFailed
from core.messages.commands import Confirm, Kill, OpenTicket, ProposeClose
from core.messages.effects import (
    CancelOrder,
    Effect,
    FetchAccount,
    FetchBooks,
    FetchFigures,
    LookUpOrder,
    SubmitOrder,
)
from core.messages.inputs import (
    AccountFetched,
    BooksFetched,
    CallsCounted,
    ConnectionChanged,
    Input,
    Stop,
    SubmissionAnswered,
)
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.basket import BasketPhase
from core.model.broker import BrokerBooks, BrokerPosition, Capabilities, NoAnswer
from core.model.values import ClientOrderId, Price, Quantity, Symbol
from core.risk.message_counts import QUERIES, MessageCounts, of_an_earlier_run
from core.views import ProtectionRow
from core.workflows.orders.query_queue import RequestPacing
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_house_with_a_proposal, a_typed_buy, at
from tests.scenarios.plans import a_buy, marks, opens, passes, runs_out, signs, the_plan
from tests.scenarios.test_requests_a_minute import LIMIT, RESERVE, a_wide_floor, named
from tests.unit.core.brokers.trading_floor import IBM, SPY

LIMITED = NoAnswer("too many requests", limited_seconds=20)
HOURS = ("10:06", "11:00", STEADY)


def at_a_limit(house: House) -> House:
    house.desk.sightings.capabilities = Capabilities(messages_a_minute=LIMIT)
    return house


def fills_the_minute(house: House, requests: int = LIMIT) -> None:
    """Up to so many."""
    house.desk.messages.count(house.line.at, 0)
    house.desk.messages.count(house.line.at, requests - house.desk.messages.requests(house.line.at))


def leaving(house: House) -> list[tuple[float, type[Effect]]]:
    """From here on, what leaves and after how many seconds."""
    left: list[tuple[float, type[Effect]]] = []
    begun, send = house.line.at, house.line._send

    def note(request: object) -> None:
        left.append(((house.line.at - begun).total_seconds(), type(request.effect)))  # type: ignore[attr-defined]
        send(request)  # type: ignore[arg-type]

    house.line._send = note  # type: ignore[method-assign]
    return left


def first(left: list[tuple[float, type[Effect]]], kind: type[Effect]) -> float | None:
    return next((seconds for seconds, effect in left if effect is kind), None)


def wants_books(house: House) -> None:
    house.desk.sightings.books_are_wanted = True
    house.presses(a_typed_buy())


def row(house: House) -> ProtectionRow:
    return next(row for row in house.line.view().protections if row.key == "message_rate")


def is_read_only(house: House) -> bool:
    return not house.desk.control.state.is_reconciled


def test_a_429_of_the_books_is_no_silence() -> None:
    """EX-09, EX-15: the third in a row would make the desk read-only"""
    house = a_house_in_a_position(HOURS)

    for _ in range(5):
        house.line.take(house.line.at, BooksFetched(LIMITED))
        passes(house, 1)

    assert not is_read_only(house)
    assert house.facts(CallFailed) == []


def test_the_books_wait_for_retry_after() -> None:
    """EX-15: as long as the broker says, and no longer"""
    house = a_house_in_a_position(HOURS)
    house.line.take(house.line.at, BooksFetched(LIMITED))
    left = leaving(house)

    passes(house, 30)

    assert first(left, FetchBooks) == 20


def test_books_that_stay_away_make_it_read_only() -> None:
    """EX-09: three comparisons were due, and none came"""
    house = a_house_in_a_position(HOURS)
    house.line.tamper = lambda effect: effect
    ask = house.line.ask
    house.line.ask = lambda e: BooksFetched(LIMITED) if isinstance(e, FetchBooks) else ask(e)  # type: ignore[method-assign]

    passes(house, 170)
    before = is_read_only(house)
    passes(house, 240)

    assert (before, is_read_only(house)) == (False, True)
    assert house.facts(ReconciliationFailed)


def test_a_429_of_a_query_opens_no_breaker() -> None:
    """EX-15: an order that got one is in doubt, and counts"""
    house = a_house_in_a_position(HOURS)

    for _ in range(10):
        house.line.take(house.line.at, AccountFetched(LIMITED))
    after_queries = house.desk.breaker.phase(house.line.at)
    for _ in range(5):
        house.line.take(house.line.at, SubmissionAnswered(ClientOrderId("x"), LIMITED))

    assert (after_queries, house.desk.breaker.phase(house.line.at)) == (BreakerPhase.CLOSED, BreakerPhase.OPEN)


def test_after_a_429_every_query_waits() -> None:
    """RK-24, EX-15: an exit whose stop would make way waits as well, and its stop stays in force"""
    house = at_a_limit(a_house_in_a_position(HOURS))
    house.line.take(house.line.at, AccountFetched(LIMITED))
    left = leaving(house)

    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 0.5)
    house.confirms()
    passes(house, 18)
    covered = [order.is_cancelling for order in house.desk.ledger.working() if order.is_protective]
    passes(house, 7)

    assert covered == [False]
    assert house.held() == house.held_by_the_broker() == "0"
    assert first(left, FetchFigures) == 0
    assert first(left, CancelOrder) == 20
    assert (first(left, FetchAccount) or 0) > 20


def test_a_full_minute_holds_no_exit_and_no_cancel() -> None:
    """RK-24, EX-22: other requests used all beside the reserve; the shares are sold, books and account wait for room"""
    house = at_a_limit(a_house_in_a_position(HOURS))
    fills_the_minute(house, LIMIT - RESERVE)
    left = leaving(house)

    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 0.5)
    house.confirms()
    wants_books(house)
    passes(house, 40)

    assert house.held_by_the_broker() == "0"
    assert max(first(left, kind) or 99 for kind in (CancelOrder, SubmitOrder)) < 2
    assert {kind for _, kind in left} == {FetchFigures, CancelOrder, SubmitOrder}


def test_what_waits_for_room_is_shown() -> None:
    """EX-09, RK-09: by what it asks for, until it leaves"""
    house = at_a_limit(a_house_in_a_position(HOURS))
    fills_the_minute(house)
    wants_books(house)
    passes(house, 7)
    held, shown = dict(house.desk.sightings.held_queries), row(house)

    passes(house, 60)

    assert list(held) == [FetchBooks]
    assert shown.is_tripped
    assert house.desk.sightings.held_queries == {}
    assert not row(house).is_tripped


def test_a_query_moves_up_while_it_waits() -> None:
    """RK-24, EX-09: what entries may use after ten seconds, never the reserve"""
    found = {}
    for requests in (80, 100, LIMIT - RESERVE - 6, LIMIT - RESERVE - 5):
        house = at_a_limit(a_house_in_a_position(HOURS))
        passes(house, 64)
        fills_the_minute(house, requests)
        left = leaving(house)
        wants_books(house)
        passes(house, 65)
        found[requests] = first(left, FetchBooks)

    *with_room, without = found.values()
    assert with_room == [0, 10, 10]
    assert without is not None
    assert without > 10


def test_wanted_again_a_held_query_is_one() -> None:
    """EX-17: however often it is wanted"""
    house = at_a_limit(a_house_in_a_position(HOURS))
    fills_the_minute(house)
    left = leaving(house)
    for _ in range(20):
        wants_books(house)
        passes(house, 2)

    passes(house, 20.5)

    assert [kind for _, kind in left].count(FetchBooks) == 1


def test_a_kills_cancels_leave_in_a_full_minute() -> None:
    """OP-07, RK-24"""
    house = at_a_limit(a_house_with_a_proposal(("10:06", "10:30", "99.80")))
    house.confirms_at("10:06:02")
    house.until("10:06:10")
    fills_the_minute(house)
    left = leaving(house)

    house.presses(Kill("key"))
    passes(house, 5)

    assert first(left, CancelOrder) == 0
    assert first(left, FetchBooks) is None
    assert not house.entry.is_working


def test_a_look_up_of_an_ended_order_is_dropped() -> None:
    """EX-17: the stream told of it meanwhile"""
    house = at_a_limit(a_house_with_a_proposal(("10:06", "10:30", "99.80")))
    house.confirms_at("10:06:02")
    house.until("10:06:10")
    fills_the_minute(house)
    left = leaving(house)
    list(house.engine._settled(BooksFetched(LIMITED), [LookUpOrder(house.entry.id)], []))

    house.presses(Kill("key"))
    passes(house, 70)

    assert first(left, LookUpOrder) is None


def test_what_an_adapter_adds_is_counted() -> None:
    """RK-24: repeats and further pages, once each"""
    house = at_a_limit(a_house_in_a_position(HOURS))
    fills_the_minute(house, 50)
    before = house.desk.messages.requests(house.line.at)

    for beyond in (3, 3, 10):
        house.line.take(house.line.at, CallsCounted((), beyond))

    assert house.desk.messages.requests(house.line.at) - before == 10


@pytest.mark.parametrize(
    ("is_clean", "away", "assumed"), [(False, 0, 100), (False, 3600, 100), (True, 20, 100), (True, 60, 0)]
)
def test_a_restart_assumes_the_minute_before_it(is_clean: bool, away: int, assumed: int) -> None:
    """RK-24, SP-05: queries of an earlier run are not known; its first books leave at once all the same"""
    house = at_a_limit(a_house_in_a_position(HOURS))
    if is_clean:
        house.line.take(house.line.at, Stop("left"))

    house._take_up(house.line.at + timedelta(seconds=away))
    left = leaving(at_a_limit(house))
    house.opens()
    passes(house, 1)

    assert first(left, FetchBooks) == 0
    assert assumed < house.desk.messages.requests(house.line.at) < assumed + 20


@pytest.mark.parametrize("is_clean", [False, True])
def test_an_unknown_symbol_names_the_run_before(is_clean: bool) -> None:
    """RK-24, SP-05: until when its assumed requests keep the broker from being asked"""
    house = at_a_limit(a_house_in_a_position(HOURS))
    if is_clean:
        house.line.take(house.line.at, Stop("left"))
    until = house.line.at + timedelta(seconds=60)
    house._take_up(house.line.at)
    at_a_limit(house).opens()
    passes(house, 59)
    early = house.desk.messages.assumed_until(house.line.at), house.desk.instrument(Symbol("XYZ"))
    passes(house, 1)
    late = house.desk.messages.assumed_until(house.line.at), house.desk.instrument(Symbol("XYZ"))

    assert (early[0], late[0]) == (until, None)
    assert [f"{until:%M:%S}" in str(each[1]) for each in (early, late)] == [True, False]


def test_what_is_assumed_keeps_both_runs_in_the_limit() -> None:
    """RK-24: either run leaves the reserve alone; what was recorded and a few queries where that is more"""
    most = {limit: of_an_earlier_run(limit, Decimal("0.25")) for limit in (40, LIMIT, 1000)}
    counts = MessageCounts(datetime.date)
    counts.state.recent = [at("10:06")] * 120
    counts.state.before = at("10:06")

    counts.count(at("10:06:30"), 6, most[LIMIT])

    assert most == {40: 20, LIMIT: 100, 1000: 500}
    assert counts.requests(at("10:06:30")) == 126 + QUERIES


def test_a_wide_basket_of_buys_waits_for_room() -> None:
    """RK-24, OP-05: at a limit of 40, none of twelve is left out, and the reserve stays whole"""
    house, meter = a_wide_floor(12)
    house.until("10:02")
    house.desk.sightings.capabilities = Capabilities(messages_a_minute=40)

    opens(house, *(a_buy(name, "10") for name in named(12)))
    marks(house)
    signs(house)
    begun = house.line.at
    runs_out(house, 200)

    assert house.facts(BasketOrderSkipped) == []
    assert meter.by_kind()["SubmitOrder"] == 12
    assert (house.line.at - begun).total_seconds() > 40
    assert meter.most() <= 30


def test_a_typed_exit_never_waits_behind_a_basket() -> None:
    """EX-22: while buys wait for room"""
    house, _ = a_wide_floor(4)
    house.until("10:00")
    opens(house, *(a_buy(name, "10") for name in named(2)))
    marks(house)
    signs(house)
    runs_out(house)
    fills_the_minute(house, LIMIT - RESERVE)
    opens(house, *(a_buy(name, "10") for name in named(4)[2:]))
    marks(house)
    signs(house)
    symbol = house.desk.ledger.positions()[0].symbol
    left = leaving(house)

    house.presses(ProposeClose(symbol))
    proposal = next(p for p in house.desk.stage.proposals() if p.symbol == symbol and p.only_reduces)
    house.presses(OpenTicket(proposal.id))
    passes(house, 0.5)
    ticket = next(t for t in house.desk.stage.state.tickets.values() if t.proposal_id == proposal.id)
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))
    passes(house, 2)

    assert house.held_by_the_broker(symbol) == "0"
    assert (first(left, SubmitOrder) or 99) < 2
    assert len(house.desk.ledger.positions()) == 1


def test_a_full_minute_delays_a_report_and_keeps_it_whole() -> None:
    """EX-10: the broker's positions are in it, though its books waited for room"""
    house, _ = a_wide_floor(2)
    house.until("10:00")
    opens(house, a_buy(named(2)[0], "10"))
    marks(house)
    signs(house)
    while the_plan(house).phase is not BasketPhase.REPORTING:
        fills_the_minute(house, LIMIT - RESERVE - 4)
        passes(house, 0.1)
    begun = house.line.at

    report = runs_out(house, 120)

    assert report.is_of_the_broker
    assert 10 < (house.line.at - begun).total_seconds() < 75


def test_books_after_a_gap_of_the_stream_are_awaited() -> None:
    """EX-09: on every reconnect, in what a quiet minute would keep for entries"""
    house = at_a_limit(a_house_in_a_position(HOURS))
    passes(house, 64)
    for state in (ConnectionState.DOWN, ConnectionState.UP):
        passes(house, 1)
        fills_the_minute(house, LIMIT - RESERVE - 6)
        left = leaving(house)
        house.line.take(house.line.at, ConnectionChanged(ConnectionStatus(Channel.TRADES, state, house.line.at)))

    assert first(left, FetchBooks) == 0


def test_an_order_in_doubt_is_looked_up_at_once() -> None:
    """EX-06: after 2, 4, 8 seconds, in what a quiet minute would keep for entries"""
    house = at_a_limit(a_house_with_a_proposal(HOURS))
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    fills_the_minute(house, LIMIT - RESERVE - 40)
    left = leaving(house)

    house.line.breaks_at(LookUpOrder, arrives=False, times=3)
    passes(house, 20)

    looked_up = [round(seconds) for seconds, kind in left if kind is LookUpOrder]
    assert looked_up[:4] == [0, 2, 6, 14]


def test_quotes_of_known_symbols_need_no_room() -> None:
    """OP-05: a draft has its quotes in a full minute; they are the data service's"""
    house, meter = a_wide_floor(3)
    house.until("10:00")
    opens(house, *(a_buy(name, "10") for name in named(3)))
    passes(house, 1)
    fills_the_minute(house)
    left, before = leaving(house), len(meter.times)

    opens(house, *(a_buy(name, "20") for name in named(3)))

    assert [kind for _, kind in left] == [FetchFigures, FetchFigures]
    assert len(meter.times) == before


def test_the_same_inputs_let_the_same_requests_leave() -> None:
    """MD-05, RK-24: at a limit that holds most of them for a while"""
    runs = []
    for _ in range(2):
        house, meter = a_wide_floor(4)
        house.until("10:02")
        house.desk.sightings.capabilities = Capabilities(messages_a_minute=30)
        opens(house, *(a_buy(name, "10") for name in named(4)))
        marks(house)
        signs(house)
        passes(house, 90)
        runs.append((house.journal.lines, meter.times))

    assert runs[0] == runs[1]
    assert len(runs[0][1]) > 30


def test_an_asset_of_an_unknown_position_is_asked_soon() -> None:
    """EX-09, RK-14: its books are read once more, and no more than once"""
    house, _ = a_wide_floor(1)
    house.until("10:00")
    asked: list[tuple[Symbol, ...]] = []
    ask = house.line.ask

    def with_ibm(effect: Effect) -> Input:
        answer = ask(effect)
        if isinstance(effect, FetchBooks) and isinstance(answer, BooksFetched):
            asked.append(effect.instruments)
            assert isinstance(answer.answer, BrokerBooks)
            ibm = BrokerPosition(IBM, Quantity(Decimal(1)), Price(Decimal(100)))
            return BooksFetched(replace(answer.answer, positions=(ibm,)))
        return answer

    house.line.ask = with_ibm  # type: ignore[method-assign]
    house.desk.sightings.books_are_wanted = True
    house.presses(a_typed_buy())
    passes(house, 5)

    assert asked == [(), (IBM,)]


def test_working_entries_are_counted_once_an_act(monkeypatch: pytest.MonkeyPatch) -> None:
    """RK-24: not once for each query that waits"""
    house = at_a_limit(a_house_in_a_position(HOURS))
    fills_the_minute(house)
    wants_books(house)
    counted: list[Ledger] = []
    monkeypatch.setattr(Ledger, "working_entries", lambda ledger: counted.append(ledger) or ())  # type: ignore[func-returns-value]
    (pacing,) = (workflow for workflow in house.engine.workflows if isinstance(workflow, RequestPacing))

    pacing.paced([FetchAccount(), LookUpOrder(ClientOrderId("a")), LookUpOrder(ClientOrderId("b"))])

    assert len(house.desk.sightings.held_queries) == 3
    assert len(counted) <= 1


@pytest.mark.parametrize("named", [1800, 1e12, float("inf")])
def test_a_429_holds_a_close_for_a_minute(named: float) -> None:
    """EX-15, EX-22: whatever the broker names, or a clock makes of it."""
    house = at_a_limit(a_house_in_a_position(HOURS))
    house.line.take(house.line.at, AccountFetched(NoAnswer("too many requests", limited_seconds=named)))

    house.presses(ProposeClose(SPY))
    passes(house, 1)
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    passes(house, 55)
    during = house.held()
    passes(house, 10)

    assert during == "0.502"
    assert house.held() == house.held_by_the_broker() == "0"
