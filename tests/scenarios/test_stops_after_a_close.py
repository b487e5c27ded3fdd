"""A close took a stop out of its way: when it goes back, and for how many shares (EX-21, EX-13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.stop_coverage import unprotected_in_words
from core.facts import AuthorizationEnded, OrderRestated, ProposalSkipped
from core.messages.commands import Kill, MoveStop, ProposeClose, ProposeOrder, RequestCancel
from core.model.bar import Bar
from core.model.codes import FAILED_CLOSES, UnprotectedKind
from core.model.order import Effect, OrderType, Side, StopHolder, TimeInForce
from core.model.values import Price, Quantity, plain, priced
from core.views.builders.desk import ViewBuilder
from core.workflows.protection.owed_stops import NOT_THERE
from core.workflows.staging.proposal_intake import NO_FRACTION_LASTS, NO_FRACTION_OF_A_PAIR, NO_FRACTION_TRAILS
from tests.scenarios.changes import FRACTIONS, ROOMY, confirms_now, passes
from tests.scenarios.elsewhere import is_changed_there, trades_elsewhere
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.requests import Request, buy, requested, sell
from tests.unit.core.brokers.trading_floor import SPY, a_bar
from tests.unit.core.brokers.unlinked_book import unlink_siblings


@dataclass(frozen=True)
class Way:
    """Up or down: what is written for a long is mirrored at 100 for a short."""

    is_long: bool

    def at(self, price: str) -> Price:
        return Price(Decimal(price) if self.is_long else 200 - Decimal(price))

    def bar(self, clock: str, prices: str, volume: int = 100_000) -> Bar:
        first, high, low, last = (self.at(price) for price in prices.split())
        if not self.is_long:
            high, low = low, high
        return a_bar(clock, f"{first} {high} {low} {last}", volume=volume)

    @property
    def opens(self) -> Effect:
        return Effect.OPEN if self.is_long else Effect.SHORT

    @property
    def closes(self) -> Effect:
        return Effect.CLOSE if self.is_long else Effect.COVER

    @property
    def out(self) -> str:
        return "sell" if self.is_long else "buy"

    @property
    def into(self) -> str:
        return "buy" if self.is_long else "sell"


BOTH = pytest.mark.parametrize("way", [Way(is_long=True), Way(is_long=False)], ids=["long", "short"])


def quiet_but(way: Way, *bars: tuple[str, str, int]) -> list[Bar]:
    """A day at 100 with some minutes of its own."""
    own = {bar.start: bar for bar in (way.bar(*one) for one in bars)}
    return [own.get(bar.start, bar) for bar in minutes("10:04", "10:35")]


def holding_six(way: Way, *bars: tuple[str, str, int], stop: str = "99") -> House:
    """It is 10:05: six are held, and the broker holds their stop."""
    house = House(quiet_but(way, *bars), ROOMY, cash=Decimal(20_000), multiplier=Decimal(2)).opens().until("10:05")
    enters(house, way, "6", "100.10", stop)
    assert working(house) == [f"{way.out} stop 6 {plain(way.at(stop))}"]
    return house


def enters(house: House, way: Way, shares: str, limit: str, stop: str, **terms: object) -> None:
    typed = a_typed_buy(shares)
    order = replace(typed, effect=way.opens, limit_price=way.at(limit), stop_price=way.at(stop), **terms)
    house.presses(order)
    confirms_now(house)
    passes(house, 5)


def exits(house: House, way: Way, limit: str, shares: str = "6", stop: str | None = None) -> None:
    """At a limit, alone or as a pair with a stop."""
    amount, its_stop = Quantity(Decimal(shares)), None if stop is None else way.at(stop)
    house.presses(ProposeOrder(SPY, way.closes, amount, OrderType.LIMIT, way.at(limit), its_stop, StopHolder.BROKER))
    confirms_now(house)
    passes(house, 5)


def takes_back_the_exit(house: House, way: Way, limit: str) -> None:
    found = [o for o in house.desk.ledger.working() if o.only_reduces and o.request.limit_price == way.at(limit)]
    house.presses(RequestCancel(found[0].id))
    passes(house, 60)


def working(house: House) -> list[str]:
    """What may fill at the broker: `sell stop 6 99`."""
    book = [o for o in house.exchange._book.all_working() if not o.is_held]
    return sorted(
        f"{o.side.value} {o.request.type.value} {plain(o.remaining)} "
        f"{plain(o.request.stop_price or o.request.limit_price or Decimal(0))}"
        for o in book
    )


def failed(house: House) -> list[str]:
    return [fact.reason for fact in house.facts(AuthorizationEnded) if fact.code in FAILED_CLOSES]


def beside_a_bracket_that_is_half_bought(way: Way, sold: int) -> House:
    """Six wait at a limit; six of a bracket for ten are bought beside them; then so much trades at that limit."""
    house = holding_six(
        way,
        ("10:12", "100 100 99.4 100", 80),
        ("10:20", "100 100.7 100 100", sold),
        ("10:30", "99.9 99.9 99.2 99.6", 100_000),
        stop="99.30",
    )
    exits(house, way, "100.5")
    enters(house, way, "10", "99.50", "98.50", target_price=way.at("102"))
    house.until("10:14")
    kinds = [kind for kind, _ in unprotected_in_words(house.desk.ledger)]
    assert kinds == [UnprotectedKind.NO_STOP, UnprotectedKind.AT_LIMIT]
    house.until("10:22")
    return house


@BOTH
def test_a_full_close_puts_no_stop_on_a_later_bracket(way: Way) -> None:
    """EX-21, EX-13, OP-02: their own ticket named another price, and their legs are to hold them"""
    house = beside_a_bracket_that_is_half_bought(way, sold=100_000)
    assert working(house) == [f"{way.into} limit 4 {plain(way.at('99.50'))}"]

    house.until("10:32")
    assert sorted(working(house)) == sorted(
        [f"{way.out} stop 10 {plain(way.at('98.50'))}", f"{way.out} limit 10 {plain(way.at('102'))}"]
    )
    assert abs(Decimal(house.held_by_the_broker())) == 10
    assert not unprotected_in_words(house.desk.ledger)
    assert_can_be_rebuilt(house)


@BOTH
def test_a_partial_close_puts_its_stop_back_for_the_rest(way: Way) -> None:
    """EX-21, EX-13, OP-02: beside a bracket that is half bought"""
    house = beside_a_bracket_that_is_half_bought(way, sold=40)
    takes_back_the_exit(house, way, "100.5")

    assert f"{way.out} stop 2 {plain(way.at('99.30'))}" in working(house)
    house.until("10:32")
    assert sorted(working(house)) == sorted(
        [f"{way.out} stop 10 {plain(way.at('98.50'))}", f"{way.out} limit 10 {plain(way.at('102'))}"]
    )
    assert not unprotected_in_words(house.desk.ledger)
    assert_can_be_rebuilt(house)


@BOTH
def test_a_stop_changed_during_a_close_goes_back_as_signed(way: Way) -> None:
    """EX-21, EX-13: the broker moves it once the key is turned, and says so when it is cancelled"""
    house = holding_six(way)
    (stop,) = (order for order in house.desk.ledger.working() if order.is_protective)
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(2))))
    house.opens_ticket()
    passes(house, 1)
    is_changed_there(house, stop.id, stop_price=way.at("98.50"))
    house.confirms()
    passes(house, 2)

    assert house.last(OrderRestated).after.stop_price == way.at("98.50")
    assert working(house) == [f"{way.out} stop 4 {plain(way.at('99'))}"]
    assert not unprotected_in_words(house.desk.ledger)
    assert_can_be_rebuilt(house)


@BOTH
def test_shares_watched_by_the_desk_get_no_earlier_stop(way: Way) -> None:
    """EX-21, OP-02, OP-06"""
    house = holding_six(way, ("10:20", "100 100.7 100 100", 100_000), stop="99.30")
    exits(house, way, "100.5")
    enters(house, way, "5", "100.10", "97", stop_holder=StopHolder.DESK)
    house.until("10:22")

    assert abs(Decimal(house.held_by_the_broker())) == 5
    assert working(house) == []
    assert_can_be_rebuilt(house)


@BOTH
def test_a_partial_close_of_more_keeps_the_stop_whole(way: Way) -> None:
    """EX-21: six of eleven had it; four are sold, and six have it again"""
    house = holding_six(way, ("10:20", "100 100.7 100 100", 40), stop="99.30")
    enters(house, way, "5", "100.10", "97", stop_holder=StopHolder.DESK)
    exits(house, way, "100.5", "11")
    house.until("10:22")
    takes_back_the_exit(house, way, "100.5")

    assert abs(Decimal(house.held_by_the_broker())) == 7
    assert working(house) == [f"{way.out} stop 6 {plain(way.at('99.30'))}"]
    assert_can_be_rebuilt(house)


@BOTH
@pytest.mark.parametrize(("sold", "left", "back"), [("5", 6, "6"), ("7", 4, "4"), ("11", 0, None)])
def test_a_sale_of_a_part_restores_what_its_ticket_names(way: Way, sold: str, left: int, back: str | None) -> None:
    """EX-21, OP-02: six of eleven had a stop; the ticket names the stop that goes back for what stays"""
    house = holding_six(way)
    enters(house, way, "5", "100.10", "97", stop_holder=StopHolder.DESK)
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(sold))))
    house.opens_ticket()
    passes(house, 1)
    (shown,) = ViewBuilder(house.engine).draw(house.line.at).tickets
    house.confirms()
    passes(house, 5)

    assert abs(Decimal(house.held_by_the_broker())) == left
    assert [words.split()[0] for words in shown.put_back_in_words] == ([back] if back else [])
    assert working(house) == ([f"{way.out} stop {back} {plain(way.at('99'))}"] if back else [])
    assert_can_be_rebuilt(house)


def sells_five_of_eleven(way: Way) -> House:
    """Six of them had a stop."""
    house = holding_six(way)
    enters(house, way, "5", "100.10", "97", stop_holder=StopHolder.DESK)
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(5))))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    return house


@BOTH
def test_a_crash_in_a_sale_of_a_part_restores_the_stop(way: Way) -> None:
    """EX-20, EX-21, EX-22"""
    house = sells_five_of_eleven(way)
    begins = house.journal.sequence
    passes(house, 60)
    ends = house.journal.sequence
    assert ends > begins + 10

    for last in range(begins + 1, ends):
        house = sells_five_of_eleven(way)
        while house.journal.sequence <= last:
            house.until_moment(house.line.at + timedelta(milliseconds=50))
        house.loses_the_journal_after(list(house.journal.records())[last - 1].sequence)
        house.restarted()
        passes(house, 120)

        assert abs(Decimal(house.held_by_the_broker())) in (6, 11), last
        assert working(house) == [f"{way.out} stop 6 {plain(way.at('99'))}"], last


def by_the_operator(house: House, way: Way) -> None:
    takes_back_the_exit(house, way, "101")


def elsewhere(house: House, way: Way) -> None:
    found = next(o for o in house.desk.ledger.working() if o.is_target)
    house.exchange.cancel(house.line.at, found.id)
    passes(house, 60)


@BOTH
@pytest.mark.parametrize("ends", [by_the_operator, elsewhere])
@pytest.mark.parametrize("shares", ["6", "3"])
def test_a_cancelled_pair_brings_the_earlier_stop_back(
    way: Way, ends: Callable[[House, Way], None], shares: str
) -> None:
    """EX-21, EX-13: also after a restart, and of a part"""
    house = holding_six(way)
    exits(house, way, "101", shares, stop="99.50")
    said = {row.goes_back_in_words for row in ViewBuilder(house.engine).draw(house.line.at).orders if row.legs}
    assert said == {(), (f"{shares} at {priced(way.at('99'))}",)}  # the entry's, and the pair's
    ends(house, way)

    assert sum(Decimal(line.split()[2]) for line in working(house)) == 6
    assert {line.split()[3] for line in working(house)} == {plain(way.at("99"))}
    assert not unprotected_in_words(house.desk.ledger)
    house.restarted()
    passes(house, 60)
    assert not unprotected_in_words(house.desk.ledger)
    assert_can_be_rebuilt(house)


def taken_back_while_a_pair_works(way: Way) -> House:
    """The key was pressed; nothing of it has happened yet."""
    house = holding_six(way)
    exits(house, way, "101", stop="99.50")
    house.presses(RequestCancel(next(o for o in house.desk.ledger.working() if o.is_target).id))
    return house


@BOTH
def test_a_crash_in_a_cancelled_pair_protects_once(way: Way) -> None:
    """EX-20, EX-21"""
    house = taken_back_while_a_pair_works(way)
    begins = house.journal.sequence
    passes(house, 60)
    ends = house.journal.sequence
    assert ends > begins + 4

    for last in range(begins + 1, ends, 2):
        house = taken_back_while_a_pair_works(way)
        while house.journal.sequence <= last:
            house.until_moment(house.line.at + timedelta(milliseconds=50))
        house.loses_the_journal_after(list(house.journal.records())[last - 1].sequence)
        house.restarted()
        passes(house, 120)

        waits = [(p.order.quantity, p.order.stop_price, p.reason) for p in house.desk.stage.proposals()]
        if waits:  # it was written down and never left
            assert (waits, working(house)) == ([(6, way.at("99"), NOT_THERE.words)], []), last
        else:
            assert working(house) == [f"{way.out} stop 6 {plain(way.at('99'))}"], last
            assert not unprotected_in_words(house.desk.ledger), last


@BOTH
def test_a_pair_that_sold_a_part_leaves_a_stop_for_the_rest(way: Way) -> None:
    """EX-21, EX-13"""
    house = holding_six(way, ("10:20", "100 101.5 100 100", 30))
    exits(house, way, "101", stop="99.50")
    house.until("10:22")
    assert abs(Decimal(house.held_by_the_broker())) == 3
    takes_back_the_exit(house, way, "101")

    assert working(house) == [f"{way.out} stop 3 {plain(way.at('99'))}"]
    assert_can_be_rebuilt(house)


@BOTH
def test_a_pair_sold_by_its_stop_is_no_failed_close(way: Way) -> None:
    """EX-21"""
    house = holding_six(way, ("10:20", "100 100 99.4 99.6", 100_000))
    exits(house, way, "101", stop="99.50")
    house.until("10:22")

    assert house.held() == house.held_by_the_broker() == "0"
    assert (working(house), failed(house)) == ([], [])


@BOTH
def test_a_pair_after_a_limit_gives_the_first_stop_back(way: Way) -> None:
    """EX-21, EX-13"""
    house = holding_six(way)
    exits(house, way, "102")
    exits(house, way, "101", stop="99.50")
    takes_back_the_exit(house, way, "101")

    assert working(house) == [f"{way.out} stop 6 {plain(way.at('99'))}"]
    assert_can_be_rebuilt(house)


@BOTH
def test_a_pair_ends_with_its_moved_stop(way: Way) -> None:
    """EX-21, EX-13"""
    house = holding_six(way)
    exits(house, way, "101", stop="99.50")
    house.presses(MoveStop(SPY, "manual", way.at("99.70")))
    confirms_now(house)
    passes(house, 5)
    assert f"{way.out} stop 6 {plain(way.at('99.70'))}" in working(house)
    takes_back_the_exit(house, way, "101")

    assert working(house) == [f"{way.out} stop 6 {plain(way.at('99'))}"]


@BOTH
def test_a_refused_close_brings_the_pairs_stop_back(way: Way) -> None:
    """EX-21, EX-13: it was there last; the first one is for none of its shares any more"""
    house = holding_six(way)
    exits(house, way, "101", stop="99.50")
    house.presses(ProposeClose(SPY))
    house.line.refuses_the_next_order("no")
    confirms_now(house)
    passes(house, 60)

    assert working(house) == [f"{way.out} stop 6 {plain(way.at('99.50'))}"]
    assert not unprotected_in_words(house.desk.ledger)
    assert_can_be_rebuilt(house)


@BOTH
def test_both_stops_of_two_closes_go_back_once(way: Way) -> None:
    """EX-21, OP-02: none for those that were bought since, whose stop the desk watches"""
    house = holding_six(way)
    exits(house, way, "101", stop="99.50")
    enters(house, way, "5", "100.10", "97", stop_holder=StopHolder.DESK)
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(6))))
    house.line.refuses_the_next_order("no")
    confirms_now(house)
    passes(house, 60)

    assert abs(Decimal(house.held_by_the_broker())) == 11
    assert working(house) == [f"{way.out} stop {shares} {plain(way.at('99.50'))}" for shares in (1, 5)]
    assert_can_be_rebuilt(house)


@BOTH
def test_a_partial_close_of_a_pair_keeps_the_named_stop(way: Way) -> None:
    """EX-21, EX-13, OP-03"""
    house = holding_six(way)
    exits(house, way, "101", stop="99.50")
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(4))))
    house.opens_ticket()
    passes(house, 1)
    (ticket,) = ViewBuilder(house.engine).draw(house.line.at).tickets
    house.confirms()
    passes(house, 60)

    assert ticket.put_back_in_words == (f"2 at {priced(way.at('99.50'))}",)
    assert working(house) == [f"{way.out} stop 2 {plain(way.at('99.50'))}"]
    assert_can_be_rebuilt(house)


def test_a_naked_kill_puts_no_stop_back() -> None:
    """OP-07: NAKED was typed"""
    way = Way(is_long=True)
    house = holding_six(way)
    exits(house, way, "101", stop="99.50")
    house.presses(Kill("key", naked=True))
    passes(house, 60)

    assert working(house) == []


@BOTH
def test_an_oversized_pair_gives_its_own_stop_back(way: Way, snapshot: SnapshotAssertion) -> None:
    """EX-13, EX-21: at a broker that does not make one of a pair less when the other fills"""
    house = holding_six(way, ("10:12", "100 100 99.4 100", 60), ("10:20", "100 101.5 100 100", 10), stop="99.30")
    unlink_siblings(house.exchange)
    exits(house, way, "101", stop="99.35")
    enters(house, way, "10", "99.50", "98.50", target_price=way.at("102"))
    house.until("10:22")

    bought, sold = Decimal(4), Decimal(1)
    assert abs(Decimal(house.held_by_the_broker())) == 6 + bought - sold
    assert f"{way.out} stop 5 {plain(way.at('99.35'))}" in working(house)
    assert len(working(house)) == 2
    assert failed(house) == snapshot
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"limit_price": Price(Decimal(101)), "stop_price": Price(Decimal("99.50"))}, NO_FRACTION_OF_A_PAIR),
        ({"type": OrderType.TRAILING_STOP, "trail_price": Price(Decimal("0.5"))}, NO_FRACTION_TRAILS),
        ({"limit_price": Price(Decimal(101)), "time_in_force": TimeInForce.GTC}, NO_FRACTION_LASTS),
    ],
)
def test_a_fraction_the_broker_refuses_is_not_staged(terms: dict[str, object], why: str) -> None:
    """EX-11: its stop does not make way for it"""
    house = House(minutes("09:58", "10:10"), FRACTIONS, cash=Decimal(10_000)).opens().until("10:05")
    way = Way(is_long=True)
    enters(house, way, "1.5", "100.10", "99")
    amount, limit = Quantity(Decimal("1.5")), OrderType.LIMIT
    house.presses(replace(ProposeOrder(SPY, Effect.CLOSE, amount, limit, None, None, StopHolder.BROKER), **terms))
    passes(house, 5)

    assert house.last(ProposalSkipped).reasons == (why,)
    assert house.desk.stage.proposals() == ()
    assert working(house) == [f"{way.out} stop 1.5 {plain(way.at('99'))}"]
    assert requested(house) == [buy("limit", "1.5"), sell("stop", "1.5")]


def goes_elsewhere(house: House, way: Way, shares: str) -> None:
    """Somebody sold so many, or bought them back; the broker's word is not taken yet."""
    side = Side.SELL if way.is_long else Side.BUY
    trades_elsewhere(house.exchange, house.line.at, side, shares)


