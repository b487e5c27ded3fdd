"""Reconciliation: what is taken in, what is corrected, and what makes the desk read-only."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import Kill, ProposeClose, Rearm
from core.messages.effects import CancelOrder, Effect, FetchBooks, LookUpOrder
from core.messages.inputs import BooksFetched, ConnectionChanged, Input, LookUpAnswered
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.bar import Bar
from core.model.broker import BrokerBooks, BrokerPosition
from core.model.codes import ReadOnlyCode
from core.model.order import OrderStatus, Side
from core.model.reconciliation import DifferenceKind
from core.model.signal import ExitReason
from core.model.values import Price, Quantity, Symbol, plain
from core.settings.risk import RiskSettings
from core.settings.settings import Settings
from core.settings.types import AmountSettings
from core.workflows.operator.kill_switch import REARM
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.elsewhere import others_order
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_house_with_a_proposal, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, a_bar, at

FRIDAY = date(2026, 11, 20)


def holding(symbol: str, quantity: str) -> BrokerPosition:
    return BrokerPosition(Symbol(symbol), Quantity(Decimal(quantity)), Price(Decimal(100)))


def books(house: House) -> BrokerBooks:
    """What the broker's books say now."""
    fetched = house.line.ask(FetchBooks())
    assert isinstance(fetched, BooksFetched)
    assert isinstance(fetched.answer, BrokerBooks)
    return fetched.answer


def compares(house: House, *positions: BrokerPosition, **others: tuple[()]) -> None:
    """The broker's books arrive, with these positions; without its orders of more than a week ago where told. An order
    of somebody else explains what is gone.
    """
    there = {position.symbol: position.quantity for position in positions}
    ledger = house.desk.ledger
    gone = {p.symbol: ledger.net_quantity(p.symbol) - there.get(p.symbol, Decimal(0)) for p in ledger.positions()}
    sold = tuple(others_order(Side.SELL, plain(shares), symbol) for symbol, shares in gone.items() if shares > 0)
    fetched = replace(books(house), positions=positions, **others)
    house.line.take(house.line.at, BooksFetched(replace(fetched, orders=(*fetched.orders, *sold))))


def a_quiet_house() -> House:
    return House(minutes("09:55", "10:30", "99.60")).opens().until("10:06")


def test_nothing_opens_before_the_first_comparison(snapshot: SnapshotAssertion) -> None:
    """EX-09"""
    house = House(minutes("09:30", "10:30", "99.60"))
    house.line.breaks_at(FetchBooks, arrives=True)
    house.opens().until("09:30:05")

    house.presses(a_typed_buy())

    failed = house.last(facts.ReconciliationFailed)
    assert failed.code is ReadOnlyCode.UNREACHABLE
    assert [failed.reasons, house.last(facts.ProposalSkipped).reasons] == snapshot


def test_unreachable_broker_is_asked_again() -> None:
    """EX-09"""
    house = House(minutes("09:30", "10:30", "99.60"))
    house.line.breaks_at(FetchBooks, arrives=True)

    house.opens().until("09:30:15")

    assert len(house.facts(facts.ReconciliationPassed)) == 1
    assert house.desk.control.refusal() is None


def test_urgent_question_does_not_wait() -> None:
    """EX-09, EX-22: what is owed a stop waits for that answer."""
    house = House(minutes("09:30", "10:30", "99.60"))
    house.line.breaks_at(FetchBooks, arrives=True)
    house.opens()
    house.presses(Kill("key"))
    house.presses(Rearm(REARM))

    house.until("09:30:05")

    assert len(house.facts(facts.ReconciliationFailed)) == len(house.facts(facts.ReconciliationPassed)) == 1


def test_agreement_is_recorded_once() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house, holding("SPY", "0.502"))
    compares(house, holding("SPY", "0.502"))

    assert [r.corrections for r in house.facts(facts.ReconciliationPassed)] == [()]


def test_small_difference_is_corrected(snapshot: SnapshotAssertion) -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house, holding("SPY", "0.500"))

    assert house.held() == "0.5"
    assert house.desk.ledger.position(SPY, "vwap") is not None
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.502")
    assert (
        house.last(facts.ReconciliationPassed).corrections == (house.last(facts.PositionCorrected).reason,) == snapshot
    )


