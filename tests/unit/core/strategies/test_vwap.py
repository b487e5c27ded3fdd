"""VWAP micro mean reversion, told by the bar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from syrupy.assertion import SnapshotAssertion

from core.market.calendar import load_calendar
from core.market.csv_source import read_bars
from core.market.normaliser import COMPLETE, Normaliser
from core.model.bar import Bar
from core.model.order import StopHolder
from core.model.session import XNYS, Session
from core.model.signal import Answer, EntrySignal, ExitReason, ExitSignal, NoTrade, NoTradeReason
from core.model.values import Money, Price, Quantity, Symbol
from core.settings.strategies import VwapSettings
from core.strategies.base import Context, Strategy
from core.strategies.vwap_mean_reversion import VwapState, VwapStrategy
from tests.data import MARKET
from tests.kit.rows import table

SPY = Symbol("SPY")
OPEN = datetime(2013, 10, 8, 13, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_session(day: int = 8) -> Session:
    opened = OPEN.replace(day=day)
    return Session(date(2013, 10, day), opened, opened + timedelta(hours=6, minutes=30))


def a_context(session: Session | None = None, entries_allowed: int = 1) -> Context:
    session = session or a_session()
    return Context(
        session=session, windows=((session.open + 30 * MINUTE, session.open + 120 * MINUTE),),
        flat_from=session.close - 5 * MINUTE, entries_allowed=entries_allowed, venue=XNYS,
        risk_per_trade=Money(Decimal("1.50")), max_notional=Money(Decimal(50)),
    )  # fmt: skip


def holding(context: Context, quantity: str = "0.299", entry: str = "100", covered: str = "0") -> Context:
    context.held = Quantity(Decimal(quantity))
    context.entry_price = Price(Decimal(entry))
    context.covered = Quantity(Decimal(covered))
    return context


def a_bar(minute: int, close: str = "100", volume: str = "1000", day: int = 8) -> Bar:
    """A bar that traded at one price."""
    price = Price(Decimal(close))
    return Bar(SPY, OPEN.replace(day=day) + minute * MINUTE, price, price, price, price, Quantity(Decimal(volume)))


def a_strategy(settings: VwapSettings | None = None, *, seen: int = 30) -> VwapStrategy:
    """One that has seen so many minutes at 100."""
    strategy = VwapStrategy(settings or VwapSettings())
    for minute in range(seen):
        strategy.on_bar(a_bar(minute), a_context())
    return strategy


def reason_of(answer: Answer) -> NoTradeReason:
    assert isinstance(answer, NoTrade)
    return answer.reason


def exit_of(answer: Answer) -> tuple[ExitReason, Decimal]:
    assert isinstance(answer, ExitSignal)
    return answer.exit_reason, answer.quantity


# ── the entry ────────────────────────────────────────────────────────────────────────────────────────────────────────


FLAT_BAR = a_bar(40, "100")
EXITS: dict[str, tuple[dict[str, str], Bar, tuple[ExitReason, str] | NoTradeReason]] = {
    "a close at the stop sells what nothing covers": (
        {"entry": "99", "covered": "0.1"}, a_bar(200, "98.703"), (ExitReason.STOP_LOSS, "0.199")),
    "a close above the stop and below VWAP holds on": (
        {"entry": "99"}, a_bar(40, "98.704"), NoTradeReason.IN_POSITION),
    "a stop at the broker that covers everything leaves the bar rule nothing": (
        {"entry": "99", "covered": "0.299"}, a_bar(40, "98"), NoTradeReason.IN_POSITION),
    "a close back at VWAP sells all of it, covered or not": (
        {"entry": "99", "covered": "0.299"}, FLAT_BAR, (ExitReason.MEAN_REVERSION, "0.299")),
    "from 15:55 New York on nothing is held": (
        {"entry": "99", "covered": "0.299"}, a_bar(385, "99"), (ExitReason.FORCE_FLAT, "0.299")),
    "in the last minute nothing is held": (
        {"entry": "99", "covered": "0.299"}, a_bar(389, "99"), (ExitReason.FORCE_FLAT, "0.299")),
    "the minute before 15:55 is left alone": ({"entry": "99"}, a_bar(384, "99"), NoTradeReason.OUTSIDE_WINDOW),
    "a stop goes before the end of the day": (
        {"quantity": "0.3", "entry": "110", "covered": "0.1"}, a_bar(386, "100"), (ExitReason.STOP_LOSS, "0.2")),
    "the end of the day goes before the reversion": (
        {"quantity": "0.3", "entry": "99", "covered": "0.1"}, a_bar(386, "100"), (ExitReason.FORCE_FLAT, "0.3")),
}  # fmt: skip


@pytest.mark.parametrize("claim", EXITS)
def test_each_exit_has_its_reason(claim: str, snapshot: SnapshotAssertion) -> None:
    """ST-02, EX-13, EX-18, EX-21, OP-06"""
    position, bar, told = EXITS[claim]

    answer = a_strategy().on_bar(bar, holding(a_context(), **position))

    if isinstance(told, NoTradeReason):
        assert reason_of(answer) is told
        return
    assert exit_of(answer) == (told[0], Decimal(told[1]))
    assert isinstance(answer, ExitSignal)
    assert (str(answer.intended_price), str(answer.reference), answer.reason) == snapshot


def test_a_dip_proposes_a_limit_with_a_stop(snapshot: SnapshotAssertion) -> None:
    """ST-02, RK-02, OP-06"""
    strategy: Strategy = a_strategy()

    answer = strategy.on_bar(a_bar(30, close="99.60"), a_context())

    assert answer == EntrySignal(
        strategy="vwap",
        symbol=SPY,
        bar_start=OPEN + 30 * MINUTE,
        limit_price=Price(Decimal("99.60")),
        stop_price=Price(Decimal("99.30")),
        stop_holder=StopHolder.BROKER,
        quantity=Quantity(Decimal("0.502")),
        reference=Price(Decimal("99.9871")),
        reason=snapshot,
    )


def test_the_threshold_itself_is_not_below_it() -> None:
    """ST-02"""
    on_it, below = (
        VwapStrategy(VwapSettings(minimum_bars=1, minimum_volume=Decimal(0)), VwapState(a_session().day, 29, *sums))
        for sums in ((Decimal(999), Decimal(299_700 + Decimal("0.9"))), (Decimal(999), Decimal("299_701")))
    )

    # VWAP with the bar is (299,700.9 + 299.1) ÷ 3,000 = 100, and the threshold 99.70
    assert reason_of(on_it.on_bar(a_bar(30, "99.70", "1"), a_context())) is NoTradeReason.PRICE_ABOVE_THRESHOLD
    assert isinstance(below.on_bar(a_bar(30, "99.70", "1"), a_context()), EntrySignal)


def test_a_bid_is_rounded_down_to_its_tick() -> None:
    """EX-11"""
    answer = a_strategy().on_bar(a_bar(30, close="99.5975"), a_context())

    assert isinstance(answer, EntrySignal)
    assert answer.limit_price == Decimal("99.59")


def test_a_desk_may_hold_the_stop_itself() -> None:
    """OP-06"""
    strategy = a_strategy(VwapSettings(stop_holder=StopHolder.DESK))

    answer = strategy.on_bar(a_bar(30, close="99.60"), a_context())

    assert isinstance(answer, EntrySignal)
    assert answer.stop_holder is StopHolder.DESK


@table("minute is_in", (29, False), (30, True), (120, True), (121, False))
def test_the_window_includes_both_ends(minute: int, *, is_in: bool) -> None:
    """ST-02, RK-07"""
    answer = a_strategy(seen=25).on_bar(a_bar(minute, close="99.50"), a_context())

    assert isinstance(answer, EntrySignal) is is_in
    assert is_in or reason_of(answer) is NoTradeReason.OUTSIDE_WINDOW


# ── the reasons, in their order ──────────────────────────────────────────────────────────────────────────────────────


def test_the_first_reason_in_order_is_told() -> None:
    """ST-03: everything is wrong at first, and put right one by one."""
    settings = VwapSettings(minimum_bars=2, minimum_volume=Decimal(1000))
    context = replace(
        holding(a_context(), entry="90"), is_enabled=False, is_day_disabled=True, entries_filled=1, is_waiting=True,
        risk_per_trade=None,
    )  # fmt: skip
    state = VwapState(a_session().day)
    told: list[NoTradeReason] = []

    def tells(minute: int, close: str = "100", volume: str = "1000") -> None:
        # exits are not what this is about, so the position is taken away where one would be due
        answer = VwapStrategy(settings, replace(state)).on_bar(a_bar(minute, close, volume), context)
        told.append(reason_of(answer))

    context.held = Quantity(Decimal(-1))
    tells(29, volume="0")
    context.is_enabled = True
    tells(29, volume="0")
    context.is_day_disabled = False
    tells(29, volume="0")
    state.bars = 1
    tells(29, volume="0")
    tells(29, volume="999")
    state.volume, state.weighted = Decimal(1000), Decimal(300_000)
    tells(29)
    tells(30)
    context.held = Quantity(Decimal(0))
    tells(30)
    context.entries_filled = 0
    tells(30)
    context.is_waiting = False
    tells(30)
    tells(30, close="99", volume="1")

    R = NoTradeReason  # noqa: N806
    assert told == [
        R.DISABLED,
        R.DAY_DISABLED,
        R.WARMING_UP,
        R.NO_VWAP,
        R.THIN_VOLUME,
        R.OUTSIDE_WINDOW,
        R.IN_POSITION,
        R.MAX_TRADES_REACHED,
        R.PROPOSAL_WAITING,
        R.PRICE_ABOVE_THRESHOLD,
        R.ZERO_SIZE,
    ]


def test_the_least_volume_and_bars_are_enough() -> None:
    """ST-02: at least 20 bars and 1,000 shares."""
    strategy = VwapStrategy(VwapSettings())
    for minute in range(11, 30):
        assert reason_of(strategy.on_bar(a_bar(minute, volume="50"), a_context())) is NoTradeReason.WARMING_UP

    assert isinstance(strategy.on_bar(a_bar(30, "99.50", volume="50"), a_context()), EntrySignal)


def test_in_position_is_told_before_max_trades() -> None:
    """ST-03"""
    context = holding(a_context(entries_allowed=1), entry="99.60")
    context.entries_filled = 1

    assert reason_of(a_strategy().on_bar(a_bar(30, "99.60"), context)) is NoTradeReason.IN_POSITION


def test_disabled_by_settings_stays_disabled() -> None:
    """OP-08"""
    strategy = a_strategy(VwapSettings(enabled=False))

    assert reason_of(strategy.on_bar(a_bar(30, "99.50"), a_context())) is NoTradeReason.DISABLED


def test_a_stop_lost_to_the_tick_is_no_entry() -> None:
    """RK-02: at 1.10 a stop 0.3 % below rounds to 1.10 itself."""
    strategy = VwapStrategy(VwapSettings(minimum_bars=1))
    strategy.on_bar(a_bar(29, "1.20"), a_context())

    assert reason_of(strategy.on_bar(a_bar(30, "1.10"), a_context())) is NoTradeReason.ZERO_SIZE


def test_a_quiet_bar_allocates_nothing() -> None:
    """ST-03"""
    strategy = a_strategy()

    assert strategy.on_bar(a_bar(30), a_context()) is strategy.on_bar(a_bar(31), a_context())


# ── the exits ────────────────────────────────────────────────────────────────────────────────────────────────────────


@table("closed_door", {"is_enabled": False}, {"is_day_disabled": True}, {"entries_filled": 9}, {"is_waiting": True})
def test_an_exit_passes_every_entry_block(closed_door: dict[str, bool | int]) -> None:
    """ST-02, RK-07, RK-22"""
    context = holding(a_context(), entry="99")
    for name, value in closed_door.items():
        setattr(context, name, value)

    answer = a_strategy(seen=1).on_bar(a_bar(300, "100"), context)

    assert exit_of(answer)[0] is ExitReason.MEAN_REVERSION


def test_without_volume_only_a_stop_sells() -> None:
    """ST-02, ST-03"""
    settings = VwapSettings(minimum_bars=1)
    quiet = VwapStrategy(settings).on_bar(a_bar(40, "99", volume="0"), holding(a_context(), entry="99"))
    stopped = VwapStrategy(settings).on_bar(a_bar(40, "90", volume="0"), holding(a_context(), entry="99"))

    assert reason_of(quiet) is NoTradeReason.NO_VWAP
    assert exit_of(stopped)[0] is ExitReason.STOP_LOSS


# ── VWAP itself ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_session_resets_the_average() -> None:
    """ST-02"""
    strategy = a_strategy()

    strategy.on_bar(a_bar(0, "200", volume="7", day=9), a_context(a_session(9)))

    assert strategy.state == VwapState(date(2013, 10, 9), 1, Decimal(7), Decimal(4200))
    assert strategy.state.vwap == 200


def test_a_state_round_trips() -> None:
    """ST-01, SP-05"""
    adapter = TypeAdapter(VwapState)
    strategy = a_strategy()

    restored = VwapStrategy(VwapSettings(), adapter.validate_json(adapter.dump_json(strategy.state)))

    assert restored.state == strategy.state
    assert restored.on_bar(a_bar(30, "99.60"), a_context()) == strategy.on_bar(a_bar(30, "99.60"), a_context())


@st.composite
def minutes_of_trade(draw: st.DrawFn) -> list[Bar]:
    bars = []
    for minute in range(draw(st.integers(1, 40))):
        low, opened, close, high = sorted(draw(st.integers(9_000, 11_000)) for _ in range(4))
        prices = [Price(Decimal(cents).scaleb(-2)) for cents in (opened, high, low, close)]
        volume = Quantity(Decimal(draw(st.integers(0, 5_000_000))))
        bars.append(Bar(SPY, OPEN + minute * MINUTE, prices[0], prices[1], prices[2], prices[3], volume))
    return bars


@given(minutes_of_trade())
def test_vwap_equals_its_definition(bars: list[Bar]) -> None:
    """ST-02: sum of typical price × volume ÷ sum of volume, in exact fractions."""
    strategy = VwapStrategy(VwapSettings(minimum_bars=1, minimum_volume=Decimal(0)))
    context = a_context()
    context.windows = ((OPEN, context.session.close),)
    weighted = traded = Fraction(0)
    for bar in bars:
        answer = strategy.on_bar(bar, context)
        weighted += Fraction(bar.high + bar.low + bar.close) / 3 * Fraction(bar.volume)
        traded += Fraction(bar.volume)

        vwap = strategy.state.vwap
        if not traded:
            assert vwap is None
            assert reason_of(answer) is NoTradeReason.NO_VWAP
            continue
        assert vwap is not None
        assert abs(Fraction(vwap) - weighted / traded) < Fraction(1, 10**20)
        assert isinstance(answer, EntrySignal) is (Fraction(bar.close) < weighted / traded * (1 - Fraction(3, 1000)))


# ── filters for marginal setups ──────────────────────────────────────────────────────────────────────────────────────


def filtered(**filters: object) -> VwapStrategy:
    """One that saw VWAP rise from 99 USD to 100, by filters that ask for nothing but what is named."""
    none: dict[str, object] = {"enabled": True, "distance": 0, "bar_volume": 0, "slope_bars": 0}
    strategy = VwapStrategy(VwapSettings.model_validate({"filters": {**none, **filters}}))
    for minute in range(60):
        strategy.on_bar(a_bar(minute, "99" if minute < 30 else "101"), a_context())
    return strategy


@table(
    "filters close volume passes",
    ({}, "99.60", "1", True),
    ({"distance": "1.5"}, "99.60", "1", False),
    ({"distance": "1.5"}, "99.54", "1", True),
    ({"bar_volume": 500}, "99.60", "500", False),
    ({"bar_volume": 500}, "99.60", "501", True),
    ({"slope_bars": 15}, "99.60", "1", True),
    ({"slope_bars": 15}, "90", "60000", False),
    ({"slope_bars": 61}, "99.60", "1", False),
    ({"enabled": False, "distance": 9, "bar_volume": 10**8, "slope_bars": 90}, "99.60", "1", True),
)
def test_a_marginal_dip_is_left_alone(filters: dict[str, object], close: str, volume: str, passes: bool) -> None:
    """ST-06, ST-03: by distance, by the bar's volume, by the slope, each of them alone; off, by none."""
    answer = filtered(**filters).on_bar(a_bar(60, close, volume=volume), a_context())

    assert isinstance(answer, EntrySignal) is passes
    assert passes or reason_of(answer) is NoTradeReason.WEAK_SETUP


