"""Headlines and earnings dates of symbols (MD-06, OT-02).

They are only shown and notified of: no decision reads them. The text of a headline is foreign, and clean from its
parser on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from core.model.lazy_dataclass import dataclass
from core.model.values import Symbol

WITHIN = timedelta(hours=24)
"""Older headlines are dropped."""
LONGEST, LONGEST_SOURCE = 200, 24
"""Cells of a headline, and of the name of its source."""
OF_A_SYMBOL, IN_ALL = 20, 1000
"""Most headlines kept."""

SIMULATED = "no news from the simulated market"
NO_SOURCE = "the source of prices has no news"
NOT_YET = "not fetched yet"
OFF = "switched off by news.enabled"
NOBODY_ASKS = frozenset({SIMULATED, NO_SOURCE, OFF})


@dataclass(frozen=True, slots=True)
class Headline:
    """An article.

    Attributes
    ----------
    id
        The source's own, of one article whatever its updates are.
    at
        When it was written, UTC.
    headline, source
        Foreign text, sanitised, in one line.
    symbols
        Those that it names and the desk follows.
    symbols_named
        How many it names in all.
    """

    id: str
    at: datetime
    headline: str
    source: str
    symbols: tuple[Symbol, ...]
    symbols_named: int


def source_and(article: Headline) -> str:
    """As in `benzinga: A headline`."""
    return f"{article.source}: {article.headline}" if article.source else article.headline


@dataclass(frozen=True, slots=True)
class NewsFound:
    """The answer to one question.

    Attributes
    ----------
    since
        From when on it has every article of these symbols.
    unread
        How many articles could not be read, and why the first could not; they are left out.
    """

    symbols: tuple[Symbol, ...]
    since: datetime
    headlines: tuple[Headline, ...]
    unread: int = 0
    why_unread: str = ""


@dataclass(frozen=True, slots=True)
class SymbolNews:
    """The headlines of one symbol in the last 24 hours, newest first.

    Attributes
    ----------
    is_whole
        Whether these are all.
    note
        Why nothing, or nothing newer, is known; empty if it is.
    """

    headlines: tuple[Headline, ...]
    is_whole: bool
    note: str

    @property
    def count(self) -> str:
        """As in `3`, or `20+` where there were more."""
        return f"{len(self.headlines)}{'' if self.is_whole else '+'}"


@dataclass(frozen=True, slots=True)
class NewsView:
    """The known headlines, newest first, each once.

    Attributes
    ----------
    since
        From when on those of a symbol are complete; a symbol that is missing was not asked for yet.
    note
        Why there are none, or no newer ones; empty if the last question was answered.
    """

    headlines: tuple[Headline, ...] = ()
    since: tuple[tuple[Symbol, datetime], ...] = ()
    note: str = SIMULATED

    @property
    def is_asked_for(self) -> bool:
        """Whether there is a source, and it is on."""
        return self.note not in NOBODY_ASKS

    def of(self, symbol: Symbol, now: datetime) -> SymbolNews:
        first = now - WITHIN
        found = tuple(each for each in self.headlines if symbol in each.symbols and each.at > first)
        since = next((at for known, at in self.since if known == symbol), None)
        is_whole = since is not None and since <= first and len(found) <= OF_A_SYMBOL
        return SymbolNews(found[:OF_A_SYMBOL], is_whole, self.note or ("" if since else NOT_YET))


NO_NEWS = NewsView()


@dataclass(slots=True)
class NewsBook:
    """The headlines of this run; none are asked for until its view has another note."""

    view: NewsView = NO_NEWS
    _covered: dict[Symbol, tuple[datetime, datetime]] = field(default_factory=dict)

    def fail(self, why: str) -> None:
        """Note that a question was not answered; what is known stays."""
        self.view = NewsView(self.view.headlines, self.view.since, why)

    def take(self, found: NewsFound, at: datetime) -> None:
        """Merge an answer. An article that is known already is replaced: its headline may have been corrected."""
        for symbol in found.symbols:
            first, until = self._covered.get(symbol, (found.since, found.since))
            self._covered[symbol] = (found.since if found.since > until else first, at)
        by_id: dict[str, Headline] = {}
        for each in (*self.view.headlines, *found.headlines):
            if each.at > at - WITHIN:
                known = by_id.get(each.id, each)
                by_id[each.id] = replace(each, symbols=tuple(dict.fromkeys((*known.symbols, *each.symbols))))
        kept, dropped = _newest(sorted(by_id.values(), key=lambda each: (each.at, each.id), reverse=True))
        for each in reversed(dropped):
            for symbol in self._covered.keys() & set(each.symbols):
                first, until = self._covered[symbol]
                self._covered[symbol] = (max(first, each.at), until)
        self.view = NewsView(kept, tuple((symbol, first) for symbol, (first, _) in sorted(self._covered.items())), "")


def _newest(headlines: Sequence[Headline]) -> tuple[tuple[Headline, ...], list[Headline]]:
    """Return those kept and those dropped: an article is kept if one of its symbols has room for it."""
    kept, dropped, counts = list[Headline](), list[Headline](), Counter[Symbol]()
    for each in headlines:
        if len(kept) < IN_ALL and any(counts[symbol] < OF_A_SYMBOL for symbol in each.symbols):
            kept.append(each)
            counts.update(each.symbols)
        else:
            dropped.append(each)
    return tuple(kept), dropped


class EarningsTime(StrEnum):
    """When on its day a company reports."""

    BEFORE = "before"
    AFTER = "after"

    @property
    def words(self) -> str:
        return "before open" if self is EarningsTime.BEFORE else "after close"


@dataclass(frozen=True, slots=True)
class EarningsDate:
    """A report, by the operator's file; `when` is None if it does not say."""

    symbol: Symbol
    day: date
    when: EarningsTime | None = None


@dataclass(frozen=True, slots=True)
class NextEarnings:
    """The next known report of a symbol.

    Attributes
    ----------
    sessions
        Sessions after today up to that day; None if it is too far away to count.
    is_near
        Whether it is within `news.earnings_sessions`.
    """

    report: EarningsDate
    sessions: int | None
    is_near: bool


UNKNOWN = "earnings unknown"


def earnings_in_words(following: NextEarnings | None, today: date) -> str:
    """As in `earnings Thu 3 Dec (after close), in 2 sessions`; `earnings unknown`."""
    if following is None:
        return UNKNOWN
    day, when = following.report.day, following.report.when
    words = f"earnings {day:%a} {day.day} {day:%b}{f' ({when.words})' if when else ''}"
    if day == today:
        return f"{words}, today"
    if following.sessions is None:
        return f"{words}, in {(day - today).days} days"
    if following.sessions == 0:
        return f"{words}, before the next session"
    return f"{words}, in {following.sessions} session{'' if following.sessions == 1 else 's'}"


def next_report(reports: Iterable[EarningsDate], today: date, *, has_opened: bool) -> EarningsDate | None:
    """Return the next of one symbol's reports; today's session `has_opened` or not: what came before it is past."""
    ahead = (
        each
        for each in reports
        if each.day > today or (each.day == today and not (has_opened and each.when is EarningsTime.BEFORE))
    )
    return min(ahead, key=lambda each: each.day, default=None)
