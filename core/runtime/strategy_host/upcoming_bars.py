"""The bars of played files as strategies will see them: with no one waiting, strategies are asked in batches."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from core.messages.inputs import BarArrived
from core.model.bar import Bar
from core.model.values import Symbol
from core.runtime.feed import Timed
from core.runtime.strategy_host.hosted import MANY
from core.strategies.builtin import StrategyKinds


class UpcomingBars:
    """The bars after a given one. They are only expected: a bar that is left out costs an extra question."""

    def __init__(self, feeds: Iterable[Sequence[Timed]]) -> None:
        self._bars: dict[Symbol, list[Bar]] = {}
        for feed in feeds:
            for _, _, message in feed:
                if isinstance(message, BarArrived):
                    self._bars.setdefault(message.bar.symbol, []).append(message.bar)

    def __call__(self, bar: Bar) -> Sequence[Bar]:
        bars = self._bars.get(bar.symbol, [])
        after = bisect_right(bars, bar.start, key=lambda each: each.start)
        return bars[after : after + MANY]


def foresee(kinds: StrategyKinds, feeds: Iterable[Sequence[Timed]]) -> None:
    """Give the upcoming bars to every strategy that can use them."""
    coming = UpcomingBars(feeds)
    for kind in kinds.known.values():
        kind.foresee(coming)
