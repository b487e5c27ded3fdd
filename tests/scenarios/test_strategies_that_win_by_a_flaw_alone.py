"""Strategies that a backtest would have to be wrong to pay: each would win by one flaw of it, and wins nothing.

Their market is a fair game: prices walk by chance, tick by tick, and bars are made of the walk. On a fair game nobody
wins; who does has seen the future, or was paid a price that nobody offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from core.market.calendar import load_calendar
from core.model.bar import ONE_MINUTE, Bar
from core.model.broker import OrderReport
from core.model.order import OrderClass, OrderRequest, Side
from core.model.quote import Feed, Quote
from core.model.values import Price, Quantity
from tests.scenarios.backtests import HEADER, Keyturn
from tests.unit.core.brokers.trading_floor import SPY, Floor, a_stop_leg, a_target_leg, an_order, at

ARRIVES = timedelta(milliseconds=100)
"""After a bar has ended, what its strategy said is at the exchange."""
TICKS_A_MINUTE = 60
FULL = Quantity(Decimal(100_000))


def cents(number: int) -> Price:
    return Price(Decimal(number) / 100)


def a_fair_walk(seed: str, count: int, begins: int = 10_000) -> Iterator[tuple[Price, Price, Price, Price]]:
    """Open, high, low and close of minutes, each of so many steps of a cent, up or down by chance."""
    chance, price = Random(seed), begins
    for _ in range(count):
        walked = [price]
        for _ in range(TICKS_A_MINUTE):
            walked.append(walked[-1] + chance.choice((-1, 1)))
        price = walked[-1]
        yield cents(walked[0]), cents(max(walked)), cents(min(walked)), cents(price)


def a_session_of(walk: Iterator[tuple[Price, Price, Price, Price]]) -> list[Bar]:
    return [Bar(SPY, at("09:30") + number * ONE_MINUTE, *prices, FULL) for number, prices in enumerate(walk)]


Strategy = Callable[[Bar], OrderRequest | None]


@dataclass
class Played:
    """What a strategy came to that was shown each bar when it had ended, and was out again at the end of the next."""

    profit: Decimal
    entries: int
    decided: int


def played(bars: list[Bar], strategy: Strategy, quotes: Callable[[Bar], Quote] | None = None) -> Played:
    floor = Floor(multiplier=Decimal(4), cash=Decimal(1_000_000))
    exchange, sent = floor.exchange, list[OrderRequest]()
    for number, bar in enumerate(bars):
        exchange.begin_bar(bar)
        if quotes is not None:
            exchange.take_quote(quotes(bar))
        if number:
            is_out(floor, sent[-1:], bar.start + ARRIVES)
            if (order := strategy(bars[number - 1])) is not None:
                exchange.submit(bar.start + ARRIVES, order)
                sent.append(order)
        exchange.advance(bar.end - ARRIVES)
    is_out(floor, sent[-1:], bars[-1].end - ARRIVES)
    entered = sum(1 for order in sent if reported(floor, order).filled_quantity)
    return Played(exchange.account(bars[-1].end).equity - 1_000_000, entered, exchange.tally.decided_by_the_path)


def is_out(floor: Floor, sent: list[OrderRequest], moment: datetime) -> None:
    """What the last order left working is cancelled, and what is held goes at the market."""
    for order in sent:
        for report in (reported(floor, order), *reported(floor, order).legs):
            floor.exchange.cancel(moment, report.client_order_id)
    held = floor.exchange._ledger.quantity(SPY)
    if held:
        side = Side.SELL if held > 0 else Side.BUY
        floor.exchange.submit(moment, an_order(f"out-{moment:%H%M%S}", side, str(abs(held))))


def reported(floor: Floor, order: OrderRequest) -> OrderReport:
    found = floor.exchange.order(floor.exchange._matching.now, order.client_order_id)
    assert isinstance(found, OrderReport)
    return found


# ── the order of high and low ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("side", Side)
def test_who_buys_low_and_sells_high_inside_one_bar_wins_nothing(side: Side) -> None:
    """AN-04, MD-05: an entry a few cents away and a target as far beyond the close, each minute; and its mirror."""
    bars = a_session_of(a_fair_walk("high and low", 200))
    towards = 1 if side is Side.BUY else -1

    def bracket(bar: Bar) -> OrderRequest:
        entry, target, stop = (bar.close + towards * Decimal(step) for step in ("-0.03", "0.02", "-1"))
        legs = (a_stop_leg(str(stop)), a_target_leg(str(target)))
        return an_order(f"in-{bar.start:%H%M}", side, "10", limit=str(entry), order_class=OrderClass.BRACKET, legs=legs)

    came_to = played(bars, bracket)

    assert came_to.entries > 50
    assert came_to.decided > 10, "bars in which the order of high and low would have made the trade"
    assert came_to.profit <= 0


# ── fills at the middle ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("side", Side)
def test_who_trades_at_the_last_price_inside_a_wide_quote_wins_nothing(side: Side) -> None:
    """AN-04, MD-05: trades bounce between bid and ask; who had them at the last price would earn the bounce."""
    chance = Random("bounce")
    lasts = [cents(10_000 + chance.choice((-4, 4))) for _ in range(200)]
    bars = a_session_of((last, last, last, last) for last in lasts)

    def bounce(bar: Bar) -> OrderRequest | None:
        is_cheap = (bar.close < 100) == (side is Side.BUY)
        return an_order(f"in-{bar.start:%H%M}", side, "10", limit=str(bar.close)) if is_cheap else None

    def quoted(bar: Bar) -> Quote:
        return Quote(SPY, bar.start, cents(9_995), FULL, cents(10_005), FULL, Feed.RECORDED)

    came_to = played(bars, bounce, quoted)

    assert came_to.profit <= 0


# ── looking ahead, and survivors ─────────────────────────────────────────────────────────────────────────────────────

LOOKS_AHEAD = '''
"""Buys what has just risen, as if it had bought before, and sells a minute later."""

from dataclasses import dataclass
from decimal import Decimal

from core.strategies.kit import NO_SETUP, Answer, Bar, Context, ExitReason, NoSettings, OwnStrategy


@dataclass(slots=True)
class Nothing:
    """It remembers nothing."""

    seen: int = 0


class Ahead(OwnStrategy):
    name = "ahead"
    Settings = NoSettings
    State = Nothing

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        self.state.seen += 1
        if context.entry_price is not None:
            return self.sell(bar, context, ExitReason.TAKE_PROFIT, "a minute is over")
        if refusal := self.refusal(bar, context):
            return refusal
        if bar.close - bar.open < Decimal("0.05"):
            return NO_SETUP
        return self.buy(bar, context, stop=bar.close - 1, reason="it has risen")
'''

KEEPS_LOSERS = '''
"""Buys each morning, sells what has gained and never what has lost: all that it closes has won."""

from dataclasses import dataclass
from decimal import Decimal

from core.strategies.kit import Answer, Bar, Context, ExitReason, NoSettings, OwnStrategy, NO_SETUP


@dataclass(slots=True)
class Nothing:
    """It remembers nothing."""

    seen: int = 0


class Survivors(OwnStrategy):
    name = "survivors"
    Settings = NoSettings
    State = Nothing

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        self.state.seen += 1
        entry = context.entry_price
        if entry is not None:
            has_won = bar.close >= entry * Decimal("1.001")
            return self.sell(bar, context, ExitReason.TAKE_PROFIT, "it has won") if has_won else NO_SETUP
        if refusal := self.refusal(bar, context):
            return refusal
        return self.buy(bar, context, stop=bar.close / 2, reason="it is cheap")
'''

FREE = (
    *("--profile", "swing", "--without-frictions", "--json"),
    *("--set", "risk.entries_a_day=500", "--set", "risk.window_start='09:30'", "--set", "risk.window_end='15:50'"),
    *("--set", "evaluation.enabled=false"),
)


@pytest.fixture
def own(tmp_path: Path, keyturn: Keyturn) -> Callable[[str, str, str], None]:
    """Writes a strategy of one's own, and turns it on."""

    def write(name: str, text: str, terms: str = "") -> None:
        folder = tmp_path / "home" / "strategies"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").write_text(text.lstrip())
        (tmp_path / "home" / "settings.toml").write_text(
            f"[strategies.vwap]\nenabled = false\n\n[strategies.{name}]\nenabled = true\n{terms}"
        )

    return write


