"""Render facts of the desk itself as text: starts, days, halts, desk control and notifications."""

from __future__ import annotations

from datetime import datetime

from core import facts
from core.event_text.lines import EventTexts, command_in_words, listed, told
from core.model.codes import HaltCause, KeyEnd
from core.model.delivery import DeliveryCode
from core.model.reconciliation import DifferenceKind
from core.model.session import HOME, AnnouncedDay
from core.risk.gate import usd
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
StandingFact = facts.Resumed | facts.KillExplained | facts.Rearmed | facts.RearmRefused


MOST_DAYS = 5
"""Announced days that one line names."""


def _applied(fact: facts.SettingsApplied) -> str:
    settings = fact.settings
    words = f"settings applied, profile {settings.profile}, symbols {', '.join(settings.symbols)}"
    return f"{words}; read as they were: {'; '.join(settings.odd.words)}" if settings.odd.words else words


def _agents(fact: facts.AgentsApplied) -> str:
    return f"agents changed: {'; '.join(fact.changes)}"


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


def _sessions(fact: facts.SessionsAnnounced) -> str:
    """Return `the broker announces: Thu 03 Dec is closed`."""
    shown = [announced_in_words(each) for each in fact.days[:MOST_DAYS]]
    more = len(fact.days) - len(shown)
    return f"the broker announces: {'; '.join(shown)}{f'; and {more} more days' if more else ''}"


def announced_in_words(each: AnnouncedDay) -> str:
    if each.session is None:
        return f"{each.day:%a %d %b} is closed"
    opens = "" if HOME.local(each.session.open).time() == HOME.opens else f"opens at {HOME.told(each.session.open)}, "
    return f"{each.day:%a %d %b} {opens}closes at {HOME.told(each.session.close)}"


def _comparison(fact: ComparisonFact) -> str:
    if isinstance(fact, facts.ReconciliationFailed):
        return "read-only:" + listed(fact.reasons, " ")
    shown = tuple(d.in_words for d in fact.differences if d.kind not in CORRECTED or d.is_error)
    return "books agree with the broker" + listed(fact.corrections, "; corrected: ") + listed(shown, "; ")


def _halted(fact: facts.Halted) -> str:
    if (fact.cause, fact.reason) == (HaltCause.KEY, "by key"):
        return "HALTED by you"
    return f"HALTED ({fact.cause.value}) {fact.reason}"


def _killed(fact: facts.Killed) -> str:
    return f"KILLED by {fact.by}, the stops too" if fact.naked else f"KILLED by {fact.by}"


def _standing(fact: StandingFact) -> str:
    match fact:
        case facts.Resumed():
            return f"resumed from the halt by {fact.cause.value}"
        case facts.KillExplained():
            return f"the kill's reason: {fact.reason}"
        case facts.Rearmed():
            return "re-armed"
        case facts.RearmRefused():
            return f"not re-armed: {fact.reason}"


DESK: EventTexts = {
    **told("desk", _applied, facts.SettingsApplied),
    **told("settings", _agents, facts.AgentsApplied),
    **told("settings", _settings, SettingsFact),
    **told("clock", _clock, ClockFact),
    **told("desk", _state, StateFact),
    **told("desk", _engine, EngineFact),
    **told("desk", _day, DayFact),
    **told("desk", _sessions, facts.SessionsAnnounced),
    **told("desk", _comparison, ComparisonFact),
    **told("HALT", _halted, facts.Halted),
    **told("KILL", _killed, facts.Killed),
    **told("desk", _standing, StandingFact),
}


DeskFact = facts.DeskAttached | facts.DeskLeft | facts.DeskLost
AttendanceFact = facts.DesksServed | facts.AbsenceEnded
KeyFact = facts.KeyTaken | facts.KeyFreed


def _desk(fact: DeskFact) -> str:
    match fact:
        case facts.DeskAttached():
            return f"desk {fact.desk} {'is back' if fact.is_back else 'attached'}: {fact.seat.in_words}"
        case facts.DeskLeft():
            return f"desk {fact.desk} detached"
        case facts.DeskLost():
            kept = "" if fact.key_until is None else f"; the key is kept for it until {HOME.clock(fact.key_until)}"
            return f"the link of desk {fact.desk} is lost{kept}"


def _given(fact: facts.CommandGiven) -> str:
    """Return `desk 2: request cancel`."""
    return f"desk {fact.desk}: {command_in_words(fact.command)}"


def _key(fact: KeyFact) -> str:
    if isinstance(fact, facts.KeyFreed):
        why = "it left" if fact.end is KeyEnd.LEFT else "it was not back in time"
        return f"the key of desk {fact.desk} is free: {why}"
    before = "" if fact.before is None else f" from desk {fact.before}"
    return f"desk {fact.desk} has the key{before}, hold {fact.hold}"


def _attendance(fact: AttendanceFact) -> str:
    if isinstance(fact, facts.DesksServed):
        return "desks may attach; while none does, proposals are only followed"
    counts = (
        (fact.fills, "fills"),
        (fact.exits, "exits sent"),
        (fact.cancelled, "entries cancelled"),
        (fact.shadows, "proposals only followed"),
        (fact.halts, "halts"),
    )
    told_of = ", ".join(f"{count} {words}" for count, words in counts if count) or "nothing happened"
    return f"while nobody was at a desk, since {HOME.told(fact.since, '%a %H:%M')}: {told_of}"


