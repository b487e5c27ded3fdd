"""The limits of a strategy's entries: its own and the account's, whichever is stricter (RK-07).

Every caller that measures a limit of a strategy asks here, so that a looser figure of a strategy changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from decimal import Decimal

from core.model.lazy_dataclass import dataclass
from core.model.session import Session, Venue
from core.settings.entry_windows import EntryWindow, Span, spans_of
from core.settings.settings import Settings
from core.settings.strategies import StrategyLimits
from core.settings.types import MOST_ENTRIES, AmountSettings

OF_THE_ACCOUNT = "the account's"


@dataclass(frozen=True, slots=True)
class Limit:
    """The amount that holds for a strategy.

    Attributes
    ----------
    usd
        The stricter of the known amounts; None if none is known.
    terms
        The settings that it is of.
    is_own
        It is the strategy's own and not the account's.
    is_known
        Every amount that may hold is known; else one is a share of an equity that is not.
    """

    usd: Decimal | None
    terms: AmountSettings
    is_own: bool
    is_known: bool

    @property
    def if_known(self) -> Decimal | None:
        """USD; None while one of the amounts is unknown, for sizes."""
        return self.usd if self.is_known else None

    def whose(self, strategy: str) -> str:
        """As in `vwap: ` before a figure of its own; empty for the account's."""
        return f"{strategy}: " if self.is_own else ""


def stricter(account: AmountSettings, own: AmountSettings, equity: Decimal | None) -> Limit:
    """Return the stricter of the two amounts; the account's if they are equal."""
    of_account = account.of(equity)
    if own.limits_nothing:
        return Limit(of_account, account, is_own=False, is_known=of_account is not None)
    usd = own.of(equity)
    is_own = usd is not None and (of_account is None or usd < of_account)
    is_known = usd is not None and of_account is not None
    return Limit(usd if is_own else of_account, own if is_own else account, is_own, is_known)


def own_limits(settings: Settings, strategy: str) -> StrategyLimits:
    return settings.strategies.of(strategy).limits


def per_trade(settings: Settings, strategy: str, equity: Decimal | None) -> Limit:
    """Return what an entry may lose at its stop, before the terms of its size (RK-02)."""
    return stricter(settings.risk.per_trade, own_limits(settings, strategy).per_trade, equity)


def max_notional(settings: Settings, strategy: str, equity: Decimal | None) -> Limit:
    """Return the largest cost of an entry (EX-11)."""
    return stricter(settings.risk.max_notional, own_limits(settings, strategy).max_notional, equity)


def daily_loss(settings: Settings, strategy: str, equity: Decimal | None) -> Limit | None:
    """Return what a strategy may lose on a day; None if it has no limit of its own: the account's is of the account."""
    own = own_limits(settings, strategy).daily_loss
    return None if own.limits_nothing else stricter(settings.risk.daily_loss, own, equity)


def entries_a_day(settings: Settings, strategy: str, allowed: int) -> int:
    """Return the entries of a day, given those that the account allows each strategy today (RK-12)."""
    return min(allowed, own_limits(settings, strategy).entries_a_day)


def entry_spans(settings: Settings, strategy: str, venue: Venue, session: Session) -> tuple[Span, ...]:
    """Return the times of a session in which its bars may start for an entry."""
    risk = settings.risk
    return spans_of(venue, session, (risk.window_start, risk.window_end), own_limits(settings, strategy).windows)


def looser_than_the_account(settings: Settings, equity: Decimal | None = None) -> Iterator[tuple[str, str]]:
    """Yield each limit of a strategy that never holds because the account's is stricter: its key, and the account's.

    An amount as a share of equity and one in USD are compared at `equity`; without one they are left out.
    """
    risk = settings.risk
    account = EntryWindow(risk.window_start, risk.window_end)
    for name in settings.strategies.names:
        own, key = own_limits(settings, name), f"strategies.{name}.limits"
        for each in ("per_trade", "max_notional", "daily_loss"):
            terms: AmountSettings = getattr(own, each)
            of_account: AmountSettings = getattr(risk, each)
            if not terms.limits_nothing and _is_looser(terms, of_account, equity):
                yield f"{key}.{each}", f"risk.{each}"
        if risk.entries_a_day < own.entries_a_day < MOST_ENTRIES:
            yield f"{key}.entries_a_day", "risk.entries_a_day"
        if any(_reaches_beyond(window, account) for window in own.windows):
            yield f"{key}.windows", "risk.window_start and risk.window_end"


def _is_looser(own: AmountSettings, account: AmountSettings, equity: Decimal | None) -> bool:
    if own.of_equity is not None and account.of_equity is not None:
        return own.of_equity > account.of_equity
    mine, its = own.of(equity), account.of(equity)
    return mine is not None and its is not None and mine > its


def _reaches_beyond(window: EntryWindow, account: EntryWindow) -> bool:
    first: time = account.first.replace(second=0)
    return window.first < first or window.last > account.last
