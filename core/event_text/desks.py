"""Render desks that attach and leave, and changes of desk control, as text."""

from __future__ import annotations

from core import facts
from core.event_text.pieces import EventTexts, command_in_words, told
from core.model.codes import KeyEnd
from core.model.session import HOME

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


DESKS: EventTexts = {
    **told("key", _desk, DeskFact),
    **told("key", _key, KeyFact),
    **told("key", _given, facts.CommandGiven),
    **told("away", _attendance, AttendanceFact),
}
