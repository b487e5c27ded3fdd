"""A strategy with a share of the account: its sizes, its refusals, and the day on which a new share begins (ST-08)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import DayStarted, ProposalSkipped, ProposalStaged
from core.model.values import Symbol, plain
from core.risk.capital_allocation import Share
from core.settings.settings import Settings
from core.views import StrategyRow
from core.views.builders.strategies import strategy_rows
from state.files import Home
from state.settings_file import SettingsError, load_settings
from tests.scenarios.house import House, a_day, minutes
from tests.scenarios.own import Greedy, kinds_of, settings_with
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY

FRIDAY = THURSDAY + timedelta(days=1)
LARGE = {"per_trade": {"usd": "100"}, "max_notional": {"usd": "10000"}, "max_open_positions": 5, "entries_a_day": 5}


def a_dip(**vwap: object) -> House:
    """VWAP buys at 99.60 for 50 USD at most, the account having 200."""
    settings = settings_with(strategies={"vwap": vwap})
    return House(a_day(("10:06", "10:10", "99.60")), settings).opens().until("10:06")


def a_greedy_one(symbols: tuple[str, ...] = ("SPY",), **share: object) -> House:
    """It wants five shares at 100, of an account of 100,000."""
    settings = settings_with("greedy", vwap=False, strategies={"greedy": share}, risk=LARGE, symbols=symbols)
    days = [(day, Symbol(symbol)) for day in (THURSDAY, FRIDAY) for symbol in symbols]
    bars = [bar for day, symbol in days for bar in minutes("09:30", "10:05", day=day, symbol=symbol)]
    return House(bars, settings, kinds=kinds_of(Greedy), cash=Decimal(100_000)).opens()


def refused(house: House) -> ProposalSkipped:
    skipped = house.last(ProposalSkipped)
    assert skipped.checks == ("allocation",)
    return skipped


def row(house: House) -> StrategyRow:
    return next(r for r in strategy_rows(house.desk, THURSDAY, house.line.at) if r.strategy == "greedy")


def checks(house: House) -> set[str]:
    return {verdict.check for verdict in house.last(ProposalStaged).review.verdicts}


def with_share(settings: Settings, allocation: str) -> Settings:
    values = settings.model_dump()
    values["strategies"]["own"]["greedy"]["allocation"] = allocation
    return Settings.model_validate(values)


def test_no_share_changes_nothing() -> None:
    """ST-08: the default changes nothing, and no check of it stands on the ticket."""
    house = a_dip()

    assert plain(house.proposal.order.quantity) == "0.502"
    assert "allocation" not in checks(house)


def test_share_caps_the_size() -> None:
    """ST-08, RK-10: a tenth of 200 USD buys 0.2 shares."""
    house = a_dip(allocation="0.1")

    assert plain(house.proposal.order.quantity) == "0.2"
    assert "allocation" in checks(house)


def test_position_part_caps_the_size() -> None:
    """ST-08"""
    house = a_dip(allocation="0.1", position_part="0.5")

    assert plain(house.proposal.order.quantity) == "0.1"


def test_order_over_the_share_is_refused(snapshot: SnapshotAssertion) -> None:
    """ST-08"""
    house = a_greedy_one(allocation="0.003").until("10:02")

    assert refused(house).reasons == snapshot


def test_position_over_its_part_is_refused(snapshot: SnapshotAssertion) -> None:
    """ST-08"""
    house = a_greedy_one(allocation="0.01", position_part="0.4").until("10:02")

    assert refused(house).reasons == snapshot


def test_open_positions_use_up_the_share(snapshot: SnapshotAssertion) -> None:
    """ST-08: 500 of 800 USD are in SPY, and IBM would cost 500 more."""
    house = a_greedy_one(("SPY", "IBM"), allocation="0.008")
    house.until("10:01")
    house.confirms_at("10:01:02")
    house.until("10:01:30")

    first, second = house.desk.ledger.positions()[0], house.desk.stage.proposals()[0]
    house.opens_ticket()
    house.until("10:01:32")

    assert {first.symbol, second.symbol} == {SPY, IBM}
    assert row(house).figures == snapshot
    (verdict,) = house.ticket.review.refusals
    assert verdict.check == "allocation"
    assert verdict.reason == snapshot


def test_changed_share_holds_from_the_next_day(snapshot: SnapshotAssertion) -> None:
    """ST-08: a restart with other settings moves nothing today."""
    house = a_greedy_one(allocation="0.003").until("09:40")
    house.settings = with_share(house.settings, "0.01")
    house.restarted().until("10:02")
    today = house.desk.allocations.of("greedy")
    words = row(house).figures[-1]

    house.until("10:02", FRIDAY)

    assert today == Share(Decimal("0.003"), Decimal(1))
    assert [refused(house).reasons, words] == snapshot
    assert len(house.facts(DayStarted)) == 2
    assert house.last(ProposalStaged).proposal.strategy == "greedy"


def test_new_share_holds_at_once_within_the_rest() -> None:
    """ST-08: nobody is without a limit for the rest of a day."""
    house = a_greedy_one(allocation="0.9").until("09:40")
    values = house.settings.model_dump()
    values["strategies"]["own"]["greedy"]["allocation"] = "0.5"
    values["strategies"]["vwap"] |= {"enabled": True, "allocation": "0.5"}
    house.settings = Settings.model_validate(values)

    house.restarted().until("09:45")

    assert house.desk.allocations.of("greedy") == Share(Decimal("0.9"), Decimal(1))
    assert house.desk.allocations.of("vwap") == Share(Decimal("0.1"), Decimal(1))


def test_shares_over_the_whole_fail_as_settings_load(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """ST-08: of the strategies that are on; both are named."""
    home = Home.of({"KEYTURN_HOME": str(tmp_path)})
    text = "[strategies.vwap]\nallocation = 0.6\n[strategies.dips]\nallocation = 0.5\n"
    home.settings.write_text(f"{text}enabled = false\n")
    assert load_settings(home, {}).strategies.of("dips").allocation == Decimal("0.5")

    home.settings.write_text(f"{text}enabled = true\n")
    with pytest.raises(SettingsError) as failed:
        load_settings(home, {})
    assert str(failed.value) == snapshot
