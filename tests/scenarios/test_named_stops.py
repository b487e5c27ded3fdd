"""Which shares are to have a stop: no loss goes untold, and nothing is sent that nobody signed (EX-22)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

import tests.scenarios.test_stops_after_a_close as stops_after_a_close
from core.facts import ProposalSkipped, StopOwed
from core.messages.commands import MoveStop, RequestCancel
from core.messages.effects import Effect as Asked
from core.messages.effects import FetchActivities, SubmitOrder
from core.messages.inputs import Input, SubmissionAnswered
from core.model.broker import Capabilities, Refused
from core.model.codes import OwedReason, RefusalKind
from core.model.order import Side, StopHolder, TimeInForce
from core.model.values import Price, Quantity, plain
from core.settings.settings import Settings
from tests.scenarios.changes import FRACTIONS, ROOMY, confirms_now, passes
from tests.scenarios.elsewhere import is_changed_there, trades_elsewhere
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt
from tests.scenarios.late_fills import fills_late
from tests.scenarios.test_account_activities import EVENTS, FEES, SESSIONS, SPLIT_ON, TABLE, the_market
from tests.scenarios.test_lost_stops import RISE, TAKEN, by_key, elsewhere, stop_at, wide, without_held
from tests.scenarios.test_restored_stops import LONG, owed, sells, watched
from tests.scenarios.test_stops_after_a_close import (
    BOTH,
    Way,
    enters,
    exits,
    holding_six,
    quiet_but,
    takes_back_the_exit,
    working,
)  # fmt: skip
from tests.unit.core.brokers.trading_floor import SPY

SPIKE = ("10:12", "100 100 99.45 100", 100_000)
"""It takes a stop at 99.50 and none at 99."""


def named(house: House) -> Decimal:
    return house.desk.owed_stops.state.named.get("SPY/manual", Decimal(0))


def test_a_stop_given_anew_beside_a_sale_stays_named() -> None:
    """EX-22: the restored stop is cancelled by key, another one is given by key, the sale fills; then it is taken"""
    house = holding_six(LONG, RISE)
    assert sells(house, LONG, "2", "101") == ("4 at 99.00",)
    passes(house, 60)
    by_key(house, stop_at(house, "99"))
    passes(house, 5)
    house.presses(MoveStop(SPY, "manual", LONG.at("99.20")))
    confirms_now(house)
    house.until("10:22")
    assert (house.held(), working(house)) == ("4", ["sell stop 4 99.2"])

    elsewhere(house, stop_at(house, "99.20"))
    passes(house, 70)
    assert owed(house) == [("4", TAKEN)]
    assert_can_be_rebuilt(house)


def test_watched_shares_sold_elsewhere_leave_a_stop_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-22: Sixteen: six at a limit, five watched, five at 98.50; somebody sells five, accepted; the six are sold"""
    monkeypatch.setattr(stops_after_a_close, "ROOMY", wide(ROOMY))
    house = holding_six(LONG, RISE)
    exits(house, LONG, "101")
    watched(house, LONG)
    enters(house, LONG, "5", "100.10", "98.50")
    trades_elsewhere(house.exchange, house.line.at, Side.SELL, "5")
    passes(house, 70)
    house.accepts(house.exchange.books(house.line.at))
    house.until("10:22")
    assert (house.held(), working(house)) == ("5", ["sell stop 5 98.5"])

    elsewhere(house, stop_at(house, "98.50"))
    passes(house, 70)
    assert owed(house) == [("5", TAKEN)]
    assert_can_be_rebuilt(house)


def test_a_late_fill_beside_a_sale_stays_named() -> None:
    """EX-22: The entry was cancelled before the sale's key; the word of its fill comes after it"""
    house = holding_six(LONG, RISE)
    enters(house, LONG, "5", "99.50", "98.50")
    entry = next(o for o in house.desk.ledger.working() if not o.only_reduces)
    house.presses(RequestCancel(entry.id))
    passes(house, 10)
    exits(house, LONG, "101")
    fills_late(house.exchange, house.line.at, entry.id, "5")
    house.until("10:22")
    assert (house.held(), working(house)) == ("5", ["sell stop 5 98.5"])

    elsewhere(house, stop_at(house, "98.50"))
    passes(house, 70)
    assert owed(house) == [("5", TAKEN)]
    assert_can_be_rebuilt(house)


