"""No exit, stop or result comes from the jump of a special dividend, a merger or a spin-off (EX-25, MD-09).

The expected figures are computed here, from shares at 100 USD and a special dividend of 6 USD a share on Friday.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.execution.fee_days import FeeDays
from core.facts import (
    AlertDropped,
    AlertRang,
    BasketOpened,
    CorporateActionApplied,
    NotificationDue,
    SignalRaised,
    TradeClosed,
)
from core.messages.commands import OpenTicket, ProposeClose, ReversePosition
from core.messages.desk_commands import KeepAlert
from core.messages.inputs import PastArrived
from core.model.alert import AlertKind, AlertTerms
from core.model.bar import Bar
from core.model.notice import NoticeKind, Severity
from core.model.order import Effect, StopHolder
from core.model.reference_data import ActionKind, CorporateAction, PastDay, PastDays
from core.model.rescaling import SAME
from core.model.staging import MANUAL, StopPlan
from core.model.values import Price, Quantity
from core.post_mortem.day_attribution import closes_of, days_explained
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.views.builders.protection_limits import lost_at_the_stops
from tests.kit.splits import Fate, splits
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.receivers import Receivers, with_receivers
from tests.scenarios.test_announced_moves import announced
from tests.scenarios.test_cash_and_spin_offs import BOTH, LATER, SPECIAL, SPIN_OFF, merges, sleeps, spins_off
from tests.scenarios.test_renames import NEW, RENAMED, a_house
from tests.scenarios.test_splits import DOUBLED, FRIDAY, MONDAY, REVERSED, SHOWN_AT, THURSDAY, Split, terms
from tests.unit.core.brokers.trading_floor import SPY, at


def with_rules(**rules: Any) -> Settings:
    table = terms().model_dump(mode="json", exclude_unset=True)
    return Settings.model_validate({**table, "exits": {"manual": True, **rules}})


def a_market(settings: Settings, *more: Iterable[Bar]) -> House:
    """100 on Thursday, 94 from Friday on."""
    bars = [*minutes("15:40", "15:59", "100"), *(bar for bars in more for bar in bars)]
    for day in (FRIDAY, MONDAY):
        bars += minutes("09:30", "09:45", "94", day=day)
    rules = {"cash": Decimal(5000), "multiplier": Decimal(2)}
    return with_receivers(House(bars, settings, **rules), Receivers()).opens().until("15:45")


def over_the_night(house: House, stop: str, effect: Effect = Effect.OPEN) -> House:
    """Ten are opened on Thursday at 100, with a stop of the desk, which starts again before Friday's open."""
    order = replace(a_typed_buy("10", limit=None, stop=stop), effect=effect, stop_holder=StopHolder.DESK)
    house.presses(order)
    confirms_now(house)
    house.until("16:02").is_off_until(SHOWN_AT)
    return house.restarted()


def mark(house: House) -> tuple[Decimal, Decimal | None]:
    (found,) = house.desk.exits.state.marks.values()
    return found.best, found.stop


def exits(house: House) -> list[str]:
    return [p.exit_reason.value for p in house.desk.stage.proposals() if p.exit_reason is not None]


@pytest.mark.parametrize(("effect", "stop"), [(Effect.OPEN, "80"), (Effect.SHORT, "120")])
@pytest.mark.parametrize("rules", [{"trail": "0.03"}, {"stop": "0.03"}, {"profit_target": "0.03"}], ids=str)
def test_no_rule_sells_by_a_special_dividend(effect: Effect, stop: str, rules: dict[str, str]) -> None:
    """94 is the 100 of before: nothing was gained or lost since the entry."""
    house = over_the_night(a_market(with_rules(**rules)), stop, effect)
    announced(house, SPECIAL)
    house.restarted()
    announced(house, SPECIAL)
    house.until("09:40", FRIDAY)

    assert mark(house) == (94, Decimal(stop) - 6)
    assert (exits(house), house.facts(SignalRaised)) == ([], [])
    assert_can_be_rebuilt(house)


def test_a_trailing_exit_still_trails_after_a_special_dividend() -> None:
    """103 at the best is 97: three per cent up from 94, as it was from 100."""
    house = over_the_night(a_market(with_rules(trail="0.02", trail_from="0.025")), "80")
    (found,) = house.desk.exits.state.marks.values()
    found.best = Price(Decimal(103))
    announced(house, SPECIAL)
    house.until("09:32", FRIDAY)

    assert mark(house) == (97, 74)
    assert exits(house) == ["TRAILING_STOP"]


