"""The frames of agents, and the strict parsing of what is in them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.draft import (
    CheckedFact,
    DraftAnswer,
    DraftFact,
    DraftRefusal,
    DraftTerms,
    FactResult,
)
from core.model.order import Effect, OrderType, TimeInForce
from core.model.values import Price, Quantity, Symbol
from core.protocol import frames as desk_frames
from core.protocol.agent_drafts import TermsError, draft_of, judged, key_of, symbol_of, terms_of
from core.protocol.agent_frames import (
    LONGEST_KEY,
    LONGEST_REASON,
    MOST_FACTS,
    PROTOCOL,
    Accepted,
    AgentHello,
    AskSize,
    Compared,
    Fault,
    FromAgent,
    Judged,
    Read,
    Rejected,
    RejectionCode,
    Sized,
    Stated,
    SubmitDraft,
    Terms,
    ToAgent,
    Told,
    WithdrawDraft,
    from_agent,
    to_agent,
)
from core.protocol.codec import FrameError, encode
from core.protocol.frames import LENGTH, pack
from tests.kit.rows import table
from tests.unit.core.protocol.test_frames import FROM_DESK

TERMS = Terms("SPY", "buy", "10", "limit", "510.20", "505", "520", "gtc")
FACT = Stated("SPY", "price", "510.20", "2026-01-05T09:30:00-05:00", "get_quote")
DRAFT = SubmitDraft(3, "a", TERMS, "it is near its low", (FACT,), "0.6")
FROM_AGENT: list[FromAgent] = [
    AgentHello(PROTOCOL, "0.1.0", "claude"), Read(1, ("desk", "quote"), "SPY", 5), AskSize(2, TERMS), DRAFT,
    WithdrawDraft(4, "a"),
]  # fmt: skip
TO_AGENT: list[ToAgent] = [
    Accepted(PROTOCOL, "0.1.0", "demo", "paper"), Rejected(0, "flood", "send fewer"), Told(1, "{}"),
    Sized(2, "4", "the risk of a trade"),
    Judged(3, "a", 1, "10", "", (), (Compared("SPY", "price", "510.20", "matches", "510.30"),)),
]  # fmt: skip


@table("frame", *FROM_AGENT)
def test_a_frame_of_an_agent_arrives(frame: FromAgent) -> None:
    """OP-09"""
    assert from_agent(pack(frame)[LENGTH:]) == frame


@table("frame", *TO_AGENT)
def test_an_answer_arrives(frame: ToAgent) -> None:
    """OP-09"""
    data = pack(frame)[LENGTH:]

    assert to_agent(data) == frame
    assert isinstance(from_agent(data), Fault)


@table("frame", *FROM_DESK)
def test_every_frame_of_a_desk_is_an_overstep(frame: desk_frames.FromDesk) -> None:
    """OP-09"""
    fault = from_agent(pack(frame)[LENGTH:])

    assert isinstance(fault, Fault)
    assert fault.is_overstep


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    """SY-06"""
    found = from_agent(data)

    assert isinstance(found, Fault | FromAgent)
    if isinstance(found, Fault):
        assert "\n" not in found.words
    with pytest.raises(FrameError):
        to_agent(b"\xc1" + data)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=20), st.lists, max_leaves=20))
def test_no_value_raises(value: object) -> None:
    """SY-06"""
    data = msgspec.msgpack.encode(["draft", 1, "a", value, value])
    found = from_agent(data)

    assert isinstance(found, Fault | SubmitDraft)
    if isinstance(found, Fault):
        assert (found.code, found.call) == (RejectionCode.NOT_UNDERSTOOD, 1)


def test_a_verb_with_terminal_codes_is_harmless() -> None:
    """SY-06"""
    fault = from_agent(msgspec.msgpack.encode(["\x1b[2J\u202eyub" * 100]))

    assert isinstance(fault, Fault)
    assert fault.is_overstep
    assert fault.words.isprintable()
    assert len(fault.attempt) < 100


def test_a_draft_is_parsed_into_values() -> None:
    """OP-09, OP-14: times in UTC, numbers exact, text on one line"""
    request = draft_of(msgspec.structs.replace(DRAFT, reason="  it is\nnear\tits low "))

    assert request.terms == DraftTerms(
        Symbol("SPY"),
        Effect.OPEN,
        Quantity(Decimal(10)),
        OrderType.LIMIT,
        Price(Decimal("510.20")),
        Price(Decimal(505)),
        Price(Decimal(520)),
        TimeInForce.GTC,
    )
    assert request.reason == "it is near its low"
    assert request.confidence == Decimal("0.6")
    at = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
    assert request.facts == (DraftFact("SPY", "price", Decimal("510.20"), at, "get_quote"),)


WRONG_TERMS = {
    "a look-alike": ("symbol", "SP\u0423"),
    "small letters": ("symbol", "spy"),
    "no symbol": ("symbol", ""),
    "a long symbol": ("symbol", "A" * 11),
    "a side": ("side", "long"),
    "a type": ("type", "stop"),
    "NaN": ("limit_price", "NaN"),
    "infinity": ("stop_price", "Infinity"),
    "a thousand": ("limit_price", "1,000"),
    "underscores": ("quantity", "1_0"),
    "other digits": ("quantity", "\u0661"),
    "zero": ("quantity", "0"),
    "below zero": ("quantity", "-5"),
    "huge": ("quantity", "1e30"),
    "many decimals": ("limit_price", "510.2000000001"),
    "a great power of ten": ("quantity", "1E-70"),
    "no limit": ("limit_price", ""),
    "a time in force": ("time_in_force", "forever"),
}


@pytest.mark.parametrize("name", WRONG_TERMS)
def test_a_wrong_field_is_named(name: str) -> None:
    """OP-09: in one line"""
    field, text = WRONG_TERMS[name]
    with pytest.raises(TermsError) as raised:
        terms_of(msgspec.structs.replace(TERMS, **{field: text}))

    assert str(raised.value).startswith(field)
    assert str(raised.value).isprintable()


def test_a_look_alike_letter_is_rejected_by_its_name() -> None:
    """SY-06"""
    with pytest.raises(TermsError) as raised:
        symbol_of("S\u0420Y")

    assert "CYRILLIC CAPITAL LETTER ER" in str(raised.value)


WRONG_DRAFTS = {
    "no reason": {"reason": " \n"},
    "a long reason": {"reason": "x" * (LONGEST_REASON + 1)},
    "no key": {"key": ""},
    "a long key": {"key": "k" * (LONGEST_KEY + 1)},
    "a key with blanks": {"key": "a b"},
    "many facts": {"facts": (FACT,) * (MOST_FACTS + 1)},
    "a fact without a number": {"facts": (msgspec.structs.replace(FACT, value="high"),)},
    "a time without an offset": {"facts": (msgspec.structs.replace(FACT, at="2026-01-05T09:30:00"),)},
    "a time that is none": {"facts": (msgspec.structs.replace(FACT, at="yesterday"),)},
    "the first time there is": {"facts": (msgspec.structs.replace(FACT, at="0001-01-01T00:00:00+14:00"),)},
    "the year 1": {"facts": (msgspec.structs.replace(FACT, at="0001-01-01T12:00:00Z"),)},
    "the last year": {"facts": (msgspec.structs.replace(FACT, at="9999-12-31T23:59:59Z"),)},
    "a fact of a great power of ten": {"facts": (msgspec.structs.replace(FACT, value="1E-65"),)},
    "a fact of many decimals": {"facts": (msgspec.structs.replace(FACT, value="0." + "3" * 30),)},
    "a zero of a great power of ten": {"facts": (msgspec.structs.replace(FACT, value="0E-70"),)},
    "a field with blanks": {"facts": (msgspec.structs.replace(FACT, field="my price"),)},
    "a look-alike in a fact": {"facts": (msgspec.structs.replace(FACT, symbol="\u0405PY"),)},
    "too sure": {"confidence": "1.01"},
    "a confidence of a great power of ten": {"confidence": "1E-65"},
    "a confidence that is none": {"confidence": "high"},
    "a sale with a stop": {"terms": msgspec.structs.replace(TERMS, side="sell")},
    "a market order with a limit": {"terms": msgspec.structs.replace(TERMS, type="market")},
}


@pytest.mark.parametrize("name", WRONG_DRAFTS)
def test_a_wrong_draft_is_rejected(name: str) -> None:
    """OP-09"""
    with pytest.raises(TermsError) as raised:
        draft_of(msgspec.structs.replace(DRAFT, **WRONG_DRAFTS[name]))

    assert str(raised.value).isprintable()


@pytest.mark.parametrize("text", ["0.00000000000000000001", "-99999999.12345678901234567890", "1E9", "0", "510.20"])
def test_what_is_taken_crosses_to_a_desk(text: str) -> None:
    """SY-01, OP-14: a number that the codec of a desk's view refuses would cut off every desk"""
    request = draft_of(msgspec.structs.replace(DRAFT, facts=(msgspec.structs.replace(FACT, value=text),)))

    assert encode(request.facts[0].value)


