"""Turn facts, calls, library records and exceptions into lines of the log, without secrets (SY-06).

Facts have the text of the log pane and of `journal tail`; their event name is their name in the journal.

Convert events to log lines: without secrets, bounded, in a fixed order, as JSON without control characters.
This is a structlog processor chain. It runs in the log's own thread, and never raises.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from pydantic import SecretStr

from core import facts
from core.event_text import in_words, severity_of
from core.facts.registry import BY_TYPE, Fact
from core.model.api_contract import HIDDEN, Redaction
from core.model.order import OrderStatus
from core.model.text_sanitizer import CRITICAL, ERROR, harmless_json
from core.runtime.call_record import CallMade, CallOutcome
from core.views.builders.event_log import REFUSING

NAMES = (
    r"secret|token|authori[sz]ation|passw(?:or)?d|passphrase|credential|cookie|private[-_ ]?key|api[-_ ]?key|key[-_]?id"
)
SECRET_NAME = re.compile(rf"(?i)(?:{NAMES}|^key$|^auth$)")
"""Names of fields or environment variables with secret values."""
DEEPEST = 6
"""The maximum nesting depth; deeper values are converted to text."""

# Every repetition is bounded, or ends where the next could begin, so that the cost is linear in untrusted text.
_NAMED = re.compile(
    rf"""(?ix)
    (?P<name> (?-x:{NAMES}) [\w-]{{0,40}} ['"]? \s{{0,3}} [:=] \s{{0,3}}
        | \b key ['"]? \s{{0,3}} = \s{{0,3}} )
    (?: SecretStr \( )?
    (?P<value> (?: (?:bearer|basic) \s{{1,3}} )? (?: "[^"]*" | '[^']*' | [^\s,;&)\]}}'"]+ ) )
    """
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s{1,3}[A-Za-z0-9._~+/=-]{8,}")
_OF_A_URL = re.compile(r"(?<=://)[^/\s@]+(?=@)")


class Hiding:
    """Replaces secrets in texts and in containers of texts.

    Parameters
    ----------
    secrets
        The secrets given to adapters.
    environ
        Values of variables with a secret's name are hidden too.
    """

    def __init__(self, secrets: Iterable[SecretStr] = (), environ: Mapping[str, str] | None = None) -> None:
        named = [SecretStr(value) for name, value in (environ or {}).items() if SECRET_NAME.search(name)]
        self._values = Redaction(*secrets, *named)

    def text(self, text: str) -> str:
        text = _NAMED.sub(lambda found: f"{found['name']}{HIDDEN}", self._values(text))
        return _OF_A_URL.sub(HIDDEN, _BEARER.sub(rf"\1 {HIDDEN}", text))

    def __call__(self, value: Any, depth: int = 0) -> Any:
        """Return the value with every secret hidden, as plain data; other types are converted to text."""
        match value:
            case None | bool() | int() | float():
                return value
            case SecretStr():
                return HIDDEN
            case str():
                return self.text(value)
            case Mapping() if depth < DEEPEST:
                return {
                    self.text(str(name)): HIDDEN if SECRET_NAME.search(str(name)) else self(inner, depth + 1)
                    for name, inner in value.items()
                }
            case list() | tuple() | set() | frozenset() if depth < DEEPEST:
                return [self(inner, depth + 1) for inner in value]
        return self.text(str(value))


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
    facts.AccountBlocked,
    facts.BreakerOpened,
    facts.CallFailed,
    facts.ClockJumped,
    facts.ContingentOrdersMissing,
    facts.FillNotBelieved,
    facts.FillReversed,
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
    lacks_a_part = isinstance(fact, facts.ReportMade) and fact.lacks_a_part
    return "warning" if is_rejected or lacks_a_part or isinstance(fact, _TROUBLE) else "info"


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
    "ticket": ("ticket_id", "ticket.id", "approval.ticket_id", "plan_id", "plan.id", "authorization_id"),
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


FIRST = ("at", "level", "event", "words", "account", "order", "parent", "ticket", "request", "symbol")
"""The first fields of a line, if present; the others follow."""

Fields = MutableMapping[str, Any]


class Lines:
    """Converts events to lines.

    Parameters
    ----------
    account
        Added to each line.
    """

    def __init__(self, account: str, hiding: Hiding) -> None:
        self._hiding = hiding
        self._made: list[bytes] = []
        self._logger = structlog.wrap_logger(
            _Into(self._made),
            processors=[self._hidden, _bounded, _in_order, structlog.processors.JSONRenderer(serializer=_json)],
            wrapper_class=structlog.BoundLogger,
            account=account,
        )

    def of(self, event: Event) -> bytes:
        """Return one line, with its newline."""
        try:
            self._logger.msg(**event)
        except Exception as error:  # whatever it holds, its occurrence is logged
            at = event.get("at")
            at = at if isinstance(at, datetime) else datetime.now(UTC)
            words = f"an event {str(event.get('event'))[:60]!r} could not be written: {type(error).__name__}"
            self._logger.msg(**of_service(at, UNWRITABLE, words, "error"))
        return self._made.pop()

    def _hidden(self, _logger: Any, _method: str, event: Fields) -> Fields:
        at = event.pop("at")
        return {"at": at, **self._hiding(event)}


class _Into:
    """Collects structlog's output."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines

    def msg(self, line: bytes) -> None:
        self._lines.append(line)


def _bounded(_logger: Any, _method: str, event: Fields) -> Fields:
    for name, value in event.items():
        longest = LONGEST_TRACEBACK if name == "traceback" else LONGEST_TEXT
        if isinstance(value, str) and len(value) > longest:
            event[name] = f"{value[:longest]} … and {len(value) - longest} characters more"
    return event


def _in_order(_logger: Any, _method: str, event: Fields) -> Fields:
    at = event["at"].astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {**{name: event[name] for name in FIRST if name in event}, **event, "at": at}


def _json(event: Fields, **_: Any) -> bytes:
    try:
        text = orjson.dumps(event)
    except orjson.JSONEncodeError:  # half a surrogate pair, or a number out of range
        text = orjson.dumps(
            {str(name): str(value).encode("utf-8", "backslashreplace").decode() for name, value in event.items()}
        )
    return harmless_json(text.decode()).encode() + b"\n"
