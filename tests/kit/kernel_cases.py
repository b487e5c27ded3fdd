"""Backtests of a seed, by the engine and by the research kernel: bars, settings, and the first difference (AN-08).

Bars are windows of recorded minutes and days, or made up: with missing minutes, pauses, gaps and early closes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import gettempdir

import numpy as np

from console.commands.assembly.backtests import new_backtest
from console.commands.assembly.host import Host
from console.commands.assembly.recordings import Recording, recorded, settings_to_play
from console.commands.assembly.settings import backtest_settings
from core.facts import Fact, OrderFilled, TradeClosed
from core.market.calendar import ExchangeCalendar, load_calendar
from core.messages.inputs import BarArrived
from core.model.bar import ONE_MINUTE, Bar, WholeSession
from core.model.position import Trade
from core.model.session import Session
from core.model.values import Price, Quantity, Symbol
from core.research.kernel.arrays import ArrayStrategy
from core.research.kernel.inputs import bars_of
from core.research.kernel.layout import CLOSE, TICK
from core.research.kernel.prepared import Prepared
from core.research.kernel.runs import KernelTrade, NotModelledError, played
from core.research.kernel.signals import Strategy
from core.runtime.feed import Timed, bar_item
from core.settings.settings import Settings
from core.settings.types import WHOLE
from core.strategies.builtin import HOUSE, OF_THE_HOUSE, StrategyKinds
from tests.data import days_of, minutes_of

PROTECTIONS = tuple(name for name, of in Settings().risk.protections if hasattr(of, "enabled"))
OFF = (
    *(f"risk.protections.{name}.enabled=false" for name in PROTECTIONS),
    "risk.daily_loss={usd='1000000'}",
    "risk.weekly_loss={usd='1000000'}",
)
"""Settings without which the kernel rejects nearly every case."""
MINUTES = ("AIG", "BAC", "IBM", "SPY")
DAYS = ("AAPL", "BAC", "EEM", "IBM", "IWM", "QQQ", "SPY", "USO")
HOLIDAYS = (date(2013, 7, 2), date(2013, 11, 27), date(2013, 12, 23), date(2014, 7, 2))
"""Days before an early close."""


ARRAYS = "arrays"
"""The name of the strategy of arrays."""


@dataclass(frozen=True)
class Case:
    """Bars and settings; `words` describe them for a failure. `arrays` is the strategy of arrays, if it is that."""

    recording: Recording
    words: str
    strategy: str = ARRAYS
    arrays: ArrayStrategy | None = None


@dataclass(frozen=True)
class Outcome:
    """What a case gave: `rejected` names what is not modelled, `difference` is the first one; both empty if equal."""

    fills: int = 0
    rejected: str = ""
    difference: str = ""


@cache
def a_host() -> Host:
    folder = Path(gettempdir()) / "keyturn-kernel-cases"
    return Host.of({"KEYTURN_HOME": str(folder), "HOME": str(folder)})


# ── cases ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def case_of(seed: int, number: int) -> Case:
    """Return one case of a seed."""
    draw = Random(f"{seed}/{number}")
    kind = draw.choice(KINDS)
    drawn = {**_exchange(draw), **_risk(draw), **_exits(draw), **_protections(draw)}
    recording = _bars(draw, kind)
    strategy = draw.choice(("sma", *(name for name in HOUSE if name != "vwap" or not recording.is_daily)))
    drawn |= _strategy(draw, strategy, is_daily=recording.is_daily)
    if not recording.is_daily:
        drawn |= _hours(draw, strategy)
    return _played_with(recording, kind, drawn, strategy)


def arrays_case_of(seed: int, number: int) -> Case:
    """Return one case of a seed whose strategy is arrays: entries, limits, stops, targets and exits are drawn."""
    draw = Random(f"{ARRAYS} {seed}/{number}")
    kind = draw.choice(KINDS)
    drawn = {**_exchange(draw), **_risk(draw), **_exits(draw), **_protections(draw)}
    recording = _bars(draw, kind)
    own: dict[str, object] = {"enabled": True}
    if recording.is_daily:
        own |= {"flat_minutes": 0, "holds_overnight": True}
    else:
        own["flat_minutes"] = draw.choice((5, 5, 15))
        drawn |= {
            "risk.window_start": draw.choice(("'09:30'", "'10:00'")),
            "risk.window_end": draw.choice(("'11:30'", "'16:00'", "'16:00'")),
        }
    settings = _settings_of_arrays(recording.settings.symbols[0], drawn, own, is_daily=recording.is_daily)
    recording = replace(recording, settings=settings)
    words = f"{kind} {recording.first:%Y-%m-%d %H:%M} to {recording.last:%Y-%m-%d %H:%M}; {_words(drawn)}"
    return Case(recording, words, arrays=_arrays(draw, recording))


def _arrays(draw: Random, recording: Recording) -> ArrayStrategy:
    """Draw the arrays; some rows are no plan: the stop is not below the limit, or a price is off its tick."""
    bars = bars_of(recording.feeds, recording.calendar, is_daily=recording.is_daily)
    numbers, many = np.random.default_rng(draw.randrange(1 << 32)), len(bars)
    often, apart = draw.choice((0.02, 0.2, 0.9)), draw.choice((3, 30, 300))
    limits = (bars.columns[CLOSE] // TICK + numbers.integers(-apart // 3 - 1, apart // 3 + 2, many)) * TICK
    stops = limits - numbers.integers(0, apart, many) * TICK
    targets = (limits + numbers.integers(1, apart, many) * TICK) * (numbers.random(many) < draw.choice((0, 0.5, 1)))
    is_odd = numbers.random(many) < 0.02
    enters, leaves = (np.asarray(numbers.random(many) < share, np.int64) for share in (often, draw.choice((0, 0.05))))
    return ArrayStrategy(ARRAYS, enters, leaves, limits + is_odd, stops, targets)


def made_up_case(seed: int, drawn: Mapping[str, str], *, is_daily: bool = False) -> Case:
    """Return made-up bars of a seed with these settings."""
    return _played_with(_made_up(Random(seed), is_daily=is_daily), "made up", drawn)


def _played_with(recording: Recording, kind: str, drawn: Mapping[str, str], strategy: str = "sma") -> Case:
    symbol = recording.settings.symbols[0]
    overrides = (f"symbols=['{symbol}']", *OFF, *(f"{name}={value}" for name, value in drawn.items()))
    settings, kinds = settings_to_play(a_host(), overrides, backtest_settings, (strategy,), is_daily=recording.is_daily)
    return Case(
        replace(recording, settings=settings, kinds=kinds),
        f"{kind} {symbol} {recording.first:%Y-%m-%d %H:%M} to {recording.last:%Y-%m-%d %H:%M}; {_words(drawn)}",
        strategy,
    )


def _words(drawn: Mapping[str, str]) -> str:
    return " ".join(f"--set {name}={value}" for name, value in drawn.items())


def _exchange(draw: Random) -> dict[str, str]:
    return {
        "exchange.slippage": draw.choice(("0", "0.0002", "0.00037", "0.002")),
        "exchange.half_spread_ticks": draw.choice(("0", "1", "1", "0.5", "2.25")),
        "exchange.participation": draw.choice(("0.1", "0.1", "0.01", "0.001", "1")),
        "exchange.fee_per_share": draw.choice(("0", "0.005", "0.0035")),
        "exchange.slippage_by_size": draw.choice(("0", "0.0008", "0.00123")),
        "exchange.settlement_days": draw.choice(("0", "1", "1", "2")),
    }


ACCOUNTS = (
    ("200", "{usd='1.50'}", "{usd='50'}"),
    ("100000", "{usd='100'}", "{usd='20000'}"),
    ("100000", "{of_equity='0.01'}", "{of_equity='0.3'}"),
    ("3000", "{of_equity='0.01'}", "{usd='1000'}"),
)
"""Cash, the loss of a trade and the largest order, which fit each other."""


def _risk(draw: Random) -> dict[str, str]:
    cash, loss, most = draw.choice(ACCOUNTS)
    return {
        "exchange.cash": cash,
        "risk.per_trade": loss,
        "risk.max_notional": most,
        "risk.entries_a_day": draw.choice(("1", "3", "1000", "1000")),
        "risk.min_notional": draw.choice(("1", "1", "30")),
        "risk.sizing.atr.enabled": draw.choice(("true", "false")),
        "risk.sizing.atr.multiple": draw.choice(("2", "1", "3.5")),
    }


def _exits(draw: Random) -> dict[str, str]:
    return {
        "exits.profit_target": draw.choice(("0.02", "0.001", "0.0033", "0")),
        "exits.stale_days": draw.choice(("5", "2", "0")),
        "exits.max_days": draw.choice(("0", "0", "9")),
        "exits.enabled": draw.choice(("true", "true", "false")),
    }


def _protections(draw: Random) -> dict[str, str]:
    """Return none, or some of those that count trades, with limits that trip often."""
    if draw.random() < 0.4:
        return {}
    drawn = {
        "cooldown": {"loss": draw.choice(("0", "0.001", "0.0000000001")), "stop_minutes": draw.choice(("15", "240"))},
        "loss_streak": {"trade_limit": draw.choice(("1", "2")), "stop_minutes": draw.choice(("31", "4000"))},
        "stop_loss_guard": {
            "consecutive": draw.choice(("true", "false")),
            "per": draw.choice(("symbol", "both")),
            "trade_limit": draw.choice(("1", "2", "3")),
            "required_profit": draw.choice(("0", "-0.001")),
            "lookback_minutes": draw.choice(("120", "10080")),
            "stop_minutes": draw.choice(("30", "3000")),
        },
        "low_profit": {
            "trade_limit": draw.choice(("1", "2", "3")),
            "required_profit": draw.choice(("-0.001", "0", "0.002")),
            "lookback_minutes": draw.choice(("90", "1440", "20000")),
            "stop_minutes": draw.choice(("60", "3000")),
        },
        "max_drawdown": {
            "method": draw.choice(("current", "within")),
            "limit": draw.choice(("0", "0.0005", "0.0001")),
            "trade_limit": draw.choice(("1", "2")),
            "lookback_minutes": draw.choice(("180", "1440", "10080")),
            "stop_minutes": draw.choice(("45", "2880")),
        },
    }
    chosen = draw.sample(sorted(drawn), draw.choice((1, 1, 2, 5)))
    return {
        f"risk.protections.{name}.{key}": value
        for name in chosen
        for key, value in {"enabled": "true", **drawn[name]}.items()
    }


WINDOWS = ("['10:00-11:30', '14:00-15:45']", "['09:00-10:15']")
"""Of a strategy, within the account's."""


