"""A desk whose venue is Sydney: its window, its day's loss, its orders for the day and its words go by that clock.

Its session begins at 23:00 UTC of the day before and crosses midnight UTC an hour later; nothing of it is New York's.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from core.facts import DayStarted, ProposalSkipped, ProposalStaged, TicketOpened
from core.model.bar import ONE_MINUTE, Bar
from core.picture import Pictures
from core.setting_types import Amount
from core.settings import RiskSettings, Settings
from core.views import ProtectionRow
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import DIP, FALL, STEADY, House, a_typed_buy, assert_can_be_rebuilt
from tests.unit.core.elsewhere import SYDNEY, THURSDAY, a_bar_there, calendar_of, there

CALENDAR = calendar_of(SYDNEY)


def minutes(first: str, last: str, prices: str, day: date = THURSDAY) -> list[Bar]:
    """The same bar for every minute from `first` to `last` of Sydney's, both included."""
    count = (there(SYDNEY, last, day) - there(SYDNEY, first, day)) // ONE_MINUTE
    start = there(SYDNEY, first, day)
    clocks = [f"{SYDNEY.local(start + n * ONE_MINUTE):%H:%M}" for n in range(count + 1)]
    return [a_bar_there(SYDNEY, clock, prices, day) for clock in clocks]


def a_house(*then: tuple[str, str, str], dip_at: str = "10:35", day: date = THURSDAY, **risk: object) -> House:
    """A flat morning from Sydney's open on, a dip, and what is told then: (first, last, prices) of minutes."""
    dip = there(SYDNEY, dip_at, day)
    before = f"{SYDNEY.local(dip - ONE_MINUTE):%H:%M}"
    bars = [*minutes("10:00", before, "100", day), a_bar_there(SYDNEY, dip_at, DIP, day)]
    for first, last, prices in then or (("10:36", "11:30", STEADY),):
        bars += minutes(first, last, prices, day)
    settings = Settings(risk=RiskSettings(**risk))  # type: ignore[arg-type]
    return House(bars, settings, CALENDAR).opens()


def until(house: House, clock: str, day: date = THURSDAY) -> House:
    return house.until_moment(there(SYDNEY, clock, day))


def row_of(house: House, key: str) -> ProtectionRow:
    rows = Pictures(house.engine).draw(house.line.at).protections
    return next(row for row in rows if row.key == key)


# ── the window ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dip_inside_the_window_of_its_own_clock_is_proposed() -> None:
    """RK-20, RK-07: 10:35 in Sydney is 18:35 of the day before in New York"""
    house = until(a_house(), "10:36")

    (staged,) = house.facts(ProposalStaged)
    assert staged.proposal.signal_time == there(SYDNEY, "10:35")
    assert house.last(DayStarted).day == THURSDAY
    assert_can_be_rebuilt(house)


def test_a_dip_after_the_window_of_its_own_clock_is_not_and_a_typed_order_is_told_whose_clock_it_is() -> None:
    """RK-20, RK-07"""
    house = until(a_house(("11:36", "11:50", STEADY), dip_at="11:35"), "11:40")

    house.presses(a_typed_buy())

    assert house.facts(ProposalStaged) == []
    assert "entry window: 11:40:00 is outside 10:00 to 11:30 Sydney" in house.last(ProposalSkipped).reasons


def test_its_tickets_and_its_panes_tell_its_clock() -> None:
    """RK-20"""
    house = until(a_house(), "10:36")

    house.opens_ticket()
    passes(house, 1)

    said = {verdict.check: verdict.reason for verdict in house.last(TicketOpened).ticket.review.verdicts}
    assert said["entry window"] == "until 11:30 Sydney"
    assert row_of(house, "session").measure == "open until 16:00 Sydney"
    assert row_of(house, "window").measure == "open until 11:30 Sydney"


# ── the day ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_its_day_goes_on_through_midnight_utc_and_ends_at_its_own() -> None:
    """RK-20, RK-03: what was lost at 10:38 shuts entries at 11:05, and no more on the day after"""
    house = a_house(
        ("10:36", "10:36", STEADY), ("10:37", "11:20", FALL), daily_loss=Amount(usd=Decimal("0.15"), of_equity=None)
    )
    until(house, "10:36")
    confirms_now(house)

    until(house, "11:05")  # 00:05 UTC
    house.presses(a_typed_buy(limit="99.20", stop="99.00"))

    assert [fact.day for fact in house.facts(DayStarted)] == [THURSDAY]
    assert house.last(ProposalSkipped).reasons == ("daily loss: 0.16 USD lost today, the limit is 0.15 USD",)
    assert row_of(house, "daily_loss").until == SYDNEY.end_of(THURSDAY)
