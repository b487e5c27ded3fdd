"""Halt, kill, re-arm, a full disk, a broken promise: what stops, what goes on, and what brings it back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.event_text import in_words
from core.messages.commands import (
    Command,
    ExplainKill,
    Halt,
    Kill,
    OpenTicket,
    ProposeClose,
    ProposeFlattening,
    Rearm,
    Resume,
)
from core.messages.effects import CancelOrder, Effect, FetchAccount, FetchBooks, LatchKill, SubmitOrder
from core.messages.inputs import BarArrived, DeadlineReached, Stop
from core.model.codes import HaltCause, ProposalEnd
from core.model.order import OrderStatus, Side
from core.model.signal import ExitReason
from core.model.values import ClientOrderId
from core.ports import JournalWriteError
from core.runtime.inbox import Link
from core.views.builders.desk import ViewBuilder
from core.workflows.operator.kill_switch import KillSwitchWorkflow
from core.workflows.orders.submission import Submission
from core.workflows.trading_day import DayOpen
from state.files import AccountFolder
from state.housekeeping import Housekeeping
from state.kill_switch import FileKillSwitch
from tests.scenarios.changes import a_house_with_a_working_entry, confirms_now, passes
from tests.scenarios.exchange_requests import BUY, CANCEL, LIMIT, SELL, STOP, sent, submit
from tests.scenarios.house import (
    STEADY,
    House,
    a_day,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    minutes,
    to,
)
from tests.scenarios.requests import effects_of
from tests.unit.core.brokers.trading_floor import SPY, a_bar, an_order, at

AWAY = ("10:06", "10:30", "99.70 99.70 99.65 99.70")


def a_quiet_house(**terms: object) -> House:
    return House(minutes("09:55", "12:30", "99.60"), **terms).opens().until("10:06")  # type: ignore[arg-type]


def test_the_first_press_halts_entries(snapshot: SnapshotAssertion) -> None:
    """OP-07"""
    house = a_quiet_house()
    house.presses(Halt("key"))
    house.presses(Halt("key"))

    house.presses(a_typed_buy())
    house.presses(Resume())
    house.presses(a_typed_buy())

    assert [h.cause for h in house.facts(facts.Halted)] == [HaltCause.KEY]
    assert house.last(facts.ProposalSkipped).reasons == snapshot
    assert len(house.facts(facts.ProposalStaged)) == 1


@pytest.mark.parametrize("press", [Halt("key"), Kill("key")])
def test_a_press_before_the_figures_sends_nothing(press: Command) -> None:
    """OP-07, OP-08, OP-03"""
    house = a_house_with_a_proposal()
    house.confirms_at("10:06:02")

    house.presses(press)
    house.until("10:06:20")

    assert sent(house) == []
    assert house.facts(facts.OrderCreated) == []


@pytest.mark.parametrize("door", ["a press", "file", "environment"])
def test_a_latch_shuts_the_gateway(door: str) -> None:
    """OP-07, OP-08: also a press that is not heard yet"""
    house = a_house_with_a_proposal()
    house.confirms_at("10:06:02")
    if door == "a press":
        house.line.latch.press("key")
    else:
        house.switch.door = door

    house.until("10:06:10")

    assert sent(house) == []
    assert ("halted by key" if door == "a press" else f"killed by {door}") in house.last(facts.SubmissionBlocked).reason
    assert house.entry.status is OrderStatus.CANCELLED


def test_the_first_press_ends_no_second() -> None:
    """OP-07: the halt is obeyed, the kill behind it is pressed and not yet in the inbox"""
    house = a_quiet_house()
    house.presses(Halt("signal"))
    house.presses(Resume())
    house.line.latch.press("key")

    house.presses(Halt("signal"))
    house.presses(Resume())

    assert house.line.latch.shut() == "halted by key"


@pytest.mark.parametrize(("before", "word"), [(Resume(), "halted"), (Rearm("REARM"), "killed")])
def test_an_earlier_command_ends_no_press(before: Command, word: str) -> None:
    """OP-07: the press goes to the head of the inbox, and what waited there was typed for an older one"""
    house = a_quiet_house()
    press = Kill("key") if word == "killed" else Halt("key")
    house.presses(press)

    house.line.send(house.port.through(to(house.line, before)))
    house.line.send(press)
    house.line.step(house.line.at)

    assert word in str(house.desk.control.refusal())
    assert house.line.latch.shut() is not None


@pytest.mark.parametrize("is_latched", [False, True], ids=["halted", "killed by the file latch"])
def test_a_shut_desk_can_close_a_position(is_latched: bool) -> None:
    """OP-07, OP-08, RK-22"""
    house = a_house_in_a_position()
    if is_latched:
        house.switch.door = "environment"
    else:
        house.presses(Halt("key"))
    house.presses(ProposeClose(SPY))

    house.confirms_at("10:06:40")
    house.until("10:06:50")

    assert house.held() == house.held_by_the_broker() == "0"


@pytest.mark.usefixtures("a_bar_at_once")
def test_a_kill_cancels_entries_and_keeps_stops() -> None:
    """OP-07"""
    house = a_house_with_a_proposal(("10:06", "10:30", "99.60"), participation=Decimal("0.000002"))
    house.confirms_at("10:06:02")
    house.until("10:06:10")
    assert (house.entry.status, house.held()) == (OrderStatus.PARTIALLY_FILLED, "0.2")

    house.presses(Kill("key"))
    house.until("10:06:20")

    assert house.entry.status is OrderStatus.CANCELLED
    assert [s.status for s in house.stops] == [OrderStatus.SUBMITTED]
    assert house.switch.door == "file"
    assert house.last(facts.Killed).by == "key"


def test_naked_takes_the_stop_back_too() -> None:
    """OP-07"""
    house = a_house_in_a_position()

    house.presses(Kill("key", naked=True))
    house.until("10:06:40")

    assert [s.status for s in house.stops] == [OrderStatus.CANCELLED]
    assert house.held() == "0.502"


def test_a_kill_ends_staged_entries() -> None:
    """OP-07"""
    house = a_house_with_a_proposal(AWAY)
    house.opens_ticket()
    house.until("10:06:01")

    house.presses(Kill("key"))

    assert house.desk.stage.proposals() == ()
    assert house.desk.stage.state.tickets == {}
    assert house.last(facts.ProposalEnded).end is ProposalEnd.BLOCKED


def test_an_order_in_flight_completes_and_is_cancelled() -> None:
    """OP-08, OP-07"""
    house = a_house_with_a_proposal(AWAY)
    house.confirms_at("10:06:02")
    house.until("10:06:02.150")

    house.presses(Kill("key"))
    house.until("10:06:10")

    assert sent(house) == [submit(BUY, LIMIT, "0.502"), CANCEL]
    assert house.entry.status is OrderStatus.CANCELLED


def test_a_kill_repeats_unanswered_cancels() -> None:
    """OP-07"""
    house = a_house_with_a_proposal(AWAY)
    house.confirms_at("10:06:02")
    house.until("10:06:05")
    house.line.breaks_at(CancelOrder, arrives=False, times=3)

    house.presses(Kill("key"))
    house.until("10:06:20")

    assert len(house.facts(facts.CancelRequested)) == 4
    assert house.entry.status is OrderStatus.CANCELLED


def test_killed_stays_killed_over_a_restart() -> None:
    """OP-07, SP-05"""
    house = a_quiet_house()
    house.presses(Kill("key"))

    house.restarted().until("10:07")
    house.presses(a_typed_buy())

    assert house.desk.control.killed_by == "key"
    assert "killed by key" in house.last(facts.ProposalSkipped).reasons[0]


def an_entry_that_a_kill_caught_in_doubt() -> House:
    """Its request arrived, its answer and the stream's word did not; no look-up finds it, and the books do not come."""
    house = a_house_with_a_proposal(AWAY)
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.breaks_at(FetchBooks, arrives=False, times=99)
    house.line.is_deaf = house.line.finds_nothing = True
    house.confirms_at("10:06:02")
    house.until("10:06:04")
    house.presses(Kill("key"))
    return house