def _hours(draw: Random, strategy: str) -> dict[str, str]:
    return {
        "risk.window_start": draw.choice(("'09:30'", "'10:00'")),
        "risk.window_end": draw.choice(("'11:30'", "'16:00'", "'16:00'")),
        f"strategies.{strategy}.flat_minutes": draw.choice(("5", "5", "15")),
        f"strategies.{strategy}.limits.windows": draw.choice(("[]", "[]", "[]", *WINDOWS)),
        f"strategies.{strategy}.limits.entries_a_day": draw.choice(("10000", "10000", "10000", "2")),
    }


def _strategy(draw: Random, strategy: str, *, is_daily: bool) -> dict[str, str]:
    """Return the settings of a built-in strategy."""
    own = {
        "sma": _sma,
        "vwap": _vwap,
        "momentum": _momentum,
        "breakout": _breakout,
        "mean_reversion": _mean_reversion,
    }[strategy](draw, is_daily)
    own["quantity_step"] = draw.choice(("0.001", "0.001", "1", "0.1"))
    if strategy != "vwap":
        own["range_bars"] = draw.choice(("14", "5", "2"))
        own["stop_ranges"] = draw.choice(("2", "1", "0.7", "4"))
        own["target_ranges"] = draw.choice(("0", "0", "1.5", "3", "0.4"))
    return {f"strategies.{strategy}.{name}": value for name, value in own.items()}


