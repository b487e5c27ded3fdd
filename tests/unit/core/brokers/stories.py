"""Stories of the simulated exchange as rows of a table: what happens, and what each order was filled at by then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from tests.unit.core.brokers.trading_floor import THURSDAY, Floor, a_bar, a_quote

Step = Callable[[Floor], object]


def bar(clock: str, prices: str, volume: int = 100_000, day: date = THURSDAY) -> Step:
    return lambda floor: floor.bars(a_bar(clock, prices, volume, day=day))


def quote(clock: str, bid: str, ask: str, size: int = 500) -> Step:
    return lambda floor: floor.exchange.take_quote(a_quote(clock, bid, ask, size))


def buy(clock: str, quantity: str = "10", name: str = "buy", **terms: object) -> Step:
    return lambda floor: floor.buys(clock, quantity, name, **terms)


def sell(clock: str, quantity: str = "10", name: str = "sell", **terms: object) -> Step:
    return lambda floor: floor.sells(clock, quantity, name, **terms)


@dataclass(frozen=True)
class Story:
    """`fills` has, by `order time`, each execution up to then as `quantity@price`; `rules` are of the exchange."""

    steps: tuple[Step, ...]
    fills: Mapping[str, str]
    rules: Mapping[str, object] = field(default_factory=dict)

    def told(self) -> dict[str, str]:
        floor, found = Floor(**self.rules), {}
        for step in self.steps:
            step(floor)
        for key in self.fills:
            name, clock = key.split()
            found[key] = " ".join(f"{quantity}@{price}" for quantity, price in floor.fills(clock, name))
        return found


def stories(rows: Mapping[str, tuple[object, ...]]) -> dict[str, Story]:
    """Each row is its steps, then the fills, and the rules where the exchange has any of its own."""
    found = {}
    for claim, row in rows.items():
        steps = tuple(step for step in row if callable(step))
        fills, *rules = (part for part in row if isinstance(part, Mapping))
        found[claim] = Story(steps, fills, *rules)
    return found
