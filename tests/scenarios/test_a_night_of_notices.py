"""Who is told what, over which channel and when: the desk's real engine, a real exit that waits, and a night."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from core.facts import (
    Halted,
    NotificationBegun,
    NotificationDue,
    NotificationFailed,
    NotificationSent,
    NotificationSettled,
    NotificationSuppressed,
    OrderApproved,
    ProposalStaged,
)
from core.messages.commands import Confirm, Halt, Kill, OpenTicket
from core.messages.effects import SendNotification
from core.messages.inputs import ConnectionChanged, NotificationAnswered
from core.model.codes import HaltCause
from core.model.connection import Channel, ConnectionState, ConnectionStatus
from core.model.harmless_words import harmless
from core.model.notice import DELIVERED, Delivery, DeliveryCode, Notice, NoticeKind, Severity
from core.settings.settings import Settings
from core.workflows.operator.notice_text import REPEAT
from tests.scenarios.changes import passes
from tests.scenarios.house import (
    RECOVERY,
    STEADY,
    House,
    a_house_in_a_position,
    assert_can_be_rebuilt,
    minutes,
)
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, NewYorkHours, at

PHONE, SECOND, THIRD = "phone", "second", "third"


@dataclass
class Receivers:
    """Everybody's telephones. Each answers what `answers` says, at once."""

    answers: Callable[[SendNotification], Delivery | None] = lambda _: DELIVERED
    heard: list[SendNotification] = field(default_factory=list)

    def send(self, effect: SendNotification, put: Callable[[NotificationAnswered], None]) -> None:
        self.heard.append(effect)
        if (delivery := self.answers(effect)) is not None:
            put(NotificationAnswered(effect.channel, effect.is_urgent, effect.numbers, effect.tries, delivery))

    def close(self) -> None: ...

    def told(self, channel: str = "") -> list[str]:
        return [f"{e.title} | {e.text}" for e in self.heard if channel in ("", e.channel)]


def settings(**notify: object) -> Settings:
    terms = {
        "channels": {PHONE: {}, SECOND: {}, THIRD: {}},
        "rules": {"all": {"channels": [PHONE]}},
        **notify,
    }
    return Settings.model_validate({"symbols": ["SPY"], "notify": terms})


def with_receivers(house: House, receivers: Receivers) -> House:
    house.line._notifier = receivers
    return house


def a_house(receivers: Receivers, last: str = "10:40", **notify: object) -> House:
    """A quiet market, and nothing held."""
    house = House(minutes("09:30", last), settings(**notify))
    return with_receivers(house, receivers).opens().until("10:00")


def halts(house: House, reason: str = "a test") -> None:
    house.engine.state.record(Halted(HaltCause.SIGNAL, reason))
    look(house)


def look(house: House) -> None:
    """Whatever is due, or was recorded by hand, is followed."""
    from core.messages.inputs import DeadlineReached

    house.line.take(house.line.at, DeadlineReached())
    house.line._look_around()


def an_exit_that_waits(receivers: Receivers, until: str = "10:10:01", **notify: object) -> House:
    """It is 10:10: VWAP's exit of 0.502 shares has just been staged."""
    house = a_house_in_a_position(("10:06", "10:08", STEADY), ("10:09", "10:40", RECOVERY), settings=settings(**notify))
    return with_receivers(house, receivers).until(until)


# ── an exit that waits ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_exit_that_waits_is_pushed_out_and_escalates_until_its_key_is_turned():
    """SY-03, OP-06: after five minutes the second channel, after fifteen the third."""
    receivers = Receivers()
    steps = [{"minutes": 5, "channels": [SECOND]}, {"minutes": 15, "channels": [THIRD]}]
    rule = {"channels": [PHONE], "kinds": ["exit_waiting"], "escalate": steps}
    house = an_exit_that_waits(receivers, rules={"exits": rule})
    assert receivers.told() == []

    house.until("10:10:30")
    (told,) = receivers.told()
    assert "exit waiting SPY" in told
    assert "SELL 0.502 SPY" in told
    assert "waits for your key at the desk" in told
    house.until("10:15:08")
    assert receivers.told(SECOND) == []
    house.until("10:15:30")
    (second,) = receivers.told(SECOND)
    assert "for 5 min" in second
    house.until("10:24")
    assert receivers.told(THIRD) == []
    house.until("10:25:30")
    assert len(receivers.told(THIRD)) == 1

    house.until("10:40")
    assert len(receivers.heard) == 3
    assert all(fact.notice.is_urgent for fact in house.facts(NotificationDue))
    assert_can_be_rebuilt(house)


