"""A journal of before codes means what it meant: its words are read once, when a record is decoded (SP-07)."""

from __future__ import annotations

import orjson
import pytest

from core.facts import Fact
from core.model.codes import CancelCode, EndCode
from state.codec import decode


def a_record(fact: str, version: int, **data: object) -> Fact:
    record = {"seq": 7, "at": "2026-11-20T14:31:00Z", "fact": fact, "v": version, "data": data, "sum": "0" * 32}
    return decode(orjson.dumps(record)).fact


def an_end(reason: str, version: int = 1, **more: object) -> Fact:
    before, after = "SUBMITTED", "CANCELLED"
    return a_record(
        "OrderStateChanged", version, client_order_id="entry", before=before, after=after, source="stream",
        broker_order_id=None, reason=reason, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("never arrived", EndCode.NEVER_ARRIVED),
        ("replaced", EndCode.REPLACED),
        ("replaced by d2733f", EndCode.REPLACED),
        ("", EndCode.AS_ITS_STATE_SAYS),
        ("cancelled by the operator", EndCode.AS_ITS_STATE_SAYS),
    ],
)
def test_how_an_order_ended_is_read_out_of_the_words_of_an_old_record(words: str, code: EndCode) -> None:
    """SP-02, SP-07"""
    assert an_end(words).code is code


def test_the_words_of_a_record_of_today_are_not_read() -> None:
    """SP-07"""
    assert an_end("never arrived", version=2, code="as_its_state_says").code is EndCode.AS_ITS_STATE_SAYS


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("cancelled by the operator", CancelCode.OPERATOR),
        ("killed by key", CancelCode.KILLED),
        ("its position is being closed", CancelCode.MAKES_WAY),
        ("it is for more than is held", CancelCode.TOO_MUCH),
        ("the broker's books show none of it", CancelCode.NONE_AT_THE_BROKER),
        ("the position is closed", CancelCode.FLAT),
        ("its time to live is over", CancelCode.OUTLIVED),
        ("the broker's warning was not confirmed in time", CancelCode.WARNING),
        ("flattened by the operator", CancelCode.FLATTENED),
        ("what it was made with has ended", CancelCode.ORPHANED),
        ("the order that it replaces filled further meanwhile", CancelCode.FILLED_FURTHER),
        ("words that nobody knows", CancelCode.OTHER),
    ],
)
def test_why_a_cancel_was_asked_for_is_read_out_of_the_words_of_an_old_record(words: str, code: CancelCode) -> None:
    """SP-02, SP-07"""
    assert a_record("CancelRequested", 1, client_order_id="stop", reason=words).code is code
