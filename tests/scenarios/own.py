"""Strategies that nobody should have written, and settings that turn them on."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from textwrap import dedent
from typing import Any

from core.model.bar import Bar
from core.model.order import StopHolder
from core.model.signal import EntrySignal, ExitReason, NoTrade, NoTradeReason
from core.model.values import Price, Quantity
from core.settings.settings import Settings
from core.strategies.builtin import HOUSE, StrategyKind, StrategyKinds
from core.strategies.kit import NO_SETUP, Answer, Context, NoSettings, OwnStrategy
from state.user_strategies import Found, look_at
from tests.kit.warm_processes import of_this_module
from tests.unit.core.brokers.trading_floor import NEW_YORK

HEAD = """from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from core.model.bar import Bar
from core.model.order import StopHolder
from core.model.signal import EntrySignal, ExitReason, NoTrade, NoTradeReason
from core.model.values import Price, Quantity
from core.strategies.kit import NO_SETUP, Answer, Context, NoSettings, OwnStrategy

NEW_YORK = ZoneInfo("America/New_York")
"""
Written = type[OwnStrategy] | str
"""A class of this file, or the text of a file of one's own."""


def text_of(made: type[OwnStrategy]) -> str:
    """The class as a file of its own: whatever of the tests it is made of stands before it."""
    kinds = (made.State, made.Settings, *reversed(made.__mro__))
    parts = [dedent(inspect.getsource(kind)) for kind in kinds if kind.__module__.startswith("tests.")]
    return "\n\n".join([HEAD, inspect.getsource(clock_of), *parts])


def name_of(made: Written) -> str:
    return re.findall(r'^    name = "(\w+)"', made, re.MULTILINE)[-1] if isinstance(made, str) else made.name


WAITS, ANSWERS = 1200.0, 600.0
"""Seconds for a start and for an answer: more than any machine takes, so that no result depends on its speed."""
AT_ONCE = 0.05
"""Seconds for an answer that never comes."""


def found_of(name: str, text: str) -> Found:
    """As a desk finds it in its folder, in a process of its own."""
    if (name, text) not in of_this_module:
        of_this_module[name, text] = _found(name, text)
    return of_this_module[name, text]


def _found(name: str, text: str) -> Found:
    path = Path(mkdtemp()) / f"{name}.py"
    path.write_text(text)
    path.chmod(0o600)
    return look_at(path, waits=WAITS, timeout=ANSWERS)


def kind_of(name: str, text: str) -> StrategyKind:
    found = found_of(name, text)
    assert found.kind is not None, found.faults
    return found.kind


def kinds_of(*classes: Written, **faults: str) -> StrategyKinds:
    """Those of the house, and these where they load."""
    found = [_found_of(made) for made in sorted(classes, key=name_of)]
    own = {each.name: each.kind for each in found if each.kind is not None}
    if "sleeping" in own:
        own["sleeping"] = overheard(own["sleeping"], CLOCK.slow)
    if "endless" in own:
        own["endless"] = endless_from(own["endless"], "10:00")
    return StrategyKinds(
        {**HOUSE, **own}, {**faults, **{each.name: each.faults[0] for each in found if each.kind is None}}
    )


def _found_of(made: Written) -> Found:
    text = made if isinstance(made, str) else text_of(made)
    return found_of(name_of(made), text)


def remembered(memory: Any) -> Mapping[str, Any]:
    """What a strategy in a process of its own has in its memory."""
    found = memory.plain()
    assert isinstance(found, dict)
    return found


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


def endless_from(kind: StrategyKind, clock: str) -> StrategyKind:
    """A strategy that never answers a bar from that time on: only those bars are given up, and at once."""

    def hear(made: Any, bar: Bar) -> None:
        made.hosted.process.timeout = AT_ONCE if clock_of(bar) >= clock else ANSWERS

    return _overheard(kind, hear)


def overheard(kind: StrategyKind, hear: Callable[[Bar], None]) -> StrategyKind:
    """The same strategy; each bar that it is shown is told to `hear` first, one after the other."""
    return _overheard(kind, lambda _made, bar: hear(bar))


def _overheard(kind: StrategyKind, listen: Callable[[Any, Bar], None]) -> StrategyKind:
    def make(terms: Any, memory: Any) -> Any:
        made: Any = kind.make(terms, memory)
        hear = partial(listen, made)
        ask, show = made.hosted.on_bar, made.hosted.shown

        def on_bar(bar: Bar, context: Context) -> Answer:
            hear(bar)
            answer: Answer = ask(bar, context)
            return answer

        def shown(bars: Iterable[tuple[Bar, Context]]) -> int:
            told = list(bars)
            for bar, _ in told:
                hear(bar)
            return int(show(told))

        made.hosted.on_bar, made.hosted.shown = on_bar, shown
        return made

    return StrategyKind(make, kind.state)


class Clock:
    """Seconds, moved by whoever is slow."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def slow(self, bar: Bar) -> None:
        """A bar takes 120 ms from 10:00 on."""
        self.seconds += 0.12 if clock_of(bar) >= "10:00" else 0.001


CLOCK = Clock()


class Sleeping(Watching):
    """Takes 120 ms for each bar from 10:00 on, by that clock."""

    name = "sleeping"


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
