"""A broker that does not answer is sent nothing that opens; what closes always goes (EX-15)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.event_text import in_words
from core.execution.breaker import BreakerPhase
from core.facts import (
    BreakerClosed,
    BreakerOpened,
    CallFailed,
    OrderApproved,
    OrderCreated,
    OrderSent,
    ProposalSkipped,
    SubmissionBlocked,
)
from core.messages.commands import ClearBreaker, ProposeClose
from core.messages.effects import Effect, FetchAccount, FetchBooks, FetchFigures, LookUpOrder, SubmitOrder
from core.messages.inputs import AccountFetched, ConnectionChanged, SubmissionAnswered
from core.model.account import Account, Channel, ConnectionState, ConnectionStatus
from core.model.broker import NoAnswer, Refused
from core.model.codes import RefusalKind
from core.model.values import ClientOrderId
from core.runtime.inbox import Link
from core.settings.orders import ExecutionSettings
from core.settings.settings import Settings
from core.views import ProtectionRow
from tests.scenarios.changes import passes
from tests.scenarios.house import DIP, STEADY, House, a_house_in_a_position, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import SPY

GONE = NoAnswer("the connection broke")
BUSY = Settings.model_validate({"risk": {"entries_a_day": 50}})
ROOMY = Settings.model_validate(
    {
        "risk": {
            "entries_a_day": 50,
            "max_open_positions": 20,
            "max_notional": {"usd": "5000"},
            "per_trade": {"usd": "50"},
            "twins": {"seconds": "0.001"},
        }
    }
)


def a_quiet_house(settings: Settings | None = None) -> House:
    """An entry a day more than the stories below type."""
    return House(minutes("09:55", "11:30", "99.60"), settings or BUSY).opens().until("10:06:30")


def the_broker_is_silent(house: House, times: int) -> None:
    for _ in range(times):
        house.line.take(house.line.at, AccountFetched(GONE))


def order_entry_fails(house: House, times: int) -> None:
    """Each order is unanswered, and the read behind it is answered."""
    account = house.line.ask(FetchAccount())
    for _ in range(times):
        house.line.take(house.line.at, SubmissionAnswered(ClientOrderId("x"), GONE))
        house.line.take(house.line.at, account)


def phase(house: House) -> BreakerPhase:
    return house.desk.breaker.phase(house.line.at)


def guard(house: House) -> ProtectionRow:
    return next(row for row in house.line.view().protections if row.key == "breaker")


def answers_take(house: House, seconds: float) -> None:
    """The answers to orders, and the stream's word on them, take this much longer."""
    house.line.link = Link(answer_delay=timedelta(seconds=seconds), timeout=timedelta(minutes=10))


def buys(house: House, quantity: str = "0.1", limit: str = "99.60", stop: str = "99.30") -> None:
    """A typed order, its ticket, its key."""
    house.presses(a_typed_buy(quantity, limit, stop))
    house.opens_ticket()
    house.until_moment(house.line.at + timedelta(seconds=1))
    house.confirms()
    house.until_moment(house.line.at + timedelta(seconds=1))


def test_five_unanswered_requests_open_the_breaker(snapshot: SnapshotAssertion) -> None:
    """EX-15"""
    house = a_quiet_house()

    the_broker_is_silent(house, 4)
    after_four = phase(house)
    the_broker_is_silent(house, 1)
    house.presses(a_typed_buy())

    assert (after_four, phase(house)) == (BreakerPhase.CLOSED, BreakerPhase.OPEN)
    assert house.last(ProposalSkipped).reasons == snapshot


def test_a_brokers_refusal_is_an_answer() -> None:
    """EX-15, EX-06"""
    house = a_quiet_house()

    the_broker_is_silent(house, 4)
    house.line.take(
        house.line.at, SubmissionAnswered(ClientOrderId("x"), Refused(RefusalKind.FORBIDDEN, "no", "40310000"))
    )
    the_broker_is_silent(house, 4)

    assert phase(house) is BreakerPhase.CLOSED


def test_answered_reads_do_not_excuse_failing_orders() -> None:
    """EX-15: order entry alone fails; its failures are counted by themselves."""
    house = a_quiet_house()

    order_entry_fails(house, 4)
    after_four, used = phase(house), guard(house).used
    order_entry_fails(house, 1)
    house.presses(a_typed_buy())

    assert (after_four, used, phase(house)) == (BreakerPhase.CLOSED, Decimal("0.8"), BreakerPhase.OPEN)
    assert house.facts(OrderCreated) == []


def test_an_answered_order_ends_a_row_of_failing_ones() -> None:
    """EX-15"""
    house = a_quiet_house()

    order_entry_fails(house, 4)
    house.line.take(
        house.line.at, SubmissionAnswered(ClientOrderId("x"), Refused(RefusalKind.FORBIDDEN, "no", "40310000"))
    )
    order_entry_fails(house, 4)

    assert phase(house) is BreakerPhase.CLOSED


