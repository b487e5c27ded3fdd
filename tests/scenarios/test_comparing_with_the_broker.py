"""Reconciliation: what is taken in, what is corrected, and what makes the desk read-only."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.facts import (
    ConfirmationRefused,
    OrderFilled,
    OrderStateChanged,
    OtherTakenBack,
    PositionCorrected,
    ProposalSkipped,
    ReconciliationFailed,
    ReconciliationPassed,
    Source,
)
from core.messages.commands import Kill, ProposeClose, Rearm
from core.messages.effects import CancelOrder, Effect, FetchPicture, LookUpOrder
from core.messages.inputs import ConnectionChanged, Input, LookUpAnswered, PictureFetched
from core.model.bar import Bar
from core.model.broker import BrokerPicture, BrokerPosition, UnreadableOrder
from core.model.connection import Channel, ConnectionState, ConnectionStatus
from core.model.order import OrderStatus, OrderType, Side
from core.model.reconciliation import DifferenceKind
from core.model.values import BrokerOrderId, ClientOrderId, Price, Quantity, Symbol, plain
from core.runtime.virtual import VirtualRuntime
from core.settings.risk import RiskSettings
from core.settings.settings import Settings
from core.settings.types import AmountSettings
from core.views.builders.desk import ViewBuilder
from core.workflows.operator.kill_switch import REARM
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_house_with_a_proposal, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, a_bar, an_order, at

FRIDAY = date(2026, 11, 20)


def holding(symbol: str, quantity: str) -> BrokerPosition:
    return BrokerPosition(Symbol(symbol), Quantity(Decimal(quantity)), Price(Decimal(100)))


def compares(house: House, *positions: BrokerPosition) -> None:
    """The broker's books arrive, with these positions."""
    picture = house.line.ask(FetchPicture())
    assert isinstance(picture, PictureFetched)
    assert isinstance(picture.answer, BrokerPicture)
    house.line.take(house.line.at, PictureFetched(replace(picture.answer, positions=positions)))


def a_quiet_house() -> House:
    return House(minutes("09:30", "10:30", "99.60")).opens().until("10:06")


def test_nothing_opens_before_the_books_were_compared() -> None:
    """EX-09"""
    house = House(minutes("09:30", "10:30", "99.60"))
    house.line.breaks_at(FetchPicture, arrives=True)
    house.opens().until("09:30:05")

    house.presses(a_typed_buy())

    reason = "the broker cannot be reached: the connection broke; asked again every 10 s"
    assert house.last(ReconciliationFailed).reasons == (reason,)
    assert "read-only: the broker cannot be reached" in house.last(ProposalSkipped).reasons[0]


def test_an_unreachable_broker_is_asked_again_after_ten_seconds() -> None:
    """EX-09"""
    house = House(minutes("09:30", "10:30", "99.60"))
    house.line.breaks_at(FetchPicture, arrives=True)

    house.opens().until("09:30:15")

    assert len(house.facts(ReconciliationPassed)) == 1
    assert house.desk.control.refusal() is None


def test_a_question_that_was_wanted_meanwhile_does_not_wait_ten_seconds_more() -> None:
    """EX-09, EX-22: what is owed a stop waits for that answer."""
    house = House(minutes("09:30", "10:30", "99.60"))
    house.line.breaks_at(FetchPicture, arrives=True)
    house.opens()
    house.presses(Kill("key"))
    house.presses(Rearm(REARM))

    house.until("09:30:05")

    assert len(house.facts(ReconciliationFailed)) == len(house.facts(ReconciliationPassed)) == 1


def test_books_that_agree_pass_and_are_not_told_again() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house, holding("SPY", "0.502"))
    compares(house, holding("SPY", "0.502"))

    assert [r.corrections for r in house.facts(ReconciliationPassed)] == [()]


def test_a_difference_within_the_limits_is_corrected_because_the_broker_is_right() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house, holding("SPY", "0.500"))

    assert house.held() == "0.5"
    assert house.desk.ledger.position(SPY, "vwap") is not None
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.502")
    assert house.last(PositionCorrected).reason == "SPY: the broker has 0.500, our books had 0.502"
    assert house.last(ReconciliationPassed).corrections == ("SPY: the broker has 0.500, our books had 0.502",)


