"""The strategies of the house: their names, what they remember, and how one is made of its settings (ST-01)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from core.strategies.base import Strategy
from core.strategies.breakout import BreakoutState, BreakoutStrategy
from core.strategies.mean_reversion import MeanReversionState, MeanReversionStrategy
from core.strategies.momentum import MomentumState, MomentumStrategy
from core.strategies.sma import SmaState, SmaStrategy
from core.strategies.vwap import VwapState, VwapStrategy


@dataclass(frozen=True, slots=True)
class Kind:
    """A strategy that can be made: `make` takes its settings, and its memory or None."""

    make: Callable[[Any, Any], Strategy]
    state: type


HOUSE: Mapping[str, Kind] = {
    VwapStrategy.name: Kind(VwapStrategy, VwapState),
    MomentumStrategy.name: Kind(MomentumStrategy, MomentumState),
    BreakoutStrategy.name: Kind(BreakoutStrategy, BreakoutState),
    MeanReversionStrategy.name: Kind(MeanReversionStrategy, MeanReversionState),
    SmaStrategy.name: Kind(SmaStrategy, SmaState),
}
"""By the name that its settings and its orders have, in the order in which they see a bar."""


_ADAPTERS: Mapping[type, TypeAdapter[Any]] = {kind.state: TypeAdapter(kind.state) for kind in HOUSE.values()}


def written_memory(memory: Any, *, as_json: bool) -> object:
    """A memory as plain values; None stays None."""
    return None if memory is None else _ADAPTERS[type(memory)].dump_python(memory, mode="json" if as_json else "python")


def read_memory(strategy: str, memory: object) -> object:
    """A strategy's memory as its own type. Raises ValueError, pydantic's own too, where it is none."""
    kind = HOUSE.get(strategy)
    if kind is None or memory is None or isinstance(memory, kind.state):
        return memory
    return _ADAPTERS[kind.state].validate_python(memory)
