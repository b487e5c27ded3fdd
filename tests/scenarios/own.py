"""Strategies that nobody should have written, and settings that turn them on."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.model.bar import Bar
from core.model.order import StopHolder
from core.model.signal import EntrySignal, ExitReason, NoTrade, NoTradeReason
from core.model.values import Price, Quantity
from core.settings import Settings
from core.strategies.house import HOUSE, Kinds
from core.strategies.kit import NO_SETUP, Answer, Context, NoSettings, OwnStrategy
from core.strategies.own import kind_of
from tests.unit.core.brokers.trading_floor import NEW_YORK


def kinds_of(*classes: type[OwnStrategy], **faults: str) -> Kinds:
    return Kinds({**HOUSE, **{made.name: kind_of(made) for made in sorted(classes, key=lambda c: c.name)}}, faults)


def settings_with(*names: str, vwap: bool = True, **tables: Any) -> Settings:
    """Those strategies on; `tables` are other tables, `strategies` merged."""
    strategies = {"vwap": {"enabled": vwap}, **{name: {"enabled": True} for name in names}}
    for name, table in tables.pop("strategies", {}).items():
        strategies[name] = {**strategies.get(name, {}), **table} if isinstance(table, dict) else table
    return Settings.model_validate({"strategies": strategies, **tables})


def clock_of(bar: Bar) -> str:
    return f"{bar.start.astimezone(NEW_YORK):%H:%M}"


@dataclass(slots=True)
class Seen:
    """Bars that it was shown, by their New York time."""

    bars: list[str] = field(default_factory=list)


class Watching(OwnStrategy):
    """Remembers which bars it saw, and does nothing."""

    name = "watching"
    Settings = NoSettings
    State = Seen

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        self.state.bars.append(clock_of(bar))
        return self.then(bar, context)

    def then(self, bar: Bar, context: Context) -> Answer:
        return NO_SETUP


class Raising(Watching):
    """Divides by zero from 09:40 to 09:42, and from 10:00 on."""

    name = "raising"

    def then(self, bar: Bar, context: Context) -> Answer:
        if "09:40" <= clock_of(bar) < "09:42" or clock_of(bar) >= "10:00":
            raise ZeroDivisionError("no volume")
        return NO_SETUP


class Rude(Raising):
    """Raises at 09:40 and 09:41, and from 10:00 on, what ends programs."""

    name = "rude"
    raised: BaseException = KeyboardInterrupt()

    def then(self, bar: Bar, context: Context) -> Answer:
        try:
            return super().then(bar, context)
        except ZeroDivisionError:
            raise self.raised from None


@dataclass(slots=True)
class Counted:
    """How many bars it saw."""

    bars: int = 0
    last: Decimal | None = None


class Spoiling(OwnStrategy):
    """Counts bars, and writes into its memory at 09:40 a word where a number must be, at 09:45 what nobody can save."""

    name = "spoiling"
    Settings = NoSettings
    State = Counted

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        self.state.bars += 1
        if clock_of(bar) == "09:40":
            self.state.bars = "seven"
        if clock_of(bar) == "09:45":
            self.state.last = lambda: None
        if clock_of(bar) == "09:50":
            self.state = None
        return NO_SETUP


class Clock:
    """Seconds, moved by whoever sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


CLOCK = Clock()


class Sleeping(Watching):
    """Takes 120 ms for each bar from 10:00 on."""

    name = "sleeping"

    def then(self, bar: Bar, context: Context) -> Answer:
        CLOCK.seconds += 0.12 if clock_of(bar) >= "10:00" else 0.001
        return NO_SETUP


class Endless(Watching):
    """Never answers a bar from 10:00 on."""

    name = "endless"

    def then(self, bar: Bar, context: Context) -> Answer:
        while clock_of(bar) >= "10:00":
            try:
                Decimal(2).sqrt()
            except Exception:
                continue
        return NO_SETUP


class Flooding(Watching):
    """Wants to buy on every bar, whatever it holds and whatever waits."""

    name = "flooding"

    def then(self, bar: Bar, context: Context) -> Answer:
        return self.buy(bar, context, stop=bar.close * Decimal("0.99"), reason="always")


class Raving(Watching):
    """Answers several signals at once."""

    name = "raving"

    def then(self, bar: Bar, context: Context) -> Any:
        return [self.buy(bar, context, stop=bar.close * Decimal("0.99"), reason="one of many")] * 3


class Holding(Watching):
    """Buys once at 10:00, and has a reason to leave at 10:05 and after: its signal turned."""

    name = "holding"
    why = ExitReason.SIGNAL

    def then(self, bar: Bar, context: Context) -> Answer:
        if context.held:
            turned = "10:05" <= clock_of(bar) < "15:00"
            return self.sell(bar, context, self.why, "it turned") if turned else NoTrade(NoTradeReason.IN_POSITION)
        if clock_of(bar) != "10:00":
            return NO_SETUP
        return self.buy(bar, context, stop=bar.close * Decimal("0.99"), reason="it is ten")


class Protecting(Holding):
    """The same, and it leaves because the time is over."""

    name = "protecting"
    why = ExitReason.TIME_EXIT


class Buying(Watching):
    """Would buy at 10:05 and 10:06."""

    name = "buying"

    def then(self, bar: Bar, context: Context) -> Answer:
        if clock_of(bar) not in ("10:05", "10:06"):
            return NO_SETUP
        return self.buy(bar, context, stop=bar.close * Decimal("0.99"), reason="it is five past")


class Forgetful(Holding):
    """Buys at 10:00 and never leaves by itself."""

    name = "forgetful"

    def then(self, bar: Bar, context: Context) -> Answer:
        if context.held:
            return NoTrade(NoTradeReason.IN_POSITION)
        return super().then(bar, context)


class Broken(Holding):
    """Buys at 10:00, and raises ever after."""

    name = "broken"

    def then(self, bar: Bar, context: Context) -> Answer:
        if context.held:
            raise KeyError("entry")
        return super().then(bar, context)


class Greedy(Watching):
    """Buys at 10:00 what it likes: five shares, however large it should be."""

    name = "greedy"

    def then(self, bar: Bar, context: Context) -> Answer:
        if clock_of(bar) != "10:00":
            return NO_SETUP
        stop = Price(bar.close - Decimal("0.10"))
        return EntrySignal(
            self.name,
            bar.symbol,
            bar.start,
            bar.close,
            stop,
            StopHolder.BROKER,
            Quantity(Decimal(5)),
            bar.close,
            "it likes five",
        )
