"""Classify replies: stated refusals by their codes, everything else; without our keys (EX-15, SY-06).

Jitter keeps many desks from retrying at once. If Alpaca says when to retry, it is then, or never if that is too late
for the caller. Stopping the desk ends the wait.

Alpaca's refusals and the meaning of their codes: a table, the only place that reads them (EX-06).
Its messages vary and are never read for a decision, with one exception: if they name the client order id, this very
order may have taken it. That can only lead to doubt.

A refusal is a 4xx whose body is Alpaca's own error: a JSON object with a whole number as `code`, a text as `message`.
Everything else is doubt: a time-out, a broken connection, a 5xx, a page of HTML, a body that is no JSON. So are 408,
425 and 429, which an intermediate server may send without having read the order. A 429 with Alpaca's own code for too
many requests is a refusal, because only Alpaca sends that.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from core.brokers.alpaca.contract import ERROR
from core.io.http_requests import LIMITED, Reply, backoff
from core.io.wall_clock import utc_now
from core.model.api_contract import Redaction
from core.model.broker import BrokerBooks, NoAnswer, NotFound, Refused
from core.model.codes import RefusalKind
from core.model.instrument import NoInstrument


@dataclass(frozen=True, slots=True)
class NoReply:
    """No reply, or an incomplete one."""

    reason: str


REPEATS = 3
BUDGET = 15.0
"""Seconds for a query and all its retries."""
FIRST_PAUSE = 0.25
"""Seconds; doubles at each retry."""
SHORTEST_TRY = 1.0
"""Seconds; with less time left no attempt starts."""
PASSING = frozenset({408, 425, LIMITED})
SERVER_ERRORS = 500


class Timeouts:
    """Retries one query.

    Parameters
    ----------
    clock
        Monotonic seconds.
    pause
        Waits so many seconds; returns true if the desk stops meanwhile.
    """

    def __init__(
        self,
        pause: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._leaving = threading.Event()
        self._pause = pause or self._leaving.wait
        self._clock = clock
        self._chance = chance
        self._now = now

    def leave(self) -> None:
        """End every pause; nothing is repeated from here on."""
        self._leaving.set()

    def ask(self, question: Callable[[float], Reply | NoReply], ends: float | None = None) -> Reply | NoReply:
        """Return the first usable answer, or the last failure.

        `question` gets the seconds that are left; `ends` is on this clock, None for the default budget from now on.
        """
        ends = self.until() if ends is None else ends
        for repeat in range(REPEATS + 1):
            reply = question(max(SHORTEST_TRY, ends - self._clock()))
            if repeat == REPEATS or not is_passing(reply):
                return reply
            pause = self._pause_before(repeat, reply)
            if self._clock() + pause + SHORTEST_TRY > ends or self._pause(pause):
                return reply
        raise AssertionError("the loop returns")

    def until(self, seconds: float = BUDGET) -> float:
        return self._clock() + seconds

    def _pause_before(self, repeat: int, reply: Reply | NoReply) -> float:
        asked = wait_asked_for(reply, self._now()) if isinstance(reply, Reply) else None
        if asked is not None:
            return asked + self._chance() * FIRST_PAUSE
        return backoff(repeat + 1, self._chance(), FIRST_PAUSE)


def is_passing(reply: Reply | NoReply) -> bool:
    """Return whether the same query may succeed a little later."""
    return isinstance(reply, NoReply) or reply.status in PASSING or reply.status >= SERVER_ERRORS


def wait_asked_for(reply: Reply, now: datetime) -> float | None:
    """Return the seconds that the answer asks to wait (`Retry-After`, else `X-RateLimit-Reset`).

    None if it does not say.
    """
    after = reply.headers.get("Retry-After", "").strip()
    if after.isascii() and after.isdigit():
        return float(after)
    if after:
        try:
            at = parsedate_to_datetime(after)
        except ValueError:
            return None
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
    reset = reply.headers.get("X-RateLimit-Reset", "").strip()
    if reply.status == LIMITED and reset.isascii() and reset.isdigit():
        return max(0.0, float(reset) - now.timestamp())
    return None


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
OK = range(200, 300)
UNSAID = 5.0
"""Seconds to wait after a 429 that does not say how long."""
STATED = range(400, 500)


class NotJsonError(ValueError):
    """The body is not JSON."""


def decoded(body: bytes | str) -> Any:
    """Parse JSON with exact numbers: fractions as Decimal, no NaN and no infinity. Raises `NotJsonError`."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise NotJsonError(type(error).__name__) from error


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
    return Stated(reply.status, code, message[:LONGEST_MESSAGE], wait_asked_for(reply, utc_now()))


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


def _no_number(word: str) -> Decimal:
    raise NotJsonError(f"{word} is no number")


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
