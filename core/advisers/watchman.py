"""The watchman reads the log as a second pair of eyes would: reasons that refuse again and again, unguarded shares.

It measures nothing and knows no market; the same picture always brings the same words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from core.advisers.base import Shown
from core.model.recommendation import Advice
from core.model.values import plain
from core.settings.desk import WatchmanSettings
from core.views import LogRow, NotStaged


class Watchman:
    name = "watchman"
    is_deterministic = True

    def __init__(self, terms: WatchmanSettings, most: int) -> None:
        self.terms = terms
        self.most = most

    def advise(self, shown: Shown) -> Iterator[Advice]:
        """Bare positions first, then what was refused most often; no more than may be said at once."""
        return islice(self._found(shown), self.most)

    def _found(self, shown: Shown) -> Iterator[Advice]:
        for row in shown.positions:
            if row.unprotected and not row.is_closing:
                yield Advice(
                    f"{row.symbol}: nothing at the broker guards {plain(row.unprotected)} shares; give it a stop"
                )
        often = sorted(refusals(shown.log).items(), key=lambda found: (-found[1], found[0]))
        for (who, reason), times in often:
            if times >= self.terms.refusals:
                yield Advice(f"{who} was refused again and again by one check, {reason}: look at its limit")


def refusals(log: Sequence[LogRow]) -> Counter[tuple[str, str]]:
    """How often each check refused whom, as in (`vwap: SPY`, `spread`); figures in a reason make no other of it."""
    found: Counter[tuple[str, str]] = Counter()
    for row in log:
        if isinstance(row.refused, NotStaged):
            who = f"{row.refused.strategy}: {row.refused.symbol}"
            found.update({(who, check) for check in row.refused.checks})
    return found
