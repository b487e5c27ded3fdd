"""A fact as a line, and back: nothing is lost, and nothing that is wrong is believed."""

from __future__ import annotations

import re
from dataclasses import is_dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import Any

import orjson
import pytest

import core.facts
from core.facts import (
    ApprovalRedeemed,
    BarClosed,
    ConfirmationReceived,
    EngineStopped,
    Fact,
    Halted,
    Killed,
    OrderCreated,
    ProposalSkipped,
    SettingsApplied,
    TradeClosed,
)
from core.facts.registry import BY_NAME, BY_TYPE
from core.model.bar import Bar
from core.model.codes import HaltCause
from core.model.order import Effect, Leg, LegRole, OrderClass, OrderRequest, OrderType, Side
from core.model.sizing import VixLevel, VixReading
from core.model.staging import Approval
from core.ports import JournalError
from core.settings.settings import Settings
from state import codec
from state.codec import GENESIS, RecordError, checked_sum, decode, encode
from tests.unit.state.random_facts import drawn, instant

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
EXAMPLES = 15
"""Of each fact."""


def a_bar(close: str = "590.22", **changed: Any) -> BarClosed:
    numbers = {"open": "590.10", "high": "590.30", "low": "590.05", "close": close, "volume": "12345"} | changed
    return BarClosed(Bar("SPY", NOON, **{name: Decimal(number) for name, number in numbers.items()}))


def created_order() -> OrderCreated:
    order = OrderRequest(
        "first", "SPY", Side.BUY, Effect.OPEN, Decimal("5"), OrderType.LIMIT, limit_price=Decimal("99.60")
    )
    return OrderCreated(order, "p", "vwap", NOON, None, None, None, None, None, None)


def line_of(fact: Any, at: datetime = NOON) -> bytes:
    return encode(1, at, fact, GENESIS)[0].removesuffix(b"\n")


def assert_round_trip(kind: type, chance: Random) -> None:
    fact, at = drawn(kind, chance), instant(chance)
    line = line_of(fact, at)

    read = decode(line)

    assert (read.fact, read.sequence, read.at) == (fact, 1, at)
    assert line_of(read.fact, read.at) == line


def test_every_fact_is_read_as_it_was_written():
    """SP-01, SP-03"""
    for kind in BY_TYPE:
        chance = Random(kind.__name__)
        for _ in range(EXAMPLES):
            assert_round_trip(kind, chance)


def test_fast_and_generic_codec_of_a_bar_agree():
    """SP-01"""
    chance = Random(1)
    for bar in [drawn(BarClosed, chance) for _ in range(100)]:
        generic = orjson.dumps(bar, default=str, option=orjson.OPT_UTC_Z)
        line = line_of(bar)
        assert b'"data":%b,' % generic in line
        assert decode(line).fact == bar == codec._decoded(codec.BAR, 1, orjson.loads(generic))


def test_numbers_keep_their_exact_text():
    """SP-01"""
    for text in ("0.300", "1E+2", "-0.00", "12345678901234567890.123456789", "0E-9"):
        assert str(decode(line_of(a_bar(close=text))).fact.bar.close) == text


def test_times_are_utc_with_microseconds():
    """SP-01"""
    at = NOON + timedelta(microseconds=7)
    assert b'"at":"2026-11-20T17:00:00.000007Z"' in line_of(a_bar(), at)
    assert decode(line_of(a_bar(), at)).at == at


def test_settings_keep_numbers_times_and_members():
    """SP-03"""
    chosen = Settings.model_validate({"risk": {"window_start": time(9, 35), "spread_limit": "0.00200"}})
    read = decode(line_of(SettingsApplied(chosen))).fact
    assert read.settings == chosen
    assert str(read.settings.risk.spread_limit) == "0.00200"


def test_only_finite_numbers_are_written():
    """SP-01, MD-03"""
    for field in ("open", "high", "low", "close", "volume"):
        for number in ("NaN", "sNaN", "Infinity", "-Infinity"):
            with pytest.raises(RecordError, match="SPY"):
                encode(1, NOON, a_bar(**{field: number}), GENESIS)


def test_only_readable_records_are_written():
    """SP-01"""
    with pytest.raises(RecordError, match="EngineStopped cannot be written"):
        encode(1, NOON, EngineStopped("\ud800"), GENESIS)
    with pytest.raises(RecordError, match="zone"):
        encode(1, datetime(2026, 11, 20), EngineStopped("x"), GENESIS)  # noqa: DTZ001
    assert issubclass(RecordError, JournalError)


def altered(**record: object) -> bytes:
    return orjson.dumps({**orjson.loads(line_of(Halted(HaltCause.KEY, "ctrl+k"))), **record})