def test_a_killed_order_in_doubt_says_killed() -> None:
    """OP-07, EX-06: the recorded reason is the real one"""
    house = an_entry_that_a_kill_caught_in_doubt()
    house.until("10:06:30")
    meanwhile = house.entry.status

    house.line.mends()
    house.line.finds_nothing = False
    house.until("10:07:30")

    ended = house.last(facts.OrderStateChanged)
    assert meanwhile is OrderStatus.PENDING
    assert (ended.after, ended.reason) == (OrderStatus.CANCELLED, "killed by key")
    assert house.entry.reason == "killed by key"


def test_a_fill_after_doubt_has_no_reason() -> None:
    """EX-06: "no answer" is no word of an order that the broker filled"""
    house = a_house_with_a_proposal()
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.confirms_at("10:06:02")

    house.until("10:06:30")

    assert (house.entry.status, house.entry.reason) == (OrderStatus.FILLED, "")
    assert {f.reason for f in house.facts(facts.OrderStateChanged) if f.client_order_id == house.entry.id} == {""}


def test_a_rearm_names_an_order_in_doubt(snapshot: SnapshotAssertion) -> None:
    """OP-07"""
    house = an_entry_that_a_kill_caught_in_doubt()
    house.until("10:06:30")

    house.presses(Rearm("REARM"))
    house.presses(Rearm("REARM", (ClientOrderId("another"),)))

    assert house.facts(facts.Rearmed) == []
    assert house.desk.control.killed_by == "key"
    assert in_words(house.last(facts.RearmRefused)) == snapshot
    house.presses(Rearm("REARM", (house.entry.id,)))
    assert len(house.facts(facts.Rearmed)) == 1