@pytest.mark.parametrize(("theirs", "is_corrected"), [("0.4781", True), ("0.4780", False)])
def test_over_five_percent_apart_the_desk_is_read_only(theirs: str, is_corrected: bool) -> None:
    """EX-09: 0.502 less 5 % of 0.4781 is 0.4781 to four places."""
    house = a_house_in_a_position()

    compares(house, holding("SPY", theirs))

    assert bool(house.facts(PositionCorrected)) is is_corrected
    assert (house.desk.control.refusal() is None) is is_corrected
    if not is_corrected:
        assert "over 5 % apart" in house.last(ReconciliationFailed).reasons[0]
        assert house.held() == "0.502"


@pytest.mark.parametrize(("theirs", "is_corrected"), [("0.400", True), ("0.399", False)])
def test_exactly_five_percent_is_within_the_limits(theirs: str, is_corrected: bool) -> None:
    """EX-09: ours are 0.420 shares, 0.02 more than the broker's 0.400."""
    risk = RiskSettings(max_notional=AmountSettings(usd=Decimal("41.90"), of_equity=None))
    house = a_house_with_a_proposal(settings=Settings(risk=risk))
    house.confirms_at("10:06:02")
    house.until("10:06:30")

    compares(house, holding("SPY", theirs))

    assert house.last(OrderFilled).fill.quantity == Decimal("0.420")
    assert bool(house.facts(PositionCorrected)) is is_corrected


def test_three_positions_that_we_did_not_know_are_taken_over() -> None:
    """EX-09"""
    house = a_quiet_house()

    compares(house, holding("AAA", "1"), holding("BBB", "2"), holding("CCC", "-3"))

    held = {p.symbol: plain(p.quantity) for p in house.desk.ledger.positions()}
    assert held == {"AAA": "1", "BBB": "2", "CCC": "-3"}
    assert {p.strategy for p in house.desk.ledger.positions()} == {"broker"}


def test_four_missing_positions_make_the_desk_read_only_and_change_nothing() -> None:
    """EX-09"""
    house = a_quiet_house()

    compares(house, holding("AAA", "1"), holding("BBB", "2"), holding("CCC", "3"), holding("DDD", "4"))

    assert house.desk.ledger.positions() == ()
    assert "4 positions are on one side only: AAA, BBB, CCC, DDD" in (house.desk.control.refusal() or "")


def test_a_position_that_the_broker_does_not_have_is_gone() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house)

    assert house.held() == "0"


