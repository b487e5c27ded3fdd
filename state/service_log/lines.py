"""Convert events to log lines: without secrets, bounded, in a fixed order, as JSON without control characters.

This is a structlog processor chain. It runs in the log's own thread, and never raises.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from core.io.harmless_json import harmless_json
from state.service_log.events import LONGEST_TEXT, LONGEST_TRACEBACK, UNWRITABLE, Event, of_service
from state.service_log.hiding import Hiding

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
        text = orjson.dumps({str(name): _writable(value) for name, value in event.items()})
    return harmless_json(text.decode()).encode() + b"\n"


def _writable(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()
