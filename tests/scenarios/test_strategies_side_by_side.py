"""Several strategies on one desk: one that fails, one that is slow, one that floods, two that contradict each other."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal

import pytest

from core import facts
from core.event_text import in_words
from core.messages.commands import PauseStrategy, ProposeClose, ResumeStrategy
from core.model.bar import Bar
from core.model.order import StopHolder
from core.model.signal import ExitReason
from core.model.values import Price, Symbol
from core.runtime.scripted_operator import ConfirmAll
from core.settings.settings import Settings
from core.strategies.builtin import HOUSE, OF_THE_HOUSE
from core.strategies.memory import RunnerState, StrategyMemory
from core.views import StrategyRow
from core.views.builders.strategies import strategy_rows
from tests.scenarios.changes import confirms_now
from tests.scenarios.house import House, a_day, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.live_floor import LiveFloor, LiveHouse
from tests.scenarios.own import (
    CLOCK,
    Broken,
    Buying,
    Endless,
    Flooding,
    Forgetful,
    Holding,
    Protecting,
    Raising,
    Raving,
    Rude,
    Sleeping,
    Spoiling,
    Watching,
    Written,
    kinds_of,
    name_of,
    remembered,
    settings_with,
    text_of,
)
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, a_bar, at

pytestmark = [pytest.mark.usefixtures("timeline"), pytest.mark.usefixtures("a_whole_morning")]


def a_house(*classes: Written, vwap: bool = False, **terms: object) -> House:
    """Those strategies on, a flat day from the open on; without the hours in which nothing happens."""
    names = [name_of(made) for made in classes]
    morning = a_day(("10:06", "11:00", "99.60")) if vwap else minutes("09:30", "11:00")
    bars = [*morning, *minutes("15:50", "15:59")]
    return House(bars, settings_with(*names, vwap=vwap, **terms), kinds=kinds_of(*classes)).opens()


def runner(house: House, name: str) -> RunnerState:
    return house.desk.orchestrator.state.runners[f"{name}/SPY"]


def memory(house: House, name: str) -> StrategyMemory:
    return house.desk.orchestrator.memories[f"{name}/SPY"]


def bars_of(house: House, name: str) -> list[str]:
    """Bars that one which watches was shown."""
    found: list[str] = remembered(memory(house, name).state)["bars"]
    return found


def row(house: House, name: str) -> StrategyRow:
    return next(r for r in strategy_rows(house.desk, THURSDAY, house.line.at) if r.strategy == name)


def words(house: House) -> list[str]:
    return [in_words(record.fact) for record in house.journal.records()]


def test_one_that_raises_is_skipped_and_told_and_the_others_see_every_bar() -> None:
    """ST-07"""
    house = a_house(Raising, Watching, vwap=True).until("10:06")

    assert len(bars_of(house, "watching")) == 36
    assert [p.proposal.strategy for p in house.facts(facts.ProposalStaged)] == ["vwap"]
    first = house.facts(facts.StrategyFailed)[0]
    assert (first.strategy, first.bar_start, first.reason) == ("raising", at("09:40"), "ZeroDivisionError: no volume")
    assert "raising on SPY raised ZeroDivisionError: no volume; it is skipped for this bar" in words(house)


ODD = """

class OddError(BaseException):
    def __str__(self) -> str:
        raise ValueError("none")
"""


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        ('GeneratorExit("over")', "GeneratorExit: over"),
        ("KeyboardInterrupt()", "KeyboardInterrupt"),
        ("SystemExit(3)", "SystemExit: 3"),
        ("OddError()", "OddError"),
    ],
)
def test_what_would_end_a_program_fails_its_strategy_alone(raised: str, reason: str) -> None:
    """ST-07: the others' exits go on, and the desk."""
    house = a_house(f"{text_of(Rude)}{ODD}\n\nclass Raises(Rude):\n    raised = {raised}\n", Watching).until("10:06")

    assert house.facts(facts.StrategyFailed)[0].reason == reason
    assert [paused.strategy for paused in house.facts(facts.StrategyPaused)] == ["rude"]
    assert len(bars_of(house, "watching")) == 36
    assert row(house, "rude").trouble.startswith(f"3 bars in a row it raised {reason}; ")