@pytest.mark.parametrize(("theirs", "is_corrected"), [("0.400", True), ("0.399", False)])
def test_five_percent_are_corrected_and_no_more(theirs: str, is_corrected: bool) -> None:
    """EX-09: ours are 0.420 shares, 0.02 more than the broker's 0.400."""
    risk = RiskSettings(max_notional=AmountSettings(usd=Decimal("41.90"), of_equity=None))
    house = a_house_with_a_proposal(settings=Settings(risk=risk))
    house.confirms_at("10:06:02")
    house.until("10:06:30")

    compares(house, holding("SPY", theirs))

    assert house.facts(facts.OrderFilled)[0].fill.quantity == Decimal("0.420")
    assert bool(house.facts(facts.PositionCorrected)) is is_corrected
    assert (house.desk.control.refusal() is None) is is_corrected
    if not is_corrected:
        assert house.last(facts.ReconciliationFailed).code is ReadOnlyCode.APART
        assert house.held() == "0.42"


def test_three_unknown_positions_are_taken_over() -> None:
    """EX-09"""
    house = a_quiet_house()

    compares(house, holding("AAA", "1"), holding("BBB", "2"), holding("CCC", "-3"))

    held = {p.symbol: plain(p.quantity) for p in house.desk.ledger.positions()}
    assert held == {"AAA": "1", "BBB": "2", "CCC": "-3"}
    assert {p.strategy for p in house.desk.ledger.positions()} == {"broker"}


def test_four_unknown_positions_make_it_read_only(snapshot: SnapshotAssertion) -> None:
    """EX-09"""
    house = a_quiet_house()

    compares(house, holding("AAA", "1"), holding("BBB", "2"), holding("CCC", "3"), holding("DDD", "4"))

    assert house.desk.ledger.positions() == ()
    assert house.last(facts.ReconciliationFailed).code is ReadOnlyCode.APART
    assert house.desk.control.refusal() == snapshot


def test_position_missing_at_the_broker_is_removed() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house)

    assert house.held() == "0"


def test_read_only_desk_still_closes() -> None:
    """EX-09, RK-22"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    compares(house, holding("SPY", "9"))
    assert house.desk.control.refusal() is not None

    house.presses(ProposeClose(SPY))
    house.confirms_at("10:06:40")
    house.until("10:06:50")

    assert house.held() == house.held_by_the_broker() == "0"


def test_read_only_close_is_capped_by_the_broker(snapshot: SnapshotAssertion) -> None:
    """EX-09: its own books say more, and only a close of what the broker holds passes."""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    held = Decimal(house.held())
    compares(house, holding("SPY", "0.1"))
    assert house.desk.control.refusal() is not None

    house.presses(ProposeClose(SPY))

    assert held > house.proposal.order.quantity == Decimal("0.1")
    assert house.proposal.reason == snapshot


def test_restart_is_read_only_until_compared(snapshot: SnapshotAssertion) -> None:
    """EX-09, EX-20"""
    house = a_quiet_house()
    house.restarted()

    at_once = house.desk.control.refusal()
    house.until("10:06:01")

    assert at_once == snapshot
    assert house.desk.control.refusal() is None


def times_asked(house: House) -> int:
    return sum(isinstance(message, BooksFetched) for message in house.line.heard)


def the_order_stream_is(house: House, state: ConnectionState) -> None:
    house.line.take(house.line.at, ConnectionChanged(ConnectionStatus(Channel.TRADES, state, since=house.line.at)))


def test_comparison_runs_each_minute_of_a_session() -> None:
    """EX-09"""
    house = House(minutes("15:50", "15:59", "99.60")).opens()

    in_session = times_asked(house.until("15:59:30"))
    at_night = times_asked(house.until("16:30")) - in_session

    assert (in_session, at_night) == (10, 0)


def a_house_of_extended_hours(policy: str, *more: Bar) -> House:
    """It has traded on Thursday, and Friday's session is told as well."""
    settings = Settings.model_validate(
        {
            "risk": {
                "session": {"policy": policy},
                "window_start": "00:00",
                "window_end": "23:59",
                "max_notional": {"usd": "500"},
            },
            "strategies": {"vwap": {"enabled": False}},
            "reconciliation": {"every_seconds": 60},
        }
    )
    bars = [*minutes("15:50", "15:59"), *minutes("09:30", "09:40", "100", FRIDAY), *more]
    return House(bars, settings, cash=Decimal(2000)).opens()