def _sma(draw: Random, is_daily: bool) -> dict[str, str]:
    return {
        "pairs": draw.choice(("[[3,8],[5,12]]", "[[2,5]]", "[[5,15],[10,30],[20,50]]", "[[1,2],[2,3]]")),
        "regime_filter": draw.choice(("true", "false", "false")),
        "regime_bars": "20" if is_daily else draw.choice(("120", "30")),
        "minimum_confidence": draw.choice(("0", "0", "0.6")),
    }


def _vwap(draw: Random, _is_daily: bool) -> dict[str, str]:
    return {
        "entry_deviation": draw.choice(("0.003", "0.001", "0.0004")),
        "stop_fraction": draw.choice(("0.003", "0.001", "0.01")),
        "minimum_bars": draw.choice(("20", "1", "5")),
        "minimum_volume": draw.choice(("1000", "0", "2500.5")),
        "filters.enabled": draw.choice(("false", "false", "true")),
        "filters.distance": draw.choice(("1.5", "0", "1")),
        "filters.bar_volume": draw.choice(("0", "150.5", "4000")),
        "filters.slope_bars": draw.choice(("0", "0", "3")),
    }


def _momentum(draw: Random, is_daily: bool) -> dict[str, str]:
    return {
        "bars": draw.choice(("10", "3", "1")),
        "minimum_gain": draw.choice(("0.003", "0.001", "0", "0.02" if is_daily else "0.0005")),
        "strength_bars": draw.choice(("14", "4")),
        "strength_limit": draw.choice(("80", "100", "75")),
        "volume_bars": draw.choice(("20", "3")),
        "volume_factor": draw.choice(("1.2", "0", "1")),
    }