def test_an_older_sale_in_part_keeps_the_rest_named() -> None:
    """EX-22: Without `held`: five came and went by their own stop; one of six is sold; the sale is taken back"""
    house = holding_six(LONG, SPIKE, ("10:20", "100 101.6 100 100", 10))
    sells(house, LONG, "6", "101")
    passes(house, 5)
    enters(house, LONG, "5", "100.10", "99.50")
    without_held(house)
    house.until("10:22")
    takes_back_the_exit(house, LONG, "101")
    passes(house, 600)

    assert (house.held(), working(house)) == ("5", ["sell stop 5 99"])


def test_a_cancelled_move_is_subtracted_once() -> None:
    """EX-22: Stops of 6 at 99 and 2 at 98.50 beside a sale of two; the 98.50 is cancelled while it is being moved"""
    house = holding_six(LONG, RISE)
    enters(house, LONG, "4", "100.10", "98.50")
    sells(house, LONG, "2", "101")
    passes(house, 60)
    house.presses(MoveStop(SPY, "manual", LONG.at("98.80")))
    confirms_now(house, 3)
    by_key(house, stop_at(house, "98.50"))
    house.until("10:22")

    guarded = sum(o.remaining for o in house.desk.ledger.working() if o.is_protective)
    assert guarded == 6
    assert named(house) >= guarded


def nine_of_a_half_bought_entry(monkeypatch: pytest.MonkeyPatch, *bars: tuple[str, str, int]) -> House:
    monkeypatch.setattr(stops_after_a_close, "ROOMY", wide(FRACTIONS))
    house = holding_six(LONG, ("10:06", "100 100 99.5 100", 40), *bars, ("10:12", "100 101.6 100 100", 100_000))
    enters(house, LONG, "10.5", "99.60", "98.50")
    house.until("10:07:05")
    assert house.held() == "9"
    return house


def test_a_watched_entry_that_rested_at_the_key_gets_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-22: three of an entry were bought before the key of a sale, and five watched ones after it"""
    house = nine_of_a_half_bought_entry(monkeypatch, ("10:09", "100 100 99.85 100", 100_000))
    enters(house, LONG, "5", "99.90", "97", stop_holder=StopHolder.DESK)
    sells(house, LONG, "9", "101")
    house.until("10:15")

    assert house.held() == "5"
    assert [each for each in working(house) if "stop" in each] == []
    assert not house.facts(StopOwed)


def test_shares_bought_elsewhere_get_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-22: the same beside shares that somebody else bought"""
    house = nine_of_a_half_bought_entry(monkeypatch)
    sells(house, LONG, "9", "101")
    passes(house, 3)
    trades_elsewhere(house.exchange, house.line.at, Side.BUY, "5")
    passes(house, 70)
    house.accepts(house.exchange.books(house.line.at))
    house.until("10:15")

    assert house.held() == "5"
    assert [each for each in working(house) if "stop" in each] == []


@BOTH
def test_a_later_stop_cancelled_by_key_stays_away(way: Way) -> None:
    """EX-13: five were bought beside a resting sale of six, and their stop was taken back; the six are sold"""
    house = holding_six(way, RISE)
    exits(house, way, "101")
    enters(house, way, "5", "100.10", "98.50")
    (stop,) = [o for o in house.desk.ledger.working() if o.is_protective]
    by_key(house, stop)
    house.until("10:25")

    assert (working(house), owed(house), house.facts(StopOwed)) == ([], [], [])


def test_a_stop_made_less_is_not_filled_up_at_another_price() -> None:
    """EX-22: five at 99.50 came and went by their own stop; then the broker takes two of the six at 99"""
    house = holding_six(LONG, SPIKE)
    enters(house, LONG, "5", "100.10", "99.50")
    house.until("10:14")
    assert (house.held(), working(house)) == ("6", ["sell stop 6 99"])
    is_changed_there(house, stop_at(house, "99").id, quantity=Quantity(Decimal(4)))
    passes(house, 120)

    assert [each for each in working(house) if each.endswith("99.5")] == []