def test_a_rearm_names_an_unanswered_entry(snapshot: SnapshotAssertion) -> None:
    """OP-07, EX-06: it is in no doubt yet, and may work all the same"""
    house = a_house_with_a_proposal(AWAY)
    house.confirms_at("10:06:02")
    house.until("10:06:02.150")
    house.presses(Kill("key"))

    house.presses(Rearm("REARM"))

    assert (house.entry.status, house.entry.in_doubt_since) == (OrderStatus.PENDING, None)
    assert house.facts(facts.Rearmed) == []
    assert in_words(house.last(facts.RearmRefused)) == snapshot


def test_an_unsent_order_is_never_looked_up() -> None:
    """EX-22, EX-06: a leg's fill asks for its sibling, which may still wait here"""
    house = a_house_with_a_proposal(AWAY)
    house.confirms_at("10:06:02")
    house.until("10:06:02.150")
    house.desk.sightings.departing.queue(house.entry.id)
    doubting = house.engine.the(Submission).order_recovery

    assert list(doubting.ask(house.entry)) == []
    doubting.watch(house.entry)
    assert house.entry.id not in doubting.next_look_up


def test_only_the_word_itself_rearms() -> None:
    """OP-07: neither another word nor standing down undoes a kill"""
    house = a_quiet_house()
    house.presses(Kill("key"))

    for command in (Resume(), *(Rearm(word) for word in ("rearm", "REARM ", "Rearm", "", "YES"))):
        house.presses(command)
    assert house.facts(facts.Rearmed) == house.facts(facts.Resumed) == []
    assert (house.switch.door, house.desk.control.killed_by) == ("file", "key")

    house.presses(Rearm("REARM"))
    house.presses(a_typed_buy())
    house.confirms_at("10:06:05")
    house.until("10:06:10")
    assert house.switch.door is None
    assert sent(house)[0] == submit(BUY, LIMIT, "0.1")


def test_a_kill_does_not_block_a_signed_stop() -> None:
    """OP-07, OP-06"""
    house = a_house_with_a_proposal(("10:06", "10:06", "99.70 99.70 99.60 99.70"), ("10:07", "10:30", "99.70"))
    house.confirms_at("10:06:02")
    house.until("10:06:20.050")  # filled at the exchange, not yet heard of

    house.presses(Kill("key"))
    house.until("10:06:30")

    assert house.held() == "0.502"
    assert [s.status for s in house.stops] == [OrderStatus.SUBMITTED]


def test_flattening_stages_one_close_a_position() -> None:
    """OP-07, EX-21"""
    house = a_house_in_a_position()
    house.presses(Kill("key"))
    house.presses(ProposeFlattening())
    staged = house.proposal.exit_reason
    before_the_key = list(sent(house))

    house.confirms_at("10:06:40")
    house.until("10:06:50")

    assert staged is ExitReason.KILL
    assert before_the_key == [submit(BUY, LIMIT, "0.502"), submit(SELL, STOP, "0.502")]
    assert house.held() == house.held_by_the_broker() == "0"
    assert house.desk.control.killed_by == "key"