def a_file(path: Path, seed: str, drift: int = 0) -> tuple[Path, list[Bar]]:
    """A morning of a fair walk, of which `drift` cents more are taken off from minute to minute."""
    session = next(iter(load_calendar(date(2026, 1, 5), date(2026, 1, 9)).sessions()))
    bars = []
    for number, prices in enumerate(a_fair_walk(seed, 90)):
        opened, high, low, close = (Price(price - Decimal(number * drift) / 100) for price in prices)
        bars.append(Bar(SPY, session.open + number * ONE_MINUTE, opened, high, low, close, FULL))
    rows = (f"{b.start:%Y-%m-%dT%H:%M:%SZ},{b.open},{b.high},{b.low},{b.close},{b.volume}" for b in bars)
    path.write_text("\n".join([f"timestamp,{HEADER}", *rows]) + "\n")
    return path, bars


def test_who_buys_what_has_just_risen_is_not_paid_the_rise(
    keyturn: Keyturn, own: Callable[..., None], tmp_path: Path
) -> None:
    """AN-04: bought where the bar began that it had seen, it would have won each time; it is bought after it."""
    path, bars = a_file(tmp_path / "SPY_walk.csv", "ahead")
    own("ahead", LOOKS_AHEAD)

    found = keyturn("backtest", path, "--strategy", "ahead", *FREE).json

    seen = {bar.start.isoformat().replace("+00:00", "Z"): bar for bar in bars}
    entries = [proposal for proposal in found["proposals"] if proposal["effect"] == "open"]
    rise = sum(seen[each["time"]].close - seen[each["time"]].open for each in entries)
    gained = sum(Decimal(each["exit_price"]) - Decimal(each["entry_price"]) for each in found["trades"])
    assert rise > Decimal("0.5")
    assert len(found["trades"]) >= 5
    assert gained < rise
    ends = [seen[each["time"]].end for each in entries]
    for trade in found["trades"]:
        entered = datetime.fromisoformat(trade["entry_time"])
        assert any(timedelta(0) < entered - end < timedelta(seconds=95) for end in ends), "after the bar that spoke"


def test_who_never_sells_a_loser_has_lost_it_all_the_same(
    keyturn: Keyturn, own: Callable[..., None], tmp_path: Path
) -> None:
    """AN-04, AN-01: every trade that it closed has won, and the one that it kept counts as what it is worth."""
    path, _ = a_file(tmp_path / "SPY_walk.csv", "survivors", drift=1)
    own("survivors", KEEPS_LOSERS, "flat_minutes = 0\nholds_overnight = true\n")

    found = keyturn("backtest", path, "--strategy", "survivors", *FREE).json

    measures, (kept,) = found["metrics"], found["open"]
    assert all(Decimal(trade["profit"]) > 0 for trade in found["trades"])
    assert Decimal(kept["profit"]) < 0
    assert measures["trades"] == len(found["trades"]) + 1
    assert measures["win_rate"] < 1
    assert measures["profit"] < 0
    assert measures["profit"] == pytest.approx(measures["last_equity"] - measures["first_equity"], abs=0.5)
