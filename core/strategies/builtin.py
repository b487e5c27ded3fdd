"""The built-in and the user's strategies: their names, their states, how each is built from its settings (ST-01)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Protocol

from pydantic import TypeAdapter

from core.model.bar import Bar
from core.model.signal import Answer, NoTrade, NoTradeReason
from core.settings.strategies import HOUSE_NAMES, OWN_NAME, StrategiesSettings
from core.strategies.base import Context, Figures, RemoteMemory, Strategy
from core.strategies.breakout import BreakoutState, BreakoutStrategy
from core.strategies.mean_reversion import MeanReversionState, MeanReversionStrategy
from core.strategies.momentum import MomentumState, MomentumStrategy
from core.strategies.sma import SmaState, SmaStrategy
from core.strategies.trade_plan import UnfitError
from core.strategies.vwap_mean_reversion import VwapState, VwapStrategy

Coming = Callable[[Bar], Sequence[Bar]]
"""The expected next bars of a symbol after this one, the next first."""


@dataclass(frozen=True, slots=True)
class StrategyKind:
    """A strategy that can be built: `make` takes its settings, and its memory or None.

    Attributes
    ----------
    state
        The type of its memory.
    foresee
        Takes a function that returns the next bars, if they are known without waiting.
    """

    make: Callable[[Any, Any], Strategy]
    state: type
    foresee: Callable[[Coming], None] = lambda _coming: None


HOUSE: Mapping[str, StrategyKind] = {
    VwapStrategy.name: StrategyKind(VwapStrategy, VwapState),
    MomentumStrategy.name: StrategyKind(MomentumStrategy, MomentumState),
    BreakoutStrategy.name: StrategyKind(BreakoutStrategy, BreakoutState),
    MeanReversionStrategy.name: StrategyKind(MeanReversionStrategy, MeanReversionState),
    SmaStrategy.name: StrategyKind(SmaStrategy, SmaState),
}
"""By the name in its settings and its orders, in the order in which they see a bar."""


@dataclass(frozen=True, slots=True)
class StrategyKinds:
    """Every strategy that a desk may run, as loaded at its composition.

    Attributes
    ----------
    known
        By name, built-in ones first, in the order in which they see a bar.
    faults
        Why a user strategy does not load, by its name: one line.
    """

    known: Mapping[str, StrategyKind]
    faults: Mapping[str, str]


OF_THE_HOUSE = StrategyKinds(HOUSE, {})


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def written_memory(memory: Any, *, as_json: bool) -> object:
    """Convert a memory to plain values; None stays None."""
    if memory is None:
        return None
    if isinstance(memory, RemoteMemory):
        return memory.plain()
    kind: type = type(memory)
    return _adapter(kind).dump_python(memory, mode="json" if as_json else "python", warnings=False)


def read_memory(strategy: str, memory: object) -> object:
    """Convert a memory to its strategy's own type. Raises ValueError, also pydantic's, if it does not fit.

    The memory of a user strategy stays plain, for the host that builds that strategy.
    """
    kind = HOUSE.get(strategy)
    if kind is None or memory is None or isinstance(memory, kind.state):
        return memory
    return _adapter(kind.state).validate_python(memory)


# ── strategies of the user ───────────────────────────────────────────────────────────────────────────────────────────
# User strategies: allowed names, how one is built, and its stand-in.
#
# One runs in a separate process (`core/runtime/strategy_host/`); this is the desk's side of it. Any fault is a text
# reason, and never keeps the desk from starting.

RESERVED = frozenset({*HOUSE_NAMES, *StrategiesSettings.model_fields, "manual", "house", "desk", "broker", "keyturn"})
MISSING = NoTrade(NoTradeReason.MISSING)


class RaisedError(Exception):
    """A user strategy raised, or lost its process: as text (ST-07)."""


def name_fault(name: str) -> str | None:
    """Return why a user strategy cannot have this name; None if it can."""
    if not OWN_NAME.fullmatch(name):
        return f"{name!r} is no name for a strategy: small letters, digits and _, a letter first, at most 24"
    if name in RESERVED:
        return f"{name} is a name of the program's own; give file and strategy another one"
    return None


class Hosted(Protocol):
    """A strategy on one symbol, in its process. Raises `RaisedError`, and `OverdueError` without an answer."""

    def on_bar(self, bar: Bar, context: Context) -> Answer: ...
    def shown(self, bars: Iterable[tuple[Bar, Context]]) -> int: ...
    def figures(self, day: date) -> Figures: ...


class UserStrategyRunning:
    """A running user strategy: the interface of a built-in one, with its stop always at the broker.

    Attributes
    ----------
    forgot
        The part of the given memory that did not fit, so that it starts fresh; empty if all did.
    """

    def __init__(self, name: str, hosted: Hosted, state: RemoteMemory, forgot: str = "") -> None:
        self.name = name
        self.hosted = hosted
        self.state: Any = state
        self.forgot = forgot

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        return self.hosted.on_bar(bar, context)

    def miss(self) -> None:
        """Note a missed bar: the next process continues as if it was never shown."""

    def shown(self, bars: Iterable[tuple[Bar, Context]]) -> int:
        """Show bars that need no answer, in as few calls as possible; its answers are ignored."""
        return self.hosted.shown(bars)

    def figures(self, day: date) -> Figures:
        return self.hosted.figures(day)


class MissingStrategy:
    """Stand-in for one that does not load: it makes no entries, and keeps the memory untouched (SP-03)."""

    def __init__(self, name: str, memory: Any, reason: str) -> None:
        self.name = name
        self.state = memory
        self.reason = reason

    def on_bar(self, _bar: Bar, _context: Context) -> Answer:
        return MISSING

    def figures(self, _day: date) -> Figures:
        return ()


def started(kinds: StrategyKinds, name: str, terms: Any, memory: Any) -> Strategy:
    """Build the strategy of that name with its settings table; a user strategy that cannot start gets a stand-in."""
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
    """Format a strategy's exception."""
    return str(error) if isinstance(error, RaisedError) else f"{type(error).__name__}: {error}"
