"""Exits that wait, fail or rest at a limit: what they leave covered, what they become, and how they are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from console.details import position
from core import facts
from core.event_text import in_words
from core.messages.commands import Confirm, Decline, LeaveTicket, OpenTicket, ProposeClose, ProposeOrder, RequestCancel
from core.messages.effects import Effect as Request
from core.messages.effects import SubmitOrder
from core.model.bar import Feed, Quote
from core.model.codes import FAILED_CLOSES, AuthorizationCode, ProposalEnd
from core.model.order import Effect, OrderStatus, OrderType, StopHolder
from core.model.position import Trade
from core.model.signal import ExitReason
from core.model.staging import CheckResult, Proposal
from core.model.values import ClientOrderId, Price, Quantity, plain
from core.risk.protections.closed_trades import Direction, closed
from core.risk.strategy_evaluation import figures_of
from core.runtime.inbox import Link
from core.settings.settings import Settings
from core.views import DeskView, PositionRow
from core.views.builders.desk import ViewBuilder
from state.housekeeping import status_of
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import FALL, RARELY, RECOVERY, STEADY, House, a_house_in_a_position, a_house_with_a_proposal
from tests.unit.core.brokers.trading_floor import SPY
from widgets.lines import joined
from widgets.positions import NO_STOP
from widgets.positions import _stop as stop_cell
from widgets.status_lines import StatusLines

LONG, ALL_DAY = ("10:06", "10:30", STEADY), ("10:06", "15:59", STEADY)
CANCEL = ("cancel",)
STOP, SALE = ("submit", "sell", "stop", "0.502"), ("submit", "sell", "limit", "0.502")
HOPES = [("submit", "buy", "limit", "0.502"), STOP, CANCEL, SALE]


def hopes(house: House, quantity: str = "0.502", limit: str = "110") -> None:
    """A close far above the market, typed, confirmed and at the broker."""
    amount, at = Quantity(Decimal(quantity)), Price(Decimal(limit))
    house.presses(ProposeOrder(SPY, Effect.CLOSE, amount, OrderType.LIMIT, at, None, StopHolder.BROKER))
    confirms_now(house)
    passes(house, 3)


def a_house_that_hopes(quantity: str = "0.502", then: tuple[str, str, str] = LONG, **terms: object) -> House:
    house = a_house_in_a_position(then, **terms)
    hopes(house, quantity)
    return house


def picture(house: House) -> DeskView:
    return ViewBuilder(house.engine).draw(house.line.at)


def row(house: House) -> PositionRow:
    (found,) = picture(house).positions
    return found


def told(house: House) -> str:
    lines = StatusLines()
    view = picture(house)
    lines.show_desk(view, view.status.at, 118, None)
    return " ".join(joined(line) for line in lines.lines)


def test_exit_at_a_limit_leaves_shares_uncovered(snapshot: SnapshotAssertion) -> None:
    """EX-13, OP-06"""
    house = a_house_that_hopes()

    assert house.sent() == HOPES
    assert (row(house).holder, plain(row(house).covered), plain(row(house).at_limit)) == (StopHolder.YOU, "0", "0.502")
    assert "UNCOVERED SPY 0.502: " in told(house)
    assert status_of(house.engine, "house", "trading").uncovered == snapshot


def test_panes_show_no_stop_meanwhile(snapshot: SnapshotAssertion) -> None:
    """OP-06, EX-13: the chart draws none, and the dialog says what the row says"""
    house = a_house_that_hopes()
    builder = ViewBuilder(house.engine)
    builder.watched = SPY
    view = builder.draw(house.line.at)

    assert view.chart is not None
    assert (view.chart.entries, view.chart.stops) == ((row(house).average_price,), ())
    told = " ".join(" ".join(joined(line) for line in position(view, row(house).key, house.line.at) or ()).split())
    assert told.partition("stop none ")[2].partition(" USD")[0] == snapshot
    assert "YOU hold it" not in told
    assert stop_cell(row(house)).text == NO_STOP

    house.presses(RequestCancel(house.sale.id))
    passes(house, 3)
    again = builder.draw(house.line.at)
    assert again.chart is not None
    assert [plain(stop) for stop in again.chart.stops] == ["99.3"]


def test_cancelled_exit_is_no_failed_close() -> None:
    """EX-21, EX-06"""
    house = a_house_that_hopes()
    builder = ViewBuilder(house.engine)
    house.presses(RequestCancel(house.sale.id))
    passes(house, 60)

    codes = [fact.code for fact in house.facts(facts.AuthorizationEnded)]
    assert codes.count(AuthorizationCode.CANCELLED) == 1
    assert builder.draw(house.line.at).failed_closes == ()


def quoted(house: House, bid: str, ask: str) -> None:
    size = Quantity(Decimal(100))
    prices = (Price(Decimal(bid)), Price(Decimal(ask)))
    house.desk.sightings.quotes[SPY] = Quote(SPY, house.line.at, prices[0], size, prices[1], size, Feed.DERIVED)


def test_cost_of_waiting_is_measured_at_the_touch() -> None:
    """OP-06: the middle of the quote is nowhere near the last close, and nothing moved"""
    house = a_house_in_a_position(LONG)
    builder = ViewBuilder(house.engine)
    quoted(house, "99.40", "99.44")
    house.presses(ProposeClose(SPY))
    moved = []
    for bid, ask in (("99.40", "99.44"), ("99.30", "99.34"), ("99.60", "99.64")):
        quoted(house, bid, ask)
        moved.append(builder.draw(house.line.at).proposals[0].moved)

    assert moved == [Decimal("0"), Decimal("-0.0502"), Decimal("0.1004")]


def test_cost_is_unknown_from_before_the_start() -> None:
    """OP-06"""
    house = a_house_in_a_position(LONG)
    house.presses(ProposeClose(SPY))
    quoted(house, "99.40", "99.44")

    assert ViewBuilder(house.engine).draw(house.line.at).proposals[0].moved is None


def test_cost_without_a_quote_uses_closes() -> None:
    """OP-06"""
    house = a_house_in_a_position(("10:06", "10:06", STEADY), ("10:07", "10:20", "99.50 99.50 99.40 99.40"))
    builder = ViewBuilder(house.engine)
    house.until("10:07:02")
    house.desk.sightings.quotes.clear()
    house.presses(ProposeClose(SPY))
    assert builder.draw(house.line.at).proposals[0].moved == 0
    house.until("10:08:02")
    house.desk.sightings.quotes.clear()

    assert builder.draw(house.line.at).proposals[0].moved == Decimal("-0.1004")


def test_rest_of_a_partial_exit_keeps_its_stop() -> None:
    """EX-13"""
    house = a_house_that_hopes("0.2")

    assert (plain(row(house).covered), plain(row(house).at_limit)) == ("0.302", "0.2")
    assert "UNCOVERED SPY 0.2: " in told(house)


def test_ticket_warns_of_missing_stop() -> None:
    """EX-13, OP-03: not where the limit can be filled at once"""
    house = a_house_in_a_position(LONG)
    warnings = []
    for limit in ("110", "99"):
        at = Price(Decimal(limit))
        order = ProposeOrder(SPY, Effect.CLOSE, Quantity(Decimal("0.1")), OrderType.LIMIT, at, None, StopHolder.BROKER)
        house.presses(order)
        house.opens_ticket()
        passes(house, 1)
        verdicts = house.ticket.review.verdicts
        warnings.append([v.check for v in verdicts if v.check == "stop" and v.standing is CheckResult.WARNS])
        house.presses(Decline(house.proposal.id, ""))

    assert warnings == [["stop"], []]


def test_cancelled_exit_restores_the_stop() -> None:
    """EX-21"""
    house = a_house_that_hopes()
    house.presses(RequestCancel(house.sale.id))
    passes(house, 3)

    assert house.sent() == [*HOPES, CANCEL, STOP]
    assert "UNCOVERED" not in told(house)


def test_second_close_replaces_the_first() -> None:
    """EX-21, EX-13"""
    house = a_house_that_hopes()
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 5)

    assert house.sent() == [*HOPES, CANCEL, ("submit", "sell", "market", "0.502")]
    assert house.held() == house.held_by_the_broker() == "0"
    assert not [fact for fact in house.facts(facts.AuthorizationEnded) if fact.reason.startswith("close again")]


def test_rejected_second_close_restores_the_stop() -> None:
    """EX-21"""
    house = a_house_that_hopes()
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.line.refuses_the_next_order("not now")
    passes(house, 5)

    assert house.sent() == [*HOPES, CANCEL, STOP]
    assert plain(row(house).covered) == house.held_by_the_broker() == "0.502"


def test_partial_second_close_restores_the_rest() -> None:
    """EX-21, EX-13"""
    house = a_house_that_hopes()
    half = Quantity(Decimal("0.25"))
    house.presses(ProposeOrder(SPY, Effect.CLOSE, half, OrderType.MARKET, None, None, StopHolder.BROKER))
    confirms_now(house)
    passes(house, 5)

    rest = [("submit", "sell", "market", "0.25"), ("submit", "sell", "stop", "0.252")]
    assert house.sent()[-3:] == [CANCEL, *rest]
    assert plain(row(house).covered) == house.held() == house.held_by_the_broker() == "0.252"


def test_smaller_exit_restores_a_stop_for_the_rest() -> None:
    """EX-21, EX-13: the first stop goes back for the rest at once, not when the part is sold"""
    house = a_house_that_hopes()
    hopes(house, "0.1", "109")

    rest = [("submit", "sell", "limit", "0.1"), ("submit", "sell", "stop", "0.402")]
    assert house.sent() == [*HOPES, CANCEL, *rest]
    assert (plain(row(house).covered), plain(row(house).at_limit)) == ("0.402", "0.1")


def test_second_partial_exit_keeps_the_rest_covered() -> None:
    """EX-21, EX-13, OP-03: what the first part had taken from the stop comes back as well"""
    house = a_house_that_hopes("0.2")
    amount, at = Quantity(Decimal("0.1")), Price(Decimal("109"))
    house.presses(ProposeOrder(SPY, Effect.CLOSE, amount, OrderType.LIMIT, at, None, StopHolder.BROKER))
    house.opens_ticket()
    passes(house, 1)
    (ticket,) = picture(house).tickets
    house.confirms()
    passes(house, 3)

    assert ticket.put_back_in_words == (f"0.402 at {house.stops[0].request.stop_price}",)
    assert (plain(row(house).covered), plain(row(house).at_limit)) == ("0.402", "0.1")
    assert house.held_by_the_broker() == "0.502"


def test_last_of_three_exits_restores_the_stop() -> None:
    """EX-21: it ends unfilled, and the stop of the first guards again"""
    house = a_house_that_hopes()
    hopes(house, limit="109")
    hopes(house, limit="108")
    (last,) = house.desk.ledger.working()
    house.presses(RequestCancel(last.id))
    passes(house, 3)

    assert house.sent() == [*HOPES, *[CANCEL, SALE] * 2, CANCEL, STOP]
    assert plain(row(house).covered) == house.held_by_the_broker() == "0.502"


def test_force_flat_is_staged_beside_it() -> None:
    """ST-02, OP-06: a far limit mutes no exit of the strategy"""
    house = a_house_that_hopes(then=ALL_DAY, settings=Settings(**RARELY))
    house.until("15:56:05")

    (waiting,) = house.desk.stage.proposals()
    assert waiting.exit_reason is ExitReason.FORCE_FLAT
    confirms_now(house)
    passes(house, 5)
    assert house.held() == house.held_by_the_broker() == "0"
    assert [fact.fill.quantity for fact in house.facts(facts.OrderFilled)] == [Decimal("0.502")] * 2


def test_restart_between_two_closes_sells_once() -> None:
    """EX-20, EX-21"""
    house = a_house_that_hopes()
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.slows_down(1)
    passes(house, 0.4)
    house.restarted()
    passes(house, 20)

    assert house.held() == house.held_by_the_broker() == "0"
    assert house.sent().count(("submit", "sell", "market", "0.502")) == 1
    assert [request[:3] for request in house.sent()].count(("submit", "sell", "market")) == 1


def a_house_with_two_exits(part: str) -> House:
    """It is 10:10:05: a close of a part by hand waits, and VWAP's own exit of all 0.502 beside it."""
    house = a_house_in_a_position(("10:06", "10:08", STEADY), ("10:09", "10:40", RECOVERY))
    house.presses(a_close_of(part))
    house.until("10:10:05")
    assert waiting(house) == [f"reduce {part}" if part != "0.502" else "close 0.502", "close 0.502"]
    return house