def test_a_dividend_that_is_announced_anew_after_a_day_of_prices_moves_the_stop() -> None:
    """80 was 74 on Friday, by 6 USD; on Monday 8 are announced, and it is 72."""
    house = over_the_night(a_market(with_rules(stop="0.5")), "80")
    announced(house, SPECIAL)
    house.until("09:20", MONDAY)
    announced(house, replace(SPECIAL, cash=Decimal(8)))

    assert [fact.cash for fact in house.facts(CorporateActionApplied)] == [6, 2]
    assert mark(house)[1] == 72
    assert_can_be_rebuilt(house)


def test_the_stop_of_the_day_itself_stays() -> None:
    """Ten were bought at 94, with a stop at 90, before the desk was told of the dividend of that morning."""
    house = a_market(with_rules(stop="0.5")).until("16:02")
    house.is_off_until(SHOWN_AT)
    house.restarted().until("09:32", FRIDAY)
    house.presses(replace(a_typed_buy("10", limit=None, stop="90"), stop_holder=StopHolder.DESK))
    confirms_now(house)
    house.until("09:35", FRIDAY)
    announced(house, SPECIAL)

    assert len(house.facts(CorporateActionApplied)) == 1
    assert mark(house) == (94, 90)
    assert_can_be_rebuilt(house)


def test_the_permit_of_a_stop_of_the_day_itself_stays() -> None:
    """An entry waits at 93; when it fills, its stop at 90 is sent as it was signed."""
    house = a_market(terms(), minutes("09:46", "09:50", "92", day=FRIDAY)).until("16:02")
    house.is_off_until(SHOWN_AT)
    house.restarted().until("09:32", FRIDAY)
    house.presses(a_typed_buy("10", limit="93", stop="90"))
    confirms_now(house)
    passes(house, 3)
    announced(house, SPECIAL)
    (use,) = house.desk.stage.state.authorizations.values()
    assert use.rescaling == SAME
    house.until("09:48", FRIDAY)

    assert [(o.request.quantity, o.request.stop_price) for o in house.desk.ledger.working_exits()] == [(10, 90)]


def test_two_dividends_of_the_same_amount_lower_a_stop_twice() -> None:
    """The broker lowered 90 to 84 for the first one; after the second the same value is 78."""
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    announced(house, SPECIAL)
    (booked,) = house.exchange._book.working[SPY]
    booked.request = replace(booked.request, stop_price=Price(Decimal(84)))
    house.exchange._book._has_changed(booked)
    house.until("09:20", MONDAY)
    announced(house, replace(SPECIAL, ex_date=MONDAY))

    (stop,) = house.desk.ledger.working_exits()
    assert (stop.request.stop_price, stop.paid) == (84, 6)


@pytest.mark.parametrize(
    ("action", "is_held"),
    [
        (SPECIAL, True),
        (SPECIAL, False),  # where shares are held, the books show a split
        (CorporateAction(SPY, ActionKind.SPLIT, FRIDAY, None, Decimal(47), Decimal(50)), False),
    ],
    ids=["special dividend of held shares", "special dividend", "split"],
)
def test_a_desk_that_was_off_on_its_day_counts_it(action: CorporateAction, *, is_held: bool) -> None:
    """It was off on Friday: on Monday 94 is the 100 of Thursday, and the alert at 95 does not ring."""
    price = Decimal(6) if action is SPECIAL else None
    house = a_market(with_rules(stop="0.5"))
    if is_held:
        house.presses(replace(a_typed_buy("10", limit=None, stop="95"), stop_holder=StopHolder.DESK))
        confirms_now(house)
    house.until("16:02").presses(KeepAlert(AlertTerms(SPY, AlertKind.PRICE, Decimal(95), is_above=False)))
    house.is_off_until(at("09:20", MONDAY))
    house.restarted()
    announced(house, action)
    announced(house, action)
    house.until("09:40", MONDAY)

    (applied,) = house.facts(CorporateActionApplied)
    assert (applied.day, applied.cash) == (FRIDAY, price)
    assert (house.facts(AlertRang), exits(house)) == ([], [])
    assert_can_be_rebuilt(house)