def test_a_reason_stays_with_the_kill_until_it_ends() -> None:
    """OP-07, OP-08: it is recorded once, changes nothing else, and one without a kill is no fact"""
    house = a_quiet_house()
    house.presses(ExplainKill("too early"))
    assert house.facts(facts.KillExplained) == []

    house.presses(Kill("key"))
    sent_before = sent(house)
    for reason in ("the quotes \x1b[2J of SPY", "the quotes \x1b[2J of SPY", " "):
        house.presses(ExplainKill(reason))
    assert house.facts(facts.KillExplained) == [facts.KillExplained("the quotes \ufffd[2J of SPY")]
    assert (house.desk.control.killed_by, sent(house)) == ("key", sent_before)
    assert ViewBuilder(house.engine).draw(house.line.at).status.kill_reason == "the quotes \ufffd[2J of SPY"

    house.presses(Rearm("REARM"))
    assert (house.desk.control.killed_by, house.desk.control.state.kill_reason) == (None, "")


class LosesOneCancel(Link):
    """Without a word."""

    lost: ClassVar[list[Effect]] = []

    def carry(self, effect: Effect) -> Iterable[timedelta]:
        if isinstance(effect, CancelOrder) and not self.lost:
            self.lost.append(effect)
            return ()
        return (self.latency,)


def test_a_lost_cancel_of_a_kill_is_repeated() -> None:
    """OP-07"""
    house = a_house_with_a_working_entry()
    house.line.link = LosesOneCancel()

    house.presses(Kill("key"))
    passes(house, 30)

    assert house.entry.status is OrderStatus.CANCELLED


def test_a_full_disk_halts_and_sends_nothing() -> None:
    """SP-06"""
    house = a_house_with_a_proposal()
    house.confirms_at("10:06:02")
    house.journal.is_full = True

    house.until("10:06:10")

    assert sent(house) == []
    assert "no space left" in (house.engine.disk_trouble or "")
    assert "halted (journal)" in (house.desk.control.refusal() or "")


def test_a_full_disk_sends_no_exit() -> None:
    """SP-06"""
    house = a_house_in_a_position()
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:40")
    house.journal.is_full = True

    house.confirms()
    house.until("10:06:50")

    assert sent(house) == [submit(BUY, LIMIT, "0.502"), submit(SELL, STOP, "0.502")]


def test_a_full_disk_passes_cancels_of_a_kill() -> None:
    """SP-06, OP-07"""
    house = a_house_with_a_proposal(AWAY)
    house.confirms_at("10:06:02")
    house.until("10:06:05")
    house.journal.is_full = True

    house.presses(Kill("key"))
    house.until("10:06:10")

    assert sent(house) == [submit(BUY, LIMIT, "0.502"), CANCEL]
    assert house.switch.door == "file"
    state = house.desk.control
    assert state.killed_by == "key"
    assert state.halted_at is not None
    assert state.killed_at == state.halted_at


@pytest.mark.parametrize(("naked", "cancelled"), [(False, []), (True, [CANCEL])])
def test_a_full_disk_keeps_stops_until_naked(naked: bool, cancelled: list[str]) -> None:
    """OP-07, SP-06"""
    house = a_house_in_a_position()
    house.journal.is_full = True
    house.presses(Kill("key"))
    house.until("10:06:40")

    house.presses(Kill("key", naked))
    house.until("10:06:50")

    assert sent(house) == [submit(BUY, LIMIT, "0.502"), submit(SELL, STOP, "0.502"), *cancelled]


def test_a_full_disk_ends_the_cancels_of_an_unlisted_order() -> None:
    """SP-06, OP-07, EX-06: its request never arrived; a minute later its cancel is repeated no more"""
    house = a_house_with_a_proposal(AWAY)
    house.line.breaks_at(SubmitOrder, arrives=False)
    house.line.finds_nothing = True
    house.confirms_at("10:06:02")
    house.until("10:06:05")
    house.journal.is_full = True
    cancels, looks = effects_of(house, CancelOrder), effects_of(house, FetchBooks)

    house.presses(Kill("key"))
    house.until("10:07:15")
    in_a_minute = len(cancels)
    house.until("10:17:15")

    assert len(cancels) == in_a_minute == 7
    assert 9 <= len(looks) - in_a_minute <= 12


def test_a_full_disk_drops_no_question_of_an_act() -> None:
    """SP-06: the look of a kill and the account that is asked in the same act both leave"""
    house = a_house_with_a_proposal(AWAY)
    house.confirms_at("10:06:02")
    house.until("10:06:05")
    house.journal.is_full = True
    house.line.breaks_at(CancelOrder, arrives=False, times=99)
    house.presses(Kill("key"))
    house.until("10:06:08")
    looks_at = next(iter(house.engine.the(KillSwitchWorkflow).next_due()))
    day_open = house.engine.the(DayOpen)
    day_open.next_due = lambda: iter((looks_at,))  # type: ignore[method-assign]
    day_open.due = lambda: (FetchAccount(),) if house.desk.at >= looks_at else ()  # type: ignore[method-assign]

    effects = house.engine.handle(looks_at, DeadlineReached())

    assert {FetchAccount, FetchBooks} <= {type(effect) for effect in effects}