def test_a_read_only_desk_still_closes_what_it_holds() -> None:
    """EX-09, RK-22"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    compares(house, holding("SPY", "9"))
    assert house.desk.control.refusal() is not None

    house.presses(ProposeClose(SPY))
    house.confirms_at("10:06:40")
    house.until("10:06:50")

    assert house.held() == house.held_by_the_broker() == "0"


def test_a_read_only_desk_stages_no_more_than_the_broker_reports() -> None:
    """EX-09: its own books say more, and only a close of what the broker holds passes."""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    held = Decimal(house.held())
    compares(house, holding("SPY", "0.1"))
    assert house.desk.control.refusal() is not None

    house.presses(ProposeClose(SPY))

    assert held > house.proposal.order.quantity == Decimal("0.1")
    assert house.proposal.reason.endswith(f"{plain(held)} was asked for, 0.1 is left to close")


def test_a_restart_reads_only_until_it_has_compared() -> None:
    """EX-09, EX-20"""
    house = a_quiet_house()
    house.restarted()

    at_once = house.desk.control.refusal()
    house.until("10:06:01")

    assert at_once == "read-only: the books are not compared with the broker yet; wait a moment"
    assert house.desk.control.refusal() is None


# ── when it is asked ─────────────────────────────────────────────────────────────────────────────────────────────────


def times_asked(house: House) -> int:
    return sum(isinstance(message, PictureFetched) for message in house.line.heard)


def the_order_stream_is(house: House, state: ConnectionState) -> None:
    house.line.take(house.line.at, ConnectionChanged(ConnectionStatus(Channel.TRADES, state, since=house.line.at)))


def test_the_books_are_compared_every_minute_of_a_session_and_not_at_night() -> None:
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


def test_a_fill_before_the_open_that_no_stream_tells_of_is_seen_within_a_minute_and_guarded() -> None:
    """EX-09, OP-06"""
    house = works_from(a_house_of_extended_hours("include_extended", EARLY_FALL), "08:00")
    house.line.is_deaf = True

    house.until("08:32:10", FRIDAY)

    assert house.held() == house.held_by_the_broker() == "0.2"
    assert [stop.status for stop in house.stops] == [OrderStatus.SUBMITTED]


def test_before_the_open_the_books_are_polled_while_the_order_stream_is_down() -> None:
    """EX-17"""
    house = works_from(a_house_of_extended_hours("include_extended", EARLY_FALL), "08:00")
    the_order_stream_is(house, ConnectionState.DOWN)
    before = times_asked(house.until("08:10", FRIDAY))

    a_minute = times_asked(house.until("08:11", FRIDAY)) - before
    house.line.is_deaf = True
    house.until("08:31:10", FRIDAY)

    assert a_minute == 12
    assert house.held() == "0.2"


def test_what_is_held_is_compared_in_the_evening_under_either_policy_and_at_night_nothing_is_asked() -> None:
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
def test_where_nothing_works_and_nothing_is_held_the_hours_of_the_policy_are_compared(policy: str, asked: int) -> None:
    """EX-09"""
    house = a_house_of_extended_hours(policy).until("20:00:05")

    at_night = times_asked(house)
    before = times_asked(house.until("03:59:55", FRIDAY))
    morning = times_asked(house.until("08:00:05", FRIDAY)) - before

    assert (before - at_night, morning) == (0, asked)


def test_a_stream_that_comes_and_goes_asks_once_and_not_each_time() -> None:
    """EX-09: a storm of reconnects."""
    house = a_quiet_house().until("10:06:30")
    before = times_asked(house)

    for _ in range(20):
        the_order_stream_is(house, ConnectionState.DOWN)
        the_order_stream_is(house, ConnectionState.UP)
    house.until("10:06:40")

    assert times_asked(house) - before == 2


def test_what_is_wanted_while_the_books_are_fetched_is_asked_once_after_it() -> None:
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


def test_an_agreement_outlives_two_questions_that_nobody_answered_and_not_a_third() -> None:
    """EX-09"""
    house = a_quiet_house().until("10:06:30")
    house.line.breaks_at(FetchPicture, arrives=False, times=3)

    house.until("10:07:15")
    after_two = house.desk.control.refusal()
    house.until("10:07:25")

    assert after_two is None
    assert "the broker cannot be reached" in (house.desk.control.refusal() or "")
    assert house.until("10:07:40").desk.control.refusal() is None


# ── kinds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def kinds(house: House) -> list[str]:
    return [difference.kind.value for difference in house.last(ReconciliationPassed).differences]


def test_a_difference_says_what_both_sides_have() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house, holding("SPY", "0.500"), holding("AAA", "2"))

    found = house.last(ReconciliationPassed).differences
    assert [(d.kind.value, d.symbol, d.local, d.broker) for d in found] == [
        ("missing_local", "AAA", None, "2"),
        ("quantity_mismatch", "SPY", "0.502", "0.5"),
    ]


def test_a_position_that_the_broker_lacks_is_an_error() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house)

    (found,) = house.last(ReconciliationPassed).differences
    assert (found.kind, found.is_error, found.local, found.broker) == (
        DifferenceKind.MISSING_BROKER,
        True,
        "0.502",
        None,
    )


def test_an_order_that_is_not_this_desks_is_shown_once_and_left_alone() -> None:
    """EX-09, EX-04"""
    house = a_quiet_house()
    house.exchange.submit(house.line.at, an_order("typed-in-the-app", Side.BUY, "0.1", limit="90.00"))

    house.until("10:09:30")

    assert kinds(house) == ["unknown_order"]
    assert len(house.facts(ReconciliationPassed)) == 2
    assert house.requests() == ["submit buy limit 0.1"]


def a_house_whose_shares_somebody_holds() -> House:
    """It is 10:12:30: the broker's books told of a position and of its stop, and neither is this desk's."""
    house = a_quiet_house()
    house.exchange.submit(house.line.at, an_order("bought-in-the-app", Side.BUY, "0.5"))
    house.until("10:08:30")
    house.exchange.submit(house.line.at, an_order("typed-in-the-app", Side.SELL, "0.5", stop="90.00"))
    house.until("10:12:30")
    assert house.held() == "0.5"
    return house


def test_an_exit_whose_shares_somebody_elses_order_holds_warns_and_says_which_to_cancel() -> None:
    """EX-09, EX-11: it may be sent all the same, and the foreign order is left alone"""
    house = a_house_whose_shares_somebody_holds()
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:12:31")

    (warning,) = [v.reason for v in house.ticket.review.warnings if "somebody else's" in v.reason]

    assert warning.startswith("somebody else's sell stop 0.5 SPY (order ")
    assert warning.endswith("holds the shares: cancel it at the broker first")
    assert house.ticket.review.passes


def test_an_exit_that_is_refused_for_them_says_so_before_the_brokers_words() -> None:
    """EX-09, EX-06"""
    house = a_house_whose_shares_somebody_holds()
    house.line.refuses_the_next_order("insufficient qty available for order")
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until("10:13:30")

    refused = [o.reason for o in house.desk.ledger.state.orders.values() if "insufficient qty" in o.reason]

    assert refused
    assert refused[0].startswith("somebody else's sell stop 0.5 SPY (order ")


def test_a_position_names_who_else_holds_its_shares_until_that_order_is_gone() -> None:
    """EX-09, EX-13"""
    house = a_house_whose_shares_somebody_holds()
    pictures = ViewBuilder(house.line.engine)
    before = pictures.draw(house.line.at).positions[0].held_by_others
    (foreign,) = house.desk.sightings.others

    house.exchange.cancel(house.line.at, foreign.client_order_id)
    house.until("10:15:30")

    assert before.startswith("somebody else's sell stop 0.5 SPY")
    assert house.desk.sightings.others == ()
    assert pictures.draw(house.line.at).positions[0].held_by_others == ""


def by_hand(symbol: str | None, order_id: str = "by-hand") -> UnreadableOrder:
    named = None if symbol is None else Symbol(symbol)
    return UnreadableOrder("order 61e69015: qty is missing", BrokerOrderId("61e69015"), ClientOrderId(order_id), named)


def with_unreadable(house: House, *orders: UnreadableOrder) -> None:
    """From the next comparison on these work at the broker beside what can be read."""
    ask = VirtualRuntime.ask

    def asked(effect: Effect) -> Input:
        reply = ask(house.line, effect)
        if isinstance(reply, PictureFetched) and isinstance(reply.answer, BrokerPicture):
            return PictureFetched(replace(reply.answer, unreadable=orders))
        return reply

    house.line.ask = asked  # type: ignore[method-assign]


def skipped(house: House) -> list[str]:
    return [reason for fact in house.facts(ProposalSkipped) for reason in fact.reasons if "cannot be read" in reason]


@pytest.mark.parametrize(("symbol", "where"), [("SPY", "is in SPY"), (None, "may be in SPY")])
def test_nothing_opens_where_an_order_that_cannot_be_read_may_be(symbol: str | None, where: str) -> None:
    """EX-09: the desk trades on, says which order it is, and opens again when it is over"""
    house = a_quiet_house()
    with_unreadable(house, by_hand(symbol))
    house.until("10:09:30")
    house.presses(a_typed_buy())

    refused, read_only = skipped(house), house.desk.control.state.read_only_at
    with_unreadable(house)
    house.until("10:10:30")
    house.presses(a_typed_buy())

    (reason,) = refused
    assert f"somebody's order {where} and cannot be read (order 61e69015: qty is missing)" in reason
    assert read_only is None
    assert house.last(ReconciliationPassed).differences == ()
    assert house.proposal.order.symbol == SPY


def test_another_symbol_is_not_barred_by_it() -> None:
    """EX-09"""
    house = a_quiet_house()
    with_unreadable(house, by_hand("IBM"))
    house.until("10:09:30")
    house.presses(a_typed_buy())

    assert kinds(house) == ["unreadable_order"]
    assert house.proposal.order.symbol == SPY


def test_exits_and_the_kill_go_on_beside_an_order_that_cannot_be_read() -> None:
    """EX-09, EX-21, OP-07"""
    house = a_house_in_a_position()
    with_unreadable(house, by_hand(None))
    house.until_moment(house.line.at + timedelta(minutes=2))
    assert kinds(house) == ["unreadable_order"]

    house.presses(Kill("key"))
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until_moment(house.line.at + timedelta(seconds=10))

    assert house.desk.control.killed_by == "key"
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")


def unread(side: Side | None, left: str | None, kind: OrderType | None = OrderType.STOP) -> UnreadableOrder:
    quantity = None if left is None else Quantity(Decimal(left))
    return replace(by_hand("SPY"), side=side, type=kind, left=quantity)


@pytest.mark.parametrize(
    ("order", "fate"),
    [
        (unread(Side.SELL, "0.502"), "stays"),
        (replace(unread(None, None), closes=True), "stays"),
        (unread(Side.SELL, "5"), "goes"),
        (unread(Side.BUY, "1"), "goes"),
        (unread(Side.BUY, None, OrderType.LIMIT), "goes"),
        (unread(Side.SELL, None), "is named"),
        (unread(Side.SELL, "0.502", None), "is named"),
        (unread(None, "1"), "is named"),
        (by_hand(None), "is named"),
    ],
)
@pytest.mark.parametrize("naked", [False, True])
def test_a_kill_takes_back_what_can_be_read_as_opening_and_names_what_cannot_be_read(
    order: UnreadableOrder, fate: str, naked: bool
) -> None:
    """OP-07: 0.502 shares are held; a stop that is lost is worse than a name that is read."""
    house = a_house_in_a_position()
    with_unreadable(house, order)
    house.until_moment(house.line.at + timedelta(minutes=2))

    house.presses(Kill("key", naked))
    passes(house, 10)

    taken = [fact.broker_order_id for fact in house.facts(OtherTakenBack)]
    view = ViewBuilder(house.engine).draw(house.line.at)
    goes = fate == "goes" or (naked and fate == "is named")
    assert taken == (["61e69015"] if goes else [])
    assert [row.id for row in view.kill.others] == (["61e69015"] if fate == "goes" else [])
    assert [row.id for row in view.kill.unread] == (["61e69015"] if fate == "is named" else [])


def test_a_stop_of_shares_that_only_the_broker_knows_yet_stays_with_a_kill() -> None:
    """OP-07, EX-09: somebody bought and guarded them elsewhere; the same books show both."""
    house = a_quiet_house()
    house.presses(Kill("key"))
    passes(house, 5)
    house.exchange.submit(house.line.at, an_order("elsewhere", Side.BUY, "1"))
    passes(house, 1)
    house.line.is_deaf = True
    house.exchange.submit(house.line.at, an_order("their-stop", Side.SELL, "1", stop="98"))

    house.until("10:08:30")

    assert (house.held(), house.held_by_the_broker()) == ("1", "1")
    assert house.facts(OtherTakenBack) == []


def test_an_order_of_ours_that_cannot_be_read_is_no_comparison() -> None:
    """EX-09: a start that cannot read its own stop is read-only, and says which order it is"""
    house = a_house_in_a_position()
    (stop,) = house.stops
    house.restarted()
    with_unreadable(house, by_hand("SPY", stop.id))
    house.until_moment(house.line.at + timedelta(seconds=5))

    state = house.desk.control.state
    assert state.read_only_at is not None
    assert "order 61e69015: qty is missing" in state.read_only_because[0]


def test_an_order_that_the_broker_no_longer_lists_is_looked_up() -> None:
    """EX-09"""
    house = a_house_in_a_position()
    picture = house.line.ask(FetchPicture())
    assert isinstance(picture, PictureFetched)
    assert isinstance(picture.answer, BrokerPicture)

    house.line.take(house.line.at, PictureFetched(replace(picture.answer, orders=())))

    assert kinds(house) == ["orphaned_order"]
    house.until("10:06:40")
    assert any(isinstance(message, LookUpAnswered) for message in house.line.heard[-5:])


def compares_older(house: House, *positions: BrokerPosition) -> None:
    """The broker's books arrive: these positions, and no order of more than a week ago."""
    picture = house.line.ask(FetchPicture())
    assert isinstance(picture, PictureFetched)
    assert isinstance(picture.answer, BrokerPicture)
    house.line.take(house.line.at, PictureFetched(replace(picture.answer, orders=(), positions=positions)))


