"""What an adviser is, and what it is shown: a picture of the desk, guarded (OP-09).

An adviser is a plug-in of one file: a name, and one method that is given what the desk shows and answers with advice.
It gets values alone. What it says becomes words in a list; what is made of them is the operator's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import NoReturn, Protocol

from core.model.recommendation import Advice, AdviserFault, Watch, watched
from core.views import DeskView, LogRow, PositionRow, ProposalRow, StrategyRow

TRADING = frozenset(
    {
        "adopt", "approval", "approve", "broker", "buy", "cancel", "close", "command", "confirm", "confirmation",
        "cover", "desk", "edit", "engine", "execute", "execution", "flatten", "gateway", "handle", "inbox", "kill",
        "mandate", "order", "override", "place", "propose", "rearm", "record", "redeem", "release", "replace",
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