def test_three_failures_in_a_row_pause_it_by_a_fact_and_two_do_not() -> None:
    """ST-07: two at 09:40, then bars that it answers, then three from 10:00 on."""
    house = a_house(Raising)
    before = [len(house.until(clock).facts(facts.StrategyPaused)) for clock in ("09:45", "10:02")]

    house.until("10:20")

    why = "3 bars in a row it raised ZeroDivisionError: no volume; fix it, then resume it"
    assert before == [0, 0]
    assert house.facts(facts.StrategyPaused) == [facts.StrategyPaused("raising", SPY, why)]
    assert len(house.facts(facts.StrategyFailed)) == 5  # one that is paused is not told of again
    assert (row(house, "raising").is_paused, row(house, "raising").trouble) == (True, why)


def test_a_restart_keeps_it_paused_and_the_operator_resumes_it() -> None:
    """ST-07, SP-05"""
    house = a_house(Raising).until("10:05").restarted().until("10:10")
    still = runner(house, "raising").paused_at

    house.presses(ResumeStrategy("raising", SPY))
    house.until("10:11")
    after_one = runner(house, "raising").paused_at, runner(house, "raising").faults
    house.until("10:14")

    assert still == at("10:03")
    assert after_one == (None, 1)
    assert len(house.facts(facts.StrategyPaused)) == 2


def test_how_many_failures_pause_it_is_a_setting() -> None:
    """ST-07"""
    house = a_house(Raising, strategies={"faults": 2}).until("09:45")

    assert len(house.facts(facts.StrategyPaused)) == 1


FAINTING = """

class Fainting(Holding):
    name = "fainting"

    def on_bar(self, bar, context):
        if clock_of(bar) >= "10:07":
            raise ValueError("gone")
        return super().on_bar(bar, context)
"""


def test_what_a_strategy_raises_holds_up_no_exit_that_waits() -> None:
    """OP-06, ST-07: whoever fails on a bar does not say that its condition is over."""

    house = a_house(text_of(Holding) + FAINTING).until("10:01")
    house.confirms_at("10:01:02")
    house.until("10:12")

    assert [p.exit_reason for p in house.desk.stage.proposals()] == [ExitReason.SIGNAL]
    assert house.facts(facts.ProposalEnded)[1:] == []


def test_a_position_of_one_that_raises_is_flat_by_the_close_all_the_same() -> None:
    """ST-07, ST-09"""
    house = a_house(Broken).until("10:01")
    house.confirms_at("10:01:02")
    house.until("15:56")

    assert house.proposal.exit_reason is ExitReason.FORCE_FLAT
    assert house.facts(facts.ProposalStaged)[-1].proposal.reason.endswith("and broken does not say so")


def test_one_that_forgets_the_close_is_reminded_once() -> None:
    """ST-09: its exit is staged, and stays."""
    house = a_house(Forgetful).until("10:01")
    house.confirms_at("10:01:02")
    house.until("15:59")

    assert [p.proposal.exit_reason for p in house.facts(facts.ProposalStaged)] == [None, ExitReason.FORCE_FLAT]


def test_an_unsavable_memory_fails_and_the_last_sound_one_stays() -> None:
    """ST-01: of 09:30 to 09:55 three bars are lost."""
    house = a_house(Spoiling).until("09:56")

    assert [(failed.bar_start, failed.reason.partition(";")[0]) for failed in house.facts(facts.StrategyFailed)] == [
        (
            at("09:40"),
            "UnfitError: its state.bars is 'seven': must be a valid integer, unable to parse string as an integer",
        ),
        (
            at("09:45"),
            "UnfitError: its state.last is a function: Decimal input should be an integer, float, string or "
            "Decimal object",
        ),
        (at("09:50"), "UnfitError: its state is a NoneType"),
    ]
    assert remembered(memory(house, "spoiling").state) == {"bars": 23, "last": None}
    assert remembered(memory(house.restarted(), "spoiling").state) == {"bars": 23, "last": None}


def test_an_unfit_memory_is_reported_and_its_position_is_closed() -> None:
    """ST-01, ST-09: the documents hold what another text of the strategy remembered."""
    house = holds_from_ten(Forgetful).until("10:02")
    orchestrator = house.desk.orchestrator
    memory(house, "forgetful").state = {"bars": "many"}
    orchestrator.restore(orchestrator.state)
    orchestrator.catch_up()

    house.engine.apply(house.line.at, orchestrator.contexts.settings, "replay")
    begun = row(house, "forgetful").trouble
    house.until("15:57")

    why = "state.bars is 'many': must be a valid list"
    assert house.facts(facts.StrategyForgot) == [facts.StrategyForgot("forgetful", SPY, why)]
    assert begun == f"starts without memory, what was saved does not fit: {why}"
    assert f"forgetful on SPY starts without memory, what was saved does not fit: {why}" in words(house)
    assert house.proposal.exit_reason is ExitReason.FORCE_FLAT
    House.built.clear()  # the journal alone tells more than those documents did


