"""What a strategy's process may write to the desk: one of the shapes that are known, and nothing that could harm."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from core.model.bar import Bar
from core.model.order import StopHolder
from core.model.recommendation import Recommendation
from core.model.session import VENUES, XNYS, Session
from core.model.signal import EntrySignal, ExitReason, ExitSignal, NoTrade, NoTradeReason
from core.model.values import Fraction, Money, Price, Quantity, Symbol, VenueId
from core.risk.sizing import Conditions, Likeness, Throttle
from core.runtime.strategy_host import pipe_messages
from core.strategies.base import Context
from core.strategies.trade_plan import SignalFault
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, a_bar, at

BAR: Bar = a_bar("10:00", "100 101 99 100.123456789")
ENTRY = EntrySignal(
    "mine", SPY, BAR.start, Price(Decimal("100.12")), Price(Decimal("99.50")), StopHolder.BROKER,
    Quantity(Decimal("1.234")), Price(Decimal("100.1234")), "it - says so", Price(Decimal(103)), Decimal("0.7"),
)  # fmt: skip
EXIT = ExitSignal(
    "mine", SPY, BAR.start, Quantity(Decimal(3)), ExitReason.TIME_EXIT, Price(Decimal("100.1")), Price(Decimal(100)),
    "time",
)  # fmt: skip


def over_the_pipe(message: object) -> Any:
    frame = pipe_messages.framed([message])
    assert pipe_messages.HEAD.unpack(frame[:4])[0] == len(frame) - 4
    return orjson.loads(frame[4:])[0]


@table(
    "answer",
    NoTrade(NoTradeReason.NO_SETUP),
    ENTRY,
    replace(ENTRY, target_price=None, confidence=None),
    EXIT,
    SignalFault("it answered a list"),
)
def test_an_answer_is_the_same_on_both_sides(answer: Any) -> None:
    """ST-01"""
    assert pipe_messages.answer_in(over_the_pipe(pipe_messages.answer_out(answer)), "mine", BAR) == answer


def test_bars_and_contexts_round_trip() -> None:
    """ST-01: to the last digit."""
    session = Session(THURSDAY, at("09:30"), at("16:00"))
    advised = Recommendation(
        "mine", SPY, Price(Decimal(1)), Price(Decimal("0.5")), Price(Decimal(2)), Quantity(Decimal(3)), at("15:00"),
        "a friend",
    )  # fmt: skip
    bare = Context(session, ((at("10:00"), at("11:30")), (at("14:00"), at("15:00"))), at("15:55"), 3, XNYS)
    full = replace(
        bare, venue=VENUES[VenueId("XNAS")], held=Quantity(Decimal("-2.5")), entry_price=Price(Decimal("99.99")),
        entered_at=datetime(2026, 1, 5, 15, 0, 0, 123456, tzinfo=UTC), recommendation=advised, is_paused=True,
        risk_per_trade=Money(Decimal("12.34")), max_notional=Money(Decimal(500)), min_notional=Decimal(1),
    )  # fmt: skip
    conditions = Conditions(
        atr=Price(Decimal("0.1")),
        held=(Likeness(Symbol("QQQ"), True, Fraction(Decimal("0.9")), 40),),
        throttle=Throttle(Fraction(Decimal("0.5")), "half"),
        equity=Decimal(10000),
    )

    assert pipe_messages.bar_in(over_the_pipe(pipe_messages.bar_out(BAR))) == BAR
    for context in (bare, full):
        assert pipe_messages.context_in(over_the_pipe(pipe_messages.context_out(context))) == context
    for each in (Conditions(), conditions):
        assert pipe_messages.conditions_in(over_the_pipe(pipe_messages.conditions_out(each))) == each


FIGURES = ["100.12", "99.50", "1.234", "100.1", "why", None, None]


@table(
    "row",
    None,
    "none",
    ["none"],
    ["none", "BUY"],
    ["none", 3],
    ["enter", *FIGURES[:-1]],
    ["enter", 100.12, *FIGURES[1:]],
    ["enter", "NaN", *FIGURES[1:]],
    ["enter", "sNaN", *FIGURES[1:]],
    ["enter", "Infinity", *FIGURES[1:]],
    ["enter", "1E+999999999", *FIGURES[1:]],
    ["enter", "1E-999999999", *FIGURES[1:]],
    ["enter", "1" * 61, *FIGURES[1:]],
    ["enter", "many", *FIGURES[1:]],
    ["enter", *FIGURES[:4], ["why"], None, None],
    ["leave", "1", "2", "3", "BECAUSE", "why"],
    ["leave", "1", "2", "3", ["KILL"], "why"],
    ["odd", 3],
    ["order", "market", "SPY"],
)
def test_what_is_no_answer_is_refused(row: object) -> None:
    """ST-01, OP-01"""
    with pytest.raises(pipe_messages.WireError):
        pipe_messages.answer_in(row, "mine", BAR)


@table("body", b"", b"{", b"[]", b"{}", b"3", b"[3]", b"\xff", b"[" * 3000, b"NaN")
def test_what_is_no_message_is_refused(body: bytes) -> None:
    """ST-01"""
    with pytest.raises(pipe_messages.WireError):
        pipe_messages.read(body)


def test_words_move_no_terminal_and_have_an_end() -> None:
    """OP-05"""
    assert pipe_messages.words("red \x1b[31m\n\x07" + "x" * 10_000) == f"red �[31m �{'x' * 589}"
    assert pipe_messages.figures_in([["a\x1bb", "c"]] * 100) == (("a�b", "c"),) * 64
    for odd in ("figures", [["a"]], [["a", 3]], [3], None):
        with pytest.raises(pipe_messages.WireError):
            pipe_messages.figures_in(odd)
