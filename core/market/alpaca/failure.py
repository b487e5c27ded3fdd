"""Why a question had no answer, and what that means for the next one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that had no answer.

    Attributes
    ----------
    words
        What went wrong and what to do, in one line.
    is_refused
        The other side said no, in words: the same question will be refused again.
    at_least
        How long it asked to be left alone.
    may_be_a_symbol
        It was refused for what was asked: one of its symbols may be the reason.
    """

    words: str
    is_refused: bool = False
    at_least: timedelta = timedelta(0)
    may_be_a_symbol: bool = False
