"""Buys when the close fell several bars in a row, and sells when the price has come back."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from core.strategies.kit import NO_SETUP, Answer, Bar, Context, ExitReason, OwnStrategy

Part = Annotated[Decimal, Field(gt=0, lt=1)]


@dataclass(frozen=True, slots=True)
class DipsSettings:
    """Settings of [strategies.dips] in settings.toml, beside those that the desk reads itself."""

    falls: Annotated[int, Field(ge=1, le=20)] = 3  # closes in a row, each below the one before
    stop: Part = Decimal("0.003")  # of the price, below the entry
    gain: Part = Decimal("0.002")  # of the price, above the entry


@dataclass(slots=True)
class DipsState:
    """The whole memory: saved with the desk, restored after a restart. Plain values with defaults."""

    last_close: Decimal | None = None
    fallen: int = 0


class Dips(OwnStrategy):
    name = "dips"  # the name of its file
    Settings = DipsSettings
    State = DipsState

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        """Called for every complete minute.

        Same state, bar and context: same answer. The bar's time is the only clock.
        """
        before, self.state.last_close = self.state.last_close, bar.close
        has_fallen = before is not None and bar.close < before
        self.state.fallen = self.state.fallen + 1 if has_fallen else 0

        entry = context.entry_price  # the stop is at the broker; other exits are up to you
        if entry is not None and bar.close >= entry * (1 + self.settings.gain):
            return self.sell(bar, context, ExitReason.TAKE_PROFIT, f"close {bar.close} has come back")
        if refusal := self.refusal(bar, context):  # off, outside the window, in a position, one waits …
            return refusal
        if self.state.fallen < self.settings.falls:
            return NO_SETUP
        words = f"close {bar.close}, {self.state.fallen} closes in a row each below the one before"
        return self.buy(bar, context, stop=bar.close * (1 - self.settings.stop), reason=words)

    def figures(self, day: object) -> tuple[tuple[str, str], ...]:
        """The figures shown with Enter in the strategies pane."""
        return (("falls in a row", f"{self.state.fallen} of {self.settings.falls}"),)
