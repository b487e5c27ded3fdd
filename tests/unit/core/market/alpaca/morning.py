"""A Tuesday in October for the tests of Alpaca's market data: its session, its bars, and who listens to the switch."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from core.market.alpaca.failure import Counts, Failure
from core.market.alpaca.minutes import Minute, Timetable
from core.market.alpaca.stream_failover import MinuteSpan, StreamFailover
from core.market.calendar import ExchangeCalendar
from core.messages.inputs import BarArrived, MarketDataBroken
from core.model.bar import ONE_MINUTE, Bar
from core.model.session import Session
from core.model.values import Price, Quantity, Symbol

SPY, QQQ = Symbol("SPY"), Symbol("QQQ")
DAY = date(2013, 10, 8)
OPEN = datetime(2013, 10, 8, 13, 30, tzinfo=UTC)
CLOSE = datetime(2013, 10, 8, 20, 0, tzinfo=UTC)
NEXT_OPEN = OPEN + timedelta(days=1)
CALENDAR = ExchangeCalendar(
    DAY, date(2013, 10, 12), [Session(DAY, OPEN, CLOSE), Session(date(2013, 10, 9), NEXT_OPEN, CLOSE)], {}
)
ONE_SECOND = timedelta(seconds=1)
NO_CHANCE = 0.0


def at(clock: str) -> datetime:
    """`10:03` or `10:03:10` in New York, on that Tuesday."""
    parts = [int(part) for part in clock.split(":")]
    return datetime(2013, 10, 8, parts[0] + 4, parts[1], parts[2] if len(parts) > 2 else 0, tzinfo=UTC)


def a_bar(clock: str | datetime, symbol: Symbol = SPY, close: str = "100.5", place: str = "test") -> BarArrived:
    start = at(clock) if isinstance(clock, str) else clock
    prices = [Price(Decimal(text)) for text in ("100", "101", "99", close)]
    return BarArrived(Bar(symbol, start, prices[0], prices[1], prices[2], prices[3], Quantity(Decimal(500))), place)


def clocks(minutes: list[Minute]) -> list[str]:
    """New York minutes of bars, and the reasons of what is no bar."""
    return [clock_of(minute.bar) if isinstance(minute, BarArrived) else minute.reason for minute in minutes]


def clock_of(bar: Bar) -> str:
    return f"{bar.start - timedelta(hours=4):%H:%M}"


class Morning:
    """One switch, a market in which each symbol trades in every minute, and the bars that the desk was told of."""

    def __init__(self, start: str, symbols: tuple[Symbol, ...] = (SPY,), silence: float = 20, **known: datetime):
        self.symbols = symbols
        self.now = at(start)
        self.counts = Counts()
        known_bars = {Symbol(symbol): last for symbol, last in known.items()}
        self.switch = StreamFailover(
            Timetable(CALENDAR), timedelta(seconds=silence), lambda: NO_CHANCE, known_bars, self.counts, self.now
        )
        self.told: list[Minute] = []
        self.asked: list[tuple[str, MinuteSpan]] = []
        self.answers = True
        self.speaks = False

    # what the world does

    def the_stream_opens(self) -> None:
        self.switch.line.connecting(self.now)
        self.switch.opened(self.now)
        self.speaks = True

    def the_stream_breaks(self, words: str = "broken off") -> None:
        self.speaks = False
        self.switch.lost(self.now, words)

    def until(self, clock: str) -> None:
        """Second by second: quotes and bars over a stream that speaks, and an answer to what the switch asks."""
        self.lasts(int((at(clock) - self.now).total_seconds()))

    def lasts(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += ONE_SECOND
            self._second()

    def _second(self) -> None:
        now, switch = self.now, self.switch
        if self.speaks:
            if now.second == 0 and OPEN < now <= CLOSE:
                for symbol in self.symbols:
                    self.told += switch.heard_bar(a_bar(now - ONE_MINUTE, symbol), now)
            switch.heard_other(now)
        elif switch.line.opened_at is not None and switch.line.timeout(now) <= timedelta(0):
            switch.ponged(now)
        if (due := switch.next_due()) is not None and due <= now:
            self.told += switch.due(now)
        if (
            (ask_at := switch.catch_up.ask_at(now)) is not None
            and ask_at <= now
            and (span := switch.catch_up.question(now))
        ):
            self._ask(span)

    def _ask(self, span: MinuteSpan) -> None:
        self.asked.append((f"{self.now - timedelta(hours=4):%H:%M:%S}", span))
        if not self.answers:
            self.switch.failed(self.now, Failure("no answer"))
            return
        count = (span.end - span.start) // ONE_MINUTE
        found: list[Minute] = [
            a_bar(span.start + ONE_MINUTE * n, symbol) for symbol in self.symbols for n in range(count)
        ]
        new = self.switch.answered(span, found, self.now)
        self.told += new
        if self.switch.is_proved_mute(new):
            self.the_stream_breaks("open but mute")

    # what the desk has

    def bars(self, symbol: Symbol = SPY) -> list[str]:
        return [clock_of(m.bar) for m in self.told if isinstance(m, BarArrived) and m.bar.symbol == symbol]

    def oddities(self) -> list[str]:
        return [minute.reason for minute in self.told if isinstance(minute, MarketDataBroken)]


def every_minute(first: str, last: str) -> list[str]:
    count = (at(last) - at(first)) // ONE_MINUTE
    return [clock_of(a_bar(at(first) + ONE_MINUTE * n).bar) for n in range(count + 1)]
