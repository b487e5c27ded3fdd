"""Something that lasts and that people are told of: it begins once, whatever is said of it, and calls nobody when it is
over.
"""

from __future__ import annotations

from dataclasses import replace

from core.facts import (
    Halted,
    NotificationBegun,
    NotificationFailed,
    NotificationSent,
    NotificationSettled,
    NotificationWithdrawn,
    ProposalEnded,
    ProposalStaged,
    Resumed,
)
from core.messages.commands import Confirm, OpenTicket
from core.messages.inputs import NotificationAnswered
from core.model.codes import HaltCause, ProposalEnd
from core.model.notice import DELIVERED, Delivery, DeliveryCode
from core.model.order import order_id_of
from core.model.signal import ExitReason
from core.model.values import ProposalId
from tests.scenarios.changes import passes
from tests.scenarios.house import House, assert_can_be_rebuilt
from tests.scenarios.test_a_night_of_notices import (
    PHONE,
    SECOND,
    THIRD,
    Receivers,
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
    house.engine.state.record(Resumed(HaltCause.SIGNAL))
    look(house)


def another_exit(house: House, reason: ExitReason) -> None:
    """A more pressing exit of the same position takes the place of the one that waits."""
    state, older = house.engine.state, house.proposal
    state.at = house.line.at
    name = order_id_of("another", reason.value)
    order = replace(older.order, client_order_id=name)
    newer = replace(older, id=ProposalId(name), order=order, staged_at=state.at, exit_reason=reason)
    review = state.stage.state.reviews[older.id]
    state.record(ProposalEnded(older.id, ProposalEnd.WITHDRAWN, "overtaken"))
    state.record(ProposalStaged(newer, review))
    look(house)


def turns_the_key(house: House) -> None:
    house.presses(OpenTicket(house.proposal.id))
    passes(house, 1)
    ticket = house.ticket
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))


# ── it begins once ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_halt_that_is_said_in_other_words_keeps_its_beginning_and_its_steps():
    """SY-03: also over a restart; the step says what is true then."""
    receivers = Receivers()
    house = a_house(receivers, last="10:40", rules=HALTS)
    halts(house, "3 orders are late")
    house.until("10:03")
    halts(house, "4 orders are late")
    assert len(receivers.told(PHONE)) == 2
    house.until("10:05:10")
    (second,) = receivers.told(SECOND)
    assert "for 5 min" in second
    assert "4 orders are late" in second

    halts(house, "5 orders are late")
    with_receivers(house.restarted(), receivers).until("10:07")
    halts(house, "6 orders are late")
    house.until("10:16")

    assert len(receivers.told(SECOND)) == 1
    (third,) = receivers.told(THIRD)
    assert "for 15 min" in third
    assert_can_be_rebuilt(house)


def test_an_exit_in_whose_place_another_comes_keeps_its_beginning_and_its_steps():
    """SY-03, OP-06: for another reason; the position is the same."""
    receivers = Receivers()
    house = an_exit_that_waits(receivers, rules=EXITS)
    house.until("10:14")
    another_exit(house, ExitReason.FORCE_FLAT)
    house.until("10:15:30")
    first, other = receivers.told(PHONE)
    assert "(mean reversion)" in first
    assert "(force flat)" in other
    (second,) = receivers.told(SECOND)
    assert "for 5 min: SELL 0.502 SPY market (force flat)" in second

    another_exit(house, ExitReason.STOP_LOSS)
    house.until("10:24")
    assert receivers.told(THIRD) == []
    house.until("10:25:30")

    assert len(receivers.told(SECOND)) == 1
    assert len(receivers.told(THIRD)) == 1
    assert house.facts(NotificationSettled) == []
    assert_can_be_rebuilt(house)


def test_a_turned_key_ends_the_matter_of_its_exit():
    """SY-03"""
    receivers = Receivers()
    house = an_exit_that_waits(receivers, until="10:14", rules=EXITS)
    turns_the_key(house)
    passes(house, 1)

    assert len(house.facts(NotificationSettled)) == 1
    assert house.desk.notifications.state.matters == {}
    assert_can_be_rebuilt(house)


# ── it is over ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_step_that_nobody_got_before_its_exit_was_sold_is_withdrawn():
    """SY-03: the second channel is away; what waits for its next try calls nobody when that is back."""
    receivers = Receivers(lambda effect: UNREACHED if effect.channel == SECOND else DELIVERED)
    house = an_exit_that_waits(receivers, until="10:15:40", rules=EXITS)
    assert receivers.told(SECOND)
    turns_the_key(house)
    passes(house, 1)
    tries = len(receivers.told(SECOND))
    receivers.answers = lambda _: DELIVERED
    house.until("10:40")

    assert len(receivers.told(SECOND)) == tries
    (withdrawn,) = house.facts(NotificationWithdrawn)
    assert (withdrawn.channel, withdrawn.is_urgent) == (SECOND, True)
    assert [line.batch for line in house.desk.notifications.state.urgent.values()] == [[], []]
    assert house.desk.notifications.state.over == []
    assert_can_be_rebuilt(house)


