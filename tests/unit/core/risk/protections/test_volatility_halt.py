"""The volatility halt beside a plain rescan of all bars, at every step; and what it says while it cannot judge."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby, pairwise
from math import ceil
from random import Random
from statistics import median, variance

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from syrupy.assertion import SnapshotAssertion

from core.model.bar import ONE_MINUTE, Bar
from core.model.values import Price, Quantity, Symbol
from core.risk.protections.volatility_halt import LARGEST, PARTS, VolatilityHalt, VolatilityHaltState
from core.settings.protections import VolatilityHaltSettings

SPY, IBM = Symbol("SPY"), Symbol("IBM")
MONDAY = date(2026, 10, 26)
STATE = TypeAdapter(VolatilityHaltState)


def a_bar(symbol: Symbol, start: datetime, close: str | Decimal) -> Bar:
    price = Price(Decimal(close))
    return Bar(symbol, start, price, price, price, price, Quantity(Decimal(100)))


def opens(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 14, 30, tzinfo=UTC)


def a_session(closes: list[str], day: date = MONDAY, symbol: Symbol = SPY) -> list[Bar]:
    return [a_bar(symbol, opens(day) + n * ONE_MINUTE, close) for n, close in enumerate(closes)]


def a_halt(**terms: object) -> VolatilityHalt:
    chosen = VolatilityHaltSettings.model_validate(terms)
    return VolatilityHalt(lambda: chosen)


def take(halt: VolatilityHalt, bars: list[Bar]) -> list[datetime]:
    """When it tripped."""
    return [bar.end for bar in bars if halt.take_bar(bar, bar.start.date())]


def returns_of(bars: list[Bar]) -> list[int]:
    moves = ((after.close - before.close) * PARTS // before.close for before, after in pairwise(bars))
    return [min(int(move), LARGEST) for move in moves]


def is_over(bars: list[Bar], terms: VolatilityHaltSettings) -> bool:
    """Of one symbol's bars, all of them, whether the last one is over a limit. Exact, but for the root of a median."""
    sessions = [list(found) for _, found in groupby(bars, key=lambda bar: bar.start.date())]
    ring: list[int] = []
    days: list[Decimal] = []
    for before, session in zip([None, *sessions], sessions, strict=False):
        if before is not None and session[0].start.date() - before[0].start.date() > timedelta(days=5):
            ring = []
        of_day = returns_of(session)
        ring += of_day
        if session is not sessions[-1] and len(of_day) >= terms.at_least:
            spread = variance([Fraction(n) for n in of_day])
            days.append((Decimal(spread.numerator) / spread.denominator).sqrt() / PARTS)
    ring = ring[-terms.returns :]
    if len(sessions[-1]) == 1 or len(ring) < terms.at_least:
        return False
    usual = Fraction(median(days[-terms.days :])) if len(days) >= terms.days else Fraction(0)
    limits = [Fraction(terms.limit)]
    if usual:
        limits.append(Fraction(ceil(Fraction(terms.times_median) * usual * 10**10), 10**10))
    return variance([Fraction(n) / Fraction(PARTS) for n in ring]) > min(limits) ** 2


steps = st.tuples(
    st.sampled_from([SPY, IBM]),
    st.sampled_from(["minute", "minute", "minute", "minute", "pause", "night", "night", "holidays"]),
    st.sampled_from([-30, -4, -1, 0, 0, 1, 4, 30]),
)
some_terms = st.fixed_dictionaries(
    {
        "limit": st.sampled_from(["0", "0.001", "0.006", "1"]),
        "times_median": st.sampled_from(["0.5", "1", "2", "4"]), "returns": st.integers(4, 9),
        "at_least": st.integers(2, 4), "days": st.integers(1, 3), "stop_minutes": st.integers(1, 8),
    },
)  # fmt: skip


@settings(max_examples=30)
@given(st.lists(steps, min_size=10, max_size=80), some_terms, st.integers(0, 79))
def test_the_halt_equals_a_rescan(
    found: list[tuple[Symbol, str, int]], values: dict[str, object], restart: int
) -> None:
    """RK-08, RK-09"""
    terms = VolatilityHaltSettings.model_validate(values)
    halt = VolatilityHalt(lambda: terms)
    at, prices = opens(MONDAY), {SPY: Decimal(100), IBM: Decimal(100)}
    seen: dict[Symbol, list[Bar]] = {SPY: [], IBM: []}
    made: list[tuple[str, datetime, datetime]] = []
    for number, (symbol, gap, move) in enumerate(found):
        if gap in ("night", "holidays"):
            at = opens(at.date() + timedelta(days=1 if gap == "night" else 6))
        at += {"minute": 1, "pause": 7}.get(gap, 0) * ONE_MINUTE
        prices[symbol] += prices[symbol] * move / 1000
        bar = a_bar(symbol, at, prices[symbol])
        if number == restart:
            kept = STATE.dump_json(halt.state)
            halt = VolatilityHalt(lambda: terms)
            halt.restore(STATE.validate_json(kept))
        halt.take_bar(bar, at.date())

        seen[symbol].append(bar)
        scope = "global" if symbol == SPY else symbol
        is_held = any(name == scope and bar.end < until for name, _, until in made)
        if not is_held and is_over(seen[symbol], terms):
            made.append((scope, bar.end, bar.end + timedelta(minutes=terms.stop_minutes)))
        holding = {(name, since, until) for name, since, until in made if bar.end < until}
        assert {(str(k.scope), k.since, k.until) for k in halt.locks.holding(bar.end)} == holding