def works_from(house: House, clock: str) -> House:
    """An entry far below the market, typed and confirmed then on Friday."""
    house.until(clock, FRIDAY)
    house.presses(a_typed_buy("0.2", limit="99.00", stop="98.00"))
    confirms_now(house)
    passes(house, 5)
    assert house.entry.status is OrderStatus.SUBMITTED
    return house


EARLY_FALL = a_bar("08:30", "99.40 99.40 98.90 99.20", day=FRIDAY)
"""Touches it an hour before the open."""


def test_unheard_fill_before_the_open_is_guarded() -> None:
    """EX-09, OP-06"""
    house = works_from(a_house_of_extended_hours("include_extended", EARLY_FALL), "08:00")
    house.line.is_deaf = True

    house.until("08:32:10", FRIDAY)

    assert house.held() == house.held_by_the_broker() == "0.2"
    assert [stop.status for stop in house.stops] == [OrderStatus.SUBMITTED]


def test_stream_down_before_the_open_polls() -> None:
    """EX-17"""
    house = works_from(a_house_of_extended_hours("include_extended", EARLY_FALL), "08:00")
    the_order_stream_is(house, ConnectionState.DOWN)
    before = times_asked(house.until("08:10", FRIDAY))

    a_minute = times_asked(house.until("08:11", FRIDAY)) - before
    house.line.is_deaf = True
    house.until("08:31:10", FRIDAY)

    assert a_minute == 12
    assert house.held() == "0.2"


def test_held_positions_are_compared_until_the_night() -> None:
    """EX-09, EX-17: from 04:00 to 20:00, and from the next 04:00 on."""
    house = a_house_of_extended_hours("regular_only").until("15:55")
    house.presses(a_typed_buy("0.2", limit="100.10", stop="99.00"))
    confirms_now(house)
    house.until("17:00")
    assert house.held() == "0.2"

    def asked(until: str, day: date = THURSDAY) -> int:
        before = times_asked(house)
        return times_asked(house.until(until, day)) - before

    assert asked("18:00") == 60
    assert asked("20:00:05") == 120
    assert asked("03:59:55", FRIDAY) == 0
    assert asked("05:00:05", FRIDAY) == 61


@pytest.mark.parametrize(("policy", "asked"), [("regular_only", 0), ("include_extended", 241)])
def test_flat_desk_follows_the_session_policy(policy: str, asked: int) -> None:
    """EX-09"""
    house = a_house_of_extended_hours(policy).until("20:00:05")

    at_night = times_asked(house)
    before = times_asked(house.until("03:59:55", FRIDAY))
    morning = times_asked(house.until("08:00:05", FRIDAY)) - before

    assert (before - at_night, morning) == (0, asked)


def test_storm_of_reconnects_asks_once() -> None:
    """EX-09: a storm of reconnects."""
    house = a_quiet_house().until("10:06:30")
    before = times_asked(house)

    for _ in range(20):
        the_order_stream_is(house, ConnectionState.DOWN)
        the_order_stream_is(house, ConnectionState.UP)
    house.until("10:06:40")

    assert times_asked(house) - before == 2


def test_question_during_a_fetch_is_asked_once_after() -> None:
    """EX-09: the picture on its way may be older than the gap."""
    house = a_quiet_house().until("10:06:30")
    house.slows_down(3)
    the_order_stream_is(house, ConnectionState.DOWN)
    the_order_stream_is(house, ConnectionState.UP)
    before = times_asked(house.until("10:06:31"))

    the_order_stream_is(house, ConnectionState.DOWN)
    the_order_stream_is(house, ConnectionState.UP)
    house.until("10:06:50")

    assert times_asked(house) - before == 2


