"""A strategy that is paused, a symbol that is refused: what may still happen, and what it takes to end it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import PauseStrategy, ProposeClose, RefuseSymbol, ResumeStrategy
from core.model.codes import ProposalEnd
from core.model.signal import ExitReason
from core.settings.risk import RiskSettings
from core.settings.settings import Settings
from core.views import StrategyRow
from core.views.builders.strategies import strategy_rows
from tests.scenarios.house import (
    DIP,
    RECOVERY,
    STEADY,
    House,
    a_day,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
    rebuilt,
)
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY

PAUSE, RESUME = PauseStrategy("vwap", SPY), ResumeStrategy("vwap", SPY)


def the_row(house: House, day: date = THURSDAY) -> StrategyRow:
    (row,) = strategy_rows(house.desk, day, house.line.at)
    return row


def test_a_paused_strategy_stages_no_entry() -> None:
    """ST-03, OP-01"""
    house = House(a_day(("10:06", "10:20", DIP))).opens().until("10:04")

    house.presses(PAUSE)
    house.until("10:20")

    assert house.facts(facts.ProposalStaged) == []
    row = the_row(house)
    assert (row.is_paused, row.last_answer) == (True, "PAUSED")
    assert dict(row.reasons)["PAUSED"] == row.times == 16


def test_the_exits_of_a_paused_strategy_go_on() -> None:
    """ST-02, RK-22"""
    house = a_house_in_a_position(("10:06", "10:08", STEADY), ("10:09", "10:12", RECOVERY))

    house.presses(PAUSE)
    house.until("10:10")

    assert house.proposal.exit_reason is ExitReason.MEAN_REVERSION


def test_a_pause_lasts_over_a_restart_until_resumed() -> None:
    """SP-03, SP-05"""
    house = House(a_day(("10:06", "10:30", DIP))).opens().until("10:04")
    house.presses(PAUSE)

    house.restarted().until("10:15")
    staged_while_paused = len(house.facts(facts.ProposalStaged))
    assert_can_be_rebuilt(house)
    house.presses(RESUME)
    house.until("10:17")

    assert staged_while_paused == 0
    assert not the_row(house).is_paused
    assert house.proposal.order.limit_price == Decimal("99.60")


def test_a_pause_is_recorded_once() -> None:
    """ST-03"""
    house = House(minutes("09:30", "10:00")).opens().until("09:40")

    for command in (RESUME, PAUSE, PAUSE, PauseStrategy("momentum", SPY), RESUME, RESUME):
        house.presses(command)

    assert house.facts(facts.StrategyPaused) == [facts.StrategyPaused("vwap", SPY)]
    assert house.facts(facts.StrategyResumed) == [facts.StrategyResumed("vwap", SPY)]


def test_a_strategy_shows_what_it_measures(snapshot: SnapshotAssertion) -> None:
    """ST-02: VWAP of a flat morning, and the price below which it would buy."""
    house = House(minutes("09:30", "10:00", "100.30 100.30 99.70 100")).opens().until("09:35:30")

    early, late = the_row(house).figures, the_row(house.until("09:59:30")).figures

    assert (early, late, the_row(house, date(2026, 11, 20)).figures) == snapshot


REFUSE = RefuseSymbol(SPY, "news at noon")
REFUSED = ("symbol refused today",)
FRIDAY = date(2026, 11, 20)


def test_a_refused_symbol_is_declined_and_not_staged(snapshot: SnapshotAssertion) -> None:
    """OP-12, RK-01"""
    house = a_house_with_a_proposal(("10:06", "10:30", DIP))
    waiting = house.proposal

    house.presses(REFUSE)
    at_once = house.last(facts.ProposalEnded)
    house.until("10:12")
    by_the_strategy = house.last(facts.ProposalSkipped)
    house.presses(a_typed_buy())

    assert (at_once.proposal_id, at_once.end) == (waiting.id, ProposalEnd.DECLINED)
    assert (by_the_strategy.strategy, by_the_strategy.checks) == ("vwap", REFUSED)
    assert (house.last(facts.ProposalSkipped).strategy, house.last(facts.ProposalSkipped).checks) == ("manual", REFUSED)
    assert (at_once.reason, by_the_strategy.reasons) == snapshot
    assert house.desk.stage.proposals() == ()


def test_a_refused_symbol_is_free_on_the_next_day() -> None:
    """SP-03, SP-05"""
    house = House(a_day(("10:06", "10:10", STEADY)) + minutes("09:30", "10:10", day=FRIDAY)).opens().until("10:01")
    house.presses(REFUSE)
    house.presses(REFUSE)

    house.restarted().until("10:08")
    house.presses(a_typed_buy())
    that_day = house.facts(facts.ProposalSkipped)
    assert_can_be_rebuilt(house)
    house.until("10:06", FRIDAY)
    house.presses(a_typed_buy())

    assert {(skipped.strategy, skipped.checks) for skipped in that_day} == {("vwap", REFUSED), ("manual", REFUSED)}
    assert len(house.facts(facts.SymbolRefused)) == 1
    assert house.proposal.order.symbol == SPY


def test_other_symbols_and_exits_go_on() -> None:
    """RK-22"""
    settings = Settings(symbols=("SPY", "IBM"), risk=RiskSettings(max_open_positions=2))
    bars = a_day(("10:06", "10:30", STEADY)) + minutes("09:30", "10:30", "99.60", symbol=IBM)
    house = House(bars, settings).opens()
    house.confirms_at("10:06:02")
    house.until("10:06:30")

    house.presses(REFUSE)
    house.presses(replace(a_typed_buy(), symbol=IBM))
    house.presses(ProposeClose(SPY))

    assert [(p.symbol, p.only_reduces) for p in house.desk.stage.proposals()] == [(SPY, True), (IBM, False)]
    house.confirms_at("10:06:40")
    house.until("10:07:30")
    assert house.held() == "0"


def test_a_refusal_between_key_and_figures_sends_nothing(snapshot: SnapshotAssertion) -> None:
    """OP-02, OP-03"""
    house = a_house_with_a_proposal()
    house.confirms_at("10:06:02")

    house.presses(REFUSE)
    house.until("10:07")

    assert house.facts(facts.OrderCreated) == []
    assert house.last(facts.ConfirmationRefused).reasons == snapshot


def test_a_crash_leaves_no_entry_of_a_refused_symbol() -> None:
    """EX-20: what waits is declined first, whatever is lost after it."""
    house = a_house_with_a_proposal()
    house.presses(REFUSE)
    assert house.told()[-2:] == ["ProposalEnded", "SymbolRefused"]
    lost = house.journal.lines.pop()

    after_the_crash = rebuilt(house.desk)

    assert after_the_crash.stage.proposals() == ()
    assert after_the_crash.control.refusal_of(SPY, THURSDAY) is None
    house.journal.lines.append(lost)