def test_an_action_of_a_day_that_the_desk_saw_is_not_counted_later() -> None:
    """On Monday its prices are those of after it already."""
    house = over_the_night(a_market(with_rules(stop="0.5")), "80").until("09:20", MONDAY)
    announced(house, SPECIAL)

    assert house.facts(CorporateActionApplied) == []


@pytest.mark.parametrize(("close", "left"), [("6", [44, 94]), ("5", [44, 94]), ("7", [1, 44, 94])])
def test_a_past_close_below_a_dividend_is_left_out(close: str, left: list[int]) -> None:
    """Of 6 USD less 6 no return can be counted: the likeness of two symbols has two days fewer."""
    house = over_the_night(a_market(terms()), "80")
    told = [(16, close), (17, "50"), (18, "100"), (19, "100")]
    days = tuple(PastDay(date(2026, 11, day), Price(Decimal(price)), None) for day, price in told)
    house.line.take(house.line.at, PastArrived(PastDays(SPY, days)))
    house.line.take(house.line.at, PastArrived(PastDays(NEW, days)))
    announced(house, SPECIAL)
    closes = house.desk.sizing.ranges.state.by_symbol[SPY].closes
    house.line.take(house.line.at, PastArrived(PastDays(SPY, days)))

    assert [price for _, price in closes] == left
    assert [price for _, price in house.desk.sizing.ranges.state.by_symbol[SPY].closes] == left
    assert house.desk.sizing.ranges.likeness(SPY, NEW, 60)[1] == len(left) - 1


@pytest.mark.parametrize(("effect", "stop"), [(Effect.OPEN, "95"), (Effect.SHORT, "120")])
@pytest.mark.parametrize("rules", [{"trail": "0.03"}, {"stop": "0.03"}, {"profit_target": "0.03"}], ids=str)
def test_no_rule_sells_by_a_spin_off(effect: Effect, stop: str, rules: dict[str, str]) -> None:
    """94 is the 100 of before, less the part that left; the shares have no stop, and that is told urgently."""
    house = over_the_night(a_market(with_rules(**rules)), stop, effect)
    announced(house, SPIN_OFF)
    house.restarted()
    announced(house, SPIN_OFF)
    house.until("09:40", FRIDAY)

    assert (exits(house), house.facts(SignalRaised)) == ([], [])
    told = [fact.notice for fact in house.facts(NotificationDue) if fact.notice.severity is Severity.URGENT]
    assert [notice.kind for notice in told if notice.symbol == SPY] == [NoticeKind.STOP]
    (row,) = ViewBuilder(house.engine).draw(house.line.at).positions
    assert (row.stop_price, row.holder) == (None, StopHolder.DESK)
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize(("price", "found"), [("90", []), ("89", ["STOP_LOSS"])])
def test_a_stop_of_this_desk_follows_the_cost_that_a_spin_off_moved(price: str, found: list[str]) -> None:
    """60 of 1000 USD are the new shares': 95 is 89.30 of a share that costs 94"""
    later = minutes("09:46", "09:50", price, day=FRIDAY)
    house = over_the_night(a_market(with_rules(stop="0.5"), later), "95")
    announced(house, SPIN_OFF)
    spins_off(house, "2", "60")
    house.until("09:45", FRIDAY)
    (row,) = [row for row in ViewBuilder(house.engine).draw(house.line.at).positions if row.symbol == SPY]

    assert (row.average_price, row.stop_price, exits(house)) == (94, Decimal("89.3"), [])
    house.until("09:50", FRIDAY)
    assert exits(house) == found
    assert_can_be_rebuilt(house)


def at_risk(house: House) -> Decimal:
    """What the limits count as lost if every stop acts now, USD."""
    found = lost_at_the_stops(house.desk, house.line.at)
    assert found is not None
    return found[0]


@pytest.mark.parametrize(("effect", "stop"), [(Effect.OPEN, "90"), (Effect.SHORT, "110")])
def test_the_loss_at_the_desk_s_stop_is_counted_after_a_special_dividend(effect: Effect, stop: str) -> None:
    """RK-21: ten at 94 to a stop at 84, and short ten to one at 104: 100 USD"""
    house = over_the_night(a_market(with_rules(stop="0.5")), stop, effect)
    announced(house, SPECIAL)
    house.until("09:40", FRIDAY)

    assert at_risk(house) == 100