@pytest.fixture
def measured() -> House:
    """A desk whose runtime has a clock."""
    CLOCK.seconds = 0.0
    house = a_house(Sleeping, Watching)
    house.desk.orchestrator.measure(CLOCK)
    return house


def test_one_that_takes_too_long_is_told_paused_and_rests(measured: House) -> None:
    """ST-07"""
    measured.until("10:30")

    told = measured.facts(facts.StrategyFailed)
    assert [f.milliseconds for f in told] == [120, 120, 120]
    assert "sleeping on SPY took 120 ms for a bar, more than 50; it is skipped for this bar" not in words(measured)
    assert "sleeping on SPY took 120 ms for a bar, more than 50" in words(measured)
    assert measured.last(facts.StrategyPaused).rests
    assert bars_of(measured, "sleeping")[-1] == "10:02"
    assert bars_of(measured, "watching")[-1] == "10:29"
    assert "is shown no bar while it holds nothing" in row(measured, "sleeping").trouble


def test_one_that_never_answers_is_broken_off_paused_and_rests() -> None:
    """ST-07: with no clock too, and a start that rebuilds its bars comes to an end as well."""
    house = a_house(Endless, Watching).until("10:30")

    assert "endless on SPY took 2,000 ms for a bar, more than 50" in words(house)
    assert [fact.milliseconds for fact in house.facts(facts.StrategyFailed)] == [2000, 2000, 2000]
    assert house.last(facts.StrategyPaused).rests
    assert bars_of(house, "endless")[-1] == "09:59"  # as far as it came with a bar that it missed, it saw none of it
    assert bars_of(house, "watching")[-1] == "10:29"
    assert_can_be_rebuilt(house)


def test_one_that_rested_begins_anew_when_it_is_resumed(measured: House) -> None:
    """ST-07: it has missed bars."""
    measured.until("10:30")

    measured.presses(ResumeStrategy("sleeping", SPY))
    measured.until("10:32")

    assert measured.facts(facts.StrategyResumed) == [facts.StrategyResumed("sleeping", SPY)]
    assert bars_of(measured, "sleeping") == ["10:30", "10:31"]


def test_without_a_clock_nobody_is_slow() -> None:
    """ST-07, MD-05: a replay measures nothing, so that it tells the same on every machine."""
    house = a_house(Sleeping).until("10:10")

    assert house.facts(facts.StrategyFailed) == []


def test_the_live_desk_measures_by_the_clock_that_nobody_sets() -> None:
    """ST-07"""
    house = LiveHouse(LiveFloor("09:31", minutes("09:30", "09:31")), steady=time.monotonic)

    assert house.engine.state.orchestrator.showing.clock is time.monotonic


def test_a_flooding_strategy_has_one_proposal_at_a_time() -> None:
    """ST-03, ST-07"""
    alone = a_house(Watching, vwap=True).until("10:11")
    beside = a_house(Flooding, Raving, Watching, vwap=True).until("10:11")

    def of(house: House, name: str) -> list[object]:
        return [p.proposal for p in house.facts(facts.ProposalStaged) if p.proposal.strategy == name]

    assert of(beside, "vwap") == of(alone, "vwap") != []
    assert runner(beside, "watching") == runner(alone, "watching")
    assert memory(beside, "watching") == memory(alone, "watching")
    assert len(of(beside, "flooding")) == 6  # each lives for 90 s after its bar, so every other bar
    assert memory(beside, "flooding").reasons["PROPOSAL_WAITING"] > 0
    assert memory(beside, "raving").last_answer == "MALFORMED it answered a list"


def test_signals_of_one_bar_are_staged_built_in_first() -> None:
    """ST-07: whatever the order in which they were found."""
    orders = []
    for classes in ((Flooding, Buying, Watching), (Watching, Buying, Flooding)):
        house = a_house(*classes, vwap=True, risk={"window_start": "10:05"}).until("10:06")
        orders.append([p.proposal.strategy for p in house.facts(facts.ProposalStaged)])

    assert orders == [["vwap", "buying", "flooding"]] * 2


