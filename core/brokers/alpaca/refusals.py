"""Alpaca's refusals and the meaning of their codes: a table, the only place that reads them (EX-06).

Its messages vary and are never read for a decision, with one exception: if they name the client order id, this very
order may have taken it. That can only lead to doubt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.model.broker import NotFound, Refused
from core.model.codes import RefusalKind

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