def test_an_exit_whose_key_is_turned_in_time_calls_nobody():
    """SY-03, OP-06"""
    receivers = Receivers()
    rule = {"channels": [PHONE], "kinds": ["exit_waiting"], "escalate": [{"minutes": 5, "channels": [SECOND]}]}
    house = an_exit_that_waits(receivers, rules={"exits": rule})
    proposal = house.proposal
    house.presses(OpenTicket(proposal.id))
    passes(house, 1)
    ticket = house.ticket
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))

    house.until("10:40")

    assert house.held() == "0"
    assert receivers.told() == []


def test_an_exit_that_was_told_and_then_sold_goes_to_no_second_channel():
    """SY-03"""
    receivers = Receivers()
    rule = {"channels": [PHONE], "kinds": ["exit_waiting"], "escalate": [{"minutes": 5, "channels": [SECOND]}]}
    house = an_exit_that_waits(receivers, until="10:11", rules={"exits": rule})
    assert len(receivers.told(PHONE)) == 1
    house.presses(OpenTicket(house.proposal.id))
    passes(house, 1)
    ticket = house.ticket
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))

    house.until("10:40")

    assert receivers.told(SECOND) == []
    assert house.desk.notifications.state.matters == {}
    assert len(house.facts(NotificationSettled)) == 1


def test_a_command_is_told_by_and_its_arguments_are_in_no_record_and_no_document():
    """SY-03, SY-06: also over a restart, which records no change."""
    from core.facts import SettingsApplied
    from core.trading_state.checkpoint import checkpoint_of

    receivers = Receivers()
    rules = {"all": {"channels": ["command"]}}
    house = a_house(receivers, command=["/bin/push", "--token", "hush-hush"], rules=rules)
    house.presses(Kill("key"))
    with_receivers(house.restarted(), receivers).until("10:05")

    assert [effect.channel for effect in receivers.heard] == ["command"]
    (applied,) = house.facts(SettingsApplied)
    assert applied.settings.notify.command == ("/bin/push",)
    assert house.desk.control.settings.notify.command == ("/bin/push",)
    assert "hush-hush" not in str(house.journal.lines) + str(checkpoint_of(house.desk).documents)
    assert_can_be_rebuilt(house)


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_rule_nothing_is_recorded():
    """SY-03: no table in the settings, no fact, and no message."""
    receivers = Receivers()
    house = with_receivers(House(minutes("09:30", "10:40"), Settings.model_validate({"symbols": ["SPY"]})), receivers)
    house.opens().until("10:10")
    house.presses(Kill("key"))
    house.until("10:40")

    assert receivers.heard == []
    assert not [name for name in house.told() if name.startswith("Notification")]


def test_rules_choose_by_kind_severity_symbol_and_account():
    """SY-03"""
    rules = {
        "fills": {"channels": [SECOND], "kinds": ["fill"], "symbols": ["SPY"]},
        "others": {"channels": [THIRD], "symbols": ["IBM"]},
        "elsewhere": {"channels": [THIRD], "accounts": ["another"]},
        "bad": {"channels": [PHONE], "at_least": "urgent", "accounts": ["house"]},
    }
    receivers = Receivers()
    house = a_house_in_a_position(settings=settings(rules=rules))
    with_receivers(house, receivers).presses(Kill("key"))
    house.until("10:20")

    due = [(fact.notice.kind, fact.channels) for fact in house.facts(NotificationDue)]
    assert (NoticeKind.FILL, (SECOND,)) in due
    assert (NoticeKind.KILL, (PHONE,)) in due
    assert all(THIRD not in channels for _, channels in due)