def test_a_flooding_strategy_stays_within_its_limits() -> None:
    """ST-03, EX-08"""
    house = a_house(Flooding).until("10:01")
    house.confirms_at("10:01:02")
    house.until("10:15")

    assert memory(house, "flooding").last_answer == "IN_POSITION"
    assert len([o for o in house.facts(facts.OrderCreated) if not o.order.effect.only_reduces]) == 1


def holds_from_ten(*classes: Written) -> House:
    house = a_house(*classes).until("10:01")
    house.confirms_at("10:01:02")
    return house


def test_an_exit_passes_and_the_entries_of_its_bar_are_dropped() -> None:
    """ST-07, EX-21: whoever buys on every bar keeps nobody in a position, not for a minute."""
    house = holds_from_ten(Holding, Buying).until("10:06")

    assert house.facts(facts.SignalsOpposed) == [
        facts.SignalsOpposed(SPY, at("10:05"), ("buying",), ("holding",), ("holding",))
    ]
    assert "SPY: buying would buy and holding would sell on the same bar; the exit of holding is staged" in "\n".join(
        words(house)
    )
    assert [(p.strategy, p.exit_reason) for p in house.desk.stage.proposals()] == [("holding", ExitReason.SIGNAL)]


def test_what_protects_passes_too() -> None:
    """ST-07, ST-09"""
    house = holds_from_ten(Protecting, Buying).until("10:06")

    assert house.last(facts.SignalsOpposed).leaving == ("protecting",)
    assert [p.exit_reason for p in house.desk.stage.proposals()] == [ExitReason.TIME_EXIT]


def test_a_position_by_hand_needs_no_strategy_file() -> None:
    """ST-07, ST-09, SP-03: a position of one's own has exit rules and no file; other settings change nothing of it."""
    rules = {"manual": True, "profit_target": "0.001"}
    risk = {"window_start": "09:30", "max_notional": {"usd": "5000"}, "per_trade": {"usd": "100"}}
    bars = minutes("09:30", "10:04", "99.60") + minutes("10:05", "10:25", "99.80")
    house = House(bars, settings_with("buying", vwap=False, exits=rules, risk=risk), kinds=kinds_of(Buying)).opens()
    house.until("10:01").presses(replace(a_typed_buy(), stop_price=Price(Decimal(97)), stop_holder=StopHolder.DESK))
    confirms_now(house)
    house.until("10:06")
    assert house.last(facts.SignalsOpposed) == facts.SignalsOpposed(
        SPY, at("10:05"), ("buying",), ("manual",), ("manual",)
    )

    house.settings = settings_with("buying", vwap=False, exits={**rules, "profit_target": "0.0015"}, risk=risk)
    house.restarted().until("10:20")

    assert house.facts(facts.StrategyMissing) == []
    assert [r.strategy for r in strategy_rows(house.desk, THURSDAY, house.line.at)] == ["vwap", "buying"]


def test_a_strategy_without_its_file_keeps_memory_and_position() -> None:
    """SP-03, ST-01: the journal decodes, the desk opens, nothing is proposed for it."""
    house = holds_from_ten(Holding).until("10:02")
    known = list(bars_of(house, "holding"))
    house.kinds = OF_THE_HOUSE

    house.restarted().until("10:20")

    gone = "holding.py is not among your strategies; put it back, or turn it off"
    assert house.facts(facts.StrategyMissing) == [facts.StrategyMissing("holding", gone)]
    assert (row(house, "holding").last_answer, row(house, "holding").trouble) == ("MISSING", gone)
    assert house.desk.stage.proposals() == ()
    assert house.desk.ledger.position(SPY, "holding") is not None
    assert known[-1] == "10:01"

    house.presses(ProposeClose(SPY))
    assert house.proposal.exit_reason is ExitReason.MANUAL


def test_a_position_of_one_that_is_gone_is_flat_by_the_close() -> None:
    """ST-09"""
    house = holds_from_ten(Holding).until("10:02")
    house.kinds = kinds_of(holding="holding.py, line 3: it imports os")

    house.restarted().until("15:57")

    assert house.proposal.exit_reason is ExitReason.FORCE_FLAT