@BOTH
def test_an_exit_made_smaller_has_not_failed(way: Way) -> None:
    """EX-21, EX-13"""
    house = holding_six(way)
    exits(house, way, "101")
    goes_elsewhere(house, way, "2")
    house.accepts(house.exchange.books(house.line.at))
    passes(house, 120)

    assert working(house) == [f"{way.out} limit 4 {plain(way.at('101'))}"]
    assert failed(house) == []
    assert ViewBuilder(house.engine).draw(house.line.at).failed_closes == ()
    takes_back_the_exit(house, way, "101")
    assert working(house) == [f"{way.out} stop 4 {plain(way.at('99'))}"]
    assert failed(house) == []
    assert_can_be_rebuilt(house)


@BOTH
def test_a_moved_stop_limit_exit_has_not_failed(way: Way) -> None:
    """EX-21"""
    house = holding_six(way)
    amount, limit, stop = Quantity(Decimal(6)), way.at("99.2"), way.at("99.3")
    house.presses(ProposeOrder(SPY, way.closes, amount, OrderType.STOP_LIMIT, limit, stop, StopHolder.BROKER))
    confirms_now(house)
    passes(house, 5)
    house.presses(MoveStop(SPY, "manual", way.at("98.75")))
    confirms_now(house)
    passes(house, 5)

    assert working(house) == [f"{way.out} stop_limit 6 {plain(way.at('98.75'))}"]
    assert failed(house) == []