def test_a_kill_and_a_halt_are_told_with_what_they_say():
    """SY-03"""
    receivers = Receivers()
    house = a_house(receivers)
    house.presses(Halt("key"))
    house.presses(Kill("key"))
    house.until("10:05")

    (halt, kill) = receivers.told()
    assert halt.startswith("Keyturn paper house: halt | 10:00 New York halt: HALTED")
    assert "KILLED by key" in kill


def test_a_connection_that_is_away_for_a_moment_calls_nobody_and_one_that_stays_away_does():
    """SY-03"""
    receivers = Receivers()
    house = a_house(receivers, rules={"lines": {"channels": [PHONE], "kinds": ["disconnect"]}})

    def lamp(state: ConnectionState) -> None:
        status = ConnectionStatus(Channel.TRADES, state, house.line.at)
        house.line.take(house.line.at, ConnectionChanged(status))

    lamp(ConnectionState.DOWN)
    house.until("10:00:30")
    lamp(ConnectionState.UP)
    house.until("10:05")
    assert receivers.told() == []
    lamp(ConnectionState.DOWN)
    house.until("10:05:40")
    lamp(ConnectionState.CONNECTING)
    house.until("10:06:30")
    lamp(ConnectionState.UP)
    house.until("10:10")

    away, back = receivers.told()
    assert "the stream of trades is away since 10:05:00" in away
    assert "is back" in back
    assert len(house.facts(NotificationSettled)) == 1


def test_a_connection_of_before_a_restart_that_is_there_again_wakes_nobody_else():
    """SY-03: no fact says that it came back; it is looked at before the next person is called."""
    receivers = Receivers()
    rule = {"channels": [PHONE], "kinds": ["disconnect"], "escalate": [{"minutes": 5, "channels": [SECOND]}]}
    house = a_house(receivers, rules={"lines": rule})
    down = ConnectionStatus(Channel.TRADES, ConnectionState.DOWN, house.line.at)
    house.line.take(house.line.at, ConnectionChanged(down))
    house.until("10:02")
    assert len(receivers.told(PHONE)) == 1

    with_receivers(house.restarted(), receivers).until("10:20")

    assert receivers.told(SECOND) == []
    assert len(house.facts(NotificationSettled)) == 1


def test_a_day_ends_with_a_report():
    """SY-03"""
    receivers = Receivers()
    bars = [*minutes("09:30", "15:59"), *minutes("16:00", "16:20")]
    house = with_receivers(House(bars, settings(rules={"day": {"channels": [PHONE], "kinds": ["report"]}})), receivers)
    house.opens().until("16:10")

    (told,) = receivers.told()
    assert "report: 2026" in told
    assert "0 trades closed, 0 won, profit +0.00 USD; 0 positions held, 0 orders work" in told


# ── delivery ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_urgent_is_tried_until_it_arrives_and_marked_as_a_repeat_where_it_may_have_arrived():
    """SY-03: the receiver says 500 twice, then takes it."""
    answers = [Delivery(DeliveryCode.REFUSED, 500), Delivery(DeliveryCode.TIMED_OUT), DELIVERED]
    receivers = Receivers(lambda _: answers.pop(0))
    house = a_house(receivers)
    house.presses(Kill("key"))
    house.until("10:05")

    first, second, third = receivers.told()
    assert REPEAT not in first
    assert second.startswith(REPEAT)
    assert third.startswith(REPEAT)
    failed = house.facts(NotificationFailed)
    assert [(fact.code, fact.status) for fact in failed] == [
        (DeliveryCode.REFUSED, 500),
        (DeliveryCode.TIMED_OUT, None),
    ]
    begun = [r.at for r in house.journal.records() if isinstance(r.fact, NotificationBegun)]
    assert [round((b - a).total_seconds()) for a, b in pairwise(begun)] == [5, 15]
    assert len(house.facts(NotificationSent)) == 1
    assert_can_be_rebuilt(house)


def test_what_never_left_is_tried_again_without_the_mark_of_a_repeat():
    """SY-03"""
    answers = [Delivery(DeliveryCode.NOT_SENT), DELIVERED]
    receivers = Receivers(lambda _: answers.pop(0))
    house = a_house(receivers)
    house.presses(Kill("key"))
    house.until("10:05")

    assert len(receivers.told()) == 2
    assert not any(REPEAT in told for told in receivers.told())


