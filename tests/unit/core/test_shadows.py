"""What an entry that was not taken would have made, bar by bar, the worse reading where there are two."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from core.model.bar import Bar
from core.model.broker import Accepted
from core.model.order import Effect, OrderClass, OrderRequest, OrderType, Side, StopHolder, TimeInForce
from core.model.session import Session
from core.model.staging import MANUAL, StopPlan
from core.model.values import ClientOrderId, Price, Quantity
from core.risk.protections.closed_trades import ratio_of
from core.risk.shadow_trades import Aims, ShadowCourse, ShadowTrade, shadow_of
from core.settings.settings import Settings
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import (
    SPY,
    THURSDAY,
    Floor,
    NewYorkHours,
    a_bar,
    a_stop_leg,
    a_target_leg,
    at,
    submits,
)

FRIDAY = date(2026, 11, 20)

SELLING = {"side": Side.SELL, "entry_price": "99.60", "stop": "99.90", "target": "99.20"}


def a_shadow(
    side: Side = Side.BUY, entry_price: str = "99.60", stop: str = "99.30", target: str = "100.00"
) -> ShadowTrade:
    return ShadowTrade(
        key="a1", strategy="vwap", symbol=SPY, side=side, quantity=Quantity(Decimal(2)),
        entry_price=Price(Decimal(entry_price)), stop=Price(Decimal(stop)), target=Price(Decimal(target)),
        end="declined", let_go_at=at("10:06:20"), flat_from=at("15:55"), closes_at=at("16:00"),
    )  # fmt: skip


def after(shadow: ShadowTrade, *bars: tuple[str, str]) -> tuple[str, str | None]:
    """How far it has come after the bars, and what it made."""
    for clock, prices in bars:
        shadow.take(a_bar(clock, prices))
    return shadow.course.value, None if shadow.result is None else str(shadow.result)


def test_a_shadow_waits_a_bar_after_its_touch() -> None:
    """OP-12"""
    shadow = a_shadow()

    under_way = after(shadow, ("10:06", "99.50 99.50 99.40 99.50"))
    above = after(shadow, ("10:07", "99.70 99.80 99.61 99.70"))
    touched = after(shadow, ("10:08", "99.70 99.70 99.60 99.65"))

    assert (under_way, above, touched) == (("waits", None), ("waits", None), ("open", "0.10"))


@table(
    "bars end",
    ([("10:08", "99.65 99.70 99.30 99.65")], ("stop", "-0.60")),
    ([("10:08", "99.20 99.25 99.10 99.20")], ("stop", "-0.80")),
    ([("10:08", "99.10 99.20 99.00 99.10")], ("stop", "-1.00")),
    ([("10:08", "99.70 100.00 99.60 99.90")], ("target", "0.80")),
    ([("10:08", "100.40 100.50 100.30 100.40")], ("target", "0.80")),
    ([("10:08", "99.65 100.20 99.30 100.10")], ("stop", "-0.60")),
    ([("10:08", "99.65 99.90 99.40 99.80")], ("open", "0.40")),
    ([("15:55", "99.65 99.70 99.50 99.50")], ("close", "-0.20")),
    ([("15:55", "99.65 99.70 99.30 99.50")], ("stop", "-0.60")),
)
def test_a_shadow_ends_at_stop_target_or_flat(bars: list[tuple[str, str]], end: tuple[str, str]) -> None:
    """OP-12"""
    shadow = a_shadow()
    after(shadow, ("10:07", "99.65 99.70 99.60 99.60"))

    assert after(shadow, *bars) == end


def test_only_a_stop_ends_it_in_its_entry_bar() -> None:
    """OP-12: whether the high came before the limit was touched, the bar does not say."""
    for prices, end in (
        ("99.70 100.50 99.55 99.70", ("open", "0.20")),
        ("99.70 100.50 99.30 99.70", ("stop", "-0.60")),
    ):
        assert after(a_shadow(), ("10:07", prices)) == end, prices


def test_a_short_shadow_is_mirrored() -> None:
    """OP-12"""
    untouched, up = ("10:07", "99.50 99.59 99.45 99.50"), ("10:07", "99.50 99.60 99.45 99.50")
    for bars, end in (
        ([untouched], ("waits", None)),
        ([up], ("open", "0.20")),
        ([up, ("10:08", "99.50 99.90 99.50 99.80")], ("stop", "-0.60")),
        ([up, ("10:08", "99.95 99.99 99.95 99.95")], ("stop", "-0.70")),
        ([up, ("10:08", "99.50 99.55 99.20 99.30")], ("target", "0.80")),
    ):
        assert after(a_shadow(**SELLING), *bars) == end, bars


def one_that_pays(**terms: str) -> ShadowTrade:
    return replace(a_shadow(**terms), half_spread=Decimal("0.02"), fee=Decimal("0.05"))  # type: ignore[arg-type]


@table(
    "before then",
    (("10:07", "99.70 99.70 99.59 99.65"), ("10:08", "99.70 99.70 99.58 99.65")),
    (("10:07", "99.50 99.61 99.50 99.55"), ("10:08", "99.50 99.62 99.50 99.55")),
)
def test_a_limit_needs_the_quote_not_a_touch(before: tuple[str, str], then: tuple[str, str]) -> None:
    """OP-12, AN-04: 2 shares, half a spread of 0.02 and a fee of 0.05 a share, in and out."""
    shadow = one_that_pays(**({} if then[1].startswith("99.70") else SELLING))  # type: ignore[arg-type]

    assert after(shadow, before) == ("waits", None)
    assert after(shadow, then) == ("open", "-0.14")


@table(
    "bars end",
    ([("10:08", "99.65 99.70 99.30 99.65")], ("stop", "-0.84")),
    ([("10:08", "99.20 99.25 99.10 99.20")], ("stop", "-1.04")),
    ([("10:08", "99.70 100.01 99.60 99.90")], ("open", "0.36")),
    ([("10:08", "99.70 100.02 99.60 99.90")], ("target", "0.60")),
    ([("15:59", "99.65 99.70 99.50 99.50")], ("close", "-0.44")),
)
def test_spread_and_fees_are_lost(bars: list[tuple[str, str]], end: tuple[str, str]) -> None:
    """OP-12, RK-13: 0.20 of fees; at a limit the spread is in the way that the bar must go, else in the price."""
    shadow = one_that_pays()
    after(shadow, ("10:07", "99.65 99.70 99.58 99.60"))

    assert after(shadow, *bars) == end


def test_its_curve_counts_net_results() -> None:
    """RK-13: 0.04 of gain in the prices, 0.20 of fees, on 199.20 USD"""
    shadow = one_that_pays(target="99.62")
    after(shadow, ("10:07", "99.65 99.70 99.58 99.60"), ("10:08", "99.60 99.70 99.58 99.60"))

    trade = shadow.as_trade(at("10:09"))

    assert trade is not None
    assert (trade.profit, trade.ratio) == (Decimal("-0.16"), ratio_of(Decimal("-0.16") / Decimal("199.20")))


@table("clock", "15:55", "15:59")
def test_an_untouched_limit_made_nothing(clock: str) -> None:
    """OP-12"""
    shadow, bar = a_shadow(), (clock, "99.50 99.60 99.40 99.50")

    assert after(shadow, bar) == ("close", None)
    assert not shadow.is_followed


def test_the_last_bar_ends_it_without_a_close() -> None:
    """OP-12"""
    shadow = a_shadow()
    after(shadow, ("10:07", "99.65 99.70 99.60 99.65"))

    tomorrow = replace(a_bar("09:30", "50"), start=at("16:00"))
    shadow.take(tomorrow)

    assert (shadow.course, str(shadow.result)) == (ShadowCourse.CLOSE, "0.10")


def test_without_a_flat_time_the_session_ends_it() -> None:
    """OP-12: what a person typed is nobody's to be flat by."""
    shadow = replace(a_shadow(), flat_from=at("16:00"))

    last = [after(shadow, bar) for bar in (("15:58", "99.65 99.70 99.60 99.65"), ("15:59", "99.65 99.80 99.60 99.75"))]
    assert last == [("open", "0.10"), ("close", "0.30")]