def test_a_taken_stop_does_not_come_back_at_another_price() -> None:
    """EX-22: the stop of six is taken elsewhere, and told; then the stop of five sells its own shares"""
    house = holding_six(LONG, SPIKE)
    enters(house, LONG, "5", "100.10", "99.50")
    elsewhere(house, stop_at(house, "99"))
    house.until("10:16")

    assert (house.held(), working(house), owed(house)) == ("6", [], [("6", TAKEN)])


def test_an_older_sale_sends_nothing_at_another_price() -> None:
    """EX-22: Without `held`: five came and went by their own stop; the sale of the six is taken back"""
    house = holding_six(LONG, SPIKE)
    sells(house, LONG, "6", "101")
    passes(house, 5)
    enters(house, LONG, "5", "100.10", "99.50")
    without_held(house)
    house.until("10:14")
    takes_back_the_exit(house, LONG, "101")

    assert (house.held(), working(house)) == ("6", ["sell stop 6 99"])


def test_a_restored_stop_made_less_behind_a_taken_one() -> None:
    """EX-22: the stop at 99 was taken elsewhere, and its shares have had another one by key since"""
    house = holding_six(LONG)
    elsewhere(house, stop_at(house, "99"))
    passes(house, 70)
    house.presses(MoveStop(SPY, "manual", LONG.at("99.20")))
    confirms_now(house)
    passes(house, 10)
    assert sells(house, LONG, "2") == ("4 at 99.20",)
    passes(house, 10)
    is_changed_there(house, stop_at(house, "99.20").id, quantity=Quantity(Decimal(2)))
    passes(house, 120)

    assert owed(house) == [("2", OwedReason.WAITS_FOR_KEY)]