@pytest.mark.parametrize("code", [DeliveryCode.REFUSED, DeliveryCode.UNCLEAR, DeliveryCode.TIMED_OUT])
def test_what_is_not_urgent_is_tried_once_where_it_may_have_arrived(code: DeliveryCode):
    """SY-03: at most once."""
    receivers = Receivers(lambda _: Delivery(code))
    house = a_house_in_a_position(settings=settings(rules={"fills": {"channels": [PHONE], "kinds": ["fill"]}}))
    assert [fact.code for fact in house.facts(NotificationFailed)] == [DeliveryCode.KEPT_HERE]

    house = House(house.bars, house.settings)
    with_receivers(house, receivers).opens().until("10:06")
    house.confirms_at("10:06:02")
    house.until("10:20")

    assert len(receivers.heard) == 1
    assert [(fact.code, fact.again_at) for fact in house.facts(NotificationFailed)] == [(code, None)]


def test_what_is_not_urgent_and_surely_never_left_is_tried_again():
    """SY-03: over a link that comes back."""
    answers = [Delivery(DeliveryCode.NOT_SENT), Delivery(DeliveryCode.NOT_SENT), DELIVERED]
    receivers = Receivers(lambda _: answers.pop(0))
    house = with_receivers(
        House(a_house_in_a_position().bars, settings(rules={"fills": {"channels": [PHONE], "kinds": ["fill"]}})),
        receivers,
    )
    house.opens().until("10:06")
    house.confirms_at("10:06:02")
    house.until("10:20")

    assert len(receivers.heard) == 3
    assert len(house.facts(NotificationSent)) == 1


def test_a_channel_that_never_answers_holds_nothing_up_and_is_tried_again():
    """SY-03: the carrier's process is gone without a word."""
    receivers = Receivers(lambda effect: None if effect.tries == 1 else DELIVERED)
    house = a_house(receivers)
    house.presses(Kill("key"))
    house.until("10:05")

    assert [e.tries for e in receivers.heard] == [1, 2]
    assert receivers.told()[1].startswith(REPEAT)


def test_an_engine_that_dies_with_a_message_on_its_way_repeats_what_is_urgent_and_nothing_else():
    """SY-03: the message left, its answer was never recorded."""
    nobody = Receivers(lambda _: None)
    rules = {"all": {"channels": [PHONE], "kinds": ["fill", "kill"]}}
    house = House(a_house_in_a_position().bars, settings(rules=rules))
    with_receivers(house, nobody).opens().until("10:06")
    house.confirms_at("10:06:02")
    house.until("10:06:10")
    house.presses(Kill("key"))
    assert [e.is_urgent for e in nobody.heard] == [False, True]

    after = Receivers()
    house._take_up(house.line.at)
    with_receivers(house, after).opens()
    house.until("10:20")

    (told,) = [told for told in after.told() if "kill" in told]
    assert told.startswith(REPEAT)
    assert f"{REPEAT}: you may have this already" in told
    assert not [told for told in after.told() if "fill:" in told]
    lost = [fact for fact in house.facts(NotificationFailed) if not fact.is_urgent]
    assert [(fact.code, fact.again_at) for fact in lost] == [(DeliveryCode.CUT_OFF, None)]


def test_a_channel_that_the_settings_have_no_more_is_given_up():
    """SY-03"""
    house = a_house(Receivers(lambda _: None))
    house.presses(Kill("key"))
    house.settings = settings(channels={SECOND: {}}, rules={"all": {"channels": [SECOND]}})
    house.restarted().until("10:10")

    assert house.facts(NotificationFailed)[-1].code is DeliveryCode.NO_CHANNEL
    assert house.desk.notifications.line(PHONE, is_urgent=True).batch == []


@pytest.mark.parametrize("code", [DeliveryCode.NO_ADDRESS, DeliveryCode.BAD_ADDRESS])
def test_a_kill_whose_channel_is_mended_after_its_first_try_is_told(code: DeliveryCode):
    """SY-03: the keyring was locked, or the program not there, for a moment."""
    answers = [Delivery(code), DELIVERED]
    receivers = Receivers(lambda _: answers.pop(0))
    house = a_house(receivers)
    house.presses(Kill("key"))
    house.until("10:05")

    assert [e.tries for e in receivers.heard] == [1, 2]
    assert not any(REPEAT in told for told in receivers.told())