def test_one_that_is_there_again_is_told() -> None:
    """ST-01"""
    house = a_house(Watching)
    house.until("09:40")
    kinds, house.kinds = house.kinds, OF_THE_HOUSE
    house.restarted().until("09:50")
    house.kinds = kinds

    house.restarted().until("10:00")

    assert house.facts(facts.StrategyFound) == [facts.StrategyFound("watching")]
    assert bars_of(house, "watching")[-1] == "09:59"


def test_one_that_cannot_be_made_with_its_settings_is_missing_and_says_why() -> None:
    """ST-01: `depth` is nothing that it knows."""
    house = a_house(Watching, strategies={"watching": {"depth": "0.1"}}).until("09:40")

    why = "strategies.watching.depth: there is no such setting; it has none"
    assert house.facts(facts.StrategyMissing) == [facts.StrategyMissing("watching", why)]
    assert row(house, "watching").trouble == why


def test_with_all_five_on_a_symbol_has_one_position_of_one_strategy() -> None:
    """EX-08: the others' entries are refused by name, and leave the stage to nobody."""
    loose = {
        "momentum": {"minimum_gain": "0", "volume_factor": "0", "strength_limit": "100", "bars": 2, "strength_bars": 2},
        "breakout": {"bars": 2, "buffer": "0", "volume_factor": "0", "volume_bars": 2},
        "mean_reversion": {"bars": 5, "deviations": "0.1"},
        "sma": {"pairs": [[2, 4], [3, 6]], "regime_filter": False, "minimum_confidence": "0"},
    }
    house = House(waves(), all_five_of(loose)).opens()
    house.line.operator = ConfirmAll(house.desk)

    most = 0
    for minute in range(10 * 60, 10 * 60 + 40):
        house.until(f"{minute // 60:02d}:{minute % 60:02d}")
        most = max(most, len(house.desk.ledger.positions_in(SPY)))

    proposed = {p.proposal.strategy for p in house.facts(facts.ProposalStaged)}
    refused = [reason for skipped in house.facts(facts.ProposalSkipped) for reason in skipped.reasons]
    assert len(house.desk.orchestrator.runners[SPY]) == 5
    assert len(proposed) >= 2
    assert most == 1
    assert any("another strategy holds SPY" in reason for reason in refused)


def test_a_setting_lets_strategies_hold_one_symbol_side_by_side() -> None:
    """EX-08, EX-09: each has a position of its own, and their sum is what the broker holds"""
    loose = {
        "momentum": {"minimum_gain": "0", "volume_factor": "0", "strength_limit": "100", "bars": 2, "strength_bars": 2},
        "breakout": {"bars": 2, "buffer": "0", "volume_factor": "0", "volume_bars": 2},
        "mean_reversion": {"bars": 5, "deviations": "0.1"},
        "sma": {"pairs": [[2, 4], [3, 6]], "regime_filter": False, "minimum_confidence": "0"},
    }
    several = {"max_open_positions": 5, "entries_a_day": 50, "several_strategies_a_symbol": True}
    settings = settings_with(*HOUSE, strategies=loose, risk=several)
    house = House(waves(), settings).opens()
    house.line.operator = ConfirmAll(house.desk)

    most = 0
    for minute in range(10 * 60, 10 * 60 + 40):
        house.until(f"{minute // 60:02d}:{minute % 60:02d}")
        held = house.desk.ledger.positions_in(SPY)
        most = max(most, len(held))
        assert len({position.strategy for position in held}) == len(held)

    assert most >= 2
    assert house.held() == house.held_by_the_broker()


def all_five_of(tables: dict[str, object]) -> Settings:
    return settings_with(*HOUSE, strategies=tables, risk={"max_open_positions": 5, "entries_a_day": 50})


def waves() -> list[Bar]:
    """A market that climbs by three cents a minute, up and down by the way."""
    bars = []
    for n in range(71):
        price = Decimal(100) + Decimal("0.03") * n + (Decimal("0.40") if n % 8 < 4 else Decimal(0))
        bars.append(a_bar(f"{9 + (30 + n) // 60:02d}:{(30 + n) % 60:02d}", f"{price} {price + 1} {price - 1} {price}"))
    return bars


def test_pausing_by_hand_keeps_it_looking() -> None:
    """ST-07: only one that was too slow rests."""
    house = a_house(Watching).until("09:40")

    house.presses(PauseStrategy("watching", Symbol("SPY")))
    house.until("09:50")

    assert bars_of(house, "watching")[-1] == "09:49"