def test_third_unanswered_question_makes_it_read_only() -> None:
    """EX-09"""
    house = a_quiet_house().until("10:06:30")
    house.line.breaks_at(FetchBooks, arrives=False, times=3)

    house.until("10:07:15")
    after_two = house.desk.control.refusal()
    house.until("10:07:25")

    assert after_two is None
    assert house.last(facts.ReconciliationFailed).code is ReadOnlyCode.UNREACHABLE
    assert house.desk.control.refusal() is not None
    assert house.until("10:07:40").desk.control.refusal() is None


def kinds(house: House) -> list[str]:
    return [difference.kind.value for difference in house.last(facts.ReconciliationPassed).differences]


def test_difference_names_both_sides() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house, holding("SPY", "0.500"), holding("AAA", "2"))

    found = house.last(facts.ReconciliationPassed).differences
    assert [(d.kind.value, d.symbol, d.local, d.broker) for d in found] == [
        ("missing_local", "AAA", None, "2"),
        ("quantity_mismatch", "SPY", "0.502", "0.5"),
    ]


def test_missing_position_is_an_error() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house)

    (found,) = house.last(facts.ReconciliationPassed).differences
    assert (found.kind, found.is_error, found.local, found.broker) == (
        DifferenceKind.MISSING_BROKER,
        True,
        "0.502",
        None,
    )


def test_unlisted_order_is_looked_up() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    house.line.take(house.line.at, BooksFetched(replace(books(house), orders=())))

    assert kinds(house) == ["orphaned_order"]
    house.until("10:06:40")
    assert any(isinstance(message, LookUpAnswered) for message in house.line.heard[-5:])


def an_entry_that_filled_unheard() -> House:
    """It is 10:12: five shares were bought, with their stop, in the week that the broker's list leaves out by now."""
    bars = [*minutes("09:30", "10:10"), *minutes("10:11", "10:30", "99.40")]
    house = House(bars, ROOMY, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(a_typed_buy("5", limit="99.60", stop="98.60"))
    confirms_now(house)
    house.until("10:10:50")
    house.line.is_deaf = True
    house.line.breaks_at(FetchBooks, arrives=False, times=99)
    house.until("10:12")
    house.line.is_deaf = False
    house.line.mends()
    assert (house.held(), house.held_by_the_broker()) == ("0", "5")
    return house


def test_unlisted_entry_counts_once_with_its_stop() -> None:
    """EX-09, EX-13: its fill came with the books and once more with its look-up, and its stop was cancelled between"""
    house = an_entry_that_filled_unheard()

    compares(house, holding("SPY", "5"), orders=())
    house.until("10:14")

    assert house.facts(facts.PositionCorrected) == []
    assert house.held() == house.held_by_the_broker() == "5"
    assert [(stop.status, stop.remaining) for stop in house.stops] == [(OrderStatus.SUBMITTED, 5)]
    assert house.desk.control.refusal() is None


def test_unlisted_filled_stop_counts_once() -> None:
    """EX-09: our books were corrected to nothing, and sold once more with its look-up"""
    house = a_house_in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:30", "99.60 99.60 98 98"))
    house.line.is_deaf = True
    house.line.breaks_at(FetchBooks, arrives=False, times=99)
    house.line.breaks_at(LookUpOrder, arrives=False, times=99)
    house.until("10:10")
    house.line.is_deaf = False
    house.line.mends()
    assert (house.held(), house.held_by_the_broker()) == ("0.502", "0")

    compares(house, orders=())
    house.until("10:14")

    assert house.facts(facts.PositionCorrected) == []
    assert house.held() == house.held_by_the_broker() == "0"
    assert house.desk.control.refusal() is None


def test_a_stop_working_only_there_guards_again() -> None:
    """EX-06, EX-09, EX-13: nothing else guards its shares"""
    house = a_house_in_a_position()
    engine, at_, stop = house.line.engine, house.line.at, house.stops[0]
    picture = house.line.ask(FetchBooks())
    before = [list(engine.handle(at_, picture)) for _ in range(2)]

    house.desk.record(
        facts.OrderStateChanged(
            stop.id, OrderStatus.SUBMITTED, OrderStatus.CANCELLED, facts.Source.LOOK_UP, None, "given up"
        )
    )
    first, second = (list(engine.handle(at_, picture)) for _ in range(2))

    assert before == [[], []]
    assert first == [LookUpOrder(stop.id)]  # these books may have been read before its end
    assert not [effect for effect in second if isinstance(effect, CancelOrder)]
    assert stop.status is OrderStatus.SUBMITTED


def test_split_is_named_before_it_is_believed(snapshot: SnapshotAssertion) -> None:
    """EX-09: a cash account's 0.502 shares became four times as many at a quarter of the price."""
    house = a_house_in_a_position()

    compares(house, BrokerPosition(SPY, Quantity(Decimal("2.008")), Price(Decimal("24.90"))))

    assert house.last(facts.ReconciliationFailed).code is ReadOnlyCode.UNPROVEN
    assert house.last(facts.ReconciliationFailed).reasons == snapshot
    assert house.held() == "0.502"


def test_more_shares_at_the_old_price_are_no_split(snapshot: SnapshotAssertion) -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house, BrokerPosition(SPY, Quantity(Decimal("2.008")), Price(Decimal("99.60"))))

    assert house.last(facts.ReconciliationFailed).reasons == snapshot


