"""Facts of an earlier time: what the desk told then, how old it may be, and what it does not know (OP-14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core import facts
from core.agents.fact_checks import GUARDS, NOT_KEPT, Desk, check
from core.agents.figure_record import FigureRecord
from core.messages.inputs import QuoteArrived
from core.model.bar import Feed, Quote
from core.model.draft import CheckedFact, DraftFact, FactResult
from core.model.fact_fields import field_named
from core.model.values import Price, Quantity, plain
from core.protocol.agent_drafts import judged
from core.reports.agent_scores import scores_of
from core.runtime.service.agent_reading import Reader
from core.views.builders.figures import FigureReader
from tests.kit.drafts import adopts, declines
from tests.scenarios.changes import passes
from tests.scenarios.drawn_facts import Day, figures_in
from tests.scenarios.house import House, assert_can_be_rebuilt
from tests.scenarios.test_drafts import CLAUDE, a_house, drafts, fact, holding_five, terms
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

MATCHES, DIFFERS, OLD, UNKNOWN = FactResult.MATCHES, FactResult.DIFFERS, FactResult.OLD, FactResult.UNKNOWN


def quotes(house: House, bid: str, ask: str, size: str = "300") -> None:
    prices = Price(Decimal(bid)), Quantity(Decimal(size)), Price(Decimal(ask)), Quantity(Decimal(200))
    house.line.take(house.line.at, QuoteArrived(Quote(SPY, house.line.at, *prices, Feed.SIP)))


def quoted() -> House:
    """99.69 × 99.71, and half a minute later 99.60 × 99.62."""
    house = a_house()
    passes(house, 10)
    quotes(house, "99.69", "99.71")
    passes(house, 30)
    quotes(house, "99.60", "99.62")
    passes(house, 5)
    return house


def checked(house: House, *stated: DraftFact, key: str = "a") -> list[CheckedFact]:
    answer = drafts(house, terms(limit="99.50"), key=key, stated=stated)
    assert answer.code is None, answer.reasons
    return list(answer.facts)


def results(house: House, *stated: DraftFact, key: str = "a") -> list[FactResult]:
    return [one.result for one in checked(house, *stated, key=key)]


NOW = {
    ("bid", "99.60"): MATCHES,
    ("bid", "99.61"): DIFFERS,
    ("bid", "99.62"): DIFFERS,
    ("bid", "100.12"): DIFFERS,
    ("ask", "99.62"): MATCHES,
    ("ask", "99.60"): DIFFERS,
    ("price", "99.61"): MATCHES,
    ("price", "99.60"): MATCHES,
    ("price", "99.63"): DIFFERS,
    ("price", "99.79"): DIFFERS,
    ("mid", "99.61"): MATCHES,
    ("midpoint", "99.62"): DIFFERS,
    ("spread", "0.02"): MATCHES,
    ("spread", "0.03"): DIFFERS,
    ("last", "99.61"): MATCHES,
    ("bid_size", "300"): MATCHES,
    ("ask_size", "201"): DIFFERS,
    ("equity", "10000"): MATCHES,
    ("equity", "10000.01"): DIFFERS,
    ("equity", "10040"): DIFFERS,
    ("day_change", "0"): MATCHES,
    ("day_pnl", "1"): DIFFERS,
    ("shares_held", "0"): MATCHES,
    ("open_orders", "0"): MATCHES,
    ("orders_working", "1"): DIFFERS,
    ("drafts_per_hour", "20"): MATCHES,
    ("largest_order", "4000"): MATCHES,
    ("risk_of_a_trade", "25"): DIFFERS,
    ("close", "99.70"): MATCHES,
    ("close", "99.71"): DIFFERS,
    ("vwap", "99.70"): MATCHES,
    ("vwap", "99.80"): DIFFERS,
}


@pytest.mark.parametrize("stated", NOW, ids=" ".join)
def test_a_fact_of_now_is_exact(stated: tuple[str, str]) -> None:
    """OP-14: a bid over the ask, a price 0.19 % away and an equity 0.4 % away are false"""
    assert results(quoted(), fact(*stated)) == [NOW[stated]]


def test_an_earlier_price_is_compared_with_its_time() -> None:
    """OP-14: the bid of half a minute ago is old, and today's is none of that time"""
    house = quoted()
    then, now = (fact("bid", value, ago=20, house=house) for value in ("99.69", "99.60"))
    newer = fact("bid", "99.60", ago=4, house=house)

    first, second, third = checked(house, then, now, newer)
    assert (first.result, first.ours) == (OLD, Decimal("99.60"))
    assert (second.result, second.ours) == (DIFFERS, Decimal("99.69"))
    assert third.result is MATCHES


