"""What Alpaca states when it says no, and what each of its numbers means: a table, read here and nowhere else (EX-06).

Its messages vary and are never read for a decision, but for one: where they name the client order id, that may be
taken by this very order. That is read towards doubt alone.
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
    40010001: RefusalKind.UNPROCESSABLE,  # of whatever it cannot read, an id that is taken among it
    40110000: RefusalKind.UNAUTHORISED,
    40310000: RefusalKind.FORBIDDEN,  # money, a wash trade, shares that a leg holds, an account that is blocked
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
"""Of a code that the table does not know."""


@dataclass(frozen=True, slots=True)
class Stated:
    """Alpaca's own error: HTTP status, its code, and its words."""

    status: int
    code: int
    message: str
    wait_seconds: float | None = None

    @property
    def refused(self) -> Refused:
        """As the rest of the desk knows it."""
        return Refused(self._kind, self.message, str(self.code), self.wait_seconds)

    @property
    def _kind(self) -> RefusalKind:
        if speaks_of_its_id(self):
            return RefusalKind.DUPLICATE_ID
        return KINDS.get(self.code) or BY_STATUS.get(self.status, RefusalKind.OTHER)


def is_missing(stated: Stated) -> bool:
    """Whether it says that there is no such order; any other 404 may be a wrong address."""
    return stated.code == NO_SUCH_ORDER


def speaks_of_its_id(stated: Stated) -> bool:
    """Whether the words name the client order id: it may be taken, by this very order. Read towards doubt alone."""
    return ITS_ID.search(stated.message) is not None


def missing_or(stated: Stated) -> Refused | NotFound:
    return NotFound() if is_missing(stated) else stated.refused
