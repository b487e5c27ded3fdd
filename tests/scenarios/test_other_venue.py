"""A desk whose venue is Sydney: its window, its day's loss, its orders for the day and its words go by that clock.

Its session begins at 23:00 UTC of the day before and crosses midnight UTC an hour later; nothing of it is New York's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.facts import DayStarted, ProposalSkipped, ProposalStaged, TicketOpened
from core.model.bar import ONE_MINUTE, Bar
from core.model.order import OrderStatus
from core.settings.risk import RiskSettings
from core.settings.settings import Settings
from core.settings.types import AmountSettings
from core.views import ProtectionRow
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import DIP, FALL, STEADY, House, a_typed_buy
from tests.unit.core.elsewhere import FRIDAY, SYDNEY, THURSDAY, a_bar_there, calendar_of, there

CALENDAR = calendar_of(SYDNEY)


def minutes(first: str, last: str, prices: str, day: date = THURSDAY) -> list[Bar]:
    """The same bar for every minute from `first` to `last` of Sydney's, both included."""
    count = (there(SYDNEY, last, day) - there(SYDNEY, first, day)) // ONE_MINUTE
    start = there(SYDNEY, first, day)
    clocks = [f"{SYDNEY.local(start + n * ONE_MINUTE):%H:%M}" for n in range(count + 1)]
    return [a_bar_there(SYDNEY, clock, prices, day) for clock in clocks]


def a_house(*then: tuple[str, str, str], dip_at: str = "10:35", more: Iterable[Bar] = (), **risk: object) -> House:
    """A flat morning from Sydney's open on, a dip, and what is told then: (first, last, prices) of minutes."""
    dip = there(SYDNEY, dip_at)
    before = f"{SYDNEY.local(dip - ONE_MINUTE):%H:%M}"
    bars = [*minutes("10:00", before, "100"), a_bar_there(SYDNEY, dip_at, DIP), *more]
    for first, last, prices in then or (("10:36", "11:30", STEADY),):
        bars += minutes(first, last, prices)
    settings = Settings(risk=RiskSettings(**risk))  # type: ignore[arg-type]
    return House(bars, settings, CALENDAR).opens()


def until(house: House, clock: str, day: date = THURSDAY) -> House:
    return house.until_moment(there(SYDNEY, clock, day))


def row_of(house: House, key: str) -> ProtectionRow:
    rows = ViewBuilder(house.engine).draw(house.line.at).protections
    return next(row for row in rows if row.key == key)


def test_dip_inside_the_local_window_is_proposed() -> None:
    """RK-20, RK-07: 10:35 in Sydney is 18:35 of the day before in New York"""
    house = until(a_house(), "10:36")

    (staged,) = house.facts(ProposalStaged)
    assert staged.proposal.signal_time == there(SYDNEY, "10:35")
    assert house.last(DayStarted).day == THURSDAY


def test_entry_outside_the_local_window_is_refused(snapshot: SnapshotAssertion) -> None:
    """RK-20, RK-07"""
    house = until(a_house(("11:36", "11:50", STEADY), dip_at="11:35"), "11:40")

    house.presses(a_typed_buy())

    assert house.facts(ProposalStaged) == []
    skipped = house.last(ProposalSkipped)
    assert "entry window" in skipped.checks
    assert skipped.reasons[skipped.checks.index("entry window")] == snapshot


def test_texts_name_the_local_clock(snapshot: SnapshotAssertion) -> None:
    """RK-20"""
    house = until(a_house(), "10:36")

    house.opens_ticket()
    passes(house, 1)

    said = {verdict.check: verdict.reason for verdict in house.last(TicketOpened).ticket.review.verdicts}
    rows = [row_of(house, key).measure for key in ("session", "window")]
    assert [said["entry window"], *rows] == snapshot


def test_trading_day_crosses_midnight_utc() -> None:
    """RK-20, RK-03: what was lost at 10:38 shuts entries at 11:05, and no more on the day after"""
    limit, after = AmountSettings(usd=Decimal("0.15"), of_equity=None), minutes("10:00", "10:40", "99.60", FRIDAY)
    house = a_house(("10:36", "10:36", STEADY), ("10:37", "11:20", FALL), more=after, daily_loss=limit)
    until(house, "10:36")
    confirms_now(house)

    until(house, "11:05")  # 00:05 UTC
    house.presses(a_typed_buy(limit="99.20", stop="99.00"))

    assert [fact.day for fact in house.facts(DayStarted)] == [THURSDAY]
    assert house.last(ProposalSkipped).checks == ("daily loss",)
    assert row_of(house, "daily_loss").until == SYDNEY.end_of(THURSDAY)
    until(house, "10:36", FRIDAY)
    house.presses(a_typed_buy(limit="99.60", stop="99.40"))
    assert [fact.day for fact in house.facts(DayStarted)] == [THURSDAY, FRIDAY]
    assert len(house.desk.stage.proposals()) == 1


OPEN_TO_ALL = Settings.model_validate(
    {
        "risk": {
            "session": {"policy": "include_extended"},
            "window_start": "00:00",
            "window_end": "23:59",
            "max_notional": {"usd": "500"},
            "per_trade": {"usd": "5"},
        },
        "strategies": {"vwap": {"enabled": False}},
    }
)


def test_day_order_ends_with_the_local_session() -> None:
    """RK-20, OP-02: 11:00 in Sydney is midnight UTC, its close midnight in New York"""
    house = until(House(minutes("10:00", "15:59", "100"), OPEN_TO_ALL, CALENDAR).opens(), "10:40")
    house.presses(a_typed_buy(limit="99.00", stop="98.80"))
    confirms_now(house)

    until(house, "15:59")
    works_on = house.entry.status
    until(house, "16:00")
    passes(house, 5)

    assert (works_on, house.entry.status) == (OrderStatus.SUBMITTED, OrderStatus.EXPIRED)


def test_entry_before_the_local_open_gets_a_resting_stop(snapshot: SnapshotAssertion) -> None:
    """RK-20, OP-06"""
    bars = [a_bar_there(SYDNEY, clock, "100") for clock in ("07:30", "08:00")] + minutes("10:00", "10:30", "100")
    house = until(House(bars, OPEN_TO_ALL, CALENDAR, cash=Decimal(2000)).opens(), "08:00")
    house.presses(a_typed_buy("0.2", limit="100.10", stop="99.80"))
    confirms_now(house)
    passes(house, 60)

    (row,) = ViewBuilder(house.engine).draw(house.line.at).positions

    assert (house.entry.status, house.held()) == (OrderStatus.FILLED, "0.2")
    assert row.acts_from == there(SYDNEY, "10:00")
    assert row_of(house, "session").measure == snapshot
