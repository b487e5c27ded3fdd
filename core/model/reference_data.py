"""Reference data of symbols: tradable assets, corporate actions, and figures of past days (RK-08, RK-10, RK-16).

The broker's list of tradable assets, with a search by symbol and name.
It has about ten thousand rows, and is part of no view and no fact.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from core.model.bar import Bar
from core.model.instrument import capitals
from core.model.lazy_dataclass import dataclass
from core.model.session import Calendar, Session
from core.model.values import Price, Quantity, Symbol, plain

MOST_FOUND = 12
"""Most matches in an answer."""
LONGEST_QUERY = 80
"""Characters of a query that are read."""
BEHIND_ALL = "\U0010ffff"
"""Sorts after every letter, to end a range of common prefixes."""


@dataclass(frozen=True, slots=True)
class ListedAsset:
    """An active share that the broker trades; `exchange` is empty if not reported."""

    symbol: Symbol
    name: str
    exchange: str
    is_shortable: bool
    is_fractionable: bool


@dataclass(frozen=True, slots=True)
class AssetsFound:
    """The answer to a search.

    Attributes
    ----------
    asked
        The search text, to tell it from the answer to an earlier one.
    is_listed
        Whether the broker's list is loaded; if False there are no matches.
    """

    asked: str
    is_listed: bool
    matches: tuple[ListedAsset, ...] = ()


class AssetList:
    """The asset list. Immutable, so any thread may use it."""

    def __init__(self, assets: Iterable[ListedAsset]) -> None:
        self._assets: Sequence[ListedAsset] = sorted(assets, key=lambda asset: asset.symbol)
        self._symbols = [asset.symbol for asset in self._assets]
        self._words = sorted({(word, place) for place, asset in enumerate(self._assets) for word in _words(asset.name)})

    def __len__(self) -> int:
        return len(self._assets)

    def __contains__(self, symbol: Symbol) -> bool:
        place = bisect_left(self._symbols, symbol)
        return place < len(self._symbols) and self._symbols[place] == symbol

    def find(self, text: str, most: int = MOST_FOUND) -> tuple[ListedAsset, ...]:
        """Return the exact symbol first, then symbols with this prefix, then names with words that begin with each
        typed word.

        Without a text, return the whole list if it is as short as one answer.
        """
        asked = text.strip()[:LONGEST_QUERY]
        if not asked:
            return tuple(self._assets) if len(self) <= most else ()
        by_symbol = self._beginning(capitals(asked))
        places = [*by_symbol, *sorted(self._named(_words(asked)) - {*by_symbol})]
        return tuple(self._assets[place] for place in places[:most])

    def _beginning(self, symbol: str) -> range:
        return range(bisect_left(self._symbols, symbol), bisect_left(self._symbols, symbol + BEHIND_ALL))

    def _named(self, words: Sequence[str]) -> set[int]:
        found = [self._with_word(word) for word in words]
        return set.intersection(*found) if found else set()

    def _with_word(self, word: str) -> set[int]:
        first, end = bisect_left(self._words, (word, 0)), bisect_left(self._words, (word + BEHIND_ALL, 0))
        return {place for _, place in self._words[first:end]}


def _words(text: str) -> list[str]:
    """Split into lower-case words without punctuation."""
    return "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()


SESSIONS_NEAR = 2
"""Sessions after today within which an action is shown on each row and ticket of its symbol."""


class ActionKind(StrEnum):
    CASH_DIVIDEND = "dividend"
    SPECIAL_DIVIDEND = "special dividend"
    STOCK_DIVIDEND = "stock dividend"
    SPLIT = "split"
    REVERSE_SPLIT = "reverse split"
    SPIN_OFF = "spin-off"
    MERGER = "merger"
    RENAME = "rename"
    REMOVAL = "removal without value"
    OTHER = "corporate action"


FARTHEST_RATIO = Decimal(1_000_000)
"""New shares for one, or old ones for a new one, of the largest action that is believed; real ones stay below 10000."""
MOVES = frozenset({ActionKind.MERGER, ActionKind.RENAME, ActionKind.REMOVAL})
"""Kinds after which no shares of the symbol are left."""
BESIDE = frozenset({ActionKind.SPIN_OFF, ActionKind.SPECIAL_DIVIDEND})
"""Kinds that take a part of a share's value and leave the shares."""
SPLITS = frozenset({ActionKind.SPLIT, ActionKind.REVERSE_SPLIT})
FOLLOWED = MOVES | BESIDE | SPLITS
"""Kinds that our books follow once the broker's show them, or once a desk that was off is there again."""
FOLLOWED_WITHIN = timedelta(days=10)
"""From the announced day to the broker's books, and to a desk that was off."""


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """An announced action.

    Attributes
    ----------
    ex_date
        The trading day that begins with it: a buyer on that day, or later, does not take part.
    cash
        USD a share; None if none is paid.
    old_rate, new_rate
        Old shares and the new shares they become; None if the number stays.
    payable
        The day on which it is paid; None if not reported.
    to
        The symbol of the new shares; None where they keep theirs, or are paid in cash alone.
    """

    symbol: Symbol
    kind: ActionKind
    ex_date: date
    cash: Decimal | None = None
    old_rate: Decimal | None = None
    new_rate: Decimal | None = None
    payable: date | None = None
    to: Symbol | None = None

    @property
    def split_ratio(self) -> Decimal | None:
        """New shares for one of a split; None for another action, without its rates, or where as many stay."""
        return self._ratio if self.kind in SPLITS and self.old_rate != self.new_rate else None

    @property
    def moved_ratio(self) -> Decimal | None:
        """New shares under the other symbol for one of this; None if the shares keep it."""
        if self.to is None or self.kind not in (ActionKind.MERGER, ActionKind.RENAME):
            return None
        return Decimal(1) if self.kind is ActionKind.RENAME else self._ratio

    @property
    def spun_ratio(self) -> Decimal | None:
        """New shares under the other symbol beside one of this; None if it is no spin-off."""
        return self._ratio if self.to is not None and self.kind is ActionKind.SPIN_OFF else None

    @property
    def paid_out(self) -> Price | None:
        """USD a share for which all shares leave; None if shares stay."""
        if self.kind is ActionKind.REMOVAL:
            return Price(Decimal(0))
        is_for_cash = self.kind is ActionKind.MERGER and self.to is None
        return Price(self.cash) if is_for_cash and self.cash is not None else None

    @property
    def _ratio(self) -> Decimal | None:
        """New shares for one; None without its rates, or where no figure could be counted per share of after it."""
        ratio = self.new_rate / self.old_rate if self.new_rate and self.old_rate else None
        return ratio if ratio is not None and 1 / FARTHEST_RATIO <= ratio <= FARTHEST_RATIO else None