def a_close_of(part: str) -> ProposeOrder:
    return ProposeOrder(SPY, Effect.REDUCE, Quantity(Decimal(part)), OrderType.MARKET, None, None, StopHolder.YOU)


def by_hand(house: House) -> Proposal:
    return next(p for p in house.desk.stage.proposals() if p.exit_reason is ExitReason.MANUAL)


def waiting(house: House) -> list[str]:
    return [f"{p.order.effect.value} {plain(p.order.quantity)}" for p in house.desk.stage.proposals()]


def sells(house: House, proposal: Proposal) -> None:
    house.presses(OpenTicket(proposal.id))
    passes(house, 1)
    ticket = house.ticket
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))
    passes(house, 3)


def test_waiting_exit_shrinks_to_what_is_left() -> None:
    """OP-06, EX-13"""
    house = a_house_with_two_exits("0.2")

    sells(house, by_hand(house))

    assert (house.held(), waiting(house)) == ("0.302", ["close 0.302"])
    row = ViewBuilder(house.engine).draw(house.line.at).proposals[0]
    assert (plain(row.quantity), row.effect) == ("0.302", Effect.CLOSE)
    sells(house, house.proposal)
    assert house.last(facts.OrderCreated).order.effect is Effect.CLOSE
    assert house.held() == house.held_by_the_broker() == "0"


