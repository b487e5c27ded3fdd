"""Render facts of the desk itself as text: settings and clock, starts and days, comparisons, halts."""

from __future__ import annotations

from datetime import datetime

from core import facts
from core.event_text.pieces import EventTexts, listed, told
from core.model.reconciliation import DifferenceKind
from core.model.session import HOME
from core.risk.checks.verdicts import usd
from core.risk.trading_status import difference_in_words, jump_in_words

CORRECTED = frozenset({DifferenceKind.MISSING_LOCAL, DifferenceKind.MISSING_BROKER, DifferenceKind.QUANTITY_MISMATCH})
"""Differences that a passed comparison has corrected: they are shown as corrections."""

SettingsFact = facts.SettingsFileChanged | facts.SettingsFileAgreed | facts.LimitsReloaded | facts.ReloadRefused
ClockFact = facts.ClockJumped | facts.ClockDiffered | facts.ClockSettled
StateFact = (
    facts.InstallationNamed
    | facts.UnknownOrdersFound
    | facts.UnknownOrdersAccepted
    | facts.StateReset
    | facts.StateRestored
)
EngineFact = facts.EngineStarted | facts.EngineStopped
DayFact = facts.DayStarted | facts.DayCorrected
ComparisonFact = facts.ReconciliationPassed | facts.ReconciliationFailed
StandingFact = facts.Resumed | facts.Rearmed | facts.RearmRefused


def _applied(fact: facts.SettingsApplied) -> str:
    settings = fact.settings
    words = f"settings applied, profile {settings.profile}, symbols {', '.join(settings.symbols)}"
    return f"{words}; read as they were: {'; '.join(settings.odd.words)}" if settings.odd.words else words


def _settings(fact: SettingsFact) -> str:
    match fact:
        case facts.SettingsFileChanged():
            return f"ENTRIES ARE SHUT: {fact.reason}"
        case facts.SettingsFileAgreed():
            return "the settings file says again what the desk trades by: entries pass"
        case facts.LimitsReloaded():
            left = f"; left as they were: {'; '.join(fact.left)}" if fact.left else ""
            return f"limits reloaded: {'; '.join(fact.taken) or 'none of them changed'}{left}"
        case facts.ReloadRefused():
            return f"the limits are not reloaded:{listed(fact.reasons, ' ')}"


def _clock(fact: ClockFact) -> str:
    if isinstance(fact, facts.ClockSettled):
        step = f", the desk's time went {fact.step:,.1f} s forward" if fact.step else ""
        return f"this machine's clock agrees with the broker's{step}: entries pass again"
    if isinstance(fact, facts.ClockDiffered):
        return f"ENTRIES ARE SHUT: {difference_in_words(fact.ahead)}"
    return f"ENTRIES ARE SHUT: {jump_in_words(fact.seconds, fact.behind)}"


def _state(fact: StateFact) -> str:
    match fact:
        case facts.InstallationNamed():
            return f"this installation is {fact.name}"
        case facts.UnknownOrdersFound():
            return f"{_unknown(fact)} are at the broker and not in this journal; this installation is now {fact.name}"
        case facts.UnknownOrdersAccepted():
            return f"accepted: {_unknown(fact)}, which this journal does not know"
        case facts.StateReset():
            return f"reset {_minute(fact.when)}, after record {fact.last_record}; what was there is in {fact.backup}"
        case facts.StateRestored():
            kept = "" if fact.backup is None else f"; what was there is in {fact.backup}"
            return f"restored {_minute(fact.when)} from {fact.archive}, {fact.lost} records lost{kept}"


def _unknown(fact: facts.UnknownOrdersFound | facts.UnknownOrdersAccepted) -> str:
    return f"{len(fact.client_order_ids)} orders with Keyturn's form of id ({', '.join(fact.client_order_ids)})"


def _minute(at: datetime) -> str:
    return HOME.told(at, "%Y-%m-%d %H:%M")


def _engine(fact: EngineFact) -> str:
    if isinstance(fact, facts.EngineStarted):
        return "engine started; nothing trades before the books are compared"
    return f"engine stopped: {fact.reason}"


def _day(fact: DayFact) -> str:
    close = "" if fact.close_of is None else f", the close of {fact.close_of:%a %d %b}"
    mended = ", by the broker's later word" if isinstance(fact, facts.DayCorrected) else ""
    return f"day {fact.day} begins with equity {usd(fact.equity)}{close}{mended}"


def _comparison(fact: ComparisonFact) -> str:
    if isinstance(fact, facts.ReconciliationFailed):
        return "read-only:" + listed(fact.reasons, " ")
    shown = tuple(d.in_words for d in fact.differences if d.kind not in CORRECTED or d.is_error)
    return "books agree with the broker" + listed(fact.corrections, "; corrected: ") + listed(shown, "; ")


def _halted(fact: facts.Halted) -> str:
    return f"HALTED ({fact.cause.value}) {fact.reason}"


def _killed(fact: facts.Killed) -> str:
    return f"KILLED by {fact.by}, the stops too" if fact.naked else f"KILLED by {fact.by}"


def _standing(fact: StandingFact) -> str:
    match fact:
        case facts.Resumed():
            return f"resumed from the halt by {fact.cause.value}"
        case facts.Rearmed():
            return "re-armed"
        case facts.RearmRefused():
            return f"not re-armed: {fact.reason}"


DESK: EventTexts = {
    **told("desk", _applied, facts.SettingsApplied),
    **told("settings", _settings, SettingsFact),
    **told("clock", _clock, ClockFact),
    **told("desk", _state, StateFact),
    **told("desk", _engine, EngineFact),
    **told("desk", _day, DayFact),
    **told("desk", _comparison, ComparisonFact),
    **told("HALT", _halted, facts.Halted),
    **told("KILL", _killed, facts.Killed),
    **told("desk", _standing, StandingFact),
}