HALF, FEE = Decimal("0.01"), Decimal("0.02")
SHARES = Quantity(Decimal(10))


def walk(chance: Random, days: int = 1) -> list[Bar]:
    """Minutes of a market that moves by cents, jumps now and then, and stands still over the night."""
    cents, bars = 10_000, []
    for day in (THURSDAY, FRIDAY)[:days]:
        for number in range(24):
            opened = cents + chance.choice((0, 0, 0, 0, 1, -1, 9, -9))
            cents = opened + chance.randint(-14, 14)
            high, low = max(opened, cents) + chance.randint(0, 9), min(opened, cents) - chance.randint(0, 9)
            prices = " ".join(f"{Decimal(each) / 100:.2f}" for each in (opened, high, low, cents))
            bars.append(a_bar(f"10:{number:02d}", prices, day=day))
        cents += chance.choice((-60, 0, 60))
    return bars


def a_drawn_bracket(chance: Random, last: Price, is_long: bool) -> OrderRequest:
    """A limit that waits, its stop and its target, mirrored for a short."""
    sign = 1 if is_long else -1
    below, behind, ahead = (Decimal(chance.randint(2, most)) / 100 for most in (60, 40, 60))
    limit = last - sign * below
    return OrderRequest(
        ClientOrderId("entry"), SPY, Side.BUY if is_long else Side.SELL, Effect.OPEN if is_long else Effect.SHORT,
        SHARES, OrderType.LIMIT, TimeInForce.GTC, Price(limit), order_class=OrderClass.BRACKET,
        legs=(a_stop_leg(str(limit - sign * behind)), a_target_leg(str(limit + sign * ahead))),
    )  # fmt: skip