def test_a_ticket_sells_no_more_than_is_left() -> None:
    """OP-06, EX-13: also where its exit is made to fit only after it opens"""
    house = a_house_with_two_exits("0.502")
    state, waits = house.engine.state, house.proposal
    larger = replace(waits, order=replace(waits.order, quantity=Quantity(Decimal("0.6"))))

    house.presses(OpenTicket(waits.id))
    state.record(facts.ProposalStaged(larger, state.stage.state.reviews[waits.id]))
    passes(house, 1)

    order = house.last(facts.TicketOpened).ticket.order
    assert (plain(order.quantity), order.effect) == ("0.502", Effect.CLOSE)


def test_exit_of_a_closed_position_is_withdrawn() -> None:
    """OP-06"""
    house = a_house_with_two_exits("0.502")

    sells(house, by_hand(house))

    assert (house.held(), waiting(house)) == ("0", [])
    assert [fact.end for fact in house.facts(facts.ProposalEnded)].count(ProposalEnd.WITHDRAWN) == 1


def test_open_ticket_changes_once_closed() -> None:
    """OP-04: an open ticket keeps what it shows; what is left is said as soon as nobody reads it."""
    house = a_house_with_two_exits("0.2")
    first = by_hand(house)
    own = next(p for p in house.desk.stage.proposals() if p.id != first.id)
    house.presses(OpenTicket(own.id))
    passes(house, 1)
    read = house.ticket
    house.presses(OpenTicket(first.id))
    passes(house, 1)
    ticket = next(t for t in house.desk.stage.state.tickets.values() if t.proposal_id == first.id)
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))
    passes(house, 3)
    assert (house.held(), waiting(house)) == ("0.302", ["close 0.502"])
    assert read in house.desk.stage.state.tickets.values()

    house.presses(LeaveTicket(read.id))

    assert waiting(house) == ["close 0.302"]
    (edited,) = house.facts(facts.ProposalEdited)
    assert edited.proposal.id == own.id