def test_a_keyring_that_stays_locked_is_tried_until_it_is_given_up_and_a_bad_address_a_few_times():
    """SY-03"""
    ends = {PHONE: Delivery(DeliveryCode.NO_ADDRESS), SECOND: Delivery(DeliveryCode.BAD_ADDRESS)}
    receivers = Receivers(lambda effect: ends[effect.channel])
    house = a_house(receivers, rules={"all": {"channels": [PHONE, SECOND]}}, give_up_minutes=30)
    house.presses(Kill("key"))
    house.until("10:39")

    assert len(receivers.told(PHONE)) == 10
    assert len(receivers.told(SECOND)) == 6
    assert [line.batch for line in house.desk.notifications.state.urgent.values()] == [[], []]


def test_an_urgent_message_that_is_refused_for_ever_keeps_no_other_waiting():
    """SY-03: each is tried at its own times, and the refused one is marked as a repeat."""
    refused = Delivery(DeliveryCode.REFUSED, 400)
    receivers = Receivers(lambda effect: refused if "strange" in effect.text else DELIVERED)
    house = a_house(receivers)
    halts(house, "strange word")
    house.until("10:00:02")
    house.presses(Kill("key"))

    assert "KILLED" in receivers.told()[1]
    house.until("10:05")
    tries = [effect.tries for effect in receivers.heard if "strange" in effect.text]
    assert tries == [1, 2, 3, 4, 5]
    marked = [told.startswith(REPEAT) for told in receivers.told() if "strange" in told]
    assert marked == [False, True, True, True, True]
    assert sum("KILLED" in told for told in receivers.told()) == 1
    assert_can_be_rebuilt(house)


def test_two_urgent_messages_that_fail_are_each_tried_until_they_arrive():
    """SY-03"""
    receivers = Receivers(lambda effect: DELIVERED if effect.tries > 2 else Delivery(DeliveryCode.NOT_SENT))
    house = a_house(receivers)
    halts(house, "one")
    halts(house, "two")
    halts(house, "three")
    house.until("10:05")

    for word in ("one", "two", "three"):
        assert [effect.tries for effect in receivers.heard if word in effect.text] == [1, 2, 3]
    line = house.desk.notifications.line(PHONE, is_urgent=True)
    assert (line.batch, line.aside, line.waiting) == ([], [], [])
    assert_can_be_rebuilt(house)


def test_the_word_of_a_disk_that_takes_no_record_is_tried_again_in_memory():
    """SP-06, SY-03: nothing of it is written, and it is marked where it may have arrived."""
    answers = [Delivery(DeliveryCode.NOT_SENT), Delivery(DeliveryCode.TIMED_OUT), None, DELIVERED]
    moments: list[datetime] = []

    def answer(_effect: SendNotification) -> Delivery | None:
        moments.append(house.line.at)
        return answers.pop(0)

    receivers = Receivers(answer)
    house = a_house(receivers)
    house.journal.is_full = True
    house.presses(Kill("key"))
    house.until("10:10")

    assert [round((b - a).total_seconds()) for a, b in pairwise(moments)] == [5, 15, 25]
    assert [effect.tries for effect in receivers.heard] == [1, 2, 3, 4]
    assert [told.startswith(REPEAT) for told in receivers.told()] == [False, False, True, True]
    assert all("no order leaves: no space left on the device" in told for told in receivers.told())


def test_a_disk_that_takes_no_record_is_told_once():
    """SP-06, SY-03: the desk halts and says so, also to who does not look at it."""
    receivers = Receivers()
    house = a_house(receivers)
    house.journal.is_full = True
    house.presses(Kill("key"))
    house.presses(Halt("key"))
    house.until("10:05")

    (told,) = receivers.told()
    assert "the journal cannot be written, no order leaves: no space left on the device" in told


