"""The word beside ENTRIES: what refuses every entry, whatever it is, and what refuses some alone (RK-09)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from core.facts import ConfirmationRefused, ProposalSkipped
from core.messages.commands import RefuseSymbol
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import FALL, STEADY, House, a_day, a_house_with_a_proposal, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

FRIDAY: date = THURSDAY + timedelta(days=1)


def is_shut(house: House) -> bool:
    return ViewBuilder(house.engine).draw(house.line.at).status.entries_shut != ""


def test_status_says_entries_are_shut_by_the_clock() -> None:
    """RK-07, RK-20: what it says is what the gate does."""
    house = House([*minutes("09:30", "15:59", every=5), *minutes("09:30", "10:30", day=FRIDAY, every=5)]).opens()
    for clock, day, expected in (
        ("09:45", THURSDAY, True),
        ("10:30", THURSDAY, False),
        ("11:45", THURSDAY, True),
        ("16:06", THURSDAY, True),
        ("08:00", FRIDAY, True),
        ("10:10", FRIDAY, False),
    ):
        house.until(clock, day)
        before = len(house.facts(ProposalSkipped))
        assert is_shut(house) is expected, clock
        house.presses(a_typed_buy())
        assert (len(house.facts(ProposalSkipped)) > before) is expected, clock


def test_last_signal_of_the_window_is_still_open() -> None:
    """RK-07: its key still counts."""
    house = House([*a_day(("11:31", "12:30", STEADY), dip_at="11:30")]).opens().until("11:31:10")
    assert house.desk.stage.proposals()
    assert not is_shut(house)

    house.confirms_at("11:31:20")
    house.until("11:31:30")

    assert not house.facts(ConfirmationRefused)
    assert is_shut(house)


def test_daily_loss_shuts_entries() -> None:
    """RK-03, RK-09"""
    settings = Settings.model_validate({"risk": {"daily_loss": {"usd": "0.05"}, "entries_a_day": 5}})
    house = a_house_with_a_proposal(("10:06", "10:08", STEADY), ("10:09", "10:30", FALL), settings=settings)
    house.presses(RefuseSymbol(SPY, "news at noon"))
    assert not is_shut(house)
    again = a_house_with_a_proposal(("10:06", "10:08", STEADY), ("10:09", "10:30", FALL), settings=settings)
    again.confirms_at("10:06:02")
    again.until("10:12")
    assert again.desk.ledger.state.trades[-1].profit < Decimal(0)
    assert is_shut(again)