def test_reverse_split_is_named(snapshot: SnapshotAssertion) -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house, BrokerPosition(SPY, Quantity(Decimal("0.251")), Price(Decimal("199.20"))))

    assert house.last(facts.ReconciliationFailed).reasons == snapshot


def test_position_held_over_the_close_is_found(snapshot: SnapshotAssertion) -> None:
    """EX-09, ST-02: the desk was not running at the close."""
    friday = THURSDAY + timedelta(days=1)
    house = a_house_in_a_position(("10:07", "15:59", STEADY))
    house.bars = [b for b in house.bars if b.start < at("10:07")] + minutes("09:30", "10:00", STEADY, friday)
    house.line.at = at("09:29", friday)

    house.restarted().until("09:35", friday)

    assert kinds(house) == ["held_over"]
    (said,) = [difference.in_words for difference in house.last(facts.ReconciliationPassed).differences]
    waiting = house.desk.stage.exit_waiting(SPY, "vwap")
    assert waiting is not None
    assert [said, waiting.reason] == snapshot


def in_a_symbol_that_was_removed(*bars: Bar, **settings: Any) -> House:
    """It is 10:06:31; a restart took SPY out of `symbols`, and VWAP holds 0.502 of it."""
    house = a_house_in_a_position(settings=Settings.model_validate(settings))
    house.bars = [*(bar for bar in house.bars if bar.start < at("10:07")), *bars]
    house.settings = Settings.model_validate({"symbols": ["IBM"], **settings})
    house.restarted()
    assert house.desk.orchestrator.roster.runner("vwap", SPY) is None
    return house


AN_AFTERNOON = [*minutes("10:07", "10:15", STEADY), *minutes("15:45", "15:59", STEADY)]


def test_a_position_in_a_removed_symbol_is_flat_by_the_close() -> None:
    """EX-09, ST-09"""
    house = in_a_symbol_that_was_removed(*AN_AFTERNOON).until("15:54")
    assert house.desk.stage.exit_waiting(SPY, "vwap") is None

    house.until("15:57")

    waiting = house.desk.stage.exit_waiting(SPY, "vwap")
    assert waiting is not None
    assert (waiting.exit_reason, waiting.order.quantity) == (ExitReason.FORCE_FLAT, Decimal("0.502"))


def test_a_removed_symbol_is_flat_without_a_bar() -> None:
    """EX-09, ST-02: the clock says it, and by the minutes of the strategy where the rules have none"""
    of_another = [replace(bar, symbol=IBM) for bar in AN_AFTERNOON]
    for settings, bars in (({}, of_another), ({"exits": {"flat_minutes": 0}}, AN_AFTERNOON)):
        house = in_a_symbol_that_was_removed(*bars, **settings).until("15:54")
        assert house.desk.stage.exit_waiting(SPY, "vwap") is None

        house.until("15:58")

        waiting = house.desk.stage.exit_waiting(SPY, "vwap")
        assert waiting is not None
        assert waiting.exit_reason is ExitReason.FORCE_FLAT


