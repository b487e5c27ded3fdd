"""How the broker says no: an HTTP status, Alpaca's code and its words."""

from __future__ import annotations

from core.model.broker import Accepted, NotFound, OrderReport, Refused

NOT_FOUND = 40410000
UNAUTHORIZED = 40110000
INVALID = 42210000
MALFORMED = 40010001


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
        raise RefusalError(answer.status, answer.code, answer.message)
    if isinstance(answer, NotFound):
        raise not_found("order not found")
    return answer.report
