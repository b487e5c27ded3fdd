"""The built-in strategies: their names, their states, and how each is built from its settings (ST-01)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from core.model.bar import Bar
from core.strategies.base import RemoteMemory, Strategy
from core.strategies.breakout import BreakoutState, BreakoutStrategy
from core.strategies.mean_reversion import MeanReversionState, MeanReversionStrategy
from core.strategies.momentum import MomentumState, MomentumStrategy
from core.strategies.sma import SmaState, SmaStrategy
from core.strategies.vwap import VwapState, VwapStrategy

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
