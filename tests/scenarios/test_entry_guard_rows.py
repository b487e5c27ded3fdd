"""Every guard of entries says its measure against its limit, since when it is shut, and until when."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import ProtectionTripped
from core.messages.commands import Halt, Kill, ProposeClose, RefuseSymbol, Resume
from core.model.values import Fraction
from core.settings.risk import RiskSettings, SizingSettings
from core.settings.settings import Settings
from core.settings.types import AmountSettings
from core.views import ProtectionRow, SuspensionView
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import ROOMY
from tests.scenarios.house import FALL, STEADY, House, a_day, a_house_in_a_position, a_house_with_a_proposal, minutes
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, at

FRIDAY = date(2026, 11, 20)
NEXT_OPEN = at("09:30", FRIDAY)
MIDNIGHT = at("00:00", FRIDAY)
"""New York's, as it is recorded."""


def rows(house: House, pictures: ViewBuilder | None = None) -> dict[str, ProtectionRow]:
    drawn = (pictures or ViewBuilder(house.engine)).draw(house.line.at)
    return {row.key: row for row in drawn.protections}


def told(row: ProtectionRow) -> tuple[str, bool, str]:
    return row.measure, row.is_tripped, row.reason


def test_every_guard_has_a_row_in_order() -> None:
    """RK-09"""
    house = a_house_with_a_proposal()

    assert list(rows(house)) == [
        "desk", "breaker", "message_rate", "session", "window", "daily_loss", "weekly_loss", "strategies_loss",
        "positions", "risk_budget",
        "entries/vwap", "max_drawdown/global", "stop_loss_guard/global", "cooldown/global", "low_profit/global",
        "loss_streak/global", "volatility_halt/global", "equity_curve/global",
        "repeated_execution/global",
    ]  # fmt: skip
    assert not any(row.is_tripped for row in rows(house).values())


def test_a_spent_risk_budget_is_tripped(snapshot: SnapshotAssertion) -> None:
    """RK-09, RK-21: 0.20 USD of 200; the stop takes 0.156 of it, and what the price has won since as well"""
    settings = Settings(risk=RiskSettings(sizing=SizingSettings(budget=Decimal("0.001"))))
    house = House(a_day(("10:06", "10:06", STEADY), ("10:07", "10:40", "100.20")), settings).opens()
    house.confirms_at("10:06:02")

    free = rows(house.until("10:06:50"))["risk_budget"]
    shut = rows(house.until("10:08:10"))["risk_budget"]

    assert [told(free), told(shut)] == snapshot


@pytest.mark.usefixtures("a_bar_at_once")
def test_the_daily_loss_shuts_until_midnight(snapshot: SnapshotAssertion) -> None:
    """RK-09, RK-03: the stop costs 0.502 × 0.31 = 0.156 USD."""
    settings = Settings(
        risk=RiskSettings(daily_loss=AmountSettings(usd=Decimal("0.15"), of_equity=None), entries_a_day=5)
    )
    house = House(a_day(("10:06", "10:06", STEADY), ("10:07", "10:40", FALL)), settings).opens()
    pictures = ViewBuilder(house.engine)
    house.confirms_at("10:06:02")

    before = rows(house.until("10:06:50"), pictures)["daily_loss"]
    after = rows(house.until("10:20"), pictures)
    tripped_at = next(r.at for r in house.journal.records() if isinstance(r.fact, ProtectionTripped))
    later = rows(house.until("10:30"), pictures)["daily_loss"]
    unseen = rows(house.restarted().until("10:31"))["daily_loss"]

    assert (told(before), before.used, before.until) == (snapshot, Decimal(0), None)
    shut = ("0.16 of 0.15 USD", True, "entries are off for the rest of the trading day")
    assert (told(later), later.used, later.since, later.until) == (shut, Decimal(1), tripped_at, MIDNIGHT)
    assert (told(unseen), unseen.since) == (shut, tripped_at)
    assert told(after["strategies_loss"]) == snapshot


@pytest.mark.usefixtures("a_tick_each_way")
def test_a_partial_sale_counts_to_strategy_loss(snapshot: SnapshotAssertion) -> None:
    """ST-02, RK-09: 20 at 99.60, 19 of them sold at 99.31; the last one, at 99.32, is the smallest part of the loss."""
    risk = ROOMY.risk.model_copy(update={"daily_loss": AmountSettings(usd=Decimal("5.70"), of_equity=None)})
    settings = ROOMY.model_copy(update={"risk": risk})
    bars = a_day(("10:06", "10:07", STEADY), ("10:08", "10:30", "99.32 99.34 99.32 99.32"))
    house = House(bars, settings, cash=Decimal(10_000)).opens()
    house.confirms_at("10:06:02")
    on_paper = rows(house.until("10:09:10"))["strategies_loss"]

    house.presses(ProposeClose(SPY, Fraction(Decimal("0.95"))))
    house.confirms_at("10:09:15")
    house.until("10:12")

    drawn = ViewBuilder(house.engine).draw(house.line.at)
    (made,) = drawn.results
    assert house.held() == "1"
    assert [told(on_paper), told(rows(house)["strategies_loss"])] == snapshot
    assert made.realised + made.unrealised == Decimal("-5.79")
    assert house.desk.orchestrator.no_trade()["DAY_DISABLED"] > 0