def test_a_restored_stop_made_less_behind_a_refused_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-22: a ticket was asked for the refused one already; its shares have had another one by key since"""
    monkeypatch.setattr(stops_after_a_close, "ROOMY", wide(FRACTIONS))
    house = House(quiet_but(LONG), wide(FRACTIONS), cash=Decimal(20_000), multiplier=Decimal(2)).opens().until("10:05")
    ask, sent = house.line.ask, []

    def refuses_the_second(effect: Asked) -> Input:
        if isinstance(effect, SubmitOrder):
            sent.append(effect.order.client_order_id)
            if len(sent) == 2:
                return SubmissionAnswered(sent[-1], Refused(RefusalKind.FORBIDDEN, "no", "40310000"))
        return ask(effect)

    house.line.ask = refuses_the_second  # type: ignore[method-assign]
    enters(house, LONG, "6.5", "100.10", "99")
    passes(house, 10)
    confirms_now(house)
    passes(house, 10)
    assert working(house) == ["sell stop 6.5 99"]
    assert sells(house, LONG, "2.5") == ("4 at 99.00",)
    passes(house, 10)
    is_changed_there(house, stop_at(house, "99").id, quantity=Quantity(Decimal(2)))
    passes(house, 120)

    assert owed(house) == [("2", OwedReason.WAITS_FOR_KEY)]


@pytest.mark.parametrize("seconds", [5, 70])
def test_a_stop_cancelled_by_key_gives_no_other(seconds: int) -> None:
    """EX-13, EX-22, OP-02: four lost theirs elsewhere; then the operator cancels that of the other six"""
    house = holding_six(LONG)
    enters(house, LONG, "4", "100.10", "98.50")
    elsewhere(house, stop_at(house, "98.50"))
    passes(house, seconds)

    by_key(house, stop_at(house, "99"))
    passes(house, 120)

    assert working(house) == []
    assert owed(house) == [("4", TAKEN)]


def test_a_stop_made_less_that_sells_all_is_due() -> None:
    """EX-13, EX-22: four of six are sold by it; the other two get theirs, which sells them in the same minute"""
    house = holding_six(LONG, ("10:06", "100 100 98.9 100", 100_000))
    house.until("10:06:10")
    is_changed_there(house, stop_at(house, "99").id, quantity=Quantity(Decimal(4)))

    house.until("10:15")

    assert house.held() == house.held_by_the_broker() == "0"
    assert not owed(house)


def test_a_stop_made_less_behind_a_taken_one_has_its_price() -> None:
    """EX-22: the stop at 99 was taken elsewhere; a key gave one at 99.20, which the broker makes two less"""
    house = holding_six(LONG)
    elsewhere(house, stop_at(house, "99"))
    passes(house, 70)
    house.presses(MoveStop(SPY, "manual", LONG.at("99.20")))
    confirms_now(house)
    passes(house, 10)
    is_changed_there(house, stop_at(house, "99.20").id, quantity=Quantity(Decimal(4)))
    passes(house, 120)

    assert owed(house) == [("2", OwedReason.WAITS_FOR_KEY)]
    (proposal,) = house.desk.stage.proposals()
    assert (proposal.order.quantity, proposal.order.stop_price) == (2, Decimal("99.20"))


def test_a_stop_made_less_beside_a_sold_one_keeps_its_price() -> None:
    """EX-13, EX-22: six were sold by theirs; the broker makes that of the other four two"""
    house = holding_six(LONG, SPIKE, stop="99.5")
    enters(house, LONG, "4", "100.10", "98")
    house.until("10:15")
    is_changed_there(house, stop_at(house, "98").id, quantity=Quantity(Decimal(2)))

    passes(house, 120)

    assert (house.held(), house.desk.stage.proposals()) == ("4", ())
    assert working(house) == ["sell stop 2 98", "sell stop 2 98"]


def test_a_stop_that_sold_all_owes_watched_shares_nothing() -> None:
    """OP-02, EX-22: an entry beside them is not refused for a stop that is owed"""
    house = holding_six(LONG, SPIKE, stop="99.5")
    watched(house, LONG)
    house.until("10:15")
    house.desk.sightings.capabilities = Capabilities(refuses_wash_trades=True)
    before = len(house.facts(ProposalSkipped))

    house.presses(a_typed_buy("1.5", limit="99.50", stop="99"))
    passes(house, 1)

    assert house.held() == "5"
    assert len(house.facts(ProposalSkipped)) == before


# ── splits ───────────────────────────────────────────────────────────────────────────────────────────────────────────

DAY_BEFORE = SESSIONS[SESSIONS.index(SPLIT_ON) - 1]


def before_a_split(events: str, *bought: tuple[str, StopHolder], stop: str = "45") -> House:
    house = House(the_market(), Settings.model_validate(TABLE), cash=Decimal(50_000), events=events, **FEES).opens()
    house.until("09:35", DAY_BEFORE)
    for quantity, holder in bought:
        order = a_typed_buy(quantity, limit=None, stop=stop)
        house.presses(replace(order, stop_holder=holder, time_in_force=TimeInForce.GTC))
        confirms_now(house)
        passes(house, 5)
    return house


def test_after_a_split_the_new_shares_are_due() -> None:
    """EX-22, EX-25: the broker's stop of six stays as it was; it is of before, and all twelve wait for theirs"""
    house = before_a_split(EVENTS, ("6", StopHolder.BROKER))

    house.until("09:42", SPLIT_ON)

    assert (house.held(), working(house)) == ("12", [])
    assert owed(house) == [("12", OwedReason.WAITS_FOR_KEY)]
    assert_can_be_rebuilt(house)


def test_after_a_split_a_lost_stop_is_told_whole() -> None:
    """EX-22"""
    house = before_a_split(EVENTS, ("6", StopHolder.BROKER))
    house.until("21:00", DAY_BEFORE)
    halved = Price(Decimal("22.5"))
    is_changed_there(house, stop_at(house, "45").id, quantity=Quantity(Decimal(12)), stop_price=halved)
    house.until("09:40", SPLIT_ON)

    elsewhere(house, stop_at(house, "22.5"))
    house.until("09:42", SPLIT_ON)

    assert [quantity for quantity, _ in owed(house)] == ["12"]