def in_words(action: CorporateAction) -> str:
    """As in `dividend 0.25 USD a share`, `split 4 for 1`, `merger 1 NEW for 4 and 2.50 USD a share`."""
    shares = cash = ""
    if action.new_rate is not None and action.old_rate is not None:
        named = "" if action.to is None else f" {action.to}"
        shares = f"{plain(action.new_rate)}{named} for {plain(action.old_rate)}"
    elif action.to is not None:
        shares = f"to {action.to}"
    if action.cash is not None:
        cash = f"{plain(action.cash)} USD a share"
    terms = " and ".join(part for part in (shares, cash) if part)
    return f"{action.kind.value} {terms}".rstrip()


def coming(actions: Iterable[CorporateAction], today: date) -> list[CorporateAction]:
    """Return those of today and later, the next one first."""
    return sorted((each for each in actions if each.ex_date >= today), key=lambda each: (each.ex_date, each.kind))


def told_of(actions: Iterable[CorporateAction], today: date) -> list[CorporateAction]:
    """Return those that are coming, and those of the days before that our books may have to follow yet."""
    first = today - FOLLOWED_WITHIN
    return [each for each in coming(actions, first) if each.ex_date >= today or each.kind in FOLLOWED]


def near_until(calendar: Calendar, at: datetime) -> date:
    """Return the last day that counts as near: the second session after today, as far as the calendar reaches."""
    day = calendar.trading_day(at)
    try:
        for _ in range(SESSIONS_NEAR):
            session = calendar.session_on(day)
            after = calendar.next_session(session.open if isinstance(session, Session) else at)
            day, at = after.day, after.open
    except LookupError:
        return day
    return day


@dataclass(frozen=True, slots=True)
class PastDay:
    """One session.

    Attributes
    ----------
    close
        USD; None if missing in the broker's daily bars.
    deviation
        Standard deviation of its one-minute returns; None if not requested, or with too few returns.
    volume
        Shares; None if missing in the broker's daily bars.
    """

    day: date
    close: Price | None
    deviation: Decimal | None
    volume: Quantity | None = None


@dataclass(frozen=True, slots=True)
class PastDays:
    """Past sessions, oldest first, and the final minutes of the last one."""

    symbol: Symbol
    days: tuple[PastDay, ...]
    minutes: tuple[Bar, ...] = ()