# ── how much ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ten_thousand_events_in_a_burst_become_a_few_messages_and_each_urgent_one_is_told():
    """SY-03"""
    receivers = Receivers()
    house = a_house(receivers, last="15:00", channels={PHONE: {"a_minute": 10}}, rules={"all": {"channels": [PHONE]}})
    for number in range(1_000):
        house.engine.state.record(Halted(HaltCause.SIGNAL, f"number {number}."))
    look(house)
    house.until("11:00")

    told = "\n".join(receivers.told())
    assert all(f"number {number}." in told for number in range(1_000))
    assert len(receivers.heard) <= 52
    left = [r.at for r in house.journal.records() if isinstance(r.fact, NotificationBegun)]
    for moment in left:
        assert sum(1 for each in left if moment <= each < moment + timedelta(minutes=1)) <= 10


def test_more_than_one_can_read_is_counted_and_said_to_have_been():
    """SY-03: ten thousand rings of an alert."""
    from core.facts import AlertRang
    from core.model.alert import Alert, AlertKind, AlertTerms

    receivers = Receivers()
    house = a_house(receivers, channels={PHONE: {"a_minute": 1}}, rules={"all": {"channels": [PHONE]}})
    terms = AlertTerms(SPY, AlertKind.FILL)
    for number in range(10_000):
        house.engine.state.record(AlertRang(Alert(1, terms), f"ring {number}"))
        if not number:
            look(house)
    look(house)
    house.until("10:10")

    first, second = receivers.heard
    assert "ring 0" in first.text
    assert "and 80 more: 80 alert" in second.text
    assert "9899 more were too many to be told" in second.text
    assert len(house.facts(NotificationSuppressed)) == 9_899


def test_what_is_urgent_waits_for_nothing_that_is_not():
    """SY-03: the ordinary line of a channel is used up; a kill goes at once."""
    from core.facts import AlertRang
    from core.model.alert import Alert, AlertKind, AlertTerms

    receivers = Receivers(lambda effect: DELIVERED if effect.is_urgent else None)
    house = a_house(receivers, channels={PHONE: {"a_minute": 1}}, rules={"all": {"channels": [PHONE]}})
    for number in range(5):
        house.engine.state.record(AlertRang(Alert(1, AlertTerms(SPY, AlertKind.FILL)), f"ring {number}"))
    look(house)
    house.presses(Kill("key"))

    assert [e.is_urgent for e in receivers.heard] == [False, True]


def test_all_messages_of_a_channel_count_for_its_minute():
    """SY-03: what is urgent takes of it, and waits for nothing else; what is not waits for both."""
    receivers = Receivers()
    house = a_house(receivers, channels={PHONE: {"a_minute": 3}}, rules={"all": {"channels": [PHONE]}})
    rings(house, "ring 1")
    halts(house, "halt 1")
    rings(house, "ring 2")
    rings(house, "ring 3")
    halts(house, "halt 2")
    halts(house, "halt 3")
    halts(house, "halt 4")
    house.until("10:00:50")

    assert [effect.is_urgent for effect in receivers.heard] == [False, True, False, True, True]
    assert "ring 3" not in "".join(receivers.told())
    house.until("10:03")

    assert [effect.is_urgent for effect in receivers.heard[5:]] == [True, False]
    told = "".join(receivers.told())
    assert all(f"{kind} {number}" in told for kind in ("halt", "ring") for number in range(1, 4))
    left = [(r.at, r.fact.is_urgent) for r in house.journal.records() if isinstance(r.fact, NotificationBegun)]
    for number, (moment, is_urgent) in enumerate(left, 1):
        before = [other for at, other in left[:number] if at > moment - timedelta(minutes=1)]
        assert (before.count(True) if is_urgent else len(before)) <= 3
    assert_can_be_rebuilt(house)


def test_no_message_leaves_between_a_key_and_its_order():
    """SY-03, EX-16: what would ask for a sync of the journal waits until the order has left."""
    receivers = Receivers()
    house = with_receivers(
        House(a_house_in_a_position().bars, settings(rules={"all": {"channels": [PHONE]}})), receivers
    )
    house.opens().until("10:06")
    house.slows_down(0.5)
    house.confirms_at("10:06:02")
    rings(house, "beside a key")
    assert [c.is_decided for c in house.desk.stage.state.confirmations.values()] == [False]
    assert receivers.heard == []

    house.until("10:06:06")

    assert house.held() != "0"
    assert "beside a key" in receivers.heard[0].text
    begun = [r.at for r in house.journal.records() if isinstance(r.fact, NotificationBegun)]
    approved = [r.at for r in house.journal.records() if isinstance(r.fact, OrderApproved)]
    assert begun[0] >= approved[0]


