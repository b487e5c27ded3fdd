"""Something that lasts and that people are told of: it begins once, whatever is said of it, and calls nobody when it is
over.
"""

from __future__ import annotations

from dataclasses import replace

from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.inputs import NotificationAnswered
from core.model.codes import HaltCause, ProposalEnd
from core.model.delivery import DELIVERED, Delivery, DeliveryCode
from core.model.order import order_id_of
from core.model.signal import ExitReason
from core.model.values import ProposalId
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House
from tests.scenarios.receivers import (
    PHONE,
    SECOND,
    THIRD,
    a_house,
    an_exit_that_waits,
    halts,
    look,
    rings,
    with_receivers,
)

STEPS = [{"minutes": 5, "channels": [SECOND]}, {"minutes": 15, "channels": [THIRD]}]
HALTS = {"halts": {"channels": [PHONE], "kinds": ["halt"], "escalate": STEPS}}
EXITS = {"exits": {"channels": [PHONE], "kinds": ["exit_waiting"], "escalate": STEPS}}
UNREACHED = Delivery(DeliveryCode.NOT_SENT)


def resumes(house: House) -> None:
    house.engine.state.at = house.line.at
    house.engine.state.record(facts.Resumed(HaltCause.SIGNAL))
    look(house)


def another_exit(house: House, reason: ExitReason) -> None:
    """A more pressing exit of the same position takes the place of the one that waits."""
    state, older = house.engine.state, house.proposal
    state.at = house.line.at
    name = order_id_of("another", reason.value)
    order = replace(older.order, client_order_id=name)
    newer = replace(older, id=ProposalId(name), order=order, staged_at=state.at, exit_reason=reason)
    review = state.stage.state.reviews[older.id]
    state.record(facts.ProposalEnded(older.id, ProposalEnd.WITHDRAWN, "overtaken"))
    state.record(facts.ProposalStaged(newer, review))
    look(house)


def test_reworded_halt_keeps_its_escalation() -> None:
    """SY-03: also over a restart; the step says what is true then."""
    house, receivers = a_house(rules=HALTS)
    halts(house, "3 orders are late")
    house.until("10:03")
    halts(house, "4 orders are late")
    assert len(receivers.told(PHONE)) == 2
    house.until("10:05:10")
    (second,) = receivers.told(SECOND)
    assert "for 5 min" in second
    assert "4 orders" in second

    halts(house, "5 orders are late")
    with_receivers(house.restarted(), receivers).until("10:07")
    halts(house, "6 orders are late")
    house.until("10:16")

    assert len(receivers.told(SECOND)) == 1
    (third,) = receivers.told(THIRD)
    assert "for 15 min" in third


def test_replaced_exit_keeps_its_escalation(snapshot: SnapshotAssertion) -> None:
    """SY-03, OP-06: for another reason; the position is the same."""
    house, receivers = an_exit_that_waits(rules=EXITS)
    house.until("10:14")
    another_exit(house, ExitReason.FORCE_FLAT)
    house.until("10:15:30")
    first, other = receivers.told(PHONE)
    (second,) = receivers.told(SECOND)
    assert [first, other, second] == snapshot

    another_exit(house, ExitReason.STOP_LOSS)
    house.until("10:24")
    assert receivers.told(THIRD) == []
    house.until("10:25:30")

    assert len(receivers.told(SECOND)) == 1
    assert len(receivers.told(THIRD)) == 1
    assert house.facts(facts.NotificationSettled) == []


def test_undelivered_step_is_withdrawn_once_sold() -> None:
    """SY-03: the second channel is away; what waits for its next try calls nobody when that is back."""
    house, receivers = an_exit_that_waits(
        lambda effect: UNREACHED if effect.channel == SECOND else DELIVERED, until="10:15:40", rules=EXITS
    )
    assert receivers.told(SECOND)
    confirms_now(house)
    passes(house, 1)
    tries = len(receivers.told(SECOND))
    receivers.answers = lambda _: DELIVERED
    house.until("10:40")

    assert len(receivers.told(SECOND)) == tries
    (withdrawn,) = house.facts(facts.NotificationWithdrawn)
    assert (withdrawn.channel, withdrawn.is_urgent) == (SECOND, True)
    assert [line.batch for line in house.desk.notifications.state.urgent.values()] == [[], []]
    assert house.desk.notifications.state.over == []