def test_failing_orders_are_counted_across_a_restart() -> None:
    """EX-15, SP-05"""
    house = a_quiet_house()
    order_entry_fails(house, 4)

    house = house.restarted().until("10:07:00")
    order_entry_fails(house, 1)

    assert phase(house) is BreakerPhase.OPEN


def test_an_open_breaker_passes_exits() -> None:
    """EX-15: exits always pass."""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    the_broker_is_silent(house, 5)

    house.presses(ProposeClose(SPY))
    house.confirms_at("10:06:40")
    house.until("10:06:50")

    assert phase(house) is BreakerPhase.OPEN
    assert house.held() == house.held_by_the_broker() == "0"


@pytest.mark.parametrize(
    ("unanswered", "words"),
    [(0, ""), (2, " in a row without an answer; this one goes out"), (5, "5 requests in a row had no answer")],
)
def test_an_exit_ticket_warns_of_a_silent_broker(unanswered: int, words: str) -> None:
    """EX-15, OP-03: it goes out all the same, and whoever confirms it knows that no answer may come."""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    the_broker_is_silent(house, unanswered)
    house.line.breaks_at(FetchFigures, arrives=False, times=int(unanswered > 0))
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until_moment(house.line.at + timedelta(seconds=4))

    warned = [verdict.reason for verdict in house.ticket.review.warnings if verdict.check == "breaker"]

    assert [words in reason for reason in warned] == [True] * bool(unanswered)
    assert not house.ticket.review.refusals


def test_an_approval_without_figures_says_so() -> None:
    """OP-03: an exit is confirmed although nothing came in time, and the log says so."""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until_moment(house.line.at + timedelta(seconds=1))
    house.line.breaks_at(FetchFigures, arrives=False)
    house.confirms()
    house.until("10:06:50")

    (approved,) = [fact for fact in house.facts(OrderApproved) if fact.bid is None]

    assert "without fresh figures" in in_words(approved)


def test_one_answered_entry_closes_the_breaker(snapshot: SnapshotAssertion) -> None:
    """EX-15"""
    house = a_quiet_house()
    the_broker_is_silent(house, 5)
    house.until("10:07:35")
    assert phase(house) is BreakerPhase.HALF_OPEN

    answers_take(house, seconds=2)
    buys(house)
    house.presses(a_typed_buy())
    meanwhile = house.last(ProposalSkipped).reasons[0]
    house.until("10:07:45")

    assert meanwhile == snapshot
    assert phase(house) is BreakerPhase.CLOSED
    assert len(house.facts(BreakerClosed)) == 1


def test_an_unanswered_trial_entry_reopens_it(snapshot: SnapshotAssertion) -> None:
    """EX-15"""
    house = a_quiet_house()
    the_broker_is_silent(house, 5)
    house.until("10:07:35")

    house.line.breaks_at(SubmitOrder, arrives=False)
    buys(house)

    assert phase(house) is BreakerPhase.OPEN
    assert house.last(BreakerOpened).reason == snapshot


def test_a_third_opening_in_an_hour_latches(snapshot: SnapshotAssertion) -> None:
    """EX-15"""
    house = a_quiet_house()
    for clock in ("10:08", "10:10"):
        the_broker_is_silent(house, 5)
        house.until(clock)
        buys(house)
        assert phase(house) is BreakerPhase.CLOSED
    the_broker_is_silent(house, 5)

    house.until("11:20")
    after_an_hour = phase(house)
    house.presses(ClearBreaker())

    assert after_an_hour is BreakerPhase.LATCHED
    assert phase(house) is BreakerPhase.CLOSED
    assert house.last(BreakerClosed).reason == snapshot


def test_openings_an_hour_apart_do_not_latch() -> None:
    """EX-15"""
    house = a_quiet_house()
    for clock in ("10:08", "10:10"):
        the_broker_is_silent(house, 5)
        house.until(clock)
        buys(house)
    house.until("11:11")

    the_broker_is_silent(house, 5)

    assert phase(house) is BreakerPhase.OPEN


def test_three_late_order_answers_open_it(snapshot: SnapshotAssertion) -> None:
    """EX-15: an entry, its stop, and one more; each arrived, and its answer took over five seconds."""
    house = a_quiet_house()
    answers_take(house, seconds=6)

    for _ in range(2):
        buys(house)
        house.until_moment(house.line.at + timedelta(seconds=8))

    assert phase(house) is BreakerPhase.OPEN
    assert house.last(BreakerOpened).reason == snapshot


def test_it_survives_a_restart_open_as_it_was() -> None:
    """EX-15, SP-05"""
    house = a_quiet_house()
    the_broker_is_silent(house, 5)

    house.restarted().until("10:07:00")

    assert phase(house) is BreakerPhase.OPEN
    assert guard(house).is_tripped