def test_a_reading_may_be_two_seconds_older_than_its_time() -> None:
    """OP-14: unless the time is that of a quote"""
    house = quoted()
    assert results(house, fact("bid", "99.69", ago=4, house=house)) == [MATCHES]
    assert results(house, fact("bid", "99.69", ago=5, house=house), key="b") == [DIFFERS]
    assert results(house, fact("bid", "99.69", ago=2, house=house), key="c") == [DIFFERS]


def test_a_position_is_old_only_once_it_changed() -> None:
    """OP-14: and its average after a fill; each field has its own age"""
    house = holding_five()
    held = house.line.at - timedelta(minutes=1)
    passes(house, 9 * 60)
    average = house.desk.ledger.positions_in(SPY)[0].average_price
    stated = (
        DraftFact(SPY, "position", Decimal(5), held, "list_positions"),
        DraftFact(SPY, "average_price", average, held, "list_positions"),
    )
    before = results(house, *stated, key="b")
    drafts(house, terms(limit="99.80", quantity="2"), key="c")
    house.presses(declines(house.desk, house.desk.drafts.waiting[0].number, ""))
    number = house.desk.drafts.waiting[0].number
    house.presses(adopts(house.desk, number))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    passes(house, 60)
    assert house.held() == "7"
    after = checked(house, *stated, DraftFact(SPY, "position", Decimal(6), held, ""), key="d")

    assert before == [MATCHES, MATCHES]
    assert [one.result for one in after] == [OLD, MATCHES if after[1].ours == average else OLD, DIFFERS]
    assert after[0].ours == 7


def test_a_time_of_which_nothing_is_kept_cannot_be_checked() -> None:
    """OP-14: no tolerance grows instead; of a whole minute the close is known"""
    house = quoted()
    passes(house, 1500)
    answers = house.line.answer_agent, house.answers  # type: ignore[attr-defined]
    house = house.restarted()
    house.line.answer_agent, house.answers = answers  # type: ignore[attr-defined]
    passes(house, 70)
    quotes(house, "99.60", "99.62")
    earlier = house.line.at - timedelta(minutes=20)
    whole = earlier.replace(second=0, microsecond=0)
    bid, price, of_a_minute, false = checked(
        house,
        DraftFact(SPY, "bid", Decimal("99.69"), earlier, ""),
        DraftFact(SPY, "price", Decimal("99.70"), earlier.replace(second=20), ""),
        DraftFact(SPY, "price", Decimal("99.70"), whole, ""),
        DraftFact(SPY, "price", Decimal("99.71"), whole, ""),
    )

    assert (bid.result, bid.why, bid.ours) == (UNKNOWN, NOT_KEPT, None)
    assert (price.result, price.ours) == (UNKNOWN, None)
    assert (of_a_minute.result, false.result) == (OLD, DIFFERS)


def test_a_fact_of_an_unkept_time_stays_unknown() -> None:
    """OP-14: the desk has another position by now, which is none of that time"""
    house = quoted()
    earlier = DraftFact(SPY, "position", Decimal(5), house.line.at - timedelta(hours=9), "list_positions")
    assert results(house, earlier) == [UNKNOWN]
    house.presses(adopts(house.desk, 1))
    house.opens_ticket()
    passes(house, 1)

    assert house.facts(facts.DraftDiffered) == []


def test_a_clock_is_one_of_the_exchanges_day() -> None:
    """OP-14"""
    house = quoted()
    (one,) = checked(house, DraftFact(SPY, "close", Decimal("99.70"), None, "get_bars", house.calendar.venue.local(
        house.line.at - timedelta(minutes=5)).time().replace(second=0, microsecond=0)))  # fmt: skip

    assert one.result is MATCHES
    assert one.fact.at is not None
    assert house.calendar.venue.day_of(one.fact.at) == THURSDAY
    assert one.fact.clock is None
    again = drafts(house, terms(limit="99.50"), stated=(replace(one.fact, at=None, clock=house.calendar.venue.local(
        one.fact.at).time()),))  # fmt: skip
    assert again.number == 1


WIDE = {("50", "150"), ("0.01", "199999"), ("99", "100.10")}


@pytest.mark.parametrize(("bid", "ask"), sorted(WIDE), ids=str)
def test_a_price_within_a_wide_quote_is_not_proved_by_it(bid: str, ask: str) -> None:
    """OP-14: outside the hours of trading quotes are far from any price; bid, ask, mid and the last price count"""
    house = quoted()
    quotes(house, bid, ask)
    within = plain(Decimal(bid) + Decimal("0.10"))
    mid = plain((Decimal(bid) + Decimal(ask)) / 2)
    found = results(house, *(fact("price", value) for value in (within, bid, ask, mid)))

    assert found == [DIFFERS, MATCHES, MATCHES, MATCHES]


def test_a_price_within_a_usual_quote_is_one() -> None:
    """OP-14"""
    house = quoted()
    passes(house, 10)
    quotes(house, "99.00", "99.90")

    assert results(house, fact("price", "99.20"), fact("price", "98.99"), fact("price", "99.91")) == [
        MATCHES, DIFFERS, DIFFERS,
    ]  # fmt: skip


