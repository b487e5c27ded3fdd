"""A strategy of the user's as one of the desk's: what it may be called, how it is made, and what stands in for it.

It runs in a process of its own (`core/runtime/strategy_host/`); here is what the desk sees of it. Whatever is wrong
with it is a reason in words, and never keeps the desk from opening.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Protocol

from core.model.bar import Bar
from core.model.signal import Answer, NoTrade, NoTradeReason
from core.settings.strategies import HOUSE_NAMES, StrategiesSettings
from core.settings.user_strategies import OWN_NAME
from core.strategies.base import Figures, Strategy
from core.strategies.builtin import HOUSE, StrategyKinds
from core.strategies.context import Context
from core.strategies.remote_memory import RemoteMemory
from core.strategies.signal_checks import UnfitError

RESERVED = frozenset({*HOUSE_NAMES, *StrategiesSettings.model_fields, "manual", "house", "desk", "broker", "keyturn"})
MISSING = NoTrade(NoTradeReason.MISSING)


class RaisedError(Exception):
    """A strategy of the user's raised something, or lost its process: in words (ST-07)."""


def name_fault(name: str) -> str | None:
    """Why no strategy of the user's can have this name; None where one can."""
    if not OWN_NAME.fullmatch(name):
        return f"{name!r} is no name for a strategy: small letters, digits and _, a letter first, at most 24"
    if name in RESERVED:
        return f"{name} is a name of the program's own; give file and strategy another one"
    return None


class Hosted(Protocol):
    """A strategy on one symbol, in its process. Raises `RaisedError`, and `OverdueError` where it does not answer."""

    def on_bar(self, bar: Bar, context: Context) -> Answer: ...
    def shown(self, bars: Iterable[tuple[Bar, Context]]) -> int: ...
    def figures(self, day: date) -> Figures: ...


class UserStrategyRunning:
    """One that runs: the same questions as to a strategy of the house, its stop always at the broker.

    Attributes
    ----------
    forgot
        What of the memory that it was given did not fit, so that it begins anew; empty where all did.
    """

    def __init__(self, name: str, hosted: Hosted, state: RemoteMemory, forgot: str = "") -> None:
        self.name = name
        self.hosted = hosted
        self.state: Any = state
        self.forgot = forgot

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        return self.hosted.on_bar(bar, context)

    def miss(self) -> None:
        """It had no answer to a bar in time: the next process goes on as one that was not shown it."""

    def shown(self, bars: Iterable[tuple[Bar, Context]]) -> int:
        """Bars that nobody waits for, in as few questions as there can be; what it says of them is not heard."""
        return self.hosted.shown(bars)

    def figures(self, day: date) -> Figures:
        return self.hosted.figures(day)


class MissingStrategy:
    """Stands in for one that does not load: it opens nothing, and keeps the memory untouched (SP-03)."""

    def __init__(self, name: str, memory: Any, reason: str) -> None:
        self.name = name
        self.state = memory
        self.reason = reason

    def on_bar(self, _bar: Bar, _context: Context) -> Answer:
        return MISSING

    def figures(self, _day: date) -> Figures:
        return ()


def started(kinds: StrategyKinds, name: str, terms: Any, memory: Any) -> Strategy:
    """The strategy of that name with its table in the settings; where one of the user's cannot start, its stand-in."""
    kind = kinds.known.get(name)
    if kind is None:
        words = kinds.faults.get(name, f"{name}.py is not among your strategies; put it back, or turn it off")
        return MissingStrategy(name, memory, words)
    try:
        return kind.make(terms, memory)
    except Exception as error:
        if name in HOUSE:
            raise
        return MissingStrategy(name, memory, str(error) if isinstance(error, UnfitError) else error_in_words(error))


def error_in_words(error: Exception) -> str:
    """What a strategy raised, for a person."""
    return str(error) if isinstance(error, RaisedError) else f"{type(error).__name__}: {error}"