def test_nobody_is_called_about_an_exit_that_ended_as_the_engine_did():
    """SY-03: that it ended is written, and nothing after it."""
    receivers = Receivers(lambda effect: UNREACHED if effect.channel == SECOND else DELIVERED)
    house = an_exit_that_waits(receivers, until="10:15:40", rules=EXITS)
    house.engine.state.at = house.line.at
    house.engine.state.record(ProposalEnded(house.proposal.id, ProposalEnd.WITHDRAWN, "its condition ended"))
    tries = len(receivers.told(SECOND))
    receivers.answers = lambda _: DELIVERED

    with_receivers(house.restarted(), receivers).until("10:16")

    assert len(receivers.told(SECOND)) == tries
    assert len(house.facts(NotificationSettled)) == 1
    assert len(house.facts(NotificationWithdrawn)) == 1
    assert_can_be_rebuilt(house)


def test_the_first_urgent_word_is_tried_until_it_arrives_although_its_halt_has_ended():
    """SY-03: at least once; only who would be called because nobody came is called about nothing that is over."""
    receivers = Receivers(lambda _: None)
    house = a_house(receivers, rules=HALTS)
    halts(house, "a moment")
    resumes(house)
    assert house.facts(NotificationWithdrawn) == []
    (effect,) = receivers.heard
    answer = NotificationAnswered(effect.channel, True, effect.numbers, effect.tries, UNREACHED)
    house.line.take(house.line.at, answer)
    house.until("10:30")

    assert len(receivers.heard) > 1
    assert all("a moment" in effect.text for effect in receivers.heard)
    assert house.facts(NotificationFailed)
    assert house.facts(NotificationWithdrawn) == []
    assert_can_be_rebuilt(house)


def test_what_is_on_its_way_and_arrives_after_its_halt_is_sent():
    """SY-03"""
    receivers = Receivers(lambda _: None)
    house = a_house(receivers, rules=HALTS)
    halts(house, "a moment")
    resumes(house)
    (effect,) = receivers.heard
    house.line.take(house.line.at, NotificationAnswered(effect.channel, True, effect.numbers, effect.tries, DELIVERED))
    house.until("10:30")

    assert len(house.facts(NotificationSent)) == 1
    assert house.facts(NotificationWithdrawn) == []
    assert house.desk.notifications.state.over == []


def test_of_a_message_about_several_things_only_what_is_over_is_withdrawn():
    """SY-03: the rest is told, and marked as a repeat where it may have arrived."""
    answers: list[Delivery] = [UNREACHED, Delivery(DeliveryCode.REFUSED, 500)]
    receivers = Receivers(lambda effect: answers.pop(0) if answers and effect.channel == SECOND else DELIVERED)
    house = a_house(receivers, rules=HALTS)
    house.engine.state.record(Halted(HaltCause.SIGNAL, "it ends"))
    house.engine.state.record(Halted(HaltCause.KEY, "it stays"))
    look(house)
    house.until("10:05:07")
    resumes(house)
    house.until("10:09")

    *_, last = receivers.told(SECOND)
    assert "it stays" in last
    assert "it ends" not in last
    assert last.startswith("REPEAT")
    assert_can_be_rebuilt(house)


def test_a_halt_that_comes_again_is_told_again_and_has_its_steps_anew():
    """SY-03: what was withdrawn is the old one's alone."""
    receivers = Receivers(lambda _: UNREACHED)
    house = a_house(receivers, rules=HALTS)
    halts(house, "first")
    resumes(house)
    house.until("10:02")
    receivers.answers = lambda _: DELIVERED
    halts(house, "first")
    house.until("10:06")
    assert receivers.told(SECOND) == []
    house.until("10:07:10")

    assert len(receivers.told(SECOND)) == 1
    assert_can_be_rebuilt(house)


def test_what_waits_for_the_morning_is_told_then_although_it_is_over():
    """SY-03: a breaker that opened and closed in the quiet hours wakes nobody, and is news in the morning."""
    receivers = Receivers()
    quiet = {"begins": "09:00", "ends": "10:20", "broken_from": "urgent"}
    house = a_house(receivers, rules={"all": {"channels": [PHONE]}}, quiet=quiet)
    rings(house, "an alert")
    opens_and_closes_the_breaker(house)
    house.until("10:30")

    (morning,) = receivers.told(PHONE)
    assert "an alert" in morning
    assert "breaker" in morning
    assert house.facts(NotificationWithdrawn) == []
    assert_can_be_rebuilt(house)


def opens_and_closes_the_breaker(house: House) -> None:
    from core.facts import BreakerClosed, BreakerOpened

    state = house.engine.state
    state.at = house.line.at
    state.record(BreakerOpened("it failed", state.at))
    look(house)
    state.record(BreakerClosed("it works"))
    look(house)


def test_no_withdrawal_asks_for_a_sync_between_a_key_and_its_order():
    """SY-03, EX-16: what is over is withdrawn after the order has left."""
    receivers = Receivers(lambda effect: UNREACHED if effect.channel == SECOND else DELIVERED)
    house = an_exit_that_waits(receivers, until="10:15:40", rules=EXITS)
    house.slows_down(0.5)
    turns_the_key(house)
    look(house)
    assert [c.is_decided for c in house.desk.stage.state.confirmations.values() if not c.is_void] == [True, False]
    assert house.facts(NotificationWithdrawn) == []
    passes(house, 5)

    assert len(house.facts(NotificationWithdrawn)) == 1
    assert not [r for r in house.facts(NotificationBegun) if r.channel == THIRD]