def test_the_size_is_that_of_the_desk() -> None:
    """OP-14: 20 USD over 0.60 USD a share, as size_for_risk tells it"""
    house = a_house()
    sized = replace(fact("quantity", "20"), source="size_for_risk")
    answer = drafts(house, terms(), stated=(sized, fact("size", "21")))

    assert [(one.result, one.ours) for one in answer.facts] == [(MATCHES, 20), (DIFFERS, 20)]


@pytest.mark.parametrize("source", ["the position's size", "list_positions (size)", "Size of the POSITION"])
def test_the_size_of_a_position_is_not_that_of_the_draft(source: str) -> None:
    """OP-14: a true quantity of a position is not accused"""
    house = holding_five()
    held = replace(fact("quantity", "5"), source=source)

    assert [one.result for one in drafts(house, terms(), key="b", stated=(held,)).facts] == [MATCHES]


USED = {"daily_loss": "0.8", "daily_loss_of_a_symbol": "0.1", "drawdown": "0", "loss_streak": "0.25"}


@pytest.mark.parametrize(
    ("source", "value", "result"),
    [
        ("daily_loss", "0.8", MATCHES), ("daily_loss", "0", DIFFERS), ("get_protections: Daily loss", "0", DIFFERS),
        ("get_protections/loss_streak", "0.8", DIFFERS), ("loss streak of get_protections", "0.25", MATCHES),
        ("get_protections", "0", UNKNOWN), ("", "0.8", UNKNOWN), ("daily_loss and drawdown", "0", UNKNOWN),
        ("get_protections daily_loss_of_a_symbol", "0.1", MATCHES),
    ],
    ids=str,
)  # fmt: skip
def test_the_use_of_a_guard_is_that_of_the_guard_in_its_source(source: str, value: str, result: FactResult) -> None:
    """OP-14: 0 of another guard proves nothing of the daily loss"""
    house = a_house()
    record = FigureRecord()
    record.note(GUARDS, house.line.at, {name: (Decimal(share),) for name, share in USED.items()})
    desk = Desk(record, CLAUDE, house.line.at, (), {})

    assert check(DraftFact("", "used", Decimal(value), None, source), desk).result is result


def test_every_figure_of_the_tools_has_a_field() -> None:
    """OP-14: what a tool returns can be stated under its name"""
    day = Day(3)
    day.trades(1)
    passes(day.house, 60)
    day._seconds += 2
    day._feed.look()
    view = day._views.pop()
    guards = {told.field for told in figures_in(Reader(CLAUDE, view)) if told.source == "get_protections"}
    told = {one.field for one in figures_in(Reader(CLAUDE, view))}

    assert guards
    assert {name for name in told - guards if field_named(name) is None} == set()
    assert {"bid", "average_price", "limit_price", "filled_quantity", "equity", "lost_at_stops", "volume"} <= told


def test_an_agent_without_amounts_learns_none_by_a_comparison() -> None:
    """OP-09, OP-14: by any name"""
    house = a_house(hides_amounts=True)
    quotes(house, "99.69", "99.71")
    names = ("shares_held", "day_pnl", "value", "largest_order", "lost_at_stops", "size", "daily_loss", "used")
    answer = drafts(house, stated=(*(fact(name, "7") for name in names), fact("bid", "1")))
    told = judged(1, answer, hides_amounts=True, is_sized=False).facts

    assert {(one.result, one.ours) for one in told[:-1]} == {("unknown", "")}
    assert told[-1].result == "differs"


def test_a_flood_of_drafts_costs_no_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-09: a draft that is not judged reads no figure"""
    house, read = a_house(per_hour=3, waiting=50), []
    monkeypatch.setattr(FigureReader, "read_all", lambda _self, at: read.append(at))
    for number in range(200):
        drafts(house, key=str(number), stated=(fact("bid", "1"),))

    assert len(read) < 20


def test_old_facts_are_a_part_of_the_score() -> None:
    """OP-14: also of journals whose facts were never old"""
    house = quoted()
    stated = [fact("bid", "99.69", ago=20, house=house), fact("position", "0"), fact("position", "3"), fact("x", "1")]
    assert results(house, *stated) == [OLD, MATCHES, DIFFERS, UNKNOWN]
    (score,) = scores_of({THURSDAY: list(house.journal.records())}, house.calendar.session_at)

    assert (score.stated, score.checkable, score.false, score.old) == (4, 3, 1, 1)
    assert score.old_share == score.false_share == Decimal(1) / 3
    assert_can_be_rebuilt(house)
    again = house.restarted().until_moment(house.line.at)
    (waiting,) = again.desk.drafts.waiting
    assert [one.result for one in waiting.draft.facts] == [OLD, MATCHES, DIFFERS, UNKNOWN]
