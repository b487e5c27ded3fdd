"""A plain strategy on daily bars, and which protection would have stopped it: dips are bought, and sold when over.

A close 2 % under the mean of the last 20 is bought at the next open. It is sold at the open after a close over that
mean, or at its stop 5 % under what was paid, the open where the market gaps through it. Each protection is asked before
the entry, by the program's own book of them; the loss of the week and the entries of the range likewise, by the
profile's limits and the size that it gives. What the equity curve refuses goes on as a shadow.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from core.files.csv_files import Table, text_of
from core.model.session import XNYS
from core.model.signal import ExitReason
from core.model.sizing import DailyBar, MarketMeasure
from core.model.values import Money, Price, Symbol
from core.risk.day import monday_of
from core.risk.protections.closed_trades import ClosedTrade, Direction, ratio_of
from core.risk.protections.protection import Scope
from core.risk.protections.protection_registry import NAMES, ProtectionBook
from core.risk.regime import MarketFold, entries_allowed
from core.settings.settings import PROFILES, Settings

SYMBOLS = (Symbol("SPY"), Symbol("QQQ"), Symbol("IWM"))
SEASONS = (2008, 2020)
MEAN_OF, DIP, STOP = 20, Decimal("0.98"), Decimal("0.95")
OPEN, NOON, CLOSE = time(9, 30), time(12), time(16)
STRATEGY = "dips"


@dataclass(frozen=True, slots=True)
class Day:
    """A bar with its open."""

    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


@dataclass(frozen=True, slots=True)
class Dip:
    """One trade of the strategy as the market gave it, whoever took it."""

    symbol: Symbol
    bought: datetime
    sold: datetime
    paid: Decimal
    got: Decimal
    is_stop_out: bool

    @property
    def ratio(self) -> Decimal:
        return self.got / self.paid - 1


@dataclass(frozen=True, slots=True)
class Row:
    """What one check refused in a season; `reason` is the first refusal's."""

    name: str
    refused: int
    first: date
    last: date
    reason: str