def test_a_reverse_split_gives_watched_shares_no_stop() -> None:
    """EX-22, OP-02: ten, six of them with a stop, are five; the broker makes the stop three"""
    house = before_a_split("2026-11-17 split SPY 1:2", ("6", StopHolder.BROKER), ("4", StopHolder.DESK), stop="20")
    house.until("21:00", DAY_BEFORE)
    is_changed_there(house, stop_at(house, "20").id, quantity=Quantity(Decimal(3)), stop_price=Price(Decimal(40)))

    house.until("09:42", SPLIT_ON)

    assert (house.held(), working(house)) == ("5", ["sell stop 3 40"])
    assert house.desk.stage.proposals() == ()


def test_a_reverse_split_that_was_accepted_is_counted_once() -> None:
    """EX-22: the operator accepted the books before the activity came"""
    house = before_a_split("2026-11-17 split SPY 1:2", ("10", StopHolder.BROKER), stop="20")
    house.until("21:00", DAY_BEFORE)
    is_changed_there(house, stop_at(house, "20").id, quantity=Quantity(Decimal(5)), stop_price=Price(Decimal(40)))
    house.line.breaks_at(FetchActivities, arrives=False, times=3)
    house.until("04:05", SPLIT_ON)
    house.accepts(house.exchange.books(house.line.at))
    house.until("09:40", SPLIT_ON)

    elsewhere(house, stop_at(house, "40"))
    passes(house, 90)

    assert [quantity for quantity, _ in owed(house)] == [house.held()] == ["5"]


def test_a_split_past_a_stop_is_counted() -> None:
    """EX-22, EX-09: the broker halves the price of the stop of ten and keeps its quantity"""
    house = before_a_split(EVENTS, ("10", StopHolder.BROKER), stop="90")
    house.until("21:00", DAY_BEFORE)
    is_changed_there(house, stop_at(house, "90").id, stop_price=Price(Decimal(45)))
    house.until("09:42", SPLIT_ON)

    assert (house.held(), working(house)) == ("20", ["sell stop 10 45"])
    assert owed(house) == [("10", OwedReason.WAITS_FOR_KEY)]
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("stop", ["45", "90"])
def test_watched_shares_of_an_accepted_split_get_no_stop(stop: str) -> None:
    """EX-22, OP-02: ten, six of them with a stop, are twenty; twelve are to have one, accepted before or after"""
    house = before_a_split(EVENTS, ("6", StopHolder.BROKER), ("4", StopHolder.DESK), stop=stop)
    house.until("21:00", DAY_BEFORE)
    is_changed_there(house, stop_at(house, stop).id, stop_price=Price(Decimal(stop) / 2))
    if stop == "45":
        house.line.breaks_at(FetchActivities, arrives=False, times=3)
    house.until("04:05" if stop == "45" else "09:35", SPLIT_ON)
    house.accepts(house.exchange.books(house.line.at))
    house.until("09:45", SPLIT_ON)
    passes(house, 90)

    assert (house.held(), working(house)) == ("20", [f"sell stop 6 {plain(Decimal(stop) / 2)}"])
    assert (named(house), owed(house)) == (12, [("6", OwedReason.WAITS_FOR_KEY)])


def test_watched_shares_of_an_accepted_reverse_split_get_no_stop() -> None:
    """EX-22, OP-02: ten, six of them with a stop, are five; the operator accepts that before the activity comes"""
    events = "2026-11-17 split SPY 1:2"
    house = before_a_split(events, ("6", StopHolder.BROKER), ("4", StopHolder.DESK), stop="20")
    house.until("21:00", DAY_BEFORE)
    is_changed_there(house, stop_at(house, "20").id, quantity=Quantity(Decimal(3)), stop_price=Price(Decimal(40)))
    house.line.breaks_at(FetchActivities, arrives=False, times=3)
    house.until("04:05", SPLIT_ON)
    house.accepts(house.exchange.books(house.line.at))
    house.until("09:42", SPLIT_ON)

    assert (house.held(), working(house)) == ("5", ["sell stop 3 40"])
    assert (named(house), house.desk.stage.proposals()) == (3, ())