@BOTH
def test_another_close_replaces_a_smaller_exit(way: Way) -> None:
    """EX-21: and where that is refused, the first stop goes back"""
    house = holding_six(way)
    exits(house, way, "101")
    goes_elsewhere(house, way, "2")
    house.accepts(house.exchange.books(house.line.at))
    passes(house, 120)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)
    (ticket,) = ViewBuilder(house.engine).draw(house.line.at).tickets
    house.line.refuses_the_next_order("no")
    house.confirms()
    passes(house, 60)

    assert ticket.put_back_in_words == ()
    assert working(house) == [f"{way.out} stop 4 {plain(way.at('99'))}"]
    assert_can_be_rebuilt(house)


@BOTH
def test_an_exit_is_cut_to_what_is_left(way: Way) -> None:
    """EX-21, EX-13: before a person takes the broker's word; and then its stop is for no more than that"""
    house = holding_six(way)
    exits(house, way, "101")
    goes_elsewhere(house, way, "1")
    passes(house, 300)

    assert working(house) == [f"{way.out} limit 5 {plain(way.at('101'))}"]
    assert [r for r in requested(house) if r.verb == "replace"] == [Request("replace", way.out, "limit", "5")]
    takes_back_the_exit(house, way, "101")
    assert working(house) == [f"{way.out} stop 5 {plain(way.at('99'))}"]
    house.accepts(house.exchange.books(house.line.at))
    passes(house, 120)
    assert working(house) == [f"{way.out} stop 5 {plain(way.at('99'))}"]
    assert not unprotected_in_words(house.desk.ledger)
    assert_can_be_rebuilt(house)