def is_away_for(house: House, seconds: int) -> int:
    """How often the desk looks around while the stream of trades is down and nothing else happens: 200 at most."""
    from core.messages.inputs import DeadlineReached

    house.line.take(
        house.line.at, ConnectionChanged(ConnectionStatus(Channel.TRADES, ConnectionState.DOWN, house.line.at))
    )
    until, looks = house.line.at + timedelta(seconds=seconds), 0
    while (due := house.engine.next_deadline) is not None and due <= until and looks < 200:
        house.line.at = max(house.line.at, due)
        house.line.take(house.line.at, DeadlineReached())
        house.line._look_around()
        looks += 1
    return looks


def test_a_connection_that_is_away_while_its_channel_is_full_is_counted_once():
    """SY-03: nobody is reached for three hundred alerts; what is due then is over, and the desk does not spin on it."""
    receivers = Receivers(lambda _: Delivery(DeliveryCode.NOT_SENT))
    house = a_house(receivers)
    for number in range(300):
        rings(house, f"ring {number}")
    before = len(house.facts(NotificationSuppressed))

    looks = is_away_for(house, 120)

    suppressed = house.facts(NotificationSuppressed)[before:]
    assert [fact.notice.kind for fact in suppressed] == [NoticeKind.DISCONNECT]
    assert looks < 100
    assert_can_be_rebuilt(house)


def test_an_escalation_onto_a_channel_with_a_full_digest_is_counted_once():
    """SY-03: the step is taken, whatever became of it."""
    receivers = Receivers()
    rules = {
        "rings": {"channels": [SECOND], "kinds": ["alert"], "digest": True},
        "lines": {
            "channels": [PHONE],
            "kinds": ["disconnect"],
            "escalate": [{"minutes": 5, "channels": [SECOND]}],
        },
    }
    house = a_house(receivers, rules=rules)
    for number in range(150):
        rings(house, f"ring {number}")
    before = len(house.facts(NotificationSuppressed))

    looks = is_away_for(house, 600)

    assert len(receivers.told(PHONE)) == 1
    suppressed = house.facts(NotificationSuppressed)[before:]
    assert [fact.notice.words[:9] for fact in suppressed] == ["for 5 min"]
    assert looks < 100
    assert_can_be_rebuilt(house)


# ── quiet hours, digests, a night ────────────────────────────────────────────────────────────────────────────────────


class AnyDay(NewYorkHours):
    """Sessions as on a Thursday."""


@pytest.mark.parametrize("day", [THURSDAY, date(2026, 3, 8), date(2026, 11, 1)])
def test_a_night(day: date):
    """SY-03: what is not urgent waits for the morning, a kill does not, and one that lasts wakes somebody else; also in
    the two nights in which the clock is set.
    """
    receivers = Receivers()
    rules = {
        "mine": {"channels": [PHONE], "escalate": [{"minutes": 15, "channels": [SECOND]}]},
        "small": {"channels": [PHONE], "kinds": ["protection"], "digest": True},
    }
    quiet = {"begins": "22:00", "ends": "07:00", "broken_by": ["breaker"]}
    evening = at("23:30", day - timedelta(days=1))
    house = House(minutes("23:00", "23:10", day=day - timedelta(days=1)), settings(rules=rules, quiet=quiet))
    with_receivers(house, receivers).opens()
    house.line.at = evening
    rings(house, "in the night")
    assert receivers.heard == []
    house.presses(Kill("key"))
    assert len(receivers.told(PHONE)) == 1

    sleeps_until(house, at("00:00", day))
    (woken,) = receivers.told(SECOND)
    assert "for 15 min" in woken
    sleeps_until(house, at("06:59", day))
    assert len(receivers.heard) == 2
    sleeps_until(house, at("07:01", day))

    morning = receivers.told(PHONE)[-1]
    assert "in the night" in morning
    assert f"{house.calendar.venue.told(evening, '%a %d %b %H:%M')}" in morning
    hours = {THURSDAY: 7.5, date(2026, 3, 8): 6.5, date(2026, 11, 1): 8.5}[day]
    begun = [r.at for r in house.journal.records() if isinstance(r.fact, NotificationBegun)]
    assert begun[-1] - evening == timedelta(hours=hours)
    assert_can_be_rebuilt(house)


