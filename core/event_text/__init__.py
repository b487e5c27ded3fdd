"""Render facts as text: one line each, for the log pane, the journal's tail and an order's chain.

Each module renders the facts of its subjects, one function per subject, and has a table of them.
"""

from __future__ import annotations

from core import facts
from core.event_text import orders
from core.event_text.desk import DESK, DESKS, NOTIFICATIONS
from core.event_text.lines import EventTexts
from core.event_text.market import GUARDS, MARKET
from core.event_text.orders import ACTIVITIES, ORDERS, STAGING
from core.model.codes import Denial, HaltCause, RefusalKind
from core.model.text_sanitizer import ALERT, CRITICAL, ERROR
from core.risk import strategy_evaluation

SEVERITIES: dict[type, str] = {
    facts.CommandRefused: CRITICAL,
    facts.AdviserOverstepped: CRITICAL,
    facts.CancelFailed: ERROR,
    facts.ActivityQuarantined: ERROR,
    facts.AlertRang: ALERT,
}
OF_NO_DESK = frozenset({Denial.OTHER, Denial.NO_PORT, Denial.OTHER_ACCOUNT, Denial.NO_DESK})
"""Denials of a command that no person at a desk can have sent."""
TEXTS: EventTexts = {
    **{fact: (kind, orders.in_words) for fact, kind in orders.KINDS.items()},
    **{fact: (kind, strategy_evaluation.in_words) for fact, kind in strategy_evaluation.KINDS.items()},
    **DESK,
    **DESKS,
    **MARKET,
    **GUARDS,
    **NOTIFICATIONS,
    **STAGING,
    **ORDERS,
    **ACTIVITIES,
}


def kind_of(fact: facts.Fact) -> str:
    """Return one word for the log's first column."""
    if isinstance(fact, facts.CommandRefused) and not severity_of(fact):
        return "key"
    kind, _ = TEXTS.get(type(fact), UNKNOWN)
    return kind


def severity_of(fact: facts.Fact) -> str:
    """Return the severity: `CRITICAL`, `ERROR`, `ALERT` or empty (EX-02, EX-07, EX-14).

    `CRITICAL` means a broken invariant of our own code or an unauthorized attempt, `ERROR` a failed cancel, `ALERT` a
    triggered alert.
    """
    if isinstance(fact, facts.Halted):
        return CRITICAL if fact.cause is HaltCause.INVARIANT else ""
    if isinstance(fact, facts.CommandRefused) and fact.code not in OF_NO_DESK:
        return ""
    if isinstance(fact, facts.ActivitiesCompared):
        return ERROR if fact.differences else ""
    if isinstance(fact, facts.CancelFailed) and fact.refusal is RefusalKind.NOT_WORKING:
        return ""  # the order had ended already: so a pair ends
    return SEVERITIES.get(type(fact), "")


def in_words(fact: facts.Fact) -> str:
    """Return the fact as one line without its time, after its severity if it has one."""
    _, words = TEXTS.get(type(fact), UNKNOWN)
    severity = severity_of(fact)
    return f"{severity}: {words(fact)}" if severity else words(fact)


def _name(fact: facts.Fact) -> str:
    return type(fact).__name__


UNKNOWN = ("desk", _name)