def test_running_sums_do_not_drift() -> None:
    """RK-08: nothing drifts, after wild minutes neither."""
    chance, halt, price = Random(1), a_halt(), Decimal(100)
    last: list[Bar] = []
    for number in range(5_000):
        wildness = "0.5" if number % 1000 == 0 else "0.0003"
        price = max(price + price * Decimal(wildness) * Decimal(chance.randint(-1000, 1000)) / 1000, Decimal(1))
        price = price.quantize(Decimal("0.01"))
        bar = a_bar(SPY, opens(MONDAY) + number * ONE_MINUTE, price)
        halt.take_bar(bar, MONDAY)
        last = [*last[-30:], bar]

    found = returns_of(last)
    recent = halt.state.symbols[SPY].recent

    assert (recent.count, recent.total, recent.squares) == (30, sum(found), sum(n * n for n in found))


def test_twenty_returns_are_judged_nineteen_not(snapshot: SnapshotAssertion) -> None:
    """RK-08, RK-01"""
    bars = a_session(["100", "102"] * 11)
    halt = a_halt()

    early = take(halt, bars[:20])
    (said,) = halt.answers(bars[19].end)
    late = take(halt, bars[20:])
    (tripped,) = halt.answers(bars[20].end)

    assert (early, said.is_tripped, said.measure) == ([], False, None)
    assert said.reason == snapshot
    assert late == [bars[20].end]
    assert (tripped.is_tripped, str(tripped.scope), tripped.limit) == (True, "global", Decimal("0.006"))
    assert tripped.until == bars[20].end + timedelta(minutes=30)
    assert tripped.reason == snapshot


def test_an_overnight_gap_is_no_return() -> None:
    """RK-08: a night that took a tenth off is not a minute that did."""
    tuesday = MONDAY + timedelta(days=1)
    halt = a_halt()

    assert take(halt, a_session(["100"] * 40) + a_session(["90"] * 40, tuesday)) == []
    assert halt.state.symbols[SPY].recent.squares == 0


def test_a_jump_after_a_pause_counts() -> None:
    """RK-08: a pause of trading hides nothing."""
    bars = a_session(["100"] * 30)
    after = a_bar(SPY, bars[-1].start + timedelta(minutes=10), "90")

    assert take(a_halt(), [*bars, after]) == [after.end]


def test_a_quiet_symbol_halts_by_its_own_median(snapshot: SnapshotAssertion) -> None:
    """RK-08: 0.05 % a minute is nothing, unless it is ten times the usual."""
    quiet, louder = ["100.000", "100.005"] * 20, ["100.00", "100.05"] * 15
    days = [MONDAY + timedelta(days=n) for n in range(21)]
    halt, newcomer = a_halt(), a_halt()
    for day in days[:20]:
        take(halt, a_session(quiet, day, IBM))
    for day in days[1:20]:
        take(newcomer, a_session(quiet, day, IBM))

    wild = a_session(louder, days[20], IBM)
    (first, *_), none = take(halt, wild), take(newcomer, wild)
    (lock,) = halt.locks.holding(first)

    assert none == []
    assert (str(lock.scope), lock.until) == ("IBM", first + timedelta(minutes=30))
    assert lock.limit < lock.measure < Decimal("0.0006")
    assert lock.reason == snapshot
    assert list(newcomer.measures(wild[-1].end))[1].words == snapshot


def test_a_history_that_comes_late_limits_the_next_bar() -> None:
    """RK-08: the median of a quiet Monday counts as soon as it is known"""
    halt = a_halt(limit="1", times_median="2", returns=4, at_least=3, days=1)
    quiet = a_session(["100", "100.01", "100", "100.01", "100"])
    *live, after = a_session(["100", "101", "100", "101", "100", "101"], MONDAY + timedelta(days=1))
    assert take(halt, live) == []

    halt.take_history(SPY, [(bar.start.date(), bar) for bar in (*quiet, *live)])

    assert take(halt, [after]) == [after.end]


def test_a_halt_is_not_prolonged() -> None:
    """RK-08: 30 minutes are 30 minutes; a spike alone has left the last 30 returns when they are over."""
    spike = a_session([*["100"] * 30, *["104"] * 60])
    wild = a_session(["100", "102"] * 50)

    assert take(a_halt(), spike) == [spike[30].end]
    assert take(a_halt(), wild) == [wild[n].end for n in (20, 50, 80)]


def test_without_a_market_bar_nothing_is_measured(snapshot: SnapshotAssertion) -> None:
    """RK-08, RK-01"""
    halt = a_halt()
    take(halt, a_session(["100"] * 30, symbol=IBM))

    told = {str(answer.scope): answer for answer in halt.answers(opens(MONDAY) + timedelta(minutes=31))}

    assert (told["global"].measure, told["global"].reason) == (None, snapshot)
    assert (told["IBM"].measure, told["IBM"].is_tripped) == (Decimal(0), False)