def test_a_position_in_a_removed_symbol_is_held_over() -> None:
    """EX-09: unless the settings say that its strategy holds over night"""
    friday = THURSDAY + timedelta(days=1)
    for overnight, found in (((), ["held_over"]), (("vwap",), [])):
        house = in_a_symbol_that_was_removed(*minutes("09:30", "10:00", STEADY, friday), exits={"overnight": overnight})
        house.line.at = at("09:29", friday)

        house.restarted().until("09:35", friday)

        assert kinds(house) == found


def test_fill_during_a_fetch_is_no_difference() -> None:
    """EX-09: positions and orders of a broker are two questions; the first may be older than the second."""
    house = a_house_with_a_proposal()
    answer = house.line.ask

    def with_older_positions(effect: Effect) -> Input:
        reply = answer(effect)
        if isinstance(reply, BooksFetched) and isinstance(reply.answer, BrokerBooks):
            return BooksFetched(replace(reply.answer, positions=()))
        return reply

    house.line.ask = with_older_positions  # type: ignore[method-assign]
    house.confirms_at("10:06:02")
    house.slows_down(1)  # the next question and its answer
    the_order_stream_is(house, ConnectionState.DOWN)
    the_order_stream_is(house, ConnectionState.UP)
    house.slows_down(0.1)
    house.until("10:06:05")
    assert house.held() == "0.502"

    assert house.facts(facts.PositionCorrected) == []


def test_read_only_desk_sells_only_reported_shares(snapshot: SnapshotAssertion) -> None:
    """EX-09: our books say 0.502; what is sold without them there would be short."""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    house.presses(ProposeClose(SPY))
    compares(house, *(holding(name, "1") for name in ("AAA", "BBB", "CCC")), holding("SPY", "0.2"))
    house.line.breaks_at(FetchBooks, arrives=False, times=100)
    assert house.desk.control.refusal() is not None

    house.confirms_at("10:06:33")
    house.until("10:06:34")

    assert house.last(facts.ConfirmationRefused).reasons == snapshot
    assert house.held_by_the_broker() == "0.502"


def test_unreachable_broker_blocks_no_close() -> None:
    """EX-09: its books of 10:05:30 show nothing; the fill of 10:06 is its own word as well."""
    house = a_house_with_a_proposal(("10:06", "10:30", STEADY))
    house.confirms_at("10:06:02")
    house.until("10:06:05")
    house.line.breaks_at(FetchBooks, arrives=False, times=100)
    house.until("10:08")
    assert house.last(facts.ReconciliationFailed).code is ReadOnlyCode.UNREACHABLE
    assert house.desk.control.refusal() is not None

    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until("10:08:10")

    assert house.sent()[-2:] == [("cancel",), ("submit", "sell", "market", "0.502")]
    assert house.held_by_the_broker() == "0"


def test_agreement_ends_read_only() -> None:
    """EX-09"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    compares(house, holding("SPY", "9"))
    assert house.desk.control.refusal() is not None

    house.until("10:06:45")

    assert house.desk.control.refusal() is None
    assert len(house.facts(facts.ReconciliationFailed)) == 1


def test_stale_books_cancel_nothing() -> None:
    """EX-06: they list as working what the stream has told to be filled; a cancel of it could take its legs away."""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    listed = books(house)
    (entry,) = [order for order in listed.orders if order.side is Side.BUY]
    assert entry.status is OrderStatus.FILLED
    none_yet = Quantity(Decimal(0))
    behind = replace(entry, status=OrderStatus.SUBMITTED, raw_status="new", filled_quantity=none_yet, executions=())
    others = [order for order in listed.orders if order is not entry]
    house.line.take(house.line.at, BooksFetched(replace(listed, orders=(behind, *others))))
    passes(house, 5)

    assert "cancel" not in house.requests()
    assert house.held() == "0.502"
