"""The strategies of the house: their names, what they remember, and how one is made of its settings (ST-01)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from core.model.bar import Bar
from core.strategies.base import Strategy
from core.strategies.breakout import BreakoutState, BreakoutStrategy
from core.strategies.mean_reversion import MeanReversionState, MeanReversionStrategy
from core.strategies.momentum import MomentumState, MomentumStrategy
from core.strategies.remote_memory import RemoteMemory
from core.strategies.sma import SmaState, SmaStrategy
from core.strategies.vwap import VwapState, VwapStrategy

Coming = Callable[[Bar], Sequence[Bar]]
"""The bars of a symbol that are expected after this one, the next first."""


@dataclass(frozen=True, slots=True)
class StrategyKind:
    """A strategy that can be made: `make` takes its settings, and its memory or None.

    Attributes
    ----------
    state
        What its memory is of.
    foresee
        Takes what says which bars come after one, where they are known and nobody waits.
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
"""By the name that its settings and its orders have, in the order in which they see a bar."""


@dataclass(frozen=True, slots=True)
class StrategyKinds:
    """Every strategy that a desk may run, as whoever put the desk together found them.

    Attributes
    ----------
    known
        By name, the house's first, in the order in which they see a bar.
    faults
        Why one of the user's does not load, by its name: one line.
    """

    known: Mapping[str, StrategyKind]
    faults: Mapping[str, str]


OF_THE_HOUSE = StrategyKinds(HOUSE, {})


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def written_memory(memory: Any, *, as_json: bool) -> object:
    """A memory as plain values; None stays None."""
    if memory is None:
        return None
    if isinstance(memory, RemoteMemory):
        return memory.plain()
    kind: type = type(memory)
    return _adapter(kind).dump_python(memory, mode="json" if as_json else "python", warnings=False)


def read_memory(strategy: str, memory: object) -> object:
    """A memory as its strategy's own type. Raises ValueError, pydantic's own too, where it is none.

    One of a strategy that is not the house's stays as plain as it is, for whoever makes that strategy.
    """
    kind = HOUSE.get(strategy)
    if kind is None or memory is None or isinstance(memory, kind.state):
        return memory
    return _adapter(kind.state).validate_python(memory)
