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

from core.brokers.simulated.config import EDITION
from core.market.calendar import load_calendar
from core.model.bar import ONE_MINUTE, Bar, Feed, Quote
from core.model.broker import OrderReport
from core.model.order import OrderClass, OrderRequest, OrderStatus, Side
from core.model.values import Price, Quantity
from tests.scenarios.backtests import HEADER, Keyturn
from tests.unit.core.brokers.trading_floor import SPY, Floor, a_stop_leg, a_target_leg, an_order, at, submits

ARRIVES = timedelta(milliseconds=100)
"""After a bar has ended, what its strategy said is at the exchange."""
TICKS_A_MINUTE = 60
FULL = Quantity(Decimal(100_000))
CENT = Decimal("0.01")


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


def played(
    bars: list[Bar],
    strategy: Strategy,
    quotes: Callable[[Bar], Quote] | None = None,
    *,
    trails: str | None = None,
    sees: int = 1,
    edition: int = EDITION,
) -> Played:
    """`trails`: an exit that is sent once the entry has filled. `sees` the bar before; 0 is the bar that runs."""
    floor = Floor(multiplier=Decimal(4), cash=Decimal(1_000_000), edition=edition)
    exchange, sent, exits = floor.exchange, list[OrderRequest](), list[OrderRequest]()
    for number, bar in enumerate(bars):
        exchange.begin_bar(bar)
        if quotes is not None:
            exchange.take_quote(quotes(bar))
        if number:
            is_out(floor, [*sent[-1:], *exits[-1:]], bar.start + ARRIVES)
            if (order := strategy(bars[number - sees])) is not None:
                submits(exchange, bar.start + ARRIVES, order)
                sent.append(order)
        turned = bar.start + timedelta(seconds=20) + ARRIVES
        exchange.advance(turned)
        if trails is not None and (held := floor.exchange._ledger.quantity(SPY)):
            side = Side.SELL if held > 0 else Side.BUY
            exits.append(an_order(f"trails-{bar.start:%H%M}", side, str(abs(held)), trail=trails))
            submits(exchange, turned, exits[-1])
        exchange.advance(bar.end - ARRIVES)
    is_out(floor, [*sent[-1:], *exits[-1:]], bars[-1].end - ARRIVES)
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
        submits(floor.exchange, moment, an_order(f"out-{moment:%H%M%S}", side, str(abs(held))))


def reported(floor: Floor, order: OrderRequest) -> OrderReport:
    found = floor.exchange.order(floor.exchange._matching.now, order.client_order_id)
    assert isinstance(found, OrderReport)
    return found


def beyond(price: Decimal, step: str, side: Side) -> Decimal:
    """So far from a price to the good side of whoever trades on this one; mirrored for a seller."""
    return price + Decimal(step) * (1 if side is Side.BUY else -1)


def bracket(bar: Bar, side: Side) -> OrderRequest:
    entry, target, stop = (str(beyond(bar.close, step, side)) for step in ("-0.03", "0.02", "-1"))
    legs = (a_stop_leg(stop), a_target_leg(target))
    return an_order(f"in-{bar.start:%H%M}", side, "10", limit=entry, order_class=OrderClass.BRACKET, legs=legs)


A_SESSION = a_session_of(a_fair_walk("high and low", 200))
SESSIONS = [a_session_of(a_fair_walk(f"session {number}", 120)) for number in range(3)]


@pytest.mark.parametrize("side", Side)
def test_buying_low_and_selling_high_in_a_bar_fails(side: Side) -> None:
    """AN-04, MD-05: an entry a few cents away and a target as far beyond the close, each minute; and its mirror."""
    came_to = played(A_SESSION, lambda bar: bracket(bar, side))

    assert came_to.entries > 50
    assert came_to.decided > 10, "bars in which the order of high and low would have made the trade"
    assert came_to.profit <= 0


@pytest.mark.parametrize("side", Side)
def test_trailing_through_the_entry_bar_gains_nothing(side: Side) -> None:
    """AN-04: lifted by the high that comes after the low, it would be paid at the close."""

    def dip(bar: Bar) -> OrderRequest:
        return an_order(f"in-{bar.start:%H%M}", side, "10", limit=str(beyond(bar.close, "-0.03", side)))

    came_to = played(A_SESSION, dip, trails="0.02")

    assert came_to.entries > 50
    assert came_to.decided > 10
    assert came_to.profit <= 0


