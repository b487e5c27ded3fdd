"""A journal of before codes means what it meant: its words are read once, when a record is decoded (SP-07)."""

from __future__ import annotations

from decimal import Decimal

import orjson

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


OLD: dict[tuple[str, int, str], list[tuple[str, object]]] = {
    ("CancelRequested", 1, "code"): [
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
    ("SubmissionBlocked", 1, "code"): [
        ("taken back before it was sent", BlockCode.TAKEN_BACK),
        ("approval a-1 lapsed at 10:00:00; confirm a new ticket", BlockCode.LAPSED),
        ("it was not sent before the desk left; it was taken back", BlockCode.LEFT),
        ("killed by key: nothing that opens or adds leaves", BlockCode.OTHER),
    ],
    ("AuthorizationEnded", 1, "code"): [
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
    ("BasketPhaseChanged", 1, "stop"): [
        ("stopped: stopped by the operator", BasketStop.OPERATOR),
        ("stopped: halted, key: by key", BasketStop.HALTED),
        ("stopped: killed by key", BasketStop.KILLED),
        ("stopped: the desk was stopped while the plan ran; nothing of it is sent by itself", BasketStop.RESTARTED),
        ("stopped: nobody said in time whether the buys should go; none of them went", BasketStop.UNANSWERED),
        ("the broker is asked for the report", None),
    ],
}
"""By fact, version and field: the words of an old record, and what they meant."""
OTHERS = {
    "CancelRequested": {"client_order_id": "stop"},
    "SubmissionBlocked": {"client_order_id": "entry"},
    "AuthorizationEnded": {"authorization_id": "t-close"},
    "BasketPhaseChanged": {"plan_id": "plan", "phase": "selling"},
}
ENDS = [
    ("never arrived", EndCode.NEVER_ARRIVED),
    ("replaced", EndCode.REPLACED),
    ("replaced by d2733f", EndCode.REPLACED),
    ("", EndCode.AS_ITS_STATE_SAYS),
    ("cancelled by the operator", EndCode.AS_ITS_STATE_SAYS),
]
REFUSALS: list[tuple[list[str], tuple[str, ...]]] = [
    (["spread: 0.3 % is over 0.2 %", "quote age: 3 s"], ("spread", "quote age")),
    (["price: it has no tick", "the signal's time is over"], ("price",)),
    (["daily_loss global is not overridden: nothing is shut there"], ()),
    (["this signal had its order already"], ()),
]
READ_ONLY = [
    ("the broker cannot be reached: no answer; asked again every 5 s", ReadOnlyCode.UNREACHABLE),
    ("SPY: the books differ, and an order on its way may explain it; asked again", ReadOnlyCode.UNDECIDED),
    ("2 positions are on one side only: SPY, IBM; type keyturn reconcile", ReadOnlyCode.APART),
]
LOSSES = [
    ("daily_loss", "1,250.00 USD lost today, the limit is 1,000.00 USD", Decimal(1000)),
    ("loss_streak", "3 losses in a row, the limit is 3.00 USD", None),
]


def test_old_words_have_the_meaning_of_codes() -> None:
    """EX-10, SP-02, SP-07"""
    for (fact, version, field), rows in OLD.items():
        for words, meant in rows:
            found = getattr(a_record(fact, version, reason=words, **OTHERS[fact]), field)
            assert found is meant, (fact, words)


def test_old_words_say_how_an_order_ended() -> None:
    """SP-02, SP-07"""
    for words, code in ENDS:
        assert an_end(words).code is code, words


def test_words_of_todays_records_are_not_read() -> None:
    """SP-07"""
    assert an_end("never arrived", version=2, code="as_its_state_says").code is EndCode.AS_ITS_STATE_SAYS


def test_old_words_say_which_checks_refused() -> None:
    """EX-11, SP-02, SP-07"""
    skip = {"strategy": "vwap", "symbol": "SPY", "signal_time": "2026-11-20T14:30:00Z", "proposal": None}
    for reasons, checks in REFUSALS:
        assert a_record("ConfirmationRefused", 1, ticket_id="t", reasons=reasons).checks == checks, reasons
        assert a_record("ProposalSkipped", 5, reasons=reasons, **skip).checks == checks, reasons


def test_old_words_say_why_a_desk_is_read_only() -> None:
    """EX-09, SP-02, SP-07"""
    for words, code in READ_ONLY:
        assert a_record("ReconciliationFailed", 2, reasons=[words], differences=[]).code is code, words


def test_old_words_say_which_limit_a_loss_reached() -> None:
    """RK-03, SP-02, SP-07"""
    for name, words, limit in LOSSES:
        tripped = a_record("ProtectionTripped", 1, name=name, scope="global", reason=words, until=None)
        assert tripped.limit == limit, words
