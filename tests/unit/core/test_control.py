"""Whether the desk may trade, and the words in which it says that it may not."""

from __future__ import annotations

from decimal import Decimal

from core.facts import (
    ClockJumped,
    EngineStarted,
    EngineStopped,
    Halted,
    InstallationNamed,
    Killed,
    Rearmed,
    ReconciliationFailed,
    ReconciliationPassed,
    Resumed,
    SettingsApplied,
    SettingsFileChanged,
)
from core.model.codes import HaltCause
from core.model.entry_blocks import EntryCause
from core.risk.trading_status import InForce, TradingStatus, TradingStatusState
from core.settings.settings import Settings
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import at

NOW = at("10:00")
PASSED = ReconciliationPassed(())


def after(*facts: object) -> TradingStatus:
    control = TradingStatus()
    for fact in facts:
        control.folds[type(fact)](NOW, fact)  # type: ignore[index,operator]
    return control


@table(
    "facts refusal",
    ((), "read-only: the books are not compared with the broker yet; wait a moment"),
    ((EngineStarted(),), "read-only: the books are not compared with the broker yet; wait a moment"),
    ((EngineStarted(), PASSED), None),
    ((PASSED, EngineStopped("q")), "read-only: "),
    ((PASSED, EngineStarted()), "read-only: the books are not compared with the broker yet; wait a moment"),
    ((PASSED, ReconciliationFailed(("one", "two"))), "read-only: one; two"),
    ((PASSED, ReconciliationFailed(("one",)), PASSED), None),
    ((PASSED, Halted(HaltCause.KEY, "by key")), "halted (key): by key"),
    ((PASSED, Halted(HaltCause.KEY, "by key"), Resumed(HaltCause.KEY)), None),
    ((PASSED, Killed("file")), "killed by file; type REARM on the kill screen to trade again"),
    ((PASSED, Halted(HaltCause.KEY, "by key"), Killed("key"), Rearmed()), None),
    ((PASSED, Killed("key"), EngineStarted(), PASSED), "killed by key; type REARM on the kill screen to trade again"),
    ((PASSED, Halted(HaltCause.INVARIANT, "broken"), EngineStarted(), PASSED), "halted (invariant): broken"),
    ((PASSED, Halted(HaltCause.INVARIANT, "broken"), Killed("key"), Rearmed()), "halted (invariant): broken"),
    ((Halted(HaltCause.JOURNAL, "disk full"), EngineStarted(), PASSED), None),
)
def test_what_stands_says_why_nothing_may_open(facts: tuple[object, ...], refusal: str | None) -> None:
    """OP-07, EX-09, EX-14, SP-06"""
    said = after(*facts).refusal()

    assert said == refusal if refusal != "read-only: " else str(said).startswith(refusal)


def test_kill_precedes_halt_precedes_read_only() -> None:
    """OP-07"""
    halted = after(Halted(HaltCause.INVARIANT, "broken"))
    killed = after(Halted(HaltCause.INVARIANT, "broken"), Killed("key"))

    assert str(halted.refusal()).startswith("halted")
    assert str(killed.refusal()).startswith("killed")


def test_every_reason_is_named_with_what_refuses() -> None:
    """OP-09: the strongest first"""
    control = after(
        ReconciliationFailed(("one",)),
        Halted(HaltCause.INVARIANT, "broken"),
        Killed("key"),
        SettingsFileChanged("the file has a fault"),
        ClockJumped(Decimal(40), Decimal(0)),
    )
    found = list(control.blocks())

    assert [block.cause for block in found] == [
        EntryCause.KILL, EntryCause.FAULT, EntryCause.READ_ONLY, EntryCause.SETTINGS_FILE, EntryCause.CLOCK
    ]  # fmt: skip
    assert found[0].words == control.refusal()
    assert [block.words for block in found if block.cause is EntryCause.SETTINGS_FILE] == ["the file has a fault"]
    assert list(after(PASSED).blocks()) == []


def test_settings_come_from_the_journal() -> None:
    """SP-03, EX-04"""
    settings = Settings(symbols=("IBM",))

    control = after(InstallationNamed("desk-7"), SettingsApplied(settings), EngineStarted(), EngineStarted())

    assert (control.state.installation, control.settings, control.state.starts) == ("desk-7", settings, 2)


def test_corrections_are_kept_for_the_screen() -> None:
    """EX-09"""
    control = after(ReconciliationPassed(("SPY 8",)))

    assert control.state.corrections == ("SPY 8",)
    assert after(Killed("key")).state.killed_at == after(Halted(HaltCause.KEY, "")).state.halted_at == NOW


def test_a_settings_view_follows_reloads():
    """RK-13: a reload and a restored state count from the next bar on."""
    picked: list[str] = []

    def pick(settings: Settings) -> tuple[str, ...]:
        picked.append("picked")
        return settings.symbols

    control = TradingStatus()
    symbols = InForce(control, pick)
    assert symbols() == symbols() == control.settings.symbols
    assert len(picked) == 1

    changed = Settings.model_validate({"symbols": ["IBM"]})
    control.folds[SettingsApplied](NOW, SettingsApplied(changed))
    assert symbols() == changed.symbols

    control.state = TradingStatusState()
    assert symbols() == control.settings.symbols


def test_a_desk_is_halted_since_it_halted_first() -> None:
    """OP-07: the key on a desk that an invariant halted makes it no younger, nor does taking the key's halt back"""
    control = after(PASSED)
    later = at("10:07")
    control.folds[Halted](NOW, Halted(HaltCause.INVARIANT, "broken"))  # type: ignore[index]
    control.folds[Halted](later, Halted(HaltCause.KEY, "by key"))  # type: ignore[index]
    assert control.state.halted_at == NOW
    control.folds[Resumed](later, Resumed(HaltCause.KEY))  # type: ignore[index]
    assert control.state.halted_at == NOW