TouchFact = (
    facts.TouchKeyEnrolled | facts.TouchKeyRemoved | facts.TouchKeysKept | facts.TouchVerified | facts.TouchRefused
)


def _touch(fact: TouchFact) -> str:
    match fact:
        case facts.TouchKeyEnrolled():
            return f"SECURITY KEY ENROLLED: {fact.key.label}, {fact.key.fingerprint}"
        case facts.TouchKeysKept():
            labels = ", ".join(key.label for key in fact.keys)
            return f"security keys enrolled as before: {labels or 'none'}; touch: {fact.terms.touch}"
        case facts.TouchKeyRemoved():
            return f"SECURITY KEY REMOVED: {fact.key.label}, {fact.key.fingerprint}"
        case facts.TouchVerified():
            return f"touched for {_touched_for(fact)}: {fact.fingerprint}, counter {fact.counter}"
        case facts.TouchRefused():
            return f"no touch for {_touched_for(fact)}: {fact.code.in_words}"


def _touched_for(fact: facts.TouchVerified | facts.TouchRefused) -> str:
    return f"{fact.purpose.value} {fact.subject}".rstrip()


DESKS: EventTexts = {
    **told("key", _desk, DeskFact),
    **told("key", _key, KeyFact),
    **told("key", _given, facts.CommandGiven),
    **told("away", _attendance, AttendanceFact),
    **told("key", _touch, TouchFact),
}


NoticeFact = facts.NotificationDue | facts.NotificationSuppressed | facts.NotificationSettled | facts.ReportMade
DeliveryFact = facts.NotificationBegun | facts.NotificationSent | facts.NotificationFailed | facts.NotificationWithdrawn
CODES = {
    DeliveryCode.DELIVERED: "delivered",
    DeliveryCode.NOT_SENT: "nobody was reached",
    DeliveryCode.REFUSED: "the receiver said no",
    DeliveryCode.REFUSED_FOR_GOOD: "the receiver refuses this address: `keyturn notify test` shows what it said",
    DeliveryCode.UNCLEAR: "it failed on its way",
    DeliveryCode.TIMED_OUT: "no answer in time",
    DeliveryCode.CUT_OFF: "the engine ended while it was on its way",
    DeliveryCode.NO_ADDRESS: "the channel has no address: set KEYTURN_CHANNEL_ and its name, or the keyring",
    DeliveryCode.BAD_ADDRESS: "the channel's address is none",
    DeliveryCode.NOT_ENCRYPTED: "it would cross a network in the clear",
    DeliveryCode.NO_SUCH_KIND: "what carries the channel is not installed",
    DeliveryCode.KEPT_HERE: "in virtual time nothing leaves this machine",
    DeliveryCode.NO_CHANNEL: "the settings do not have the channel any more",
}


def failed_in_words(code: DeliveryCode, status: int | None) -> str:
    """Return `the receiver said no (500)`."""
    return CODES[code] if status is None else f"{CODES[code]} ({status})"


def _notice(fact: NoticeFact) -> str:
    match fact:
        case facts.ReportMade():
            made = f"the report of {fact.day} {f'could not be made: {fact.fault}' if fact.fault else 'is made'}"
            agent = f"; the agent {fact.agent} {_summary(fact.agent_fault)}" if fact.agent else ""
            return f"{made}{agent}"
        case facts.NotificationSettled():
            return f"{fact.matter} has ended: nobody else is told"
        case facts.NotificationSuppressed():
            return f"not told to {_channels(fact.channels)}, too many wait: {fact.notice.words}"
        case facts.NotificationDue():
            when = "" if fact.not_before is None else f" from {HOME.told(fact.not_before, '%m-%d %H:%M')} on"
            return f"{fact.notice.severity} to {_channels(fact.channels)}{when}: {fact.notice.words}"


def _summary(fault: str) -> str:
    return f"has no words in it: {fault}" if fault else "summarises it"


def _channels(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def _delivery(fact: DeliveryFact) -> str:
    what = "urgent message" if fact.is_urgent else "message"
    of = f"{what} of {len(fact.numbers)} notices" if len(fact.numbers) > 1 else what
    match fact:
        case facts.NotificationBegun():
            return f"{fact.channel}: {of} leaves, try {fact.tries}{', marked as a repeat' if fact.is_repeat else ''}"
        case facts.NotificationSent():
            return f"{fact.channel}: {of} delivered"
        case facts.NotificationWithdrawn():
            return f"{fact.channel}: {of} withdrawn, its matter has ended"
        case facts.NotificationFailed():
            again = "not tried again" if fact.again_at is None else f"again at {HOME.clock(fact.again_at)}"
            return f"{fact.channel}: {of} NOT delivered, {failed_in_words(fact.code, fact.status)}; {again}"


NOTIFICATIONS: EventTexts = {
    **told("notice", _notice, NoticeFact),
    **told("notice", _delivery, DeliveryFact),
}