A_BAR = orjson.loads(line_of(a_bar()))["data"]["bar"]
MALFORMED = [
    (b"", "no record"),
    (b"[]", "no record"),
    (b'{"seq":1}', "no record"),
    (altered(at="soon"), "no record"),
    (altered(fact="MoonRose"), "'MoonRose'"),
    (altered(fact=["Halted"]), "no fact of this version"),
    (altered(v=0), "Halted"),
    (altered(v=9), "Halted is of version 9"),
    (altered(v="1"), "Halted"),
    (altered(data=[]), "Halted"),
    (altered(data={"cause": "key"}), "Halted, reason"),
    (altered(data={"cause": "whim", "reason": ""}), "Halted, cause"),
    (altered(data={"cause": "key", "reason": 5}), "Halted, reason"),
    (altered(data={"cause": "key", "reason": "", "colour": "red"}), "colour"),
    (altered(fact="SettingsApplied", v=9), "SettingsApplied is of version 9"),
    (altered(fact="SettingsApplied", data={}), "settings"),
    (altered(fact="SettingsApplied", data={"settings": 7}), "SettingsApplied"),
    (altered(fact="BarClosed", data={"bar": {"symbol": "SPY"}}), "BarClosed, bar.start"),
    (altered(fact="BarClosed", data={"bar": 5}), "BarClosed, bar"),
    *(
        (
            altered(fact="BarClosed", data={"bar": {**orjson.loads(line_of(a_bar()))["data"]["bar"], "close": close}}),
            "bar.close",
        )
        for close in ([], "dear", None, "NaN", "Infinity")
    ),
]
"""A line, and what its refusal names: the fact and the field."""


def test_a_malformed_record_is_refused_by_name():
    """SP-01"""
    for line, named in MALFORMED:
        with pytest.raises(RecordError, match=re.escape(named)):
            decode(line)


def known_as(monkeypatch, made, **terms):
    """A fact as another version of this program would have it on its list."""
    kind = replace(BY_TYPE[made], **terms)
    monkeypatch.setitem(BY_TYPE, made, kind)
    for name in kind.names:
        monkeypatch.setitem(BY_NAME, name, kind)


def test_an_older_record_is_upgraded_in_steps(monkeypatch):
    """SP-02, SP-07"""
    steps = {1: lambda data: {"why": data["word"]}, 2: lambda data: {"reason": data["why"]}}
    known_as(monkeypatch, EngineStopped, version=3, upgrades=steps)

    assert decode(altered(fact="EngineStopped", data={"word": "asked"})).fact == EngineStopped("asked")
    assert decode(altered(fact="EngineStopped", v=2, data={"why": "asked"})).fact == EngineStopped("asked")
    assert orjson.loads(line_of(EngineStopped("x")))["v"] == 3


def test_a_version_with_new_fields_needs_no_upgrade(monkeypatch):
    """SP-07: the default of a field says what was so before it was there"""
    known_as(monkeypatch, Killed, version=4, upgrades={3: lambda data: {**data, "naked": True}})

    assert decode(altered(fact="Killed", v=3, data={"by": "key"})).fact == Killed("key", naked=True)
    assert decode(altered(fact="Killed", v=4, data={"by": "key"})).fact == Killed("key")


def test_an_unreadable_older_record_is_refused(monkeypatch):
    """SP-01"""
    known_as(monkeypatch, EngineStopped, version=2, upgrades={1: lambda data: {"reason": "it " + data["word"]}})

    for data in ({}, {"word": 5}, {"word": None}):
        with pytest.raises(RecordError, match="EngineStopped"):
            decode(altered(fact="EngineStopped", data=data))


def test_a_renamed_fact_reads_its_old_name(monkeypatch):
    """SP-07"""
    known_as(monkeypatch, EngineStopped, name="DeskLeft", aliases=("EngineStopped",))

    assert decode(altered(fact="EngineStopped", data={"reason": "left"})).fact == EngineStopped("left")
    written = line_of(EngineStopped("left"))
    assert orjson.loads(written)["fact"] == "DeskLeft"
    assert decode(written).fact == EngineStopped("left")


def test_a_renamed_bar_is_read_by_both_codecs(monkeypatch):
    """SP-07"""
    known_as(monkeypatch, BarClosed, name="BarEnded", aliases=("BarClosed",))
    monkeypatch.setattr(codec, "BAR", BY_TYPE[BarClosed])

    for name in ("BarEnded", "BarClosed"):
        assert decode(orjson.dumps({**orjson.loads(line_of(a_bar())), "fact": name})).fact == a_bar()


def test_a_first_regime_is_read_without_closes():
    """SP-02, ST-10"""
    vix = {"value": "34.20", "measured_on": "2026-11-18", "level": "high"}
    old = altered(fact="RegimeMeasured", data={"regime": {"vix": vix, "market": {"reason": "not asked"}}})

    assert decode(old).fact.regime.vix == VixReading(Decimal("34.20"), date(2026, 11, 18), VixLevel.HIGH)


def test_a_checksum_covers_every_byte_and_the_chain():
    """SP-01"""
    line = line_of(a_bar())
    assert checked_sum(line, GENESIS) == orjson.loads(line)["sum"]
    with pytest.raises(RecordError):
        checked_sum(line, "1" * 32)
    for place in range(len(line)):
        changed = bytearray(line)
        changed[place] ^= 1
        with pytest.raises(RecordError):
            checked_sum(bytes(changed), GENESIS)