@pytest.mark.parametrize("times", [1, 3])
def test_a_full_disk_repeats_a_lost_cancel(times: int) -> None:
    """OP-07, SP-06: until the broker's books list the order as ended, and not once more"""
    house = a_house_with_a_proposal(("10:06", "10:19", AWAY[2]), ("10:20", "10:30", "99.50"))
    house.confirms_at("10:06:02")
    house.until("10:06:05")
    house.journal.is_full = True
    house.line.breaks_at(CancelOrder, arrives=False, times=times)

    house.presses(Kill("key"))
    house.until("10:30")

    assert sent(house) == [submit(BUY, LIMIT, "0.502"), CANCEL]
    (order,) = house.exchange.orders(house.line.at)
    assert (order.status, order.filled_quantity) == (OrderStatus.CANCELLED, 0)


def test_a_full_disk_keeps_stops_at_a_watching_desk() -> None:
    """OP-13, SP-06: NAKED typed at a desk that does not hold the key is a plain kill, also without a record."""
    house = a_house_in_a_position()
    house.presses(a_typed_buy("0.1", limit="98.50", stop="98"))
    confirms_now(house)
    passes(house, 1)
    house.attaches("lena")
    watching = house.attaches("otto", terminal="/dev/pts/4")
    house.journal.is_full = True

    house.presses_at(watching, Kill("key", naked=True))
    house.until("10:06:50")

    assert house.desk.control.killed_by == "key"
    assert sent(house) == [submit(BUY, LIMIT, "0.502"), submit(SELL, STOP, "0.502"), submit(BUY, LIMIT, "0.1"), CANCEL]
    working = [order for order in house.exchange.orders(house.line.at) if order.status is OrderStatus.SUBMITTED]
    assert [order.type for order in working] == [STOP]


def test_a_full_disk_kill_cancels_others_entries() -> None:
    """OP-07, SP-06: also what the books show only when they are looked into for the kill."""
    house = a_quiet_house()
    house.exchange.submit(house.line.at, an_order("first-elsewhere", Side.BUY, "1", limit="90"))
    house.until("10:07:05")
    assert [other.may_open for other in house.desk.sightings.all_others] == [True]
    house.exchange.submit(house.line.at, an_order("then-elsewhere", Side.BUY, "1", limit="90"))
    house.line.is_deaf = True
    house.journal.is_full = True

    house.presses(Kill("key"))
    house.until("10:07:10")

    found = house.exchange.orders(house.line.at)
    assert [report.status for report in found] == [OrderStatus.CANCELLED, OrderStatus.CANCELLED]


def test_a_start_with_disk_room_lifts_the_halt() -> None:
    """SP-06"""
    house = a_quiet_house()
    house.journal.is_full = True
    house.presses(Halt("key"))
    house.journal.is_full = False

    house.restarted().until("10:07")

    assert HaltCause.JOURNAL not in house.desk.control.halts


def test_an_append_that_fails_is_a_full_disk_too() -> None:
    """SP-06"""
    house = a_quiet_house()
    house.journal.append = _full  # type: ignore[method-assign]

    effects = list(house.engine.handle(house.line.at, Kill("key")))

    assert [type(e) for e in effects] == [LatchKill, FetchBooks]
    assert house.desk.control.killed_by == "key"


def _full(*_args: object) -> int:
    raise JournalWriteError("no space left on the device")


def test_an_exception_halts_and_drops_its_effects(snapshot: SnapshotAssertion) -> None:
    """EX-14"""
    house = a_house_with_a_proposal()
    house.engine.handlers[OpenTicket] = (_raises,)

    house.opens_ticket()
    house.until("10:06:10")

    assert house.last(facts.Halted).cause is HaltCause.INVARIANT
    assert house.last(facts.Halted).reason == snapshot
    assert sent(house) == []


