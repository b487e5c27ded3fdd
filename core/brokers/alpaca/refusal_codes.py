"""Alpaca's refusals and the meaning of their codes: a table, the only place that reads them (EX-06, SY-06).

Its messages vary and are never read for a decision, with one exception: if they name the client order id, this very
order may have taken it. That can only lead to doubt.

A refusal is a 4xx whose body is Alpaca's own error: a JSON object with a whole number as `code`, a text as `message`.
Everything else is doubt: a time-out, a broken connection, a 5xx, a page of HTML, a body that is no JSON. So are 408,
425 and 429, which an intermediate server may send without having read the order. A 429 with Alpaca's own code for too
many requests is a refusal, because only Alpaca sends that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from core.brokers.alpaca.contract import ERROR
from core.brokers.alpaca.retries import PASSING, NoReply, wait_asked_for
from core.io.http_requests import LIMITED, Reply
from core.io.wall_clock import utc_now
from core.model.api_contract import Redaction
from core.model.broker import BrokerBooks, NoAnswer, NotFound, Refused
from core.model.codes import RefusalKind
from core.model.instrument import NoInstrument
from core.model.lazy_dataclass import dataclass
from core.model.text_sanitizer import foreign

NO_SUCH_ORDER = 40410000
TOO_MANY_REQUESTS = 42910000
ITS_ID = re.compile("client.?order.?id", re.IGNORECASE)

KINDS: Mapping[int, RefusalKind] = {
    40010000: RefusalKind.UNPROCESSABLE,
    40010001: RefusalKind.UNPROCESSABLE,  # for anything it cannot read, including an id that is taken
    40110000: RefusalKind.UNAUTHORISED,
    40310000: RefusalKind.FORBIDDEN,  # money, a wash trade, shares that a leg reserves, a blocked account
    40310100: RefusalKind.PATTERN_DAY_TRADER,
    NO_SUCH_ORDER: RefusalKind.NO_SUCH_ORDER,
    42210000: RefusalKind.UNPROCESSABLE,
    TOO_MANY_REQUESTS: RefusalKind.RATE_LIMITED,
}
BY_STATUS: Mapping[int, RefusalKind] = {
    400: RefusalKind.UNPROCESSABLE,
    401: RefusalKind.UNAUTHORISED,
    403: RefusalKind.FORBIDDEN,
    422: RefusalKind.UNPROCESSABLE,
    429: RefusalKind.RATE_LIMITED,
}
"""For a code that the table lacks."""


@dataclass(frozen=True, slots=True)
class Stated:
    """Alpaca's own error: HTTP status, its code, and its message."""

    status: int
    code: int
    message: str
    wait_seconds: float | None = None

    @property
    def refused(self) -> Refused:
        """The refusal in the desk's terms."""
        return Refused(self._kind, self.message, str(self.code), self.wait_seconds)

    @property
    def _kind(self) -> RefusalKind:
        if speaks_of_its_id(self):
            return RefusalKind.DUPLICATE_ID
        return KINDS.get(self.code) or BY_STATUS.get(self.status, RefusalKind.OTHER)


def is_missing(stated: Stated) -> bool:
    """Return whether it says that there is no such order; any other 404 may be a wrong address."""
    return stated.code == NO_SUCH_ORDER


def speaks_of_its_id(stated: Stated) -> bool:
    """Return whether the message names the client order id: this very order may have taken it.

    Can only lead to doubt.
    """
    return ITS_ID.search(stated.message) is not None


def missing_or(stated: Stated) -> Refused | NotFound:
    return NotFound() if is_missing(stated) else stated.refused


UNAUTHORISED, FORBIDDEN = 401, 403
LONGEST_MESSAGE = 500
LARGEST_CODE = 10**12
MOST_DIGITS = 100
"""Of a whole number: no figure has as many."""
OK = range(200, 300)
UNSAID = 5.0
"""Seconds to wait after a 429 that does not say how long."""
STATED = range(400, 500)