@table("days", 1, 2)
def test_shadows_equal_drawn_brackets(days: int) -> None:
    """OP-12: 500 in all, taken by an exchange and followed as shadows; over one session, and over a night."""
    settings = Settings.model_validate({"exchange": {"fee_per_share": str(FEE)}})
    ended, calendar, over_night = Counter[str](), NewYorkHours(), 0
    for number in range(250):
        chance = Random(f"{days} {number}")
        bars, floor = walk(chance, days), Floor(fee_per_share=FEE, multiplier=Decimal(4))
        first, *later = bars
        floor.bars(first)
        order = a_drawn_bracket(chance, first.close, is_long=number % 2 == 0)
        assert isinstance(submits(floor.exchange, at("10:00:59.5"), order), Accepted)
        stop = order.legs[0].stop_price
        assert stop is not None
        session = calendar.session_on(THURSDAY)
        assert isinstance(session, Session)
        shadow = shadow_of(
            first.end, MANUAL if days > 1 else "vwap", order, StopPlan(stop, StopHolder.BROKER), Aims(None, None),
            "declined", session, first.close, settings,
        )  # fmt: skip
        assert shadow is not None
        for bar in later:
            if bar.start > session.close and shadow.course is ShadowCourse.WAITS:
                floor.exchange.cancel(session.close, order.client_order_id)
            floor.bars(bar)
            if shadow.is_followed:
                shadow.take(bar)

        end = later[-1].end
        equity = floor.exchange.account(end).equity
        held = sum((abs(each.quantity) for each in floor.exchange.books(end).positions), Decimal(0))
        made = equity - Decimal(100_000) - held * (HALF + FEE)
        assert (shadow.result or 0) == made, (number, shadow, bars)
        ended[shadow.course.value] += 1
        over_night += shadow.last_at is not None and shadow.last_at > session.close and shadow.left_at is not None
    assert min(ended[course] for course in ("stop", "target", "waits" if days == 1 else "close")) > 10, ended
    assert (over_night > 10) == (days > 1)


STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)


def test_shadows_equal_drawn_stop_entries() -> None:
    """OP-12: 300, long and short; a stop fills as at the exchange, a stop-limit there or later, and never better."""
    settings, calendar, filled = Settings(), NewYorkHours(), Counter[tuple[str, bool]]()
    for number in range(300):
        chance = Random(f"stop {number}")
        bars, floor = walk(chance), Floor(multiplier=Decimal(4))
        first, *later = bars
        floor.bars(first)
        kind, sign = STOPS[number % 2], 1 if number % 4 < 2 else -1
        trigger = first.close + sign * Decimal(chance.randint(3, 30)) / 100
        limit = Price(trigger + sign * Decimal(chance.randint(0, 6)) / 100) if kind.has_limit else None
        side, effect = (Side.BUY, Effect.OPEN) if sign > 0 else (Side.SELL, Effect.SHORT)
        order = OrderRequest(
            ClientOrderId("entry"), SPY, side, effect, SHARES, kind, limit_price=limit, stop_price=Price(trigger)
        )
        assert isinstance(submits(floor.exchange, at("10:00:59.5"), order), Accepted)
        session = calendar.session_on(THURSDAY)
        assert isinstance(session, Session)
        none = Aims(None, None)
        shadow = shadow_of(first.end, MANUAL, order, None, none, "declined", session, first.close, settings)
        assert shadow is not None
        floor.bars(*later)
        for bar in later:
            shadow.take(bar)

        (held,) = floor.exchange.books(later[-1].end).positions or (None,)
        is_open = shadow.course is ShadowCourse.OPEN
        filled[kind.name, is_open] += 1
        if kind is OrderType.STOP:
            assert (held is not None, held and held.average_price) == (is_open, shadow.entry_price if is_open else None)
        elif is_open:
            assert held is not None
            assert sign * (shadow.entry_price - held.average_price) >= 0
    assert min(filled.values()) > 10, filled