def test_the_breaker_row_shows_count_and_time() -> None:
    """EX-15, RK-09"""
    house = a_quiet_house()
    the_broker_is_silent(house, 3)
    counting = guard(house)

    the_broker_is_silent(house, 2)
    row = guard(house)

    assert (counting.used, counting.is_tripped) == (Decimal("0.6"), False)
    assert (row.measure, row.is_tripped, row.since) == ("open", True, house.line.at)
    assert row.until == house.line.at + timedelta(seconds=60)


def test_a_long_outage_writes_few_records() -> None:
    """EX-15: what goes on failing while it is open is counted no further."""
    house = a_quiet_house()
    house.line.breaks_at(FetchBooks, arrives=False, times=400)

    house.until("11:06:30")

    assert len(house.facts(BreakerOpened)) == 1
    assert len(house.facts(CallFailed)) == 5


def test_prompt_answers_record_nothing() -> None:
    """EX-15"""
    house = a_quiet_house()
    account = house.line.ask(FetchAccount())
    assert isinstance(account, AccountFetched)
    assert isinstance(account.answer, Account)
    told = len(house.told())

    house.line.take(house.line.at, account)
    house.line.take(
        house.line.at, ConnectionChanged(ConnectionStatus(Channel.BROKER, ConnectionState.UP, house.line.at))
    )

    assert len(house.told()) == told


def test_too_many_pending_orders_stage_no_entry(snapshot: SnapshotAssertion) -> None:
    """EX-15: back-pressure."""
    house = a_quiet_house(BUSY.model_copy(update={"execution": ExecutionSettings(max_queued=1)}))
    answers_take(house, seconds=4)
    buys(house)
    buys(house)

    house.presses(a_typed_buy())
    refused = house.last(ProposalSkipped).reasons
    house.until_moment(house.line.at + timedelta(seconds=10))
    house.presses(a_typed_buy())

    assert refused == snapshot
    assert len(house.desk.stage.proposals()) == 1


PATIENT = BUSY.model_copy(update={"execution": ExecutionSettings(max_queued=1, answer_seconds=Decimal(600))})


def waits_for_two_answers(house: House) -> House:
    """Two typed orders are out without an answer, one may be; the next comparison with the broker finds them."""
    answers_take(house, seconds=150)
    buys(house, limit="99.00", stop="98.70")
    buys(house, limit="99.00", stop="98.70")
    return house


def test_pending_orders_silence_strategies() -> None:
    """EX-15, ST-03: signal generation pauses; nothing is made that would only be refused."""
    bars = [*minutes("09:30", "10:05"), *minutes("10:06", "10:15", DIP)]
    house = waits_for_two_answers(House(bars, PATIENT).opens().until("10:06:30"))

    house.until("10:07")
    row = house.line.view().strategies[0]
    refused, staged = house.facts(ProposalSkipped), house.desk.stage.proposals()
    house.until("10:08")

    assert row.last_answer == "BACK_PRESSURE"
    assert dict(row.reasons)["BACK_PRESSURE"] == 1
    assert (refused, staged) == ([], ())
    assert house.line.view().strategies[0].last_answer == "SIGNAL"


def test_the_send_time_is_recorded_with_the_answer() -> None:
    """EX-16: the gateway's pass, and not the answer's coming."""
    house = a_quiet_house()
    answers_take(house, seconds=2)

    buys(house)
    house.until_moment(house.line.at + timedelta(seconds=2))

    sent = house.last(OrderSent)
    order = house.desk.ledger.order(sent.client_order_id)
    assert order is not None
    assert order.submitted_at is not None
    assert sent.sent_at == order.created_at
    assert order.submitted_at - sent.sent_at == timedelta(seconds=2.1)


def test_no_entry_leaves_its_lane_behind_a_breaker() -> None:
    """EX-15, OP-02: it opened while they waited behind one without an answer."""
    house = House(minutes("09:55", "11:30", "99.60"), ROOMY, cash=Decimal(100_000)).opens().until("10:06:30")
    house.line.link = Silent()
    for number in range(4):
        house.presses(a_typed_buy(str(2**number), f"99.{50 - number}", "99.30"))
        passes(house, 0.05)
    for _ in range(4):
        house.opens_ticket()
        passes(house, 0.3)
        house.confirms()
        passes(house, 0.15)
    the_broker_is_silent(house, 5)
    sent = len(house.facts(OrderSent))

    house.until_moment(house.line.at + timedelta(seconds=12))

    assert phase(house) is BreakerPhase.OPEN
    assert len(house.facts(SubmissionBlocked)) == 3
    assert len(house.facts(OrderSent)) - sent <= 1


class Silent(Link):
    """No order and no look-up arrives; each is given up after 1.5 s."""

    def __init__(self) -> None:
        super().__init__(timeout=timedelta(seconds=1.5))

    def carry(self, effect: Effect) -> tuple[timedelta, ...]:
        return () if isinstance(effect, SubmitOrder | LookUpOrder) else (self.latency,)
