"""A question asked again after a pause: questions only, nothing here changes anything at the other side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from core.market.alpaca.backoff import pause
from core.market.alpaca.requests import AskError

TRIES = 4
Answer = TypeVar("Answer")


def asked_again(
    act: Callable[[], Answer], chance: Callable[[], float], wait: Callable[[timedelta], bool], tries: int = TRIES
) -> Answer:
    """The answer of `act`, which is tried again where it failed for now.

    Parameters
    ----------
    wait
        Waits, and says whether to go on.

    Raises
    ------
    AskError
        The last one: refused in words, out of tries, or told to stop.
    """
    for attempt in range(1, tries):
        try:
            return act()
        except AskError as error:
            failure = error.failure
            if failure.is_refused or not wait(max(pause(attempt, chance()), failure.at_least)):
                raise
    return act()