@pytest.mark.parametrize("side", Side)
def test_a_quarter_of_the_volume_is_the_most(side: Side) -> None:
    """AN-04: what is filled turns the path; what is left is not paid at the end to which it turned."""
    came_to = played(A_SESSION, lambda bar: an_order(f"in-{bar.start:%H%M}", side, "4000"))

    assert came_to.entries > 50
    assert came_to.profit <= 0


@pytest.mark.parametrize("side", Side)
def test_last_price_trades_in_a_wide_quote_fail(side: Side) -> None:
    """AN-04, MD-05: trades bounce between bid and ask; who had them at the last price would earn the bounce."""
    came_to = bounced(side, EDITION)

    assert came_to.profit <= 0


@pytest.mark.parametrize("side", Side)
def test_a_market_order_pays_the_wide_spread(side: Side) -> None:
    """AN-04, MD-05: it enters where the last price is cheap, and what is cheap is not offered."""

    def cheap(bar: Bar) -> OrderRequest | None:
        is_cheap = (bar.close < 100) == (side is Side.BUY)
        limit = str(beyond(bar.close, "0.09", side))
        return an_order(f"in-{bar.start:%H%M}", side, "10", limit=limit) if is_cheap else None

    came_to = played(BOUNCE, cheap, quoted)

    assert came_to.entries > 50
    assert came_to.profit <= 0


def a_bounce() -> list[Bar]:
    chance = Random("bounce")
    lasts = [cents(10_000 + chance.choice((-4, 4))) for _ in range(200)]
    return a_session_of((last, last, last, last) for last in lasts)


BOUNCE = a_bounce()


def quoted(bar: Bar) -> Quote:
    return Quote(SPY, bar.start, cents(9_995), FULL, cents(10_005), FULL, Feed.RECORDED)


def bounced(side: Side, edition: int) -> Played:
    """It rests a cent inside the cheap end of the bounce, and when that is filled a cent inside the dear one."""
    floor = Floor(multiplier=Decimal(4), cash=Decimal(1_000_000), edition=edition)
    sent = list[OrderRequest]()
    for number, bar in enumerate(BOUNCE):
        floor.exchange.begin_bar(bar)
        floor.exchange.take_quote(quoted(bar))
        if not sent or reported(floor, sent[-1]).status is OrderStatus.FILLED:
            turn = side if len(sent) % 2 == 0 else side.opposite
            limit = str(beyond(Decimal(100), "-0.03", turn))
            sent.append(an_order(f"order-{number}", turn, "10", limit=limit))
            submits(floor.exchange, bar.start + 50 * ARRIVES, sent[-1])
        floor.exchange.advance(bar.end - ARRIVES)
    is_out(floor, sent[-1:], BOUNCE[-1].end - ARRIVES)
    equity = floor.exchange.account(BOUNCE[-1].end).equity
    return Played(equity - 1_000_000, len(sent) - 1, floor.exchange.tally.decided_by_the_path)


def risen(bar: Bar, side: Side) -> OrderRequest | None:
    """At the market, where a minute went this side's way."""
    went = bar.close - bar.open if side is Side.BUY else bar.open - bar.close
    return an_order(f"in-{bar.start:%H%M}", side, "10") if went >= 5 * CENT else None


def at_the_low(bar: Bar, side: Side) -> OrderRequest:
    """A limit two cents inside the extreme of a minute that is this side's best price."""
    best = bar.low + 2 * CENT if side is Side.BUY else bar.high - 2 * CENT
    return an_order(f"in-{bar.start:%H%M}", side, "10", limit=str(best))


@pytest.mark.parametrize("strategy", [risen, at_the_low])
@pytest.mark.parametrize("side", Side)
def test_acting_on_a_past_minute_gains_nothing(
    side: Side, strategy: Callable[[Bar, Side], OrderRequest | None]
) -> None:
    """AN-04: three sessions of a fair walk, long and short."""
    all_of_them = [played(bars, lambda bar: strategy(bar, side)) for bars in SESSIONS]

    assert sum(each.entries for each in all_of_them) > 60
    assert sum(each.profit for each in all_of_them) <= 0


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


def test_buying_after_a_rise_does_not_earn_it(keyturn: Keyturn, own: Callable[..., None], tmp_path: Path) -> None:
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


def test_an_unsold_loser_counts_as_a_loss(keyturn: Keyturn, own: Callable[..., None], tmp_path: Path) -> None:
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
