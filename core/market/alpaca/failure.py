"""A failed request, and its effect on the next one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed request.

    Attributes
    ----------
    words
        The problem and the remedy, in one line.
    is_refused
        The other side refused it: the same request will be refused again.
    at_least
        The pause that it asked for.
    may_be_a_symbol
        It was refused for its content: one of its symbols may be the reason.
    """

    words: str
    is_refused: bool = False
    at_least: timedelta = timedelta(0)
    may_be_a_symbol: bool = False