@pytest.mark.parametrize(("field", "symbol"), [("position", DRAFT.terms.symbol), ("equity", "")])
def test_a_fact_without_a_symbol_is_of_the_drafts_own(field: str, symbol: str) -> None:
    """OP-14: no symbol at all would be compared with no shares; the account has none"""
    request = draft_of(msgspec.structs.replace(DRAFT, facts=(msgspec.structs.replace(FACT, symbol="", field=field),)))

    assert request.facts[0].symbol == symbol


def test_the_longest_draft_is_taken() -> None:
    """OP-09: at each bound, and within one frame"""
    whole = msgspec.structs.replace(
        DRAFT, key="k" * LONGEST_KEY, reason="\u00fc" * LONGEST_REASON, facts=(FACT,) * MOST_FACTS
    )

    assert len(pack(whole)) < 65_536
    assert len(draft_of(whole).reason) == LONGEST_REASON
    assert key_of("k" * LONGEST_KEY)


def test_an_answer_without_amounts_tells_none() -> None:
    """OP-09: neither by a figure, nor by a comparison, nor in a reason"""
    told = CheckedFact(DraftFact("", "equity", Decimal(5), None, ""), FactResult.DIFFERS, Decimal(10_000))
    answer = DraftAnswer("a", 1, Quantity(Decimal(7)), facts=(told,))
    refused = DraftAnswer("a", None, code=DraftRefusal.CHECKS, reasons=("buying_power: 12 USD are left",))

    hidden = judged(1, answer, hides_amounts=True, is_sized=True)
    shown = judged(1, answer, hides_amounts=False, is_sized=True)
    words = judged(1, refused, hides_amounts=True, is_sized=False).reasons

    assert (hidden.quantity, hidden.facts[0].result, hidden.facts[0].ours) == ("", FactResult.UNKNOWN, "")
    assert (shown.quantity, shown.facts[0].result, shown.facts[0].ours) == ("7", FactResult.DIFFERS, "10000")
    assert "buying_power" in words[0]
    assert "12" not in words[0]