def an_entry_that_filled_unheard() -> House:
    """It is 10:12: five shares were bought, with their stop, in the week that the broker's list leaves out by now."""
    bars = [*minutes("09:30", "10:10"), *minutes("10:11", "10:30", "99.40")]
    house = House(bars, ROOMY, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(a_typed_buy("5", limit="99.60", stop="98.60"))
    confirms_now(house)
    house.until("10:10:50")
    house.line.is_deaf = True
    house.line.breaks_at(FetchPicture, arrives=False, times=99)
    house.until("10:12")
    house.line.is_deaf = False
    house.line.mends()
    assert (house.held(), house.held_by_the_broker()) == ("0", "5")
    return house


def test_an_entry_that_filled_and_is_listed_no_more_is_counted_once_and_keeps_its_stop() -> None:
    """EX-09, EX-13: its fill came with the books and once more with its look-up, and its stop was cancelled between"""
    house = an_entry_that_filled_unheard()

    compares_older(house, holding("SPY", "5"))
    house.until("10:14")

    assert house.facts(PositionCorrected) == []
    assert house.held() == house.held_by_the_broker() == "5"
    assert [(stop.status, stop.remaining) for stop in house.stops] == [(OrderStatus.SUBMITTED, 5)]
    assert house.desk.control.refusal() is None


def test_a_stop_that_filled_and_is_listed_no_more_is_counted_once() -> None:
    """EX-09: our books were corrected to nothing, and sold once more with its look-up"""
    house = a_house_in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:30", "99.60 99.60 98 98"))
    house.line.is_deaf = True
    house.line.breaks_at(FetchPicture, arrives=False, times=99)
    house.until("10:10")
    house.line.is_deaf = False
    house.line.mends()
    assert (house.held(), house.held_by_the_broker()) == ("0.502", "0")

    compares_older(house)
    house.until("10:14")

    assert house.facts(PositionCorrected) == []
    assert house.held() == house.held_by_the_broker() == "0"
    assert house.desk.control.refusal() is None


def test_an_order_that_ended_here_and_works_there_is_taken_back_although_the_broker_lists_nothing_new() -> None:
    """EX-06, EX-09"""
    house = a_house_in_a_position()
    engine, at_, stop = house.line.engine, house.line.at, house.stops[0]
    picture = house.line.ask(FetchPicture())
    before = [list(engine.handle(at_, picture)) for _ in range(2)]

    house.desk.record(
        OrderStateChanged(stop.id, OrderStatus.SUBMITTED, OrderStatus.CANCELLED, Source.LOOK_UP, None, "given up")
    )
    first, second = (list(engine.handle(at_, picture)) for _ in range(2))

    assert before == [[], []]
    assert first == [LookUpOrder(stop.id)]  # these books may have been read before its end
    assert CancelOrder(stop.id, stop.broker_order_id) in second


def test_a_split_is_named_and_left_to_a_person() -> None:
    """EX-09: a cash account's 0.502 shares became four times as many at a quarter of the price."""
    house = a_house_in_a_position()

    compares(house, BrokerPosition(SPY, Quantity(Decimal("2.008")), Price(Decimal("24.90"))))

    reasons = house.last(ReconciliationFailed).reasons
    assert "it looks like a 4-for-1 split: 99.60 a share became 24.90" in reasons[0]
    assert "keyturn reconcile --accept-broker" in reasons[-1]
    assert house.held() == "0.502"


def test_four_times_the_shares_at_the_old_price_is_no_split() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house, BrokerPosition(SPY, Quantity(Decimal("2.008")), Price(Decimal("99.60"))))

    assert "over 5 % apart" in house.last(ReconciliationFailed).reasons[0]