def test_log_says_a_part_became_a_close(snapshot: SnapshotAssertion) -> None:
    """OP-06"""
    house = a_house_with_two_exits("0.2")
    pictures = ViewBuilder(house.engine)
    house.presses(a_close_of("0.302"))
    assert waiting(house) == ["reduce 0.2", "close 0.502", "reduce 0.302"]

    sells(house, by_hand(house))

    assert sorted(waiting(house)) == ["close 0.302", "close 0.302"]
    log = [row.text for row in pictures.draw(house.line.at).log]
    assert [text for text in log if " is now " in text] == snapshot


@dataclass(frozen=True, slots=True)
class LosesTheFirstStop(Link):
    """The first stop never arrives; everything else does."""

    lost: list[ClientOrderId] = field(default_factory=list)

    def carry(self, effect: Request) -> Iterable[timedelta]:
        if isinstance(effect, SubmitOrder) and effect.order.type.is_stop and not self.lost:
            self.lost.append(effect.order.client_order_id)
            return ()
        return (self.latency,)


@pytest.mark.parametrize("restarts", [False, True], ids=["", "the desk is restarted meanwhile"])
def test_close_waits_for_a_stop_in_doubt(restarts: bool) -> None:
    """EX-21, EX-22, EX-06: a minute of look-ups ends it as never arrived, and the sale goes."""
    house = a_house_with_a_proposal(("10:06", "10:40", STEADY))
    house.line.link = LosesTheFirstStop()
    house.confirms_at("10:06:02")
    house.until("10:06:06")
    (stop,) = house.stops
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:07")
    house.confirms()
    house.until("10:07:00")
    assert house.desk.ledger.chains.is_in_doubt(stop)
    if restarts:
        house = house.restarted()

    house.until("10:09")

    assert house.sale.status is OrderStatus.FILLED
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")
    assert not FAILED_CLOSES & {fact.code for fact in house.facts(facts.AuthorizationEnded)}
    assert house.facts(facts.AuthorizationProlonged)