def _breakout(draw: Random, _is_daily: bool) -> dict[str, str]:
    return {
        "bars": draw.choice(("20", "5", "2")),
        "buffer": draw.choice(("0.0005", "0", "0.0001")),
        "confirming_bars": draw.choice(("5", "1", "12")),
        "counted_bars": draw.choice(("60", "10", "390")),
        "maximum_false": draw.choice(("3", "1", "1000")),
        "volume_bars": draw.choice(("20", "3")),
        "volume_factor": draw.choice(("1.2", "0", "1")),
    }


def _mean_reversion(draw: Random, is_daily: bool) -> dict[str, str]:
    return {
        "bars": draw.choice(("20", "5", "2")),
        "deviations": draw.choice(("2", "1", "0.5")),
        "max_hold_hours": draw.choice(("30", "200") if is_daily else ("2", "0.1", "0.3333")),
    }


KINDS = ("minutes", "days", "synthetic", "synthetic", "synthetic days")

# ── bars ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _bars(draw: Random, kind: str) -> Recording:
    if kind == "minutes":
        return _minutes(draw, draw.choice(MINUTES))
    if kind == "days":
        return _days(draw, draw.choice(DAYS))
    return _made_up(draw, is_daily=kind == "synthetic days")


@cache
def _read(path: Path, symbol: str) -> Recording:
    return recorded(a_host(), [path], (), (f"symbols=['{symbol}']",), backtest_settings, ("sma",), "")


def _minutes(draw: Random, symbol: str) -> Recording:
    """Return a part of recorded minutes, of a day or more, with their pre-market."""
    whole = _read(minutes_of(symbol), symbol)
    feed = whole.feeds[0]
    first = draw.randrange(0, len(feed) - 400)
    return _of(whole, list(islice(feed, first, first + draw.randrange(200, 900))))


def _days(draw: Random, symbol: str) -> Recording:
    whole = _read(days_of(symbol), symbol)
    feed = whole.feeds[0]
    first = draw.randrange(0, len(feed) - 100)
    return _of(whole, list(islice(feed, first, first + draw.randrange(60, 300))))


def _of(whole: Recording, feed: list[Timed]) -> Recording:
    starts = tuple(item.bar.start for _, _, item in feed[:1] if isinstance(item, BarArrived))
    return replace(whole, feeds=[feed], first=feed[0][0], last=feed[-1][0], starts=starts)


def _made_up(draw: Random, *, is_daily: bool) -> Recording:
    """Return made-up bars over some sessions, an early close among them."""
    begin = draw.choice(HOLIDAYS) - timedelta(days=draw.randrange(0, 3) + (90 if is_daily else 0))
    calendar = load_calendar(begin - timedelta(days=7), begin + timedelta(days=400))
    prices = _Prices(draw)
    sessions = [s for s in calendar.sessions() if s.day >= begin][
        : draw.randrange(60, 250) if is_daily else draw.randrange(1, 4)
    ]
    if is_daily:
        feed = [_day(prices, session, calendar) for session in sessions]
    else:
        feed = [item for session in sessions for item in _session(draw, prices, session)]
    settings, _ = settings_to_play(a_host(), ("symbols=['SPY']",), backtest_settings, ("sma",), is_daily=is_daily)
    first = feed[0][0]
    return Recording(settings, OF_THE_HOUSE, calendar, [feed], first, feed[-1][0], (first,), is_daily=is_daily)


def _day(prices: _Prices, session: Session, calendar: ExchangeCalendar) -> Timed:
    whole = WholeSession(session.close - session.open, calendar.next_session(session.open).open)
    return bar_item(BarArrived(prices.bar(session.open, gap=True), str(session.day), whole))


