"""Advisers: what they are, what they are shown, and what keeps them from trading (OP-09)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import NoReturn, Protocol

from core.model.recommendation import Advice, AdviserFault, Watch, watched
from core.model.values import plain
from core.settings.service import AdvisersSettings, WatchmanSettings
from core.views import DeskView, LogRow, NotStaged, PositionRow, ProposalRow, StrategyRow

# ── what an adviser is ───────────────────────────────────────────────────────────────────────────────────────────────
# An adviser is a plug-in: a name, and one method that is given what the desk shows and answers with advice. It gets
# values alone. What it says becomes words in a list; what is made of them is the operator's.


TRADING = frozenset(
    {
        "adopt", "approval", "approve", "broker", "buy", "cancel", "close", "command", "confirm", "confirmation",
        "cover", "desk", "edit", "engine", "execute", "execution", "flatten", "gateway", "handle", "inbox", "kill",
        "authorization", "order", "override", "place", "propose", "rearm", "record", "redeem", "release", "replace",
        "runtime", "sell", "send", "short", "sign", "stage", "staging", "submit", "ticket", "trade",
    }
)  # fmt: skip
"""Words of names that no picture has: asking one for `submit_order` or `the_broker` is an attempt to trade."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the desk shows, as it was `at`; the log's newest line is its last."""

    at: datetime
    log: tuple[LogRow, ...]
    proposals: tuple[ProposalRow, ...]
    positions: tuple[PositionRow, ...]
    strategies: tuple[StrategyRow, ...]
    _watch: Watch = field(repr=False, compare=False)

    def __getattr__(self, name: str) -> NoReturn:
        """What it has not. Raises `UnauthorizedAIActionError` for what trades, AttributeError for all else."""
        if not name.startswith("_") and not TRADING.isdisjoint(name.lower().split("_")):
            raise self._watch.refuse(f"reach for {name[:40]}")
        raise AttributeError(name)


def shown_of(view: DeskView, watch: Watch) -> Shown:
    return Shown(view.status.at, view.log, view.proposals, view.positions, view.strategies, watch)


class Adviser(Protocol):
    """Looks at the desk and says what it thinks.

    Attributes
    ----------
    is_deterministic
        Whether the same picture always brings the same words, at once: such a one is asked in virtual time too.
    """

    name: str
    is_deterministic: bool

    def advise(self, shown: Shown) -> Iterable[Advice]: ...


def consulted(adviser: Adviser, shown: Shown, watch: Watch, most: int) -> object:
    """What it answers, one more than `most` at most; a fault where it raises. What it tried is in the watch."""
    try:
        with watched(watch):
            answer: Iterator[object] = iter(adviser.advise(shown))
            return tuple(islice(answer, most + 1))
    except BaseException as error:  # its edge: whatever it does, the desk goes on
        return AdviserFault(f"{type(error).__name__}: {error}")


# ── the watchman ─────────────────────────────────────────────────────────────────────────────────────────────────────
# The watchman reads the log as a second pair of eyes would: reasons that refuse again and again, unguarded shares.
#
# It measures nothing and knows no market; the same picture always brings the same words.


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


# ── the built-in advisers ────────────────────────────────────────────────────────────────────────────────────────────

HOUSE: Mapping[str, Callable[[AdvisersSettings], Adviser | None]] = {
    Watchman.name: lambda terms: Watchman(terms.watchman, terms.most) if terms.watchman.enabled else None,
}
"""By the name that its settings have; None where it is turned off."""


def advisers_of(terms: AdvisersSettings) -> tuple[Adviser, ...]:
    """Those that are turned on."""
    made = (make(terms) for make in HOUSE.values())
    return tuple(adviser for adviser in made if adviser is not None)