def test_filters_have_the_required_figures() -> None:
    """ST-06"""
    filters = VwapSettings().filters

    assert (filters.enabled, filters.distance, filters.bar_volume) == (False, Decimal("1.5"), 100_000)
    assert "filters" not in VwapSettings().model_dump()


def test_a_slope_survives_a_stop() -> None:
    """ST-01, ST-06"""
    strategy, adapter = filtered(slope_bars=15), TypeAdapter(VwapState)

    restored = VwapStrategy(strategy.settings, adapter.validate_json(adapter.dump_json(strategy.state)))

    assert restored.state == strategy.state
    assert len(restored.state.earlier) == 16
    assert isinstance(restored.on_bar(a_bar(60, "99.60"), a_context()), EntrySignal)


# ── a real week ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_signals_of_a_real_week(snapshot: SnapshotAssertion) -> None:
    """ST-02, MD-03: nobody answers, so each day signals on; its first signal is what counts."""
    calendar = load_calendar(date(2013, 10, 7), date(2013, 10, 10))
    normaliser = Normaliser(calendar)
    strategy = VwapStrategy(VwapSettings())
    first: dict[date, EntrySignal] = {}
    for bar in read_bars(MARKET / "SPY_1min_2013-10-07_to_2013-10-10.csv", SPY):
        assert isinstance(bar, Bar)
        if normaliser.judge(bar, bar.end) is not COMPLETE:
            continue
        normaliser.fold(bar)
        session = calendar.session_at(bar.start)
        assert isinstance(session, Session)
        answer = strategy.on_bar(bar, a_context(session))
        if isinstance(answer, EntrySignal):
            first.setdefault(session.day, answer)

    assert normaliser.state.complete == 4 * 390
    assert normaliser.state.quarantined == 0
    assert [(signal.bar_start, signal.limit_price, signal.stop_price) for signal in first.values()] == [
        (datetime(2013, 10, 8, 14, 50, tzinfo=UTC), Decimal("166.76"), Decimal("166.26")),
        (datetime(2013, 10, 9, 15, 9, tzinfo=UTC), Decimal("164.88"), Decimal("164.39")),
    ]
    assert first[date(2013, 10, 8)].reason == snapshot
    assert first[date(2013, 10, 8)].quantity == Decimal("0.299")