def test_a_broken_invariant_is_critical(snapshot: SnapshotAssertion) -> None:
    """EX-02, EX-14: the word stands beside the kind, in the log and in every line that tells the fact."""
    house = a_house_with_a_proposal()
    house.engine.handlers[OpenTicket] = (_raises,)
    pictures = ViewBuilder(house.engine)
    house.presses(Halt("key"))

    house.opens_ticket()

    by_key, broken = pictures.draw(house.line.at).log[-2:]
    assert (by_key.kind, by_key.severity, by_key.text) == ("HALT", "", snapshot)
    told = "CRITICAL: HALTED (invariant) ZeroDivisionError: nobody foresaw this"
    assert (broken.kind, broken.severity, broken.text) == ("HALT", "CRITICAL", told)
    assert in_words(house.last(facts.Halted)) == told


def test_a_failing_deadline_is_not_repeated() -> None:
    """EX-14: nothing is retried by itself."""
    house = a_house_with_a_proposal(AWAY)
    house.engine.handlers[DeadlineReached] = (_raises,)

    house.until("10:20")

    assert len(house.facts(facts.Halted)) < 5


def _raises(_message: object) -> tuple[()]:
    raise ZeroDivisionError("nobody foresaw this")


def test_an_exception_halt_clears_after_the_key_halt() -> None:
    """EX-14, OP-07"""
    house = a_quiet_house()
    house.engine.handlers[OpenTicket] = (_raises,)
    house.presses(OpenTicket(SPY))  # type: ignore[arg-type]
    house.presses(Halt("key"))

    house.presses(Resume())
    house.presses(Resume())
    first = house.last(facts.Resumed).cause
    still = house.desk.control.refusal()
    house.presses(Resume(everything=True))

    assert first is HaltCause.KEY
    assert still is not None
    assert house.last(facts.Resumed).cause is HaltCause.INVARIANT
    assert house.desk.control.refusal() is None


def test_an_exception_refuses_only_entries() -> None:
    """EX-14"""
    house = a_house_in_a_position()
    house.engine.handlers[OpenTicket], keep = (_raises,), house.engine.handlers[OpenTicket]
    house.presses(OpenTicket(SPY))  # type: ignore[arg-type]
    house.engine.handlers[OpenTicket] = keep

    house.presses(a_typed_buy())
    house.presses(ProposeClose(SPY))
    house.confirms_at("10:06:40")
    house.until("10:06:50")

    assert "halted (invariant)" in house.facts(facts.ProposalSkipped)[-1].reasons[0]
    assert house.held() == "0"


def test_time_that_goes_back_is_refused() -> None:
    """MD-05"""
    house = a_quiet_house()
    bar = BarArrived(a_bar("10:06", "99.60"), "the story")

    with pytest.raises(ValueError, match="time went back"):
        house.engine.handle(at("10:05"), bar)


def test_a_clean_stop_is_recorded() -> None:
    """SP-05, EX-20"""
    house = House(a_day(("10:06", "10:30", "99.60"))).opens().until("10:06:10")
    house.line.take(house.line.at, Stop("q"))

    house.restarted().until("10:06:20")
    house.confirms_at("10:06:30")
    house.until("10:06:40")

    assert house.held() == "0.502"


def test_an_earlier_rearm_ends_no_later_kill(tmp_path: Path) -> None:
    """OP-07, OP-08: seen or not before the word came, it stands, and it is recorded."""
    house = a_house_with_a_proposal(("10:06", "10:30", STEADY))
    folder = AccountFolder(tmp_path / "house")
    folder.prepare()
    switch, elsewhere = FileKillSwitch(folder, {}), FileKillSwitch(folder, {})
    house.line.latch.switch = switch
    keeper = Housekeeping(folder, switch, lambda: None, lambda _: None, lambda _: "on", saved_at=math.inf)
    keeper.look(house.line)
    house.presses(Kill("key"))
    keeper.look(house.line)

    elsewhere.latch("command")
    house.presses(Rearm("REARM"))
    keeper.look(house.line)
    house.until_moment(house.line.at + timedelta(seconds=1))
    assert (switch.is_on(), house.desk.control.killed_by) == ("file", "key, command")

    elsewhere.latch("command of another")
    house.line.send(house.port.through(to(house.line, Rearm("REARM"))))
    keeper.look(house.line)
    house.until_moment(house.line.at + timedelta(seconds=1))
    assert (switch.is_on(), house.desk.control.killed_by is None) == ("file", False)

    house.presses(Rearm("REARM"))
    keeper.look(house.line)
    house.until_moment(house.line.at + timedelta(seconds=1))
    assert (switch.is_on(), house.desk.control.killed_by) == (None, None)
    assert [fact.by for fact in house.facts(facts.Killed)] == ["key", "key, command", "command"]