def test_a_stop_entry_waits_for_its_trigger() -> None:
    """OP-12: at the open where that is beyond; a stop-limit then waits for its limit, a trail follows the low"""
    stop = {"trigger": Price(Decimal(100)), "entry_price": Price(Decimal(100)), "has_limit": False, "target": None}
    waits = replace(a_shadow(), **stop)  # type: ignore[arg-type]
    assert after(waits, ("10:07", "99.50 99.99 99.40 99.50")) == ("waits", None)
    assert after(replace(waits), ("10:08", "99.50 100.20 99.50 100.10")) == ("open", "0.20")
    assert after(replace(waits), ("10:08", "100.40 100.50 100.30 100.40")) == ("open", "0.00")
    limited = replace(waits, has_limit=True, entry_price=Price(Decimal("100.10")))
    assert after(limited, ("10:08", "100.40 100.50 100.30 100.40")) == ("waits", None)
    assert after(limited, ("10:09", "100.30 100.30 100.10 100.20")) == ("open", "0.20")
    trails = replace(waits, trail_price=Price(Decimal(1)), behind=Price(Decimal("0.50")))
    assert after(trails, ("10:08", "98 98 97.50 97.60")) == ("waits", None)
    assert after(trails, ("10:09", "98.10 98.80 98.10 98.80")) == ("open", "0.60")
    assert (trails.entry_price, trails.stop) == (Decimal("98.50"), Decimal("98.30"))
    assert after(trails, ("10:10", "98.80 99 98.75 98.75")) == ("open", "0.50")
    assert after(trails, ("10:11", "98.75 98.75 98.40 98.60")) == ("stop", "0.00")


@table("last course result", ("98.99", "open", "-0.20"), ("99.00", "close", None))
def test_an_immediate_entry_fills_at_once_or_never(last: str, course: str, result: str | None) -> None:
    """OP-12: at its limit, half a spread over the last price"""
    order = OrderRequest(
        ClientOrderId("a"), SPY, Side.BUY, Effect.OPEN, SHARES, OrderType.LIMIT, TimeInForce.IOC, Price(Decimal(99))
    )
    session = NewYorkHours().session_on(THURSDAY)
    assert isinstance(session, Session)

    shadow = shadow_of(
        at("10:06"), MANUAL, order, None, Aims(None, None), "declined", session, Price(Decimal(last)), Settings()
    )

    assert shadow is not None
    assert after(shadow) == (course, result)


def test_a_shadow_waits_no_longer_than_its_time() -> None:
    """OP-12, EX-07: a whole bar at least, then until its time to live is over"""
    order = OrderRequest(
        ClientOrderId("a"), SPY, Side.BUY, Effect.OPEN, SHARES, OrderType.LIMIT, limit_price=Price(Decimal(99))
    )
    session = NewYorkHours().session_on(THURSDAY)
    assert isinstance(session, Session)
    for seconds, filled in ((1, "10:07"), (90, "10:07"), (100, "10:08"), (None, "10:30")):
        life = None if seconds is None else timedelta(seconds=seconds)
        for clock, course in ((filled, "open"), ("10:31" if seconds is None else "10:09", None)):
            shadow = shadow_of(
                at("10:06:25"), MANUAL, order, None, Aims(None, None, life), "declined", session, order.limit_price,
                Settings(),
            )  # fmt: skip
            assert shadow is not None
            found, _ = after(shadow, (clock, "99 99.10 98.90 99"))
            assert course is None or found == course, (seconds, clock)
            assert course is not None or found == ("open" if seconds is None else "close"), (seconds, clock)


@table(
    "side aims target",
    (Side.BUY, Aims(Price(Decimal(101)), Price(Decimal("100.20"))), "101"),
    (Side.BUY, Aims(None, Price(Decimal("100.20"))), "100.20"),
    (Side.BUY, Aims(None, Price(Decimal("99.80"))), None),
    (Side.SELL, Aims(None, Price(Decimal("99.80"))), "99.80"),
    (Side.SELL, Aims(None, Price(Decimal("100.20"))), None),
)
def test_an_entry_without_legs_keeps_its_target(side: Side, aims: Aims, target: str | None) -> None:
    """OP-12: its own, or what it was measured against where that lies ahead of it, short as long."""
    effect = Effect.OPEN if side is Side.BUY else Effect.SHORT
    limit = Price(Decimal(100))
    order = OrderRequest(ClientOrderId("a"), SPY, side, effect, SHARES, OrderType.LIMIT, limit_price=limit)
    session = NewYorkHours().session_on(THURSDAY)
    assert isinstance(session, Session)

    shadow = shadow_of(at("10:00"), "vwap", order, None, aims, "declined", session, limit, Settings())

    assert shadow is not None
    assert shadow.target == (None if target is None else Decimal(target))