def test_lapsed_close_needs_a_new_key() -> None:
    """EX-21, OP-02: the key was turned for then."""
    house = a_house_with_a_proposal(("10:06", "10:40", STEADY))
    house.line.link = LosesTheFirstStop()
    house.confirms_at("10:06:02")
    house.until("10:06:06")
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:07")
    house.confirms()
    house.until("10:06:20")
    house.line.at += timedelta(minutes=5)
    house = house.restarted()
    house.until("10:14")

    assert house.held() == "0.502"
    assert AuthorizationCode.NOT_IN_TIME in [fact.code for fact in house.facts(facts.AuthorizationEnded)]


UP = ("10:07", "10:30", RECOVERY)
DAY = timedelta(days=1)


def refuses(house: House) -> None:
    house.line.refuses_the_next_order("insufficient qty available")


def loses(house: House) -> None:
    """Its request never reaches the broker, nor does the one that is sent again."""
    house.line.breaks_at(SubmitOrder, arrives=False, times=2)


def turns(house: House) -> None:
    """What waits is opened, read and confirmed."""
    house.opens_ticket()
    house.until_moment(house.line.at + timedelta(seconds=1))
    house.confirms()
    house.until_moment(house.line.at + timedelta(seconds=5))


def leaves(house: House) -> Trade:
    """The next exit that is proposed is confirmed, and fills."""
    while not house.desk.stage.proposals():
        house.until_moment(house.line.at + timedelta(seconds=10))
    turns(house)
    return house.last(facts.TradeClosed).trade


@pytest.mark.parametrize(
    ("fails", "reason"), [(refuses, ExitReason.BROKER_REJECT), (loses, ExitReason.EXECUTION_ERROR)]
)
def test_repeated_exit_names_the_failure_and_its_purpose(
    fails: Callable[[House], None], reason: ExitReason, snapshot: SnapshotAssertion
) -> None:
    """EX-18"""
    house = a_house_in_a_position(("10:06", "10:06", STEADY), UP).until("10:08:02")
    fails(house)
    turns(house)
    assert not house.facts(facts.TradeClosed)

    trade = leaves(house)

    assert (trade.exit_reason, trade.meant) == (reason, ExitReason.MEAN_REVERSION)
    assert in_words(facts.TradeClosed(trade)) == snapshot


def test_filled_exit_names_its_purpose() -> None:
    """EX-18"""
    trade = leaves(a_house_in_a_position(("10:06", "10:06", STEADY), UP))

    assert (trade.exit_reason, trade.meant) == (ExitReason.MEAN_REVERSION, None)


def test_failed_exit_is_counted_apart() -> None:
    """EX-18, ST-10: the night judges the strategy without it, and its money counts all the same."""
    house = a_house_in_a_position(("10:06", "10:06", STEADY), UP).until("10:08:02")
    refuses(house)
    turns(house)
    trade = leaves(house)

    (row,) = ViewBuilder(house.engine).draw(house.line.at).results
    record = house.desk.evaluation.state.records["vwap"]
    figures = figures_of(record.results, trade.exit_time.date(), (), record.losses_in_a_row, 1)

    assert (row.trades, row.wins, row.realised) == (0, 0, 0)
    assert (row.failed, row.failed_realised) == (1, trade.profit)
    assert (figures.trades, figures.failed, figures.wins) == (0, 1, 0)
    assert house.desk.theses.state.closed == {}
    assert house.desk.evaluation.lost_since("vwap", trade.exit_time.date()) == -trade.profit


def test_stop_out_after_a_failed_exit_counts() -> None:
    """RK-05: a stop-out whose first exit was refused is a stop-out."""
    house = a_house_in_a_position(
        ("10:06", "10:06", STEADY), ("10:07", "10:11", RECOVERY), ("10:12", "10:20", FALL)
    ).until("10:08:02")
    refuses(house)
    turns(house)

    house.until("10:16")
    trade = house.last(facts.TradeClosed).trade

    assert (trade.exit_reason, trade.meant) == (ExitReason.BROKER_REJECT, ExitReason.STOP_LOSS)
    assert closed(trade, Direction.LONG).is_stop_out