@pytest.mark.parametrize("split", [DOUBLED, REVERSED], ids=["2 for 1", "1 for 10"])
@pytest.mark.parametrize(("effect", "stop"), [(Effect.OPEN, "90"), (Effect.SHORT, "110")])
def test_the_loss_at_the_desk_s_stop_is_counted_after_a_split(effect: Effect, stop: str, split: Split) -> None:
    """RK-21: twenty at 50 to a stop at 45, or one at 1000 to one at 900: 100 USD as before"""
    bars = [*minutes("15:40", "15:59", "100"), *minutes("09:30", "09:45", split.price, day=FRIDAY)]
    rules = {"cash": Decimal(5000), "multiplier": Decimal(2)}
    house = with_receivers(House(bars, with_rules(stop="0.5"), **rules), Receivers()).opens().until("15:45")
    over_the_night(house, stop, effect).until_moment(SHOWN_AT)
    splits(house.exchange, SHOWN_AT, SPY, split.new, split.old, Fate.SURVIVE)
    house.until("09:40", FRIDAY)

    assert at_risk(house) == 100


@pytest.mark.parametrize(("effect", "made", "stop"), [(Effect.OPEN, "0.1", "55.50"), (Effect.SHORT, "-0.1", "45.50")])
def test_r_and_a_reversal_are_by_the_stop_of_a_share_of_today(effect: Effect, made: str, stop: str) -> None:
    """AN-01, OP-05: twenty at 50 with a stop 5 away, and 50.50 now: 10 USD of 100, and a reversal's stop 5 away"""
    bars = [*minutes("15:40", "15:59", "100"), *minutes("09:30", "09:45", "50.50", day=FRIDAY)]
    rules = {"cash": Decimal(5000), "multiplier": Decimal(2)}
    house = with_receivers(House(bars, with_rules(stop="0.5"), **rules), Receivers()).opens().until("15:45")
    over_the_night(house, "90" if effect is Effect.OPEN else "110", effect).until_moment(SHOWN_AT)
    splits(house.exchange, SHOWN_AT, SPY, 2, 1, Fate.SURVIVE)
    house.until("09:40", FRIDAY)

    (row,) = ViewBuilder(house.engine).draw(house.line.at).positions
    house.presses(ReversePosition(SPY, MANUAL, row.quantity))
    passes(house, 1)

    assert row.result_in_risk == Decimal(made)
    assert house.last(BasketOpened).plan.lines[1].proposal.stop == StopPlan(Price(Decimal(stop)), StopHolder.BROKER)


@pytest.mark.parametrize(("cost", "lost"), [(None, 940), ("60", 47)])
def test_the_loss_at_the_desk_s_stop_is_counted_after_a_spin_off(cost: str | None, lost: int) -> None:
    """RK-21: the whole value while the stop waits; then ten at 94 to one at 89.30. The new shares, 60 USD, have none"""
    house = over_the_night(a_market(with_rules(stop="0.5")), "95")
    announced(house, SPIN_OFF)
    if cost is not None:
        spins_off(house, "2", cost)
    house.until("09:40", FRIDAY)

    assert at_risk(house) == lost + Decimal(cost or 0)


def test_no_alert_rings_by_a_spin_off() -> None:
    """Nobody knows the level of today: the alert on a price ends and that is told; a change has no close of before."""
    house = a_market(terms()).until("16:02")
    for terms_of in (
        AlertTerms(SPY, AlertKind.PRICE, Decimal(95), is_above=False),
        AlertTerms(SPY, AlertKind.CHANGE, Decimal("-0.05"), is_above=False),
    ):
        house.presses(KeepAlert(terms_of))
    house.is_off_until(SHOWN_AT)
    announced(house.restarted(), SPIN_OFF)
    announced(house, SPIN_OFF)
    house.until("09:40", FRIDAY)

    assert house.facts(AlertRang) == []
    assert [fact.alert.terms.kind for fact in house.facts(AlertDropped)] == [AlertKind.PRICE]
    assert [alert.terms.kind for alert in house.desk.alerts.of(SPY)] == [AlertKind.CHANGE]
    assert [fact.notice.symbol for fact in house.facts(NotificationDue) if fact.notice.kind is NoticeKind.ALERT] == [
        SPY
    ]
    assert_can_be_rebuilt(house)