def test_every_fact_is_frozen_and_registered():
    """SP-01, SP-07: a class that calls itself a fact, and is not on it, could not be written"""
    made = {kind for kind in vars(core.facts).values() if isinstance(kind, type) and issubclass(kind, Fact)}

    assert made - {Fact} == BY_TYPE.keys()
    assert all(is_dataclass(fact) and fact.__dataclass_params__.frozen for fact in BY_TYPE)
    assert {name for kind in BY_TYPE.values() for name in kind.names} == BY_NAME.keys()


def test_an_order_before_replacements_keeps_its_digest():
    """SP-01, OP-02: and its digest is what it always was"""
    order = OrderRequest(
        "first", "SPY", Side.BUY, Effect.OPEN, Decimal("0.5"), OrderType.LIMIT, limit_price=Decimal("99.60")
    )
    created = OrderCreated(order, "p", "vwap", NOON, None, None, None, None, None, None)
    line = orjson.loads(line_of(created))
    del line["data"]["order"]["replaces"]

    read = decode(orjson.dumps(line)).fact

    assert read == created
    nine_fields = "first", "SPY", "buy", "open", "0.5", "limit", "day", "99.6", "-"
    assert read.order.digest("paper") == sha256("\x1f".join(("paper", *nine_fields)).encode()).hexdigest()


def test_a_first_skipped_signal_is_read() -> None:
    """SP-01, OP-12"""
    skipped = ProposalSkipped("vwap", "SPY", NOON, ("killed",))
    record = orjson.loads(line_of(skipped))
    del record["data"]["proposal"]

    assert decode(orjson.dumps({**record, "v": 1})).fact == skipped


def test_an_order_before_legs_is_a_simple_one() -> None:
    """SP-01, EX-12"""
    record = orjson.loads(line_of(created_order()))
    for later in ("trail_price", "trail_fraction", "order_class", "legs"):
        del record["data"]["order"][later]
    del record["data"]["role"]

    read = decode(orjson.dumps({**record, "v": 1})).fact

    assert read == created_order()


def test_an_order_before_extended_hours_keeps_its_digest() -> None:
    """SP-01, OP-02, RK-20: what acts in them is signed as such."""
    record = orjson.loads(line_of(created_order()))
    del record["data"]["order"]["extended_hours"]

    read = decode(orjson.dumps(record)).fact

    assert read == created_order()
    nine_fields = "first", "SPY", "buy", "open", "5", "limit", "day", "99.6", "-"
    assert read.order.digest("paper") == sha256("\x1f".join(("paper", *nine_fields)).encode()).hexdigest()
    marked = replace(created_order(), order=replace(created_order().order, extended_hours=True))
    assert decode(line_of(marked)).fact == marked
    assert marked.order.digest("paper") != read.order.digest("paper")


def test_an_order_with_legs_is_read_as_written() -> None:
    """SP-01, EX-12"""
    created = created_order()
    legs = (Leg(LegRole.STOP, Decimal("99.30")), Leg(LegRole.TARGET, None, Decimal("101.00")))
    with_legs = replace(created, order=replace(created.order, order_class=OrderClass.BRACKET, legs=legs))

    assert decode(line_of(with_legs)).fact == with_legs
    assert with_legs.order.digest("paper") != created.order.digest("paper")


def test_old_trades_and_tickets_are_read() -> None:
    """SP-01, EX-18, OP-06"""
    trade = {
        "symbol": "SPY", "strategy": "vwap", "entry_order": "a", "exit_order": "b",
        "entry_time": "2026-11-20T15:00:00Z", "entry_price": "99.6", "quantity": "1",
        "exit_time": "2026-11-20T15:05:00Z", "exit_price": "100",
        "exit_reason": "MEAN_REVERSION", "intended_entry": "99.6", "intended_exit": "100", "reference": "100",
        "profit": "0.4", "slippage": "0",
    }  # fmt: skip
    record = orjson.loads(line_of(EngineStopped("x")))

    read = decode(orjson.dumps({**record, "fact": "TradeClosed", "v": 1, "data": {"trade": trade}})).fact

    assert isinstance(read, TradeClosed)
    assert read.trade.regime is None
    order = orjson.loads(line_of(created_order()))
    del order["data"]["target_price"]
    assert decode(orjson.dumps({**order, "v": 2})).fact == created_order()


def permission_for_less() -> Approval:
    return Approval("a", "t", "m", "digest", NOON, less_of="first")


def test_an_approval_for_less_has_its_own_version() -> None:
    """SP-02, SP-07, OP-02: an older Keyturn says that a newer one wrote it; this one reads both"""
    facts = [
        (ConfirmationReceived("t", "digest", permission_for_less(), ()), 3),
        (ApprovalRedeemed(permission_for_less(), "second", "digest", Decimal(3)), 1),
    ]
    for fact, before in facts:
        record, old = orjson.loads(line_of(fact)), orjson.loads(line_of(fact))
        del old["data"]["approval"]["less_of"]

        assert decode(orjson.dumps(record)).fact == fact
        assert record["v"] > before
        same = replace(fact, approval=replace(fact.approval, less_of=None))
        assert decode(orjson.dumps({**old, "v": before})).fact == same
