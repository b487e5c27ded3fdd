"""The quality of a recorded file: its first usable bar, its unreadable rows, and its price jumps (AN-04, MD-08)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core.market.normaliser import Complete, Normaliser, Quarantined
from core.market.split_jumps import split_of
from core.messages.inputs import BarArrived, MarketDataBroken
from core.model.bar import Bar
from core.model.lazy_dataclass import dataclass
from core.model.rescaling import ratio_in_words
from core.model.session import Calendar
from core.model.values import Price, Symbol
from core.runtime.feed import Timed


@dataclass(frozen=True, slots=True)
class Jump:
    """A bar whose open differs from the last close by the ratio of a split, such as `7 for 1`."""

    symbol: Symbol
    at: datetime
    before: Price
    opened: Price
    split: str


@dataclass(frozen=True, slots=True)
class FeedQuality:
    """The quality of one feed.

    Attributes
    ----------
    begins
        The first bar that a strategy would receive; None without one, and `why_none` is the first row's place and
        reason then.
    rows, broken
        How many there are, and how many of them are unusable; a sound bar outside of every session is not among these.
    first_broken, first_broken_line
        The first one's place and reason, and its line in the file; empty and 0 without one.
    jumps
        The bars at which the prices seem not to be split-adjusted.
    """

    begins: Bar | None
    why_none: str
    rows: int
    broken: int
    first_broken: str
    first_broken_line: int
    jumps: tuple[Jump, ...]


def quality_of(feed: Iterable[Timed], calendar: Calendar) -> FeedQuality:
    """Judge every row of a feed."""
    normaliser, jumps = Normaliser(calendar), list[Jump]()
    begins: Bar | None = None
    before: Bar | None = None
    broken, rows, first_broken, line, why_none = 0, 0, "", 0, "it has no row"
    for _, _, item in feed:
        rows += 1
        trouble = reason = ""
        if isinstance(item, BarArrived):
            bar = item.bar
            judgement = normaliser.judge(bar, item.heard_at)
            if isinstance(judgement, Complete):
                normaliser.fold(bar)
                begins = begins or bar
            else:
                reason = f"{item.place}: {judgement.reason}"
                trouble = reason if isinstance(judgement, Quarantined) else ""
            if before is not None and (split := split_of(before.close, bar.open)) is not None:
                jumps.append(Jump(bar.symbol, bar.start, before.close, bar.open, ratio_in_words(split)))
            before = bar
        elif isinstance(item, MarketDataBroken):
            trouble = reason = f"{item.place}: {item.reason}"
        if rows == 1:
            why_none = f"the first, {reason}"
        broken += bool(trouble)
        if trouble and not first_broken and isinstance(item, BarArrived | MarketDataBroken):
            first_broken, line = trouble, int(item.place.rpartition(":")[2])
    return FeedQuality(begins, why_none, rows, broken, first_broken, line, tuple(jumps))