# ── results ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def a_house_that_sold_a_part() -> House:
    """Twenty were bought at 100, and ten of them sold at 110."""
    bars = [*minutes("15:40", "15:49", "100"), *minutes("15:50", "15:59", "110")]
    for symbol, price in ((SPY, "100"), (NEW, "180")):
        bars += minutes("09:30", "09:45", price, day=FRIDAY, symbol=symbol)
    house = with_receivers(House(bars, terms(), cash=Decimal(5000)), Receivers()).opens().until("15:45")
    house.presses(a_typed_buy("20", limit=None, stop="90"))
    confirms_now(house)
    house.until("15:52").presses(ProposeClose(SPY, quantity=Quantity(Decimal(10))))
    confirms_now(house)
    return house.until("16:02")


def closes(house: House, symbol: str) -> Decimal:
    """The rest is sold on Friday; the result of the trade is returned."""
    house.until("09:32", FRIDAY).presses(ProposeClose(symbol))
    its = next(p for p in house.desk.stage.proposals() if p.is_exit and p.symbol == symbol and not p.is_guard)
    house.presses(OpenTicket(its.id))
    passes(house, 1)
    house.confirms()
    house.until("09:35", FRIDAY)
    (closed,) = house.facts(TradeClosed)
    return closed.trade.profit


def test_the_result_of_a_trade_with_a_part_sold_before_a_merger_with_cash() -> None:
    """2,000 paid; 1,100, then 100 in cash, and 900 for the five new shares: 100 in all."""
    house = a_house_that_sold_a_part()
    sleeps(house, is_up=False)
    merges(house, Fate.CANCELLED)
    house.restarted()
    announced(house, BOTH)
    house.until_moment(LATER)

    assert closes(house, NEW) == 100


def test_the_result_of_a_trade_with_a_part_sold_before_a_spin_off() -> None:
    """Ten sold at 110 that cost 100; ten at 100 that cost 88 beside the new shares: 220 in all."""
    house = a_house_that_sold_a_part()
    sleeps(house, is_up=False)
    spins_off(house, "2", "120")
    house.restarted()
    announced(house, SPIN_OFF)
    house.until_moment(LATER)

    assert closes(house, SPY) == 220
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("is_announced_first", [True, False])
def test_a_fraction_of_a_spin_off_leaves_with_its_cost(*, is_announced_first: bool) -> None:
    """Two and a half at 48 were due: 880 stay with the source, 96 are the two shares', 24 the half share's."""
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    if is_announced_first:
        announced(house, SPIN_OFF)
    spins_off(house, "2", "96")
    house.exchange._ledger._holdings[SPY].cost -= Decimal(24)
    house.exchange._ledger.cash += Decimal(24)
    house.until_moment(LATER)
    announced(house, SPIN_OFF)
    house.until_moment(LATER + timedelta(minutes=2))

    held = {(p.symbol, p.strategy): (p.quantity, p.cost) for p in house.desk.ledger.positions()}
    assert held == {(SPY, "manual"): (10, 880), (NEW, "manual"): (2, 96)}


@pytest.mark.parametrize("is_announced_first", [True, False])
def test_a_spin_off_is_no_loss_of_its_day(*, is_announced_first: bool) -> None:
    """SPY fell from 100 to 88, and two new shares are worth 60: nothing was gained or lost."""
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    if is_announced_first:
        announced(house, SPIN_OFF)
    spins_off(house, "2", "120")
    house.until_moment(LATER)
    announced(house, SPIN_OFF)
    house.until_moment(LATER + timedelta(minutes=2))
    day_of, by_day = house.calendar.trading_day, defaultdict(list)
    for record in house.journal.records():
        by_day[day_of(record.at)].append(record)
    closes = closes_of({}, house.journal.records(), day_of)
    closes.take(SPY, FRIDAY, Price(Decimal(88)))
    closes.take(NEW, FRIDAY, Price(Decimal(60)))

    fees = FeeDays(house.calendar.session_on)
    (told,) = days_explained([FRIDAY], by_day[THURSDAY], {FRIDAY: by_day[FRIDAY]}, (), closes, {}, fees)
    assert {part.name: part.amount for part in told.parts if part.amount} == {"SPY manual": -120, "NEWCO manual": 120}
    assert told.explained == 0
