"""Questions and cancels at Alpaca: asked again with patience, answered in time, and never more than once a look."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.brokers.alpaca.retries import NoReply
from core.model.account import Account
from core.model.broker import Accepted, BrokerClock, CancelTaken, MarketHours, NoAnswer, NotFound, OrderReport, Refused
from core.model.codes import RefusalKind
from core.model.instrument import AssetClass, BrokerInstrument, NoInstrument
from core.model.order import OrderStatus
from core.model.values import BrokerOrderId, ClientOrderId, Symbol
from tests.kit.rows import table
from tests.unit.core.brokers.alpaca_door import (
    HTML,
    NOON,
    OURS,
    Behaviour,
    Drops,
    Hangs,
    Pauses,
    Says,
    a_broker,
    a_door,
    an_account_json,
    an_asset_json,
    an_order_json,
    refused,
)

pytestmark = pytest.mark.usefixtures("timeline")

THEIRS = BrokerOrderId("61e69015-8549-4bfd-b9c3-01e75843f47d")
CANCEL = f"DELETE /v2/orders/{THEIRS}"
ACCOUNT = Says(200, an_account_json())
GONE = refused(404, 40410000, f"order not found for {THEIRS}")


# ── patience ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unanswered_question_backs_off() -> None:
    """EX-15"""
    pauses = Pauses()
    with a_door(Says(500, HTML), Says(429), Drops(), ACCOUNT) as door:
        assert isinstance(a_broker(door, pauses).account(), Account)

        assert door.lines == ["GET /v2/account"] * 4
        assert pauses.taken == [0.25, 0.5, 1.0]


def test_a_question_is_asked_four_times(snapshot: SnapshotAssertion) -> None:
    """EX-15"""
    with a_door(*[Says(503, HTML)] * 5) as door:
        answer = a_broker(door).account()

        assert answer == NoAnswer(snapshot)
        assert len(door.asked) == 4


def test_the_pauses_of_two_desks_differ() -> None:
    """EX-15: jitter is half of a pause."""
    short, long = Pauses(chance=0.0), Pauses(chance=1.0)
    for pauses in (short, long):
        with a_door(Says(500), ACCOUNT) as door:
            a_broker(door, pauses).account()

    assert (short.taken, long.taken) == ([0.125], [0.25])


@table(
    "headers",
    {"Retry-After": "4"},
    {"Retry-After": "Fri, 20 Nov 2026 17:00:04 GMT"},
    {"X-RateLimit-Reset": str(int(NOON.timestamp()) + 4)},
)
def test_retry_after_is_honoured(headers: dict[str, str]) -> None:
    """EX-15"""
    pauses = Pauses(chance=0.0)
    with a_door(Says(429, b"", headers), ACCOUNT) as door:
        a_broker(door, pauses).account()

    assert pauses.taken == [4.0]


@table("value", "soon", "-4", "１０", "")
def test_an_unreadable_retry_after_is_ignored(value: str) -> None:
    """EX-15"""
    pauses = Pauses()
    with a_door(Says(429, b"", {"Retry-After": value.encode().decode("latin-1")}), ACCOUNT) as door:
        assert isinstance(a_broker(door, pauses).account(), Account)

    assert pauses.taken == [0.25]


def test_a_retry_after_beyond_the_limit_gives_up(snapshot: SnapshotAssertion) -> None:
    """EX-15"""
    pauses = Pauses()
    with a_door(Says(429, b"", {"Retry-After": "60"})) as door:
        assert a_broker(door, pauses).account() == NoAnswer(snapshot, limited_seconds=60)

        assert pauses.taken == []
        assert len(door.asked) == 1


def test_an_unanswered_cancel_ends_within_15_seconds() -> None:
    """EX-15: two waits of six seconds fit, a third does not."""
    pauses = Pauses()
    with a_door(*[Says(503, b"", {"Retry-After": "6"})] * 4) as door:
        answer = a_broker(door, pauses).cancel(OURS, THEIRS)

        assert isinstance(answer, NoAnswer)
        assert sum(pauses.taken) < 15
        assert len(door.asked) == 3


def test_a_cancel_after_a_429_is_left_to_the_engine() -> None:
    """EX-15, RK-24: it paces all cancels of a kill, and a repeated one would be another request beyond the limit"""
    pauses = Pauses()
    with a_door(Says(429, b"", {"Retry-After": "6"})) as door:
        answer = a_broker(door, pauses).cancel(OURS, THEIRS)

        assert isinstance(answer, NoAnswer)
        assert (answer.limited_seconds, pauses.taken, len(door.asked)) == (6, [], 1)


def test_a_desk_that_leaves_asks_nothing_again() -> None:
    """EX-15"""
    pauses = Pauses(leaves_at=1)
    with a_door(Says(500), ACCOUNT) as door:
        assert isinstance(a_broker(door, pauses).account(), NoAnswer)
        assert len(door.asked) == 1


def test_a_stated_refusal_is_not_asked_again(snapshot: SnapshotAssertion) -> None:
    """EX-15"""
    with a_door(refused(403, 40310000, "account is locked")) as door:
        answer = a_broker(door).account()

        assert answer == NoAnswer(snapshot)
        assert len(door.asked) == 1


def test_requests_are_counted_by_endpoint() -> None:
    """EX-17"""
    with a_door(Says(429), Drops(), ACCOUNT, Says(200, an_order_json()), GONE) as door:
        broker = a_broker(door)
        broker.account()
        broker.look_up(OURS)
        broker.cancel(OURS, THEIRS)
        calls = broker.calls()

        assert calls.sent == {"GET /account": 3, "GET /orders:by_client_order_id": 1, "DELETE /orders/{id}": 1}
        assert sum(calls.sent.values()) == len(door.asked)
        assert calls.beyond == 2  # the account's repeats


def test_a_429_is_told_from_silence() -> None:
    """EX-15, EX-06: with the time to wait; one that names none is waited for a moment"""
    seconds = {"named": {"Retry-After": "60"}, "unnamed": {}, "silent": None}
    told = {}
    for name, headers in seconds.items():
        says = Drops() if headers is None else Says(429, b"", headers)
        with a_door(*[says] * 24) as door:
            broker = a_broker(door)
            answers = (broker.books(), broker.look_up(OURS), broker.account())
            told[name] = {getattr(answer, "limited_seconds", "no NoAnswer") for answer in answers}

    assert told == {"named": {60.0}, "unnamed": {5.0}, "silent": {None}}


def test_look_ups_tell_what_they_take_beyond_one() -> None:
    """RK-24: the fills of an order are a second request"""
    with a_door(HALF_FILLED, Says(200, [a_fill_json(1, "7", "100.3")]), Says(200, an_order_json())) as door:
        broker = a_broker(door)
        broker.look_up(OURS)
        broker.look_up(OURS)

        assert len(door.asked) == 3
        assert broker.calls().beyond == 1


# ── cancels ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_cancel_is_one_request() -> None:
    """EX-07, RK-24: taken is not the end of the order, and whoever asked looks it up when there is room."""
    with a_door(Says(204)) as door:
        assert a_broker(door).cancel(OURS, THEIRS) == CancelTaken()
        assert door.lines == [CANCEL]


def test_an_unanswered_cancel_is_repeated() -> None:
    """EX-15, OP-07: a cancel always has a way."""
    with a_door(Drops(), Says(504, HTML), Says(204)) as door:
        assert a_broker(door).cancel(OURS, THEIRS) == CancelTaken()
        assert door.lines == [CANCEL, CANCEL, CANCEL]


def test_a_lost_cancel_answer_is_known_by_the_order() -> None:
    """EX-06: Alpaca refuses the second one, because the first arrived."""
    second = refused(422, 42210000, 'order is already in "canceled" state')
    with a_door(Drops(), second, Says(200, an_order_json(status="canceled"))) as door:
        answer = a_broker(door).cancel(OURS, THEIRS)

    assert isinstance(answer, Accepted)
    assert answer.report.status is OrderStatus.CANCELLED


def test_a_cancel_of_a_filled_order_is_refused(snapshot: SnapshotAssertion) -> None:
    """EX-07: already filled, nothing changes."""
    no = refused(422, 42210000, 'order is already in "filled" state')
    filled = Says(200, an_order_json(status="filled", filled_qty="10", filled_avg_price="100.5"))
    with a_door(no, filled) as door:
        answer = a_broker(door).cancel(OURS, THEIRS)

    assert answer == Refused(RefusalKind.UNPROCESSABLE, snapshot, "42210000")


def test_a_cancel_of_an_unknown_order_says_so() -> None:
    """EX-06"""
    with a_door(GONE) as door:
        assert a_broker(door).cancel(OURS, THEIRS) == NotFound()


@table("fault", Says(404, HTML), Says(404, {"message": "Not Found"}), Hangs())
def test_a_wrong_address_is_not_a_missing_order(fault: Behaviour) -> None:
    """EX-06"""
    with a_door(*[fault] * 4) as door:
        broker = a_broker(door, read_seconds="0.2")
        assert isinstance(broker.cancel(OURS, THEIRS), NoAnswer)


def test_a_cancel_looks_up_a_missing_id() -> None:
    """EX-07"""
    with a_door(Says(200, an_order_json()), Says(204)) as door:
        assert a_broker(door).cancel(OURS, None) == CancelTaken()
        assert door.lines == ["GET /v2/orders:by_client_order_id", CANCEL]


# ── look-ups ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def a_fill_json(number: int, quantity: str, price: str, order_id: str = THEIRS) -> dict[str, str]:
    return {
        "activity_type": "FILL", "id": f"2026112011590{number}000::execution-{number}", "order_id": order_id,
        "qty": quantity, "price": price, "side": "buy", "symbol": "SPY",
        "transaction_time": f"2026-11-20T16:59:0{number}.5Z", "type": "partial_fill",
    }  # fmt: skip


HALF_FILLED = Says(200, an_order_json(status="partially_filled", filled_qty="7", filled_avg_price="100.3"))


def test_a_lookup_has_the_streams_execution_ids() -> None:
    """EX-05"""
    fills = [a_fill_json(1, "3", "100.25"), a_fill_json(2, "9", "50", "another"), a_fill_json(3, "4", "100.3375")]
    with a_door(HALF_FILLED, Says(200, fills)) as door:
        report = a_broker(door).look_up(OURS)

        assert isinstance(report, OrderReport)
        assert [(e.id, e.quantity, e.price) for e in report.executions] == [
            ("execution-1", 3, Decimal("100.25")),
            ("execution-3", 4, Decimal("100.3375")),
        ]
        assert report.executions[0].at == datetime(2026, 11, 20, 16, 59, 1, 500_000, UTC)
        assert door.asked[1].query["after"] == "2026-11-20T16:58:59.123456Z"


@table("fills", Says(200, [a_fill_json(1, "3", "100.25")]), Says(200, HTML), refused(403, 40310000), Says(200, {}))
def test_missing_fills_leave_the_cumulative_figure(fills: Says) -> None:
    """EX-05"""
    with a_door(HALF_FILLED, fills) as door:
        report = a_broker(door).look_up(OURS)

    assert isinstance(report, OrderReport)
    assert (report.filled_quantity, report.average_price, report.executions) == (7, Decimal("100.3"), ())


def test_only_alpaca_says_an_order_is_unknown() -> None:
    """EX-06"""
    with a_door(GONE, Says(404, HTML), refused(401, 40110000), Says(200, an_order_json(client_order_id="b"))) as door:
        broker = a_broker(door)

        assert broker.look_up(OURS) == NotFound()
        assert isinstance(broker.look_up(OURS), NoAnswer)
        assert isinstance(broker.look_up(OURS), NoAnswer)
        assert isinstance(broker.look_up(OURS), NoAnswer)


def test_a_cancel_of_a_foreign_order_is_accepted() -> None:
    """MD-07, OP-07: a kill takes back an order by amount; no failure is counted for it."""
    with a_door(Says(204)) as door:
        broker = a_broker(door)
        answer = broker.cancel(ClientOrderId("by-hand"), BrokerOrderId("their-id"))

        assert door.lines == ["DELETE /v2/orders/their-id"]
    assert answer == CancelTaken()
    assert broker.unread.count == 0


def test_an_unknown_status_is_kept_raw() -> None:
    """EX-01"""
    with a_door(Says(200, an_order_json(status="halted_by_goblins"))) as door:
        report = a_broker(door).look_up(OURS)

    assert isinstance(report, OrderReport)
    assert (report.status, report.raw_status) == (None, "halted_by_goblins")


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_account_figures_are_exact_and_timed() -> None:
    """EX-17"""
    with a_door(ACCOUNT) as door:
        account = a_broker(door).account()

    assert account == Account(
        at=NOON,
        name="PA3TEST00001",
        equity=Decimal("100500.75"),  # type: ignore[arg-type]
        cash=Decimal("100000.25"),  # type: ignore[arg-type]
        buying_power=Decimal("200001.5"),  # type: ignore[arg-type]
        multiplier=Decimal(2),
        initial_margin=Decimal("250.25"),  # type: ignore[arg-type]
        maintenance_margin=Decimal("150.15"),  # type: ignore[arg-type]
        overnight_buying_power=Decimal("190001.5"),  # type: ignore[arg-type]
        last_equity=Decimal("100250.5"),  # type: ignore[arg-type]
    )


def test_the_broker_s_clock_is_told_in_utc() -> None:
    """OP-03"""
    clock = {"timestamp": "2026-11-20T12:00:00.123456789-05:00"}
    with a_door(Says(200, clock), Says(200, {"timestamp": "2026-11-20T12:00:00"})) as door:
        broker = a_broker(door)

        assert broker.time() == BrokerClock(datetime(2026, 11, 20, 17, 0, 0, 123_456, UTC))
        assert isinstance(broker.time(), NoAnswer)


def test_the_broker_s_clock_tells_of_the_market() -> None:
    """MD-10, EX-26: hours that cannot be read leave the time"""
    clock = {
        "timestamp": "2026-11-27T12:00:00-05:00",
        "is_open": True,
        "next_open": "2026-11-30T09:30:00-05:00",
        "next_close": "2026-11-27T13:00:00-05:00",
    }
    noon = datetime(2026, 11, 27, 17, tzinfo=UTC)
    with a_door(Says(200, clock), Says(200, clock | {"next_close": "soon"})) as door:
        broker = a_broker(door)
        told, odd = broker.time(), broker.time()

    following = datetime(2026, 11, 30, 14, 30, tzinfo=UTC)
    assert told == BrokerClock(noon, MarketHours(True, following, noon + timedelta(hours=1)))
    assert odd == BrokerClock(noon)


AN_ASSET = an_asset_json()


def test_an_asset_is_asked_for_once() -> None:
    """EX-11, EX-17"""
    with a_door(Says(200, AN_ASSET)) as door:
        broker = a_broker(door)
        first, second = broker.instrument(Symbol("SPY")), broker.instrument(Symbol("SPY"))

        attributes = ("fractional_eh_enabled", "has_options")
        assert first == second == BrokerInstrument(Symbol("SPY"), attributes=attributes)
        assert len(door.asked) == 1


@table(
    "told why_not",
    ({}, ""),
    ({"borrow_status": "hard_to_borrow"}, "hard to borrow: needs a locate, which this desk does not ask for"),
    ({"borrow_status": None, "easy_to_borrow": True}, ""),
    ({"borrow_status": None, "easy_to_borrow": False}, "hard to borrow"),
    ({"borrow_status": "hard_to_borrow", "easy_to_borrow": True}, "hard to borrow"),
    ({"borrow_status": "easy_to_borrow", "easy_to_borrow": False}, ""),
    ({"borrow_status": None}, "SPY: the broker does not say whether it can be borrowed"),
    ({"borrow_status": "by_appointment"}, "a word unknown here, 'by_appointment'"),
    ({"shortable": False}, "SPY cannot be sold short"),
)
def test_borrowing_reads_the_newest_field(told: dict[str, Any], why_not: str) -> None:
    """MD-07, EX-11: `easy_to_borrow` has left the asset; a short is refused by what is said, never by what is not."""
    with a_door(Says(200, an_asset_json(**told))) as door:
        asset = a_broker(door).instrument(Symbol("SPY"))

    assert isinstance(asset, BrokerInstrument)
    assert why_not in asset.short_refused
    assert bool(asset.short_refused) is bool(why_not)


@pytest.mark.parametrize("name", ["status", "tradable", "shortable", "marginable", "fractionable", "class"])
def test_an_asset_lacking_a_field_names_it(name: str, snapshot: SnapshotAssertion) -> None:
    """MD-07: an absent field is not False."""
    with a_door(Says(200, an_asset_json(**{name: None}))) as door:
        broker = a_broker(door)
        found = broker.instrument(Symbol("SPY"))

    assert found == NoInstrument(snapshot)


def test_an_unknown_asset_status_is_no_halt(snapshot: SnapshotAssertion) -> None:
    """MD-07"""
    with a_door(Says(200, an_asset_json(status="on_holiday"))) as door:
        found = a_broker(door).instrument(Symbol("SPY"))

    assert isinstance(found, NoInstrument)
    assert found.reason == snapshot


def test_a_halted_whole_share_asset_says_both() -> None:
    """EX-11"""
    with a_door(Says(200, AN_ASSET | {"fractionable": False, "status": "inactive"})) as door:
        asset = a_broker(door).instrument(Symbol("BRK/B"))

        assert isinstance(asset, BrokerInstrument)
        assert (asset.is_tradable, asset.is_fractionable, asset.lots.step) == (False, False, 1)
        assert door.lines == ["GET /v2/assets/BRK%2FB"]


@table(
    "told long short",
    ({"margin_requirement_long": "30", "margin_requirement_short": "100"}, "0.3", "1"),
    ({"maintenance_margin_requirement": 40}, "0.4", "0.4"),
    ({"maintenance_margin_requirement": 40, "margin_requirement_short": "50"}, "0.4", "0.5"),
    ({}, None, None),
)
def test_margin_requirements_are_read_per_side(told: dict[str, Any], long: str | None, short: str | None) -> None:
    """RK-14"""
    with a_door(Says(200, AN_ASSET | {"marginable": True} | told)) as door:
        asset = a_broker(door).instrument(Symbol("SPY"))

    assert isinstance(asset, BrokerInstrument)
    assert asset.is_marginable
    assert asset.long_requirement == (None if long is None else Decimal(long))
    assert asset.short_requirement == (None if short is None else Decimal(short))


@table(
    "told kind refused",
    ("us_equity", AssetClass.STOCK, ""),
    ("crypto", AssetClass.CRYPTO, ""),
    ("us_option", AssetClass.OPTION, "SPY is of class 'us_option', which this desk does not trade"),
    ("ipo", AssetClass.OTHER, "SPY is of class 'ipo', which this desk does not trade"),
)
def test_each_kind_of_asset_is_told_apart(told: str, kind: AssetClass, refused: str) -> None:
    """RK-20, EX-11"""
    with a_door(Says(200, AN_ASSET | {"class": told})) as door:
        asset = a_broker(door).instrument(Symbol("SPY"))

    assert isinstance(asset, BrokerInstrument)
    assert (asset.asset_class, asset.class_refused) == (kind, refused)


def test_an_unreadable_requirement_is_no_instrument() -> None:
    """RK-14: never guessed."""
    with a_door(Says(200, AN_ASSET | {"margin_requirement_long": "-30"})) as door:
        assert isinstance(a_broker(door).instrument(Symbol("SPY")), NoInstrument)


def test_an_account_without_margin_has_none() -> None:
    """RK-14"""
    silent = {"initial_margin": None, "maintenance_margin": "", "regt_buying_power": None}
    with a_door(Says(200, an_account_json(**silent))) as door:
        account = a_broker(door).account()

    assert isinstance(account, Account)
    assert (account.initial_margin, account.maintenance_margin, account.overnight_buying_power) == (None, None, None)


def test_an_unlisted_asset_is_no_instrument(snapshot: SnapshotAssertion) -> None:
    """EX-11"""
    with a_door(refused(404, 40410000, "asset not found for XYZ"), Says(500), Says(200, AN_ASSET)) as door:
        broker = a_broker(door)

        unlisted = broker.instrument(Symbol("XYZ"))
        assert isinstance(unlisted, NoInstrument)
        assert (unlisted.reason, unlisted.unlisted) == (snapshot, "XYZ")
        assert isinstance(broker.instrument(Symbol("SPY")), BrokerInstrument)


def test_the_calendar_is_in_new_york_time() -> None:
    """ST-02: the times of day have no zone of their own."""
    days = [
        {"date": "2026-07-06", "open": "09:30", "close": "16:00"},
        {"date": "2026-11-27", "open": "09:30", "close": "13:00"},
    ]
    with a_door(Says(200, days)) as door:
        sessions = a_broker(door).sessions(date(2026, 7, 6), date(2026, 11, 27))

        assert door.asked[0].query == {"start": "2026-07-06", "end": "2026-11-27"}
    assert not isinstance(sessions, NoAnswer)
    assert [s.open.hour for s in sessions] == [13, 14]
    assert sessions[1].close == datetime(2026, 11, 27, 18, 0, tzinfo=UTC)


def test_a_timed_clock_is_asked_once() -> None:
    """EX-23: the time of a try that failed is no part of the reading."""
    clock = Says(200, {"timestamp": "2026-11-20T12:00:00-05:00"})
    with a_door(Says(503, HTML), Says(503, HTML), clock) as door:
        broker = a_broker(door)
        once, repeated = broker.time(is_once=True), broker.time()

        assert isinstance(once, NoAnswer)
        assert repeated == BrokerClock(datetime(2026, 11, 20, 17, tzinfo=UTC))
        assert len(door.lines) == 3


@table("left tries", (1.24, 1), (1.25, 2), (1.76, 3))
def test_a_retry_needs_a_second_left(left: float, tries: int) -> None:
    """EX-15: before the caller's own limit, after pauses of 0.25 and 0.5 s"""
    pauses, given = Pauses(), list[float]()

    def busy(seconds: float) -> NoReply:
        given.append(seconds)
        return NoReply("reset")

    pauses.timeout().ask(busy, ends=pauses.clock() + left)

    assert len(given) == tries
