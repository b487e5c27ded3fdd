"""How the broker says no: an HTTP status, Alpaca's code and its words."""

from __future__ import annotations

from collections.abc import Mapping

from core.model.broker import Accepted, NotFound, OrderReport, Refused
from core.model.codes import RefusalKind

NOT_FOUND = 40410000
UNAUTHORIZED = 40110000
INVALID = 42210000
MALFORMED = 40010001
FORBIDDEN = 40310000

SAID_AS: Mapping[RefusalKind, tuple[int, int]] = {
    RefusalKind.DUPLICATE_ID: (422, MALFORMED), RefusalKind.FORBIDDEN: (403, FORBIDDEN),
    RefusalKind.INSUFFICIENT_BUYING_POWER: (403, FORBIDDEN), RefusalKind.INSUFFICIENT_SHARES: (403, FORBIDDEN),
    RefusalKind.WASH_TRADE: (403, FORBIDDEN), RefusalKind.NO_SUCH_ORDER: (404, NOT_FOUND),
}  # fmt: skip
"""How Alpaca says what the simulated exchange refuses; all else as an order whose terms it does not take."""


class RefusalError(Exception):
    """Raised where a request is judged, answered where requests come in."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def not_found(message: str) -> RefusalError:
    return RefusalError(404, NOT_FOUND, message)


def invalid(message: str) -> RefusalError:
    return RefusalError(422, INVALID, message)


def malformed(message: str) -> RefusalError:
    return RefusalError(422, MALFORMED, message)


def accepted(answer: Accepted | Refused | NotFound) -> OrderReport:
    """The report of what was accepted. Raises `RefusalError` with what the exchange said."""
    if isinstance(answer, Refused):
        raise RefusalError(*SAID_AS.get(answer.kind, (422, INVALID)), answer.message)
    if isinstance(answer, NotFound):
        raise not_found("order not found")
    return answer.report