@dataclass(slots=True)
class Season:
    """A year under a profile."""

    profile: str
    year: int
    dips: int = 0
    taken: int = 0
    made_by_all: Decimal = Decimal(0)
    made: Decimal = Decimal(0)
    refusals: dict[str, list[tuple[date, str]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def rows(self) -> list[Row]:
        found = [Row(name, len(told), told[0][0], told[-1][0], told[0][1]) for name, told in self.refusals.items()]
        return sorted(found, key=lambda row: (row.first, row.name))

    @property
    def stopped_first(self) -> tuple[date, str] | None:
        rows = self.rows
        return (rows[0].first, rows[0].name) if rows else None


def seasons_of(data: Path, year: int) -> Iterator[Season]:
    """The year under each profile. The bars begin two months earlier where the file has them."""
    bars = {symbol: days_of(data / f"{symbol}_daily_2008_on.csv") for symbol in SYMBOLS}
    markets = labels_of(bars[SYMBOLS[0]])
    dips = sorted(
        (dip for symbol in SYMBOLS for dip in dips_of(symbol, bars[symbol]) if dip.bought.year == year),
        key=lambda dip: (dip.bought, dip.symbol),
    )
    closes = {symbol: {bar.day: bar.close for bar in bars[symbol]} for symbol in SYMBOLS}
    for profile in PROFILES:
        yield Played(profile, year, closes, markets).through(dips)


def days_of(path: Path) -> list[Day]:
    names = ("date", "open", "high", "low", "close")
    return [
        Day(date.fromisoformat(row["date"]), *(Decimal(row[name]) for name in names[1:]))
        for row in Table(path, text_of(path), "day").records(names)
    ]


def dips_of(symbol: Symbol, bars: list[Day]) -> Iterator[Dip]:
    """Every trade of the strategy, one after the other."""
    closes: deque[Decimal] = deque(maxlen=MEAN_OF)
    bought: tuple[datetime, Decimal] | None = None
    wants = ""
    for bar in bars:
        if wants == "buy":
            bought = at(bar.day, OPEN), bar.open
        elif wants == "sell" and bought is not None:
            yield Dip(symbol, bought[0], at(bar.day, OPEN), bought[1], bar.open, is_stop_out=False)
            bought = None
        wants = ""
        if bought is not None and bar.low <= (stop := bought[1] * STOP):
            yield Dip(symbol, bought[0], at(bar.day, NOON), bought[1], min(stop, bar.open), is_stop_out=True)
            bought = None
        closes.append(bar.close)
        mean = sum(closes) / len(closes)
        if len(closes) == MEAN_OF and bought is None and bar.close < mean * DIP:
            wants = "buy"
        elif bought is not None and bar.close > mean:
            wants = "sell"


def labels_of(bars: list[Day]) -> Mapping[date, MarketMeasure]:
    """The market as it is known before each day."""
    fold, known, found = MarketFold(SYMBOLS[0]), None, {}
    for bar in bars:
        if known is not None:
            found[bar.day] = known
        known = fold.take(DailyBar(bar.day, Price(bar.high), Price(bar.low), Price(bar.close)))
    return found


def at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, XNYS.zone)


class Played:
    """One account of a profile, on which the dips arrive in order of time."""

    def __init__(
        self,
        profile: str,
        year: int,
        closes: Mapping[Symbol, Mapping[date, Decimal]],
        markets: Mapping[date, MarketMeasure],
    ) -> None:
        self.settings = Settings.model_validate({"profile": profile, **PROFILES[profile]})
        self.season = Season(profile, year)
        self.closes, self.markets = closes, markets
        self.book = ProtectionBook(lambda: self.settings.risk.protections)
        self.cash = self.settings.exchange.cash
        self.open: list[tuple[Dip, Decimal, str]] = []
        self.opened_on: dict[date, Decimal] = {}
        self.opened_in: dict[date, Decimal] = {}
        self.entries: dict[date, int] = defaultdict(int)

    def through(self, dips: list[Dip]) -> Season:
        for dip in dips:
            self._close_until(dip.bought)
            self._begin(dip.bought)
            self.season.dips += 1
            self.season.made_by_all += dip.ratio
            refusals = dict(self._refusals(dip))
            for name, reason in refusals.items():
                self.season.refusals[name].append((dip.bought.date(), reason))
            if not refusals:
                self.season.taken += 1
                self.season.made += dip.ratio
                self.entries[dip.bought.date()] += 1
                self.open.append((dip, self._stake(dip), "taken"))
            elif "equity_curve" in refusals:
                self.open.append((dip, Decimal(0), "shadow"))
        self._close_until(at(date(self.season.year + 1, 2, 1), CLOSE))
        return self.season

    def _refusals(self, dip: Dip) -> Iterator[tuple[str, str]]:
        entry = Scope(dip.symbol, Direction.LONG, STRATEGY)
        for name in NAMES:
            for lock, _ in self.book.on_entry(name, entry, dip.bought):
                yield name, lock.reason
        risk, day = self.settings.risk, dip.bought.date()
        market = self.markets.get(day)
        allowed = entries_allowed(risk.entries_a_day, market, day, risk.frequency) if market is not None else None
        most = allowed.entries if allowed is not None else risk.entries_a_day
        if allowed is not None and allowed.is_shut:
            yield "trade frequency", allowed.reason
        elif self.entries[day] >= most:
            yield "entries a day", f"{most} a strategy"
        if sum(1 for _, _, kind in self.open if kind == "taken") >= risk.max_open_positions:
            yield "open positions", f"{risk.max_open_positions} at a time"
        week = self.opened_in[monday_of(day)]
        limit, lost = risk.weekly_loss.of(week), week - self._equity(day)
        if limit is not None and lost >= limit:
            yield "weekly loss", f"{lost:,.2f} USD lost this week, the limit is {limit:,.2f} USD"

    def _begin(self, moment: datetime) -> None:
        """The account's figures at the opening of a day and a week."""
        day = moment.date()
        if day in self.opened_on:
            return
        equity = self._equity(day)
        self.opened_on[day] = equity
        self.opened_in.setdefault(monday_of(day), self._equity(monday_of(day)))
        self.book.begin_day(moment, Money(equity))

    def _equity(self, day: date) -> Decimal:
        """USD, positions at the last close before the day."""
        return self.cash + sum(
            (stake * (self._mark(dip, day) / dip.paid - 1) for dip, stake, _ in self.open), Decimal(0)
        )

    def _mark(self, dip: Dip, day: date) -> Decimal:
        closes = self.closes[dip.symbol]
        for back in range(1, 10):
            before = day - timedelta(days=back)
            if before < dip.bought.date():
                break
            if before in closes:
                return closes[before]
        return dip.paid

    def _stake(self, dip: Dip) -> Decimal:
        """USD: what the profile's risk allows at this stop, within its largest order."""
        risk, equity = self.settings.risk, self.opened_on[dip.bought.date()]
        amount, most = risk.per_trade.of(equity), risk.max_notional.of(equity)
        assert amount is not None
        assert most is not None
        return min(amount / (1 - STOP), most)

    def _close_until(self, moment: datetime) -> None:
        over = sorted((held for held in self.open if held[0].sold <= moment), key=lambda held: held[0].sold)
        for held in over:
            dip, stake, kind = held
            self._begin(dip.sold)
            self.open.remove(held)
            self.cash += stake * dip.ratio
            trade = ClosedTrade(
                symbol=dip.symbol,
                direction=Direction.LONG,
                opened_at=dip.bought,
                closed_at=dip.sold,
                ratio=ratio_of(dip.ratio),
                exit_reason=ExitReason.STOP_LOSS if dip.is_stop_out else ExitReason.MEAN_REVERSION,
                profit=Money(stake * dip.ratio),
                strategy=STRATEGY,
                is_shadow=kind == "shadow",
            )
            if kind == "shadow":
                self.book.take_shadow(trade)
            else:
                self.book.take(trade)
