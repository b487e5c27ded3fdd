"""Log events: the conversion of facts, calls, library records and exceptions.

Facts have the text of the log pane and of `journal tail`; their event name is their name in the journal.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from core import facts
from core.event_text import in_words, severity_of
from core.facts.registry import BY_TYPE, Fact
from core.model.harmless_text import CRITICAL, ERROR
from core.model.order import OrderStatus
from core.runtime.call_record import CallMade, CallOutcome
from core.views.builders.event_log import REFUSING

Event = dict[str, Any]
"""The fields of one line, with `at` as a datetime; they are written in this order."""

LEVELS = ("debug", "info", "warning", "error", "critical")
"""From the lowest to the highest."""
LONGEST_TEXT = 4_000
"""The maximum length of a field; of a traceback the end is kept."""
LONGEST_TRACEBACK = 16_000

ROUTINE = frozenset({"account", "books", "history"})
"""Routine requests of the engine, whose answers are logged at debug level only."""

NOTE, CALL, LIBRARY, EXCEPTION = "note", "call", "library", "exception"
OPENED, CLOSED, DROPPED, UNWRITABLE = "log_opened", "log_closed", "lines_dropped", "unwritable"

_BY_SEVERITY = {CRITICAL: "critical", ERROR: "error"}
_TROUBLE = (
    *REFUSING,
    facts.BreakerOpened,
    facts.CallFailed,
    facts.ClockJumped,
    facts.ContingentOrdersMissing,
    facts.FillNotBelieved,
    facts.Halted,
    facts.Killed,
    facts.MarginDeficitSeen,
    facts.MarginWarned,
    facts.OrderNotFound,
    facts.OrderStateUnknown,
    facts.ProtectionTripped,
    facts.RearmRefused,
    facts.ReconciliationFailed,
    facts.ReloadRefused,
    facts.StrategyFailed,
    facts.StrategyMissing,
)
"""Refusals and failures, logged as warnings; anything worse has its own severity."""


def of_fact(at: datetime, sequence: int, fact: Fact) -> Event:
    """Return the event of a fact; `record` is its number in the journal."""
    return {
        "at": at,
        "level": _level_of(fact),
        "event": BY_TYPE[type(fact)].name,
        "words": in_words(fact),
        **identifiers_of(fact),
        "record": sequence,
    }


def _level_of(fact: Fact) -> str:
    if severity := severity_of(fact):
        return _BY_SEVERITY[severity]
    is_rejected = isinstance(fact, facts.OrderStateChanged) and fact.after is OrderStatus.REJECTED
    return "warning" if is_rejected or isinstance(fact, _TROUBLE) else "info"


def identifiers_of(fact: Fact) -> dict[str, str]:
    """Return the order, ticket and symbol of a fact, from its fields. A proposal has the identifier of its later order.

    `parent` is the related order: the entry of a stop or of a trade, or the order that a replacement replaces.
    """
    found: dict[str, str] = {}
    for name, paths in _PLACES.items():
        value = next(_values(fact, paths), None)
        if value is not None:
            found[name] = value.partition("-")[0] if name == "ticket" else value
    if found.get("parent") == found.get("order"):
        found.pop("parent", None)
    return found


_PLACES: dict[str, tuple[str, ...]] = {
    "order": (
        "client_order_id",
        "fill.client_order_id",
        "order.client_order_id",
        "proposal.id",
        "ticket.proposal_id",
        "trade.exit_order",
        "proposal_id",
    ),
    "parent": ("parent", "order.replaces", "trade.entry_order", "proposal_id"),
    "ticket": ("ticket_id", "ticket.id", "approval.ticket_id", "plan_id", "plan.id", "mandate_id"),
    "symbol": (
        "symbol",
        "fill.symbol",
        "order.symbol",
        "proposal.symbol",
        "proposal.order.symbol",
        "ticket.order.symbol",
        "trade.symbol",
        "halt.symbol",
    ),
}


def _values(fact: Fact, paths: tuple[str, ...]) -> Iterator[str]:
    for path in paths:
        value: object = fact
        for name in path.split("."):
            value = getattr(value, name, None)
        if isinstance(value, str) and value:
            yield str(value)


def of_call(number: int, call: CallMade) -> Event:
    """Return the event of a request to broker or market.

    `request` is its number in this run, `seconds` its duration.
    """
    said = f": {call.words}" if call.words else ""
    named = {"order": call.order, "ticket": call.ticket, "symbol": call.symbol}
    return {
        "at": call.at,
        "level": _level_of_call(call),
        "event": CALL,
        "words": f"{call.kind} {call.outcome.replace('_', ' ')} in {call.seconds * 1000:.0f} ms{said}",
        **{name: value for name, value in named.items() if value},
        "request": f"{call.kind}-{number}",
        "outcome": call.outcome.value,
        "seconds": round(call.seconds, 6),
    }


def _level_of_call(call: CallMade) -> str:
    if call.outcome is not CallOutcome.ANSWERED:
        return "warning"
    return "debug" if call.kind in ROUTINE else "info"


def of_note(at: datetime, words: str) -> Event:
    """Return the event of an engine message to the operator."""
    return {"at": at, "level": "warning", "event": NOTE, "words": words}


def of_record(at: datetime, record: logging.LogRecord) -> Event:
    """Return the event of a library's log record."""
    event: Event = {
        "at": at,
        "level": record.levelname.lower() if record.levelname.lower() in LEVELS else "warning",
        "event": LIBRARY,
        "words": _message_of(record),
        "library": record.name,
    }
    if record.exc_info and record.exc_info[1] is not None:
        event["traceback"] = _traceback_of(record.exc_info[1])
    return event


def of_exception(at: datetime, where: str, error: BaseException) -> Event:
    """Return the event of an uncaught exception; `where` names the thread."""
    return {
        "at": at,
        "level": "critical",
        "event": EXCEPTION,
        "words": f"{where}: {type(error).__name__}: {error}",
        "traceback": _traceback_of(error),
    }


def of_service(at: datetime, event: str, words: str, level: str = "info", **more: Any) -> Event:
    """Return an event of the log itself."""
    return {"at": at, "level": level, "event": event, "words": words, **more}


def _message_of(record: logging.LogRecord) -> str:
    """Return a record's message; unformatted if the library's format is wrong."""
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg} {record.args!r}"


def _traceback_of(error: BaseException) -> str:
    """Return the traceback, shortened to its last part, which shows the error."""
    try:
        return "".join(traceback.format_exception(error))[-LONGEST_TRACEBACK:]
    except Exception as odd:  # such as an exception whose own text raises
        return f"{type(error).__name__}, and its traceback raised {type(odd).__name__}"