class NotJsonError(ValueError):
    """The body is not JSON."""


def decoded(body: bytes | str) -> Any:
    """Parse JSON with exact numbers, fractions as Decimal. Raises `NotJsonError`.

    A value that JSON has not (`NaN`, a byte that is no text, endless digits) is one that no field can be read from: it
    makes nothing else unreadable (EX-26).
    """
    try:
        text = body.decode("utf-8", "surrogateescape") if isinstance(body, bytes) else body
        return json.loads(text, parse_float=Decimal, parse_int=_whole, parse_constant=float)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise NotJsonError(type(error).__name__) from error


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= MOST_DIGITS else float("inf")


def refusal(reply: Reply) -> Stated | None:
    """Return Alpaca's stated error, or None if it stated none."""
    if reply.status not in STATED or (reply.status in PASSING and reply.status != LIMITED):
        return None
    try:
        stated = decoded(reply.body)
    except NotJsonError:
        return None
    if not isinstance(stated, dict):
        return None
    code, message = (stated.get(ERROR.field(name).name) for name in ("code", "message"))
    if type(code) is not int or not 0 < code < LARGEST_CODE or not isinstance(message, str):
        return None
    if reply.status == LIMITED and code != TOO_MANY_REQUESTS:
        return None
    return Stated(reply.status, code, foreign(message[:LONGEST_MESSAGE]), wait_asked_for(reply, utc_now()))


def doubt(reply: Reply | NoReply) -> NoAnswer:
    """Return why the reply is no answer, in one line."""
    if isinstance(reply, NoReply):
        return NoAnswer(reply.reason)
    if reply.status == LIMITED:
        asked = wait_asked_for(reply, utc_now())
        return NoAnswer("Alpaca: too many requests (429)", UNSAID if asked is None else asked)
    if reply.status in OK:
        return NoAnswer(f"Alpaca: an answer that cannot be read (HTTP {reply.status})")
    return NoAnswer(f"Alpaca has trouble, or a server on the way to it (HTTP {reply.status})")


def is_unauthorised(reply: Reply | NoReply) -> bool:
    """Return whether Alpaca refused the keys: a 401, or a 403 with a message and no code; a page of HTML is neither."""
    if isinstance(reply, NoReply) or reply.status not in (UNAUTHORISED, FORBIDDEN):
        return False
    try:
        stated = decoded(reply.body)
    except NotJsonError:
        return False
    if not isinstance(stated, dict) or not isinstance(stated.get("message"), str):
        return False
    return reply.status == UNAUTHORISED or "code" not in stated


class _Hiding(Protocol):
    @property
    def hide(self) -> Redaction: ...


_Self = TypeVar("_Self", bound=_Hiding)
_Rest = ParamSpec("_Rest")
_Answer = TypeVar("_Answer")


def as_shown(method: Callable[Concatenate[_Self, _Rest], _Answer]) -> Callable[Concatenate[_Self, _Rest], _Answer]:
    """Decorate a method to remove keys that a server sent back from its answer."""

    @wraps(method)
    def answered(self: _Self, /, *args: _Rest.args, **kwargs: _Rest.kwargs) -> _Answer:
        return cast(_Answer, _without_keys(method(self, *args, **kwargs), self.hide))

    return answered


def _without_keys(answer: Any, hide: Redaction) -> Any:
    if isinstance(answer, Refused):
        return replace(answer, message=hide(answer.message))
    if isinstance(answer, NoAnswer | NoInstrument):
        return replace(answer, reason=hide(answer.reason))
    if isinstance(answer, BrokerBooks) and (answer.unreadable or answer.unreadable_positions):
        return replace(
            answer,
            unreadable=tuple(replace(one, reason=hide(one.reason)) for one in answer.unreadable),
            unreadable_positions=tuple(replace(p, reason=hide(p.reason)) for p in answer.unreadable_positions),
        )
    return answer