def rings(house: House, words: str) -> None:
    from core.facts import AlertRang
    from core.model.alert import Alert, AlertKind, AlertTerms

    house.engine.state.at = house.line.at
    house.engine.state.record(AlertRang(Alert(1, AlertTerms(SPY, AlertKind.FILL)), words))
    look(house)


def sleeps_until(house: House, moment: datetime) -> None:
    """Nothing but the desk's own deadlines happens."""
    from core.messages.inputs import DeadlineReached

    while (due := house.engine.next_deadline) is not None and due <= moment:
        house.line.at = max(house.line.at, due)
        house.line.take(house.line.at, DeadlineReached())
        house.line._look_around()
    house.line.at = moment


def test_what_is_for_a_digest_comes_together_at_its_hour():
    """SY-03"""
    receivers = Receivers()
    rules = {"all": {"channels": [PHONE], "kinds": ["fill", "alert"], "digest": True}}
    house = a_house(receivers, rules=rules, digest_at=["10:30"])
    for words in ("one", "two", "three"):
        rings(house, words)
    house.until("10:29")
    assert receivers.heard == []
    house.until("10:31")

    (digest,) = receivers.told()
    assert digest.startswith("Keyturn paper house: 3 messages")
    assert all(words in digest for words in ("one", "two", "three"))


# ── nothing acts ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("outside", "told"),
    [
        ("see https://evil.example/x?y=1 now", "see (link removed) now"),
        ("call tel:+15551234 or www.evil.example", "call (link removed) or (link removed)"),
        ("evil.example/path", "evil example/path"),
        ("/sell@bot 10", "sell@bot 10"),
        ("\x1b[31mred\r\nnext\u202eline", "[31mred next line"),
        ("a <b>bold</b> claim", "a ‹b›bold‹b› claim"),
        ("price 182.50, BRK.B, 9.5 %", "price 182.50, BRK.B, 9.5 %"),
        ("keyturn:confirm/1", "(link removed)"),
        ("order 8f14e45fceea167a cannot become FILLED", "order (name removed) cannot become FILLED"),
        ("904837e3-3b76-47ec-b432-046db621571b is odd", "(name removed) is odd"),
        ("1234567890 USD, deadbeef", "1234567890 USD, deadbeef"),
    ],
)
def test_a_message_carries_nothing_that_acts(outside: str, told: str):
    """SY-03, SY-06"""
    assert harmless(outside) == told


def test_what_a_message_says_names_no_order_and_no_ticket():
    """SY-03: nobody can type anything from it."""
    receivers = Receivers()
    house = an_exit_that_waits(receivers, until="10:30")
    house.presses(Kill("key"))
    house.until("10:35")

    told = "\n".join(receivers.told())
    names = [str(order) for order in house.desk.ledger.state.orders]
    names += [proposal.proposal.id for proposal in house.facts(ProposalStaged)]
    assert names
    assert not [name for name in names if name in told]
    assert "://" not in told


def test_a_halt_over_an_order_does_not_name_it():
    """SY-03: its reason does, on the desk and in the journal."""
    from core.model.order import order_id_of

    receivers = Receivers()
    house = a_house(receivers)
    name = order_id_of("one", "two")
    halts(house, f"order {name} cannot go from FILLED to NEW")

    (told,) = receivers.told()
    assert "cannot go from FILLED to NEW" in told
    assert name not in told


def test_a_notice_is_never_longer_than_a_screen():
    """SY-03"""
    notice = Notice(1, at("10:00"), NoticeKind.HALT, Severity.URGENT, None, harmless("x" * 5_000))
    assert len(notice.words) == 300