def test_a_reverse_split_is_named_too() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house, BrokerPosition(SPY, Quantity(Decimal("0.251")), Price(Decimal("199.20"))))

    assert "1-for-2 reverse split" in house.last(ReconciliationFailed).reasons[0]


def test_a_strategy_that_was_to_be_flat_by_the_close_is_found_holding_and_its_exit_waits() -> None:
    """EX-09, ST-02: the desk was not running at the close."""
    friday = THURSDAY + timedelta(days=1)
    house = a_house_in_a_position(("10:07", "15:59", STEADY))
    house.bars = [b for b in house.bars if b.start < at("10:07")] + minutes("09:30", "10:00", STEADY, friday)
    house.line.at = at("09:29", friday)

    house.restarted().until("09:35", friday)

    assert kinds(house) == ["held_over"]
    (said,) = [difference.in_words for difference in house.last(ReconciliationPassed).differences]
    assert said == "ERROR held_over SPY: 0.502 of vwap; vwap was to be flat by the close; its exit is staged"
    waiting = house.desk.stage.exit_waiting(SPY, "vwap")
    assert waiting is not None
    assert waiting.reason == f"held over the close of {THURSDAY:%d %B}"


# ── while the books are fetched ──────────────────────────────────────────────────────────────────────────────────────


def test_a_fill_that_comes_while_the_books_are_fetched_is_no_difference_yet() -> None:
    """EX-09: positions and orders of a broker are two questions; the first may be older than the second."""
    house = a_house_with_a_proposal()
    answer = house.line.ask

    def with_older_positions(effect: Effect) -> Input:
        reply = answer(effect)
        if isinstance(reply, PictureFetched) and isinstance(reply.answer, BrokerPicture):
            return PictureFetched(replace(reply.answer, positions=()))
        return reply

    house.line.ask = with_older_positions  # type: ignore[method-assign]
    house.confirms_at("10:06:02")
    house.slows_down(1)  # the next question and its answer
    the_order_stream_is(house, ConnectionState.DOWN)
    the_order_stream_is(house, ConnectionState.UP)
    house.slows_down(0.1)
    house.until("10:06:05")
    assert house.held() == "0.502"

    assert house.facts(PositionCorrected) == []


