"""Protections in the desk: they trip with the trades, refuse entries alone, end, are overridden, outlive a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from console.details import protection
from core import facts
from core.messages.commands import Decline, OpenTicket, OverrideProtection
from core.messages.desk_commands import ReloadLimits, SettingsFileSeen
from core.messages.inputs import AccountFetched
from core.model.account import Account
from core.model.staging import CheckResult
from core.model.values import Money
from core.settings.changes import digest_of
from core.settings.protections import CooldownSettings, ProtectionsSettings
from core.settings.risk import RiskSettings
from core.settings.settings import Settings
from core.settings.types import AmountSettings
from core.views import ProtectionRow
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import FALL, STEADY, House, a_day, a_typed_buy, assert_can_be_rebuilt
from widgets.lines import joined

PAUSES = ProtectionsSettings(cooldown=CooldownSettings(loss=Decimal("0.002"), stop_minutes=15))
LONG_PAUSE = ProtectionsSettings(cooldown=CooldownSettings(loss=Decimal("0.002"), stop_minutes=180))
LITTLE = AmountSettings(usd=Decimal("0.15"), of_equity=None)


def settings(**risk: object) -> Settings:
    return Settings(risk=RiskSettings(entries_a_day=5, max_open_positions=5, **risk))  # type: ignore[arg-type]


def a_stopped_out_house(*then: tuple[str, str, str], **risk: object) -> House:
    """Bought 0.502 at 99.60 at 10:06, and stopped at 99.29 a minute later."""
    story = (("10:06", "10:06", STEADY), ("10:07", "10:20", FALL), *then)
    house = House(a_day(*story), settings(**risk)).opens()
    house.confirms_at("10:06:02")
    return house.until("10:09")


def refusals(house: House) -> list[str]:
    """The checks that refuse an entry that is typed now; it never reaches the stage."""
    before = len(house.facts(facts.ProposalSkipped))
    house.presses(a_typed_buy(limit="99.25", stop="99"))
    skipped = house.facts(facts.ProposalSkipped)[before:]
    for proposal in house.desk.stage.proposals():
        if not proposal.order.effect.only_reduces:
            house.presses(Decline(proposal.id, "not now"))
    return [check for fact in skipped for check in fact.checks]


def test_a_loss_pauses_its_symbol_for_a_while() -> None:
    """RK-06, RK-09"""
    house = a_stopped_out_house(("10:21", "10:40", FALL), protections=PAUSES)
    closed = house.last(facts.TradeClosed).trade.exit_time
    tripped = house.last(facts.ProtectionTripped)
    refused = refusals(house)

    house.until("10:30")

    assert (tripped.name, tripped.scope, tripped.until) == ("cooldown", "SPY", closed + timedelta(minutes=15))
    assert "cooldown" in refused
    assert [(f.name, f.scope) for f in house.facts(facts.ProtectionExpired)] == [("cooldown", "SPY")]
    assert "cooldown" not in refusals(house)
    assert_can_be_rebuilt(house)


def cooldowns(builder: ViewBuilder, house: House) -> list[ProtectionRow]:
    return [row for row in builder.draw(house.line.at).protections if row.key.startswith("cooldown/")]


def test_a_pause_is_shown_alike_everywhere(snapshot: SnapshotAssertion) -> None:
    """RK-09, RK-06"""
    house = a_stopped_out_house(("10:21", "10:40", FALL), protections=PAUSES)
    builder = ViewBuilder(house.engine)

    (shut,) = cooldowns(builder, house)
    assert (shut.name, shut.is_tripped) == ("Cooldown SPY", True)
    house.until("10:30")
    (over,) = cooldowns(builder, house)

    assert (over.name, over.is_tripped, over.used, over.measure) == ("Cooldown", False, None, "none paused")
    words = [row.text for row in builder.draw(house.line.at).log if row.kind == "guard" and "cooldown" in row.text]
    assert (shut.reason, over.reason, said_of(builder, house, over.key), words[-2:]) == snapshot


def said_of(builder: ViewBuilder, house: House, key: str) -> str:
    lines = protection(builder.draw(house.line.at), key, house.line.at)
    return " ".join(" ".join(joined(line) for line in lines or ()).split())


def test_a_low_profit_needs_enough_trades_for_a_gauge() -> None:
    """RK-08, RK-09"""
    house = a_stopped_out_house(protections=PAUSES)
    builder = ViewBuilder(house.engine)
    (low,) = [row for row in builder.draw(house.line.at).protections if row.key.startswith("low_profit/")]

    assert (low.is_tripped, low.used) == (False, None)
    assert low.measure == f"1 of {PAUSES.low_profit.trade_limit} trades"
    assert low.reason.startswith("1 trade of ")


def test_a_restart_in_a_pause_changes_nothing() -> None:
    """RK-09"""
    house = a_stopped_out_house(("10:21", "10:40", FALL), protections=PAUSES)

    house.restarted().until("10:12")

    assert "cooldown" in refusals(house)
    house.until("10:30")
    assert "cooldown" not in refusals(house)
    assert len(house.facts(facts.ProtectionTripped)) == len(house.facts(facts.ProtectionExpired)) == 1


def test_an_override_lets_entries_pass_for_a_while() -> None:
    """RK-06"""
    pauses = PAUSES.model_copy(update={"override_minutes": 5})
    house = a_stopped_out_house(("10:21", "10:40", FALL), protections=pauses)
    house.presses(OverrideProtection("cooldown", "SPY", "OVERRIDE"))
    overridden = refusals(house)

    later = refusals(house.until("10:15"))

    fact = house.last(facts.ProtectionOverridden)
    assert fact.until - fact.begins == timedelta(minutes=5)
    assert "cooldown" not in overridden
    assert "cooldown" in later
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize(("name", "word"), [("cooldown", "override"), ("loss_streak", "OVERRIDE")])
def test_a_wrong_word_overrides_nothing(name: str, word: str, snapshot: SnapshotAssertion) -> None:
    """RK-06"""
    house = a_stopped_out_house(protections=PAUSES)
    house.presses(OverrideProtection(name, "SPY", word))
    assert not house.facts(facts.ProtectionOverridden)
    assert house.last(facts.ProposalSkipped).reasons == snapshot
    assert "cooldown" in refusals(house)


@pytest.mark.usefixtures("a_tick_each_way")
def test_a_daily_loss_made_good_stays_shut(snapshot: SnapshotAssertion) -> None:
    """RK-03: shut for the rest of the trading day."""
    house = a_stopped_out_house(daily_loss=LITTLE)
    assert house.last(facts.ProtectionTripped).name == "daily_loss"

    account = house.desk.sightings.account
    assert isinstance(account, Account)
    house.line.take(house.line.at, AccountFetched(replace(account, equity=Money(Decimal(200)), at=house.line.at)))

    assert "daily loss" in refusals(house)
    assert house.last(facts.ProposalSkipped).reasons == snapshot


def test_an_overridden_daily_loss_stays_shut_an_hour(snapshot: SnapshotAssertion) -> None:
    """RK-06"""
    house = a_stopped_out_house(("10:21", "11:25", FALL), daily_loss=LITTLE)
    house.presses(OverrideProtection("daily_loss", "global", "OVERRIDE"))
    at_once = refusals(house)
    rows = {row.key: row for row in ViewBuilder(house.engine).draw(house.line.at).protections}

    later = refusals(house.until("11:15"))

    assert "daily loss" in at_once
    assert "daily loss" not in later
    row = rows["daily_loss"]
    assert row.reason == snapshot
    assert row.until == house.last(facts.ProtectionTripped).until  # the end that is recorded, and no other
    assert_can_be_rebuilt(house)


def reload(house: House, file: Settings, word: str = "") -> None:
    house.presses(SettingsFileSeen(file))
    house.presses(ReloadLimits(digest_of(file), word))


@pytest.mark.usefixtures("a_tick_each_way")
def test_a_tighter_limit_ends_the_override_and_trips(snapshot: SnapshotAssertion) -> None:
    """RK-06, RK-13: the word was typed for the limit of then."""
    house = a_stopped_out_house(("10:21", "11:25", FALL), daily_loss=LITTLE)
    house.presses(OverrideProtection("daily_loss", "global", "OVERRIDE"))
    overridden = refusals(house.until("11:15"))

    reload(house, settings(daily_loss=AmountSettings(usd=Decimal("0.01"), of_equity=None)))

    assert "daily loss" not in overridden
    assert house.last(facts.ProtectionTripped).limit == Decimal("0.01")
    assert "daily loss" in refusals(house)
    tripped = house.last(facts.ProposalSkipped).reasons
    assert (house.last(facts.OverrideEnded).reason, house.last(facts.ProtectionTripped).reason, tripped) == snapshot
    house.restarted().until("11:16")
    assert "daily loss" in refusals(house)
    assert_can_be_rebuilt(house)


def test_only_its_own_tighter_setting_ends_an_override() -> None:
    """RK-06, RK-13"""
    house = a_stopped_out_house(("10:21", "10:40", FALL), protections=PAUSES)
    house.presses(OverrideProtection("cooldown", "SPY", "OVERRIDE"))
    elsewhere = PAUSES.loss_streak.model_copy(update={"stop_minutes": PAUSES.loss_streak.stop_minutes + 5})
    file = settings(protections=PAUSES.model_copy(update={"loss_streak": elsewhere}))
    reload(house, file)
    of_another = refusals(house)
    longer = PAUSES.cooldown.model_copy(update={"stop_minutes": 20})

    reload(house, settings(protections=file.risk.protections.model_copy(update={"cooldown": longer})))

    assert "cooldown" not in of_another
    assert [(f.name, f.scope) for f in house.facts(facts.OverrideEnded)] == [("cooldown", "SPY")]
    assert "cooldown" in refusals(house)
    assert_can_be_rebuilt(house)


def test_a_looser_limit_leaves_the_override() -> None:
    """RK-06, RK-13"""
    house = a_stopped_out_house(("10:21", "11:25", FALL), daily_loss=LITTLE)
    house.presses(OverrideProtection("daily_loss", "global", "OVERRIDE"))
    house.until("11:15")

    reload(house, settings(daily_loss=AmountSettings(usd=Decimal("0.16"), of_equity=None)), "LOOSEN")

    assert not house.facts(facts.OverrideEnded)
    assert "daily loss" not in refusals(house)


def test_an_override_that_ran_out_is_recorded(snapshot: SnapshotAssertion) -> None:
    """RK-06"""
    pauses = PAUSES.model_copy(update={"override_minutes": 5})
    house = a_stopped_out_house(("10:21", "10:40", FALL), protections=pauses)
    house.presses(OverrideProtection("cooldown", "SPY", "OVERRIDE"))
    house.until("10:15")

    assert house.last(facts.OverrideEnded) == snapshot
    assert_can_be_rebuilt(house)


@pytest.mark.usefixtures("a_tick_each_way")
def test_a_start_with_a_tighter_limit_ends_the_override(snapshot: SnapshotAssertion) -> None:
    """RK-06, RK-13: the way of the file does not matter."""
    house = a_stopped_out_house(("10:21", "11:25", FALL), daily_loss=LITTLE)
    house.presses(OverrideProtection("daily_loss", "global", "OVERRIDE"))
    house.until("11:15")
    house.settings = settings(daily_loss=AmountSettings(usd=Decimal("0.01"), of_equity=None))
    house.restarted().until("11:16")

    assert "daily loss" in refusals(house)
    assert (house.last(facts.OverrideEnded), house.last(facts.ProposalSkipped).reasons) == snapshot


def test_each_override_is_shown_and_warned_of(snapshot: SnapshotAssertion) -> None:
    """RK-06, RK-09: two words, two rows, two warnings."""
    house = a_stopped_out_house(("10:21", "11:25", FALL), protections=LONG_PAUSE, daily_loss=LITTLE)
    house.presses(OverrideProtection("daily_loss", "global", "OVERRIDE"))
    house.until("11:10")
    house.presses(OverrideProtection("cooldown", "SPY", "OVERRIDE"))
    house.presses(a_typed_buy(limit="99.25", stop="99"))
    house.presses(OpenTicket(house.desk.stage.proposals()[0].id))
    house.until("11:11")
    rows = {row.key: row for row in ViewBuilder(house.engine).draw(house.line.at).protections}
    warned = {
        v.check: v.reason
        for v in house.last(facts.TicketOpened).ticket.review.verdicts
        if v.standing is CheckResult.WARNS
    }

    loss, pause = rows["daily_loss"], rows["cooldown/SPY"]
    assert loss.passes_overridden
    assert pause.passes_overridden
    assert pause.overridden is not None
    assert pause.until == pause.overridden.until == house.last(facts.ProtectionOverridden).until
    assert pause.since == house.facts(facts.TradeClosed)[0].trade.exit_time
    assert (warned["daily loss"], warned["cooldown"]) == snapshot
