"""Classify replies: refusals stated by Alpaca itself, and everything else, which leaves doubt (EX-06).

A refusal is a 4xx whose body is Alpaca's own error: a JSON object with a whole number as `code`, a text as `message`.
Everything else is doubt: a time-out, a broken connection, a 5xx, a page of HTML, a body that is no JSON. So are 408,
425 and 429, which an intermediate server may send without having read the order. A 429 with Alpaca's own code for too
many requests is a refusal, because only Alpaca sends that.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from core.brokers.alpaca.contract import ERROR
from core.brokers.alpaca.refusals import TOO_MANY_REQUESTS, Stated
from core.brokers.alpaca.timeouts import PASSING, wait_asked_for
from core.brokers.alpaca.wire import LIMITED, NoReply, Reply
from core.io.wall_clock import utc_now
from core.model.broker import NoAnswer

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
