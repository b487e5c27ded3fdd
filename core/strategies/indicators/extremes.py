"""The highest and the lowest value of a window."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(slots=True)
class _Extreme:
    """The extreme of a window, which is searched again only when the extreme has left it."""

    length: int
    values: deque[Decimal] = field(default_factory=deque)
    top: Decimal | None = None

    def _take(self, value: Decimal, pick: Callable[..., Decimal]) -> None:
        self.values.append(value)
        gone = self.values.popleft() if len(self.values) > self.length else None
        if self.top is None or gone == self.top:
            self.top = pick(self.values)
        else:
            self.top = pick(self.top, value)

    @property
    def value(self) -> Decimal | None:
        return self.top if len(self.values) == self.length else None


@dataclass(slots=True)
class Highest(_Extreme):
    """The highest of the last `length` values."""

    def take(self, value: Decimal) -> None:
        self._take(value, max)


@dataclass(slots=True)
class Lowest(_Extreme):
    """The lowest of the last `length` values."""

    def take(self, value: Decimal) -> None:
        self._take(value, min)