# ── read-only ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_read_only_desk_closes_nothing_that_the_broker_does_not_report() -> None:
    """EX-09: our books say 0.502; what is sold without them there would be short."""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    house.presses(ProposeClose(SPY))
    compares(house, *(holding(name, "1") for name in ("AAA", "BBB", "CCC")), holding("SPY", "0.2"))
    assert house.desk.control.refusal() is not None

    house.confirms_at("10:06:33")
    house.until("10:06:34")

    (reason,) = house.last(ConfirmationRefused).reasons
    assert "the broker reports 0.2 SPY" in reason
    assert reason.endswith("e in Proposals makes it less")
    assert house.held_by_the_broker() == "0.502"


def test_a_broker_that_is_gone_keeps_nobody_from_closing_what_it_filled_after_its_last_books() -> None:
    """EX-09: its books of 10:05:30 show nothing; the fill of 10:06 is its own word as well."""
    house = a_house_with_a_proposal(("10:06", "10:30", STEADY))
    house.confirms_at("10:06:02")
    house.until("10:06:05")
    house.line.breaks_at(FetchPicture, arrives=False, times=100)
    house.until("10:08")
    assert "read-only: the broker cannot be reached" in (house.desk.control.refusal() or "")

    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until("10:08:10")

    assert house.requests()[-2:] == ["cancel", "submit sell market 0.502"]
    assert house.held_by_the_broker() == "0"


def test_books_that_agree_again_end_read_only_by_themselves() -> None:
    """EX-09"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    compares(house, holding("SPY", "9"))
    assert house.desk.control.refusal() is not None

    house.until("10:06:45")

    assert house.desk.control.refusal() is None
    assert len(house.facts(ReconciliationFailed)) == 1


def test_books_that_are_behind_a_fill_have_nothing_cancelled() -> None:
    """EX-06: they list as working what the stream has told to be filled; a cancel of it could take its legs away."""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    picture = house.line.ask(FetchPicture())
    assert isinstance(picture, PictureFetched)
    assert isinstance(picture.answer, BrokerPicture)
    (entry,) = [order for order in picture.answer.orders if order.side is Side.BUY]
    assert entry.status is OrderStatus.FILLED
    none_yet = Quantity(Decimal(0))
    behind = replace(entry, status=OrderStatus.SUBMITTED, raw_status="new", filled_quantity=none_yet, executions=())
    others = [order for order in picture.answer.orders if order is not entry]
    house.line.take(house.line.at, PictureFetched(replace(picture.answer, orders=(behind, *others))))
    passes(house, 5)

    assert "cancel" not in house.requests()
    assert house.held() == "0.502"