def test_part_of_the_daily_loss_is_measured(snapshot: SnapshotAssertion) -> None:
    """RK-09"""
    settings = Settings(risk=RiskSettings(daily_loss=AmountSettings(usd=Decimal("0.50"), of_equity=None)))
    house = a_house_in_a_position(("10:06", "10:06", STEADY), ("10:07", "10:30", "99.35"), settings=settings)

    row = rows(house.until("10:08:30"))["daily_loss"]

    assert row.measure == snapshot
    assert row.used is not None
    assert Decimal("0.25") < row.used < Decimal("0.26")


def test_unknown_equity_shuts_entries(snapshot: SnapshotAssertion) -> None:
    """RK-09, RK-03"""
    house = House(minutes("09:30", "10:00"))

    row = rows(house)["daily_loss"]

    assert told(row) == snapshot
    assert row.used is None


def test_the_window_row_says_until_when(snapshot: SnapshotAssertion) -> None:
    """RK-09, RK-07"""
    house = House(minutes("09:30", "11:40", "100")).opens()

    early, inside, last, late = (
        rows(house.until(clock))["window"] for clock in ("09:45", "10:00", "11:30:59", "11:31")
    )  # fmt: skip

    assert (early.is_tripped, early.until) == (True, at("10:00"))
    assert (inside.is_tripped, inside.until) == (False, at("11:31"))
    assert not last.is_tripped
    assert (late.is_tripped, late.since, late.until) == (True, at("11:31"), at("10:00", FRIDAY))
    assert [told(early), told(inside), told(late)] == snapshot


def test_the_session_row_says_until_when(snapshot: SnapshotAssertion) -> None:
    """RK-09, EX-11"""
    house = House(minutes("09:30", "10:00", "100")).opens()

    opened, shut = rows(house.until("09:45"))["session"], rows(house.until("18:00"))["session"]

    assert opened.until == at("16:00")
    assert [told(opened), told(shut)] == snapshot
    assert (shut.since, shut.until) == (at("16:00"), NEXT_OPEN)


def test_positions_and_entries_are_counted(snapshot: SnapshotAssertion) -> None:
    """RK-09, EX-08, ST-02"""
    house = a_house_in_a_position()

    held = rows(house)
    house.presses(ProposeClose(SPY))
    house.confirms_at("10:06:40")
    flat = rows(house.until("10:07:30"))

    entered = next(p.opened_at for p in a_house_in_a_position().desk.ledger.positions())
    assert told(held["positions"])[:2] == ("1 of 1", True)
    assert held["positions"].is_full
    assert (held["positions"].used, held["positions"].since, held["positions"].until) == (Decimal(1), entered, None)
    assert told(flat["positions"])[:2] == ("0 of 1", False)
    for row in (held["entries/vwap"], flat["entries/vwap"]):
        assert told(row) == snapshot
        assert (row.word, row.has_tripped) == (SuspensionView.FULL, False)
        assert (row.since, row.until) == (entered, NEXT_OPEN)


def test_a_halt_and_a_kill_say_since_when(snapshot: SnapshotAssertion) -> None:
    """RK-09, OP-07"""
    house = House(minutes("09:30", "10:30", "100"))
    starting = rows(house)["desk"]
    house.opens().until("09:40")
    house.presses(Halt("key"))
    halted = rows(house.until("09:41"))["desk"]
    house.presses(Resume())
    resumed = rows(house)["desk"]
    house.presses(Kill("key"))
    killed = rows(house.until("09:45"))["desk"]

    assert told(starting)[:2] == ("starting", True)
    assert (told(halted), halted.since) == (snapshot, at("09:40"))
    assert (told(resumed)[:2], resumed.since) == (("on", False), None)
    assert (told(killed)[:2], killed.since) == (("killed", True), at("09:41"))


def test_a_read_only_desk_says_since_when(snapshot: SnapshotAssertion) -> None:
    """RK-09, EX-09"""
    house = a_house_with_a_proposal().restarted()

    row = rows(house)["desk"]

    assert told(row) == snapshot
    assert row.since == house.line.at


def test_a_refused_symbol_has_its_own_row() -> None:
    """RK-09"""
    house = House(minutes("09:30", "10:30", "100") + minutes("09:30", "09:40", "100", FRIDAY)).opens().until("10:00")
    house.presses(RefuseSymbol(SPY, "news at noon"))

    row = rows(house.until("10:10"))[f"symbol/{SPY}"]
    house.until("09:35", FRIDAY)

    assert told(row) == ("refused today", True, "news at noon")
    assert (row.since, row.until) == (at("10:00", THURSDAY), NEXT_OPEN)
    assert f"symbol/{SPY}" not in rows(house)
    assert row.until - row.since == timedelta(hours=23, minutes=30)