def test_exit_ended_at_a_restart_calls_nobody() -> None:
    """SY-03: that it ended is written, and nothing after it."""
    house, receivers = an_exit_that_waits(
        lambda effect: UNREACHED if effect.channel == SECOND else DELIVERED, until="10:15:40", rules=EXITS
    )
    house.engine.state.at = house.line.at
    house.engine.state.record(facts.ProposalEnded(house.proposal.id, ProposalEnd.WITHDRAWN, "its condition ended"))
    tries = len(receivers.told(SECOND))
    receivers.answers = lambda _: DELIVERED

    with_receivers(house.restarted(), receivers).until("10:16")

    assert len(receivers.told(SECOND)) == tries
    assert len(house.facts(facts.NotificationSettled)) == 1
    assert len(house.facts(facts.NotificationWithdrawn)) == 1


def test_first_message_is_tried_after_the_halt_ends() -> None:
    """SY-03: at least once; only who would be called because nobody came is called about nothing that is over."""
    house, receivers = a_house(lambda _: None, rules=HALTS)
    halts(house, "a moment")
    resumes(house)
    assert house.facts(facts.NotificationWithdrawn) == []
    (effect,) = receivers.heard
    answer = NotificationAnswered(effect.channel, True, effect.numbers, effect.tries, UNREACHED)
    house.line.take(house.line.at, answer)
    house.until("10:30")

    assert len(receivers.heard) > 1
    assert all("a moment" in effect.text for effect in receivers.heard)
    assert house.facts(facts.NotificationFailed)
    assert house.facts(facts.NotificationWithdrawn) == []


def test_message_in_flight_counts_as_sent() -> None:
    """SY-03"""
    house, receivers = a_house(lambda _: None, rules=HALTS)
    halts(house, "a moment")
    resumes(house)
    (effect,) = receivers.heard
    house.line.take(house.line.at, NotificationAnswered(effect.channel, True, effect.numbers, effect.tries, DELIVERED))
    house.until("10:30")

    assert len(house.facts(facts.NotificationSent)) == 1
    assert house.facts(facts.NotificationWithdrawn) == []
    assert house.desk.notifications.state.over == []


def test_ended_part_of_a_message_is_withdrawn() -> None:
    """SY-03: the rest is told, and marked as a repeat where it may have arrived."""
    answers: list[Delivery] = [UNREACHED, Delivery(DeliveryCode.REFUSED, 500)]
    house, receivers = a_house(
        lambda effect: answers.pop(0) if answers and effect.channel == SECOND else DELIVERED, rules=HALTS
    )
    house.engine.state.record(facts.Halted(HaltCause.SIGNAL, "it ends"))
    house.engine.state.record(facts.Halted(HaltCause.KEY, "it stays"))
    look(house)
    house.until("10:05:07")
    resumes(house)
    house.until("10:09")

    *_, last = receivers.told(SECOND)
    assert "it stays" in last
    assert "it ends" not in last
    assert last.startswith("REPEAT")


def test_repeated_halt_escalates_anew() -> None:
    """SY-03: what was withdrawn is the old one's alone."""
    house, receivers = a_house(lambda _: UNREACHED, rules=HALTS)
    halts(house, "first")
    resumes(house)
    house.until("10:02")
    receivers.answers = lambda _: DELIVERED
    halts(house, "first")
    house.until("10:06")
    assert receivers.told(SECOND) == []
    house.until("10:07:10")

    assert len(receivers.told(SECOND)) == 1


def test_quiet_hours_message_is_sent_though_over() -> None:
    """SY-03: a breaker that opened and closed in the quiet hours wakes nobody, and is news in the morning."""
    quiet = {"begins": "09:00", "ends": "10:20", "broken_from": "urgent"}
    house, receivers = a_house(rules={"all": {"channels": [PHONE]}}, quiet=quiet)
    rings(house, "an alert")
    opens_and_closes_the_breaker(house)
    house.until("10:30")

    (morning,) = receivers.told(PHONE)
    assert "an alert" in morning
    assert "breaker" in morning
    assert house.facts(facts.NotificationWithdrawn) == []


def opens_and_closes_the_breaker(house: House) -> None:
    state = house.engine.state
    state.at = house.line.at
    state.record(facts.BreakerOpened("it failed", state.at))
    look(house)
    state.record(facts.BreakerClosed("it works"))
    look(house)


def test_no_withdrawal_between_a_key_and_its_order() -> None:
    """SY-03, EX-16: what is over is withdrawn after the order has left."""
    house, _ = an_exit_that_waits(
        lambda effect: UNREACHED if effect.channel == SECOND else DELIVERED, until="10:15:40", rules=EXITS
    )
    house.slows_down(0.5)
    confirms_now(house)
    look(house)
    assert [c.is_decided for c in house.desk.stage.state.confirmations.values() if not c.is_void] == [True, False]
    assert house.facts(facts.NotificationWithdrawn) == []
    passes(house, 5)

    assert len(house.facts(facts.NotificationWithdrawn)) == 1
    assert not [r for r in house.facts(facts.NotificationBegun) if r.channel == THIRD]
