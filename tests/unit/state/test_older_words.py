"""A journal of before codes means what it meant: its words are read once, when a record is decoded (SP-07)."""

from __future__ import annotations

from decimal import Decimal

import orjson
import pytest

from core.facts import Fact
from core.model.codes import AuthorizationCode, BasketStop, BlockCode, CancelCode, EndCode, ReadOnlyCode
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
def test_old_words_say_how_an_order_ended(words: str, code: EndCode) -> None:
    """SP-02, SP-07"""
    assert an_end(words).code is code


def test_words_of_todays_records_are_not_read() -> None:
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
def test_old_words_say_why_a_cancel_was_requested(words: str, code: CancelCode) -> None:
    """SP-02, SP-07"""
    assert a_record("CancelRequested", 1, client_order_id="stop", reason=words).code is code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("taken back before it was sent", BlockCode.TAKEN_BACK),
        ("approval a-1 lapsed at 10:00:00; confirm a new ticket", BlockCode.LAPSED),
        ("it was not sent before the desk left; it was taken back", BlockCode.LEFT),
        ("killed by key: nothing that opens or adds leaves", BlockCode.OTHER),
    ],
)
def test_old_words_say_why_an_order_was_not_sent(words: str, code: BlockCode) -> None:
    """SP-02, SP-07"""
    assert a_record("SubmissionBlocked", 1, client_order_id="entry", reason=words).code is code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("sold", AuthorizationCode.SOLD),
        ("nothing is left to close", AuthorizationCode.NOTHING_LEFT),
        ("nothing is left to protect", AuthorizationCode.NOTHING_LEFT),
        ("close again: the stop was not gone in time", AuthorizationCode.NOT_IN_TIME),
        ("close again: 5 SPY did not go through (expired)", AuthorizationCode.NOT_THROUGH),
        ("another close took its place", AuthorizationCode.DISPLACED),
        ("the stop was asked for again", AuthorizationCode.ASKED_AGAIN),
        ("its stop could not be asked for again; m in Positions gives it one", AuthorizationCode.NOT_ASKED_AGAIN),
        ("the stop waits for its key", AuthorizationCode.WAITS_FOR_KEY),
        ("an exit of it was declined: each one needs your key again", AuthorizationCode.DECLINED),
        ("taken back by the operator: each exit needs your key again", AuthorizationCode.TAKEN_BACK),
        ("words that nobody knows", AuthorizationCode.OTHER),
    ],
)
def test_old_words_say_what_ended_an_authorization(words: str, code: AuthorizationCode) -> None:
    """SP-02, SP-07"""
    assert a_record("AuthorizationEnded", 1, mandate_id="t-close", reason=words).code is code


@pytest.mark.parametrize(
    ("words", "stop"),
    [
        ("stopped: stopped by the operator", BasketStop.OPERATOR),
        ("stopped: halted, key: by key", BasketStop.HALTED),
        ("stopped: killed by key", BasketStop.KILLED),
        ("stopped: the desk was stopped while the plan ran; nothing of it is sent by itself", BasketStop.RESTARTED),
        ("stopped: nobody said in time whether the buys should go; none of them went", BasketStop.UNANSWERED),
        ("the broker is asked for the report", None),
    ],
)
def test_old_words_say_why_a_basket_stopped(words: str, stop: BasketStop | None) -> None:
    """EX-10, SP-02, SP-07"""
    assert a_record("BasketPhaseChanged", 1, plan_id="plan", phase="selling", reason=words).stop is stop


@pytest.mark.parametrize(
    ("reasons", "checks"),
    [
        (["spread: 0.3 % is over 0.2 %", "quote age: 3 s"], ("spread", "quote age")),
        (["price: it has no tick", "the signal's time is over"], ("price",)),
        (["daily_loss global is not overridden: nothing is shut there"], ()),
        (["this signal had its order already"], ()),
    ],
)
def test_old_words_say_which_checks_refused(reasons: list[str], checks: tuple[str, ...]) -> None:
    """EX-11, SP-02, SP-07"""
    refused = a_record("ConfirmationRefused", 1, ticket_id="t", reasons=reasons)
    at = "2026-11-20T14:30:00Z"
    skipped = a_record(
        "ProposalSkipped", 5, strategy="vwap", symbol="SPY", signal_time=at, reasons=reasons, proposal=None
    )

    assert (refused.checks, skipped.checks) == (checks, checks)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("the broker cannot be reached: no answer; asked again every 5 s", ReadOnlyCode.UNREACHABLE),
        ("SPY: the books differ, and an order on its way may explain it; asked again", ReadOnlyCode.UNDECIDED),
        ("2 positions are on one side only: SPY, IBM; type keyturn reconcile", ReadOnlyCode.APART),
    ],
)
def test_old_words_say_why_a_desk_is_read_only(words: str, code: ReadOnlyCode) -> None:
    """EX-09, SP-02, SP-07"""
    assert a_record("ReconciliationFailed", 2, reasons=[words], differences=[]).code is code


@pytest.mark.parametrize(
    ("name", "words", "limit"),
    [
        ("daily_loss", "1,250.00 USD lost today, the limit is 1,000.00 USD", Decimal(1000)),
        ("loss_streak", "3 losses in a row, the limit is 3.00 USD", None),
    ],
)
def test_old_words_say_which_limit_a_loss_reached(name: str, words: str, limit: Decimal | None) -> None:
    """RK-03, SP-02, SP-07"""
    assert a_record("ProtectionTripped", 1, name=name, scope="global", reason=words, until=None).limit == limit