def _session(draw: Random, prices: _Prices, session: Session) -> list[Timed]:
    """Return the minutes of a session: some are missing, and sometimes the symbol does not trade for long.

    Those before the close are often all there: a position that meets no bar then is not modelled.
    """
    missing = draw.choice((0.0, 0.0, 0.02, 0.3))
    missing_at_end = draw.choice((0.0, 0.0, 0.6))
    minutes = (session.close - session.open) // ONE_MINUTE
    end = minutes - (20 if missing_at_end else 8)
    pause = draw.randrange(minutes) if draw.random() < 0.3 else minutes
    lasts = draw.randrange(5, 40)
    found: list[Timed] = []
    for minute in range(minutes):
        is_paused = minute < end and pause <= minute < pause + lasts
        if is_paused or draw.random() < (missing if minute < end else missing_at_end):
            continue
        at = session.open + minute * ONE_MINUTE
        found.append(bar_item(BarArrived(prices.bar(at, gap=not found), f"{at:%H:%M}")))
    return found


class _Prices:
    """A random walk in hundredths of a cent."""

    def __init__(self, draw: Random) -> None:
        self._draw = draw
        self._tick = draw.choice((100, 100, 1))
        self._price = draw.choice((60_000, 480_000, 1_700_000, 9_000_000))
        self._swing = self._price * draw.choice((3, 10, 40)) // 10_000
        self._volume = draw.choice((200, 5_000, 400_000))

    def bar(self, at: datetime, *, gap: bool) -> Bar:
        draw, swing = self._draw, self._swing
        begins = self._price + (
            draw.randrange(-4 * swing, 4 * swing + 1) if gap else draw.randrange(-swing // 2, swing // 2 + 1)
        )
        ends = begins + draw.randrange(-swing, swing + 1)
        begins, ends = (max(price // self._tick * self._tick, 30_000) for price in (begins, ends))
        high = max(begins, ends) + draw.choice((0, draw.randrange(0, swing + 1) // self._tick * self._tick))
        low = max(min(begins, ends) - draw.choice((0, draw.randrange(0, swing + 1) // self._tick * self._tick)), 25_000)
        self._price = ends
        volume = draw.choice((draw.randrange(0, 2 * self._volume), self._volume))
        opened, top, bottom, close = (Price(Decimal(price).scaleb(-4)) for price in (begins, high, low, ends))
        return Bar(Symbol("SPY"), at, opened, top, bottom, close, Quantity(Decimal(volume)))


# ── both, side by side ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Rows:
    """What a backtest gave: each fill, each closed trade, and the account at each close."""

    fills: Sequence[object]
    trades: Sequence[tuple[object, ...]]
    days: Sequence[object]

    @property
    def exits(self) -> list[object]:
        """The reason of each trade's exit."""
        return [trade[-1] for trade in self.trades]


def of_the_engine(recording: Recording) -> Rows:
    """Play a recording by the engine."""
    backtest, _journal = new_backtest(recording, 1)
    state = backtest.runtime.engine.state
    fills, trades = list[object](), list[tuple[object, ...]]()

    def hear(_sequence: int, _at: datetime, fact: Fact) -> None:
        if isinstance(fact, OrderFilled):
            order = state.ledger.order(fact.fill.client_order_id)
            side = None if order is None else order.request.side
            fills.append((fact.fill.at, side, fact.fill.quantity, fact.fill.price))
        elif isinstance(fact, TradeClosed):
            trades.append(_trade(fact.trade))

    state.add_listener(hear)
    backtest.run(lambda _done, _whole: None)
    return Rows(fills, trades, [(each.day, each.equity) for each in backtest.series[1:]])


def of_the_kernel(
    recording: Recording, strategy: Strategy | None = None, *, fault: int = 0, bars: Prepared | None = None
) -> Rows:
    """Play a recording by the kernel; `bars` are its own, if they were read. Raises `NotModelledError`."""
    read = bars or bars_of(recording.feeds, recording.calendar, is_daily=recording.is_daily)
    run = played(recording.settings, read, strategy, fault=fault)
    fills = [(fill.at, fill.side, fill.quantity, fill.price) for fill in run.fills]
    days = [(day, float(worth)) for day, worth in zip(run.days, run.equity, strict=True)]
    return Rows(fills, [_trade(trade) for trade in run.trades], days)


def _trade(t: Trade | KernelTrade) -> tuple[object, ...]:
    return (t.entry_time, t.exit_time, t.quantity, t.entry_price, t.exit_price, t.profit, t.exit_reason)


def difference(engine: Rows, kernel: Rows) -> str:
    """Return the first row that differs; empty if none does."""
    return (
        _first("fill", engine.fills, kernel.fills)
        or _first("trade", engine.trades, kernel.trades)
        or _first("day", engine.days, kernel.days)
    )


def compared(case: Case) -> Outcome:
    """Play a case by the kernel and, unless that rejects it, by the engine."""
    try:
        ours = of_the_kernel(case.recording, case.arrays)
    except NotModelledError as error:
        return Outcome(rejected=str(error))
    recording = case.recording if case.arrays is None else with_arrays(case, case.arrays)
    return Outcome(len(ours.fills), difference=difference(of_the_engine(recording), ours))


def _first(what: str, theirs: Sequence[object], ours: Sequence[object]) -> str:
    for number in range(max(len(theirs), len(ours))):
        pair = [rows[number] if number < len(rows) else None for rows in (theirs, ours)]
        if pair[0] != pair[1]:
            return f"{what} {number + 1}: engine {_row(pair[0])}, kernel {_row(pair[1])}"
    return ""


def _row(row: object) -> str:
    return " ".join(map(str, row)) if isinstance(row, tuple) else str(row)


# ── bars by hand, and a strategy of arrays ───────────────────────────────────────────────────────────────────────────


def by_hand(
    changed: Mapping[int, tuple[str, str, str, str, int]],
    drawn: Mapping[str, str],
    *,
    minutes: Iterable[int] = range(390),
    strategy: str = ARRAYS,
) -> Case:
    """Return quiet minutes at 100.00 USD but for those of these numbers: four prices and a volume.

    `minutes` are those that have a bar; those of the second session begin at 390.
    """
    calendar = load_calendar(date(2013, 10, 1), date(2013, 10, 31))
    sessions = [each for each in calendar.sessions() if each.day >= date(2013, 10, 8)]
    feed = []
    for minute in minutes:
        *prices, volume = changed.get(minute, ("100", "100.02", "99.98", "100", 100_000))
        opened, high, low, close = (Price(Decimal(price)) for price in prices)
        at = sessions[minute // 390].open + minute % 390 * ONE_MINUTE
        bar = Bar(Symbol("SPY"), at, opened, high, low, close, Quantity(Decimal(volume)))
        feed.append(bar_item(BarArrived(bar, f"{minute}")))
    first = sessions[0].open
    whole = _settings_of_arrays("SPY", drawn, {"enabled": True}, is_daily=False)
    recording = Recording(whole, OF_THE_HOUSE, calendar, [feed], first, feed[-1][0], (first,), is_daily=False)
    return Case(recording, "by hand") if strategy == ARRAYS else _played_with(recording, "by hand", drawn, strategy)


def _settings_of_arrays(
    symbol: str, drawn: Mapping[str, str], own: Mapping[str, object], *, is_daily: bool
) -> Settings:
    overrides = (
        f"symbols=['{symbol}']",
        "strategies.vwap.enabled=false",
        *OFF,
        *(f"{key}={value}" for key, value in drawn.items()),
    )
    settings, _ = settings_to_play(a_host(), overrides, backtest_settings, (), is_daily=is_daily)
    values = settings.model_dump(context=WHOLE)
    values["strategies"]["own"] = {ARRAYS: own}
    return Settings.model_validate(values)


def with_arrays(case: Case, strategy: ArrayStrategy) -> Recording:
    """Return the recording with the same arrays for the engine."""
    recording = case.recording
    bars = bars_of(recording.feeds, recording.calendar, is_daily=recording.is_daily)
    kinds = StrategyKinds({**HOUSE, strategy.name: strategy.kind(bars)}, {})
    return replace(recording, kinds=kinds)


def with_a_setting(recording: Recording, line: str) -> Recording:
    """Return the recording with one setting, `name=value` as in a settings file, for the kernel."""
    name = line.partition("=")[0]
    values = recording.settings.model_dump(context=WHOLE)
    *tables, last = name.split(".")
    table = values
    for each in tables:
        table = table[each]
    table[last] = tomllib.loads(line.replace(name, "x"))["x"]
    return replace(recording, settings=Settings.model_validate(values))
