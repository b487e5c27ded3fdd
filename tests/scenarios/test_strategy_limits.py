"""A strategy within limits of its own: what it signals, what the gate refuses, and what pane 4 shows (RK-07)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.facts import ProposalSkipped, TradeClosed
from core.model.values import Symbol, plain
from core.views import ProtectionRow, SuspensionView
from core.views.builders.desk import ViewBuilder
from core.views.builders.strategies import strategy_rows
from tests.kit.rows import cases, table
from tests.scenarios.house import FALL, RECOVERY, STEADY, House, a_day, minutes
from tests.scenarios.own import Greedy, kinds_of, settings_with
from tests.unit.core.brokers.trading_floor import THURSDAY, at

LARGE = {"per_trade": {"usd": "100"}, "max_notional": {"usd": "10000"}, "max_open_positions": 5, "entries_a_day": 5}


def a_dip(*then: tuple[str, str, str], risk: dict[str, Any] | None = None, **limits: Any) -> House:
    """VWAP buys 0.502 at 99.60 on the bar of 10:05, by the account's limits."""
    settings = settings_with(strategies={"vwap": {"limits": limits}}, risk=risk or {})
    return House(a_day(*(then or (("10:06", "10:10", "99.60"),))), settings).opens()


def a_greedy_one(**limits: Any) -> House:
    """It wants five shares at 100 on the bar of 10:00, whatever its context says."""
    settings = settings_with("greedy", vwap=False, strategies={"greedy": {"limits": limits}}, risk=LARGE)
    bars = minutes("09:30", "10:05", day=THURSDAY, symbol=Symbol("SPY"))
    return House(bars, settings, kinds=kinds_of(Greedy), cash=Decimal(100_000)).opens()


def guards(house: House) -> dict[str, ProtectionRow]:
    return {row.key: row for row in ViewBuilder(house.engine).draw(house.line.at).protections}


@table(
    "limits quantity",
    ({}, "0.502"),
    ({"max_notional": {"usd": "20"}}, "0.2"),
    ({"max_notional": {"of_equity": "0.05"}}, "0.1"),
    ({"per_trade": {"usd": "0.03"}}, "0.1"),
    ({"max_notional": {"usd": "5000"}, "per_trade": {"usd": "500"}, "entries_a_day": 9}, "0.502"),
    ({"windows": ["09:30-16:00"], "daily_loss": {"usd": "900"}}, "0.502"),
)
def test_its_own_amounts_cut_the_size(limits: dict[str, Any], quantity: str) -> None:
    """RK-07, RK-10: looser ones change nothing"""
    house = a_dip(**limits).until("10:06")

    assert plain(house.proposal.order.quantity) == quantity


def test_it_signals_nothing_outside_its_windows() -> None:
    """RK-07"""
    house = a_dip(windows=["10:00-10:04", "10:06-10:08"]).until("10:06")

    assert house.desk.stage.proposals() == ()
    assert house.desk.orchestrator.no_trade()["OUTSIDE_WINDOW"] > 0
    assert house.until("10:07").proposal.signal_time == at("10:06")


@cases(
    "check limits",
    ("notional", {"max_notional": {"usd": "499"}}),
    ("loss at the stop", {"per_trade": {"usd": "0.40"}}),
)
def test_the_gate_holds_a_strategy_that_does_not_ask(check: str, limits: dict[str, Any]) -> None:
    """RK-07: each limit in the check that has the account's"""
    house = a_greedy_one(**limits).until("10:02")

    assert house.last(ProposalSkipped).checks == (check,)
    assert house.desk.stage.proposals() == ()


def test_its_exit_passes_outside_its_windows() -> None:
    """RK-07, RK-22"""
    house = a_dip(("10:06", "10:20", RECOVERY), windows=["10:05-10:05"])
    house.confirms_at("10:06:02")
    assert house.until("10:06:40").held() == "0.502"
    house.confirms_at("10:07:02")
    house.until("10:09")

    assert house.held() == "0"
    assert guards(house)["window/vwap"].is_tripped


@pytest.mark.usefixtures("a_bar_at_once")
def test_its_daily_loss_ends_its_day_alone() -> None:
    """RK-07, RK-03: the stop costs 0.156 USD; a recovery and a restart change nothing"""
    house = a_dip(("10:06", "10:06", STEADY), ("10:07", "10:40", FALL), risk={"entries_a_day": 5},
                  daily_loss={"usd": "0.15"})  # fmt: skip
    house.confirms_at("10:06:02")
    before = guards(house.until("10:06:50"))
    after = guards(house.until("10:20"))
    again = guards(house.restarted().until("10:21"))

    assert house.facts(TradeClosed)
    assert not before["daily_loss/vwap"].is_tripped
    for rows in (after, again):
        assert rows["daily_loss/vwap"].is_tripped
        assert rows["daily_loss/vwap"].measure == "0.16 of 0.15 USD"
        assert not rows["daily_loss"].is_tripped
        assert not rows["strategies_loss"].is_tripped
    assert house.desk.orchestrator.no_trade()["DAY_DISABLED"] > 0
    assert house.desk.strategy_loss("vwap", THURSDAY).is_shut
    assert not house.desk.strategy_loss("momentum", THURSDAY).is_shut


def test_pane_4_measures_its_limits() -> None:
    """RK-07, RK-09: beside the account's, where they differ"""
    house = a_dip(windows=["10:00-10:05", "11:00-11:15"], entries_a_day=0, risk={"entries_a_day": 3})
    inside = guards(house.until("10:04:30"))
    between = guards(house.until("10:07"))

    assert (inside["window/vwap"].measure, inside["window/vwap"].is_tripped) == ("open until 10:05 New York", False)
    window = between["window/vwap"]
    assert (window.word, window.since, window.until) == (SuspensionView.CLOSED, at("10:06"), at("11:00"))
    assert between["window"].is_tripped is False
    assert between["entries/vwap"].measure == "0 of 0 today"
    assert "window/vwap" not in guards(a_dip(windows=["10:00-11:30"]).until("10:04:30"))


def test_its_row_lists_its_limits() -> None:
    """RK-07: in pane 5, as in its table"""
    house = a_dip(windows=["10:00-10:29"], per_trade={"usd": "1"}).until("10:04")
    (row,) = strategy_rows(house.desk, THURSDAY, house.line.at)

    assert [figure for figure in row.figures if figure[0] in ("windows", "per trade", "entries a day")] == [
        ("windows", "10:00-10:29"),
        ("per trade", "1 USD"),
    ]
