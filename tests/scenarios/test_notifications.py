"""Who is told what, over which channel and when: the desk's real engine, a real exit that waits, and a night."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import Halt, Kill, ProposeClose, Rearm
from core.messages.effects import SendNotification
from core.messages.inputs import ConnectionChanged, DeadlineReached
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.alert import Alert, AlertKind, AlertTerms
from core.model.codes import HaltCause
from core.model.delivery import DELIVERED, Delivery, DeliveryCode
from core.model.notice import REPEAT, Notice, NoticeKind, Severity
from core.model.notification_sanitizer import harmless
from core.model.order import order_id_of
from core.settings.settings import Settings
from core.trading_state.checkpoint import checkpoint_of
from core.trading_state.notifications import KILL, NAKED_KILL
from tests.scenarios.changes import FRACTIONS, confirms_now, passes
from tests.scenarios.house import STEADY, House, a_day, a_house_in_a_position, a_typed_buy, minutes
from tests.scenarios.receivers import (
    PHONE,
    SECOND,
    THIRD,
    Receivers,
    a_house,
    an_exit_that_waits,
    halts,
    look,
    rings,
    settings,
    sleeps_until,
    with_receivers,
)
from tests.unit.core.brokers.trading_floor import SPY, a_bar, at


def test_waiting_exit_escalates(snapshot: SnapshotAssertion) -> None:
    """SY-03, OP-06: after five minutes the second channel, after fifteen the third."""
    steps = [{"minutes": 5, "channels": [SECOND]}, {"minutes": 15, "channels": [THIRD]}]
    rule = {"channels": [PHONE], "kinds": ["exit_waiting"], "escalate": steps}
    house, receivers = an_exit_that_waits(rules={"exits": rule})
    assert receivers.told() == []

    house.until("10:10:30")
    assert receivers.told() == snapshot
    house.until("10:15:02")
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
    assert all(fact.notice.is_urgent for fact in house.facts(facts.NotificationDue))


def test_exit_confirmed_in_time_calls_nobody() -> None:
    """SY-03, OP-06"""
    rule = {"channels": [PHONE], "kinds": ["exit_waiting"], "escalate": [{"minutes": 5, "channels": [SECOND]}]}
    house, receivers = an_exit_that_waits(rules={"exits": rule})
    confirms_now(house)

    house.until("10:40")

    assert house.held() == "0"
    assert receivers.told() == []


def test_sold_exit_ends_its_escalation() -> None:
    """SY-03"""
    rule = {"channels": [PHONE], "kinds": ["exit_waiting"], "escalate": [{"minutes": 5, "channels": [SECOND]}]}
    house, receivers = an_exit_that_waits(until="10:11", rules={"exits": rule})
    assert len(receivers.told(PHONE)) == 1
    confirms_now(house)

    house.until("10:40")

    assert receivers.told(SECOND) == []
    assert house.desk.notifications.state.matters == {}
    assert len(house.facts(facts.NotificationSettled)) == 1


def test_arguments_of_a_command_are_not_recorded() -> None:
    """SY-03, SY-06: also over a restart, which records no change."""
    rules = {"all": {"channels": ["command"]}}
    house, receivers = a_house(command=["/bin/push", "--token", "hush-hush"], rules=rules)
    house.presses(Kill("key"))
    with_receivers(house.restarted(), receivers).until("10:05")

    assert [effect.channel for effect in receivers.heard] == ["command"]
    (applied,) = house.facts(facts.SettingsApplied)
    assert applied.settings.notify.command == ("/bin/push",)
    assert house.desk.control.settings.notify.command == ("/bin/push",)
    assert "hush-hush" not in str(house.journal.lines) + str(checkpoint_of(house.desk).documents)


@pytest.mark.usefixtures("a_bar_at_once")
def test_fills_in_parts_say_what_is_to_come(snapshot: SnapshotAssertion) -> None:
    """SY-03, EX-05: 5 of 10.5 fill first, and the notice names the other 5.5"""
    rules = {"fills": {"channels": [PHONE], "kinds": ["fill"]}}
    terms, receivers = FRACTIONS.model_copy(update={"notify": settings(rules=rules).notify}), Receivers()
    parts = [a_bar(f"10:0{minute}", "100.05 100.05 99.95 100", volume=volume) for minute, volume in ((6, 50), (7, 500))]
    bars = [*minutes("09:55", "10:05", "101"), *parts, *minutes("10:08", "10:20", "101")]
    house = with_receivers(House(bars, terms, cash=Decimal(10_000)), receivers).opens().until("10:05")
    house.presses(a_typed_buy("10.5", limit="100", stop="99"))
    confirms_now(house)

    house.until("10:10")

    assert house.held() == "10.5"
    assert receivers.told() == snapshot


def test_no_rule_records_nothing() -> None:
    """SY-03: no table in the settings, no fact, and no message."""
    receivers = Receivers()
    house = with_receivers(House(minutes("09:55", "10:40"), Settings.model_validate({"symbols": ["SPY"]})), receivers)
    house.opens().until("10:10")
    house.presses(Kill("key"))
    house.until("10:40")

    assert receivers.heard == []
    assert not [name for name in house.told() if name.startswith("Notification")]


def test_rules_choose_by_kind_severity_and_symbol() -> None:
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

    due = [(fact.notice.kind, fact.channels) for fact in house.facts(facts.NotificationDue)]
    assert (NoticeKind.FILL, (SECOND,)) in due
    assert (NoticeKind.KILL, (PHONE,)) in due
    assert all(THIRD not in channels for _, channels in due)


@pytest.mark.parametrize("lost_behind", [facts.AuthorizationEnded, facts.StopOwed, facts.Halted, facts.Killed])
def test_notice_lost_with_the_end_of_the_journal_is_sent_at_the_start(lost_behind: type[facts.Fact]) -> None:
    """EX-21, SY-03, EX-20: the fact reached the disk, and the records behind it did not."""
    receivers = Receivers()
    house = with_receivers(a_house_in_a_position(settings=settings(rules={"all": {"channels": [PHONE]}})), receivers)
    if lost_behind is facts.AuthorizationEnded:
        house.presses(ProposeClose(SPY))
        house.line.refuses_the_next_order("asset is not tradable")
        confirms_now(house)
        passes(house, 1)
    elif lost_behind is facts.StopOwed:
        house.exchange.cancel(house.line.at, house.stops[0].id)
        passes(house, 70)
    elif lost_behind is facts.Halted:
        halts(house, "one")
        halts(house, "two")
    else:
        house.presses(Kill("key"))
        house.presses(Kill("key", naked=True))
    *_, fact = (record for record in house.journal.records() if isinstance(record.fact, lost_behind))
    *_, lost = (f.notice.words for f in house.facts(facts.NotificationDue) if f.notice.at == fact.at)
    house.loses_the_journal_after(fact.sequence)
    house = with_receivers(house.restarted(), receivers)
    passes(house, 5)

    assert [f.notice.words for f in house.facts(facts.NotificationDue)].count(lost) == 1
    assert house.desk.notifications.state.failed_closes == []


def test_texts_of_a_halt_and_a_kill(snapshot: SnapshotAssertion) -> None:
    """SY-03"""
    house, receivers = a_house()
    house.presses(Halt("key"))
    house.presses(Kill("key"))
    house.until("10:05")

    assert [fact.notice.kind for fact in house.facts(facts.NotificationDue)] == [NoticeKind.HALT, NoticeKind.KILL]
    assert receivers.told() == snapshot


def test_a_kill_from_several_sources_is_told_once() -> None:
    """SY-03, OP-08: `keyturn kill` writes the file and sends the command, and the engine reads them in any order"""
    house, receivers = a_house()
    for by in ("file", "command"):
        house.presses(Kill(by))
    house = with_receivers(house.restarted(), receivers)
    house.presses(Kill("command, file"))
    told = [fact.notice.kind for fact in house.facts(facts.NotificationDue)]
    for by in ("command", "file"):
        house.presses(Kill(by, naked=True))
    house.presses(Kill("command, file"))
    house.restarted()

    assert told == [NoticeKind.KILL]
    due = house.facts(facts.NotificationDue)
    assert [fact.matter for fact in due] == [KILL, NAKED_KILL]
    house.presses(Rearm("REARM"))
    house.presses(Kill("key"))
    assert [fact.matter for fact in house.facts(facts.NotificationDue)] == [KILL, NAKED_KILL, KILL]


def test_a_kill_given_up_is_told_by_the_next_source() -> None:
    """SY-03, OP-08: over a dead line, and by a channel without an address"""
    for code in (DeliveryCode.NOT_SENT, DeliveryCode.NO_CHANNEL):
        house, receivers = a_house(lambda _, code=code: Delivery(code), give_up_minutes=2)
        house.presses(Kill("key"))
        house.until("10:10")
        house.presses(Kill("file"))
        assert [fact.again_at for fact in house.facts(facts.NotificationFailed)][-1] is None
        assert len(house.facts(facts.NotificationDue)) == 2
        house.until("10:20")
        receivers.answers = lambda _: DELIVERED

        house.presses(Kill("command"))
        house.until("10:21")
        house.presses(Kill("key"))

        assert len(house.facts(facts.NotificationDue)) == 3, code
        assert len(house.facts(facts.NotificationSent)) == 1, code


def test_a_kill_that_goes_further_escalates_once() -> None:
    """SY-03: escalation counts from the first notice"""
    rule = {"channels": [PHONE], "kinds": ["kill"], "escalate": [{"minutes": 5, "channels": [SECOND]}]}
    house, receivers = a_house(rules={"kills": rule})
    house.presses(Kill("key"))
    house.until("10:01")
    house.presses(Kill("key", naked=True))
    house.until("10:04:58")
    assert receivers.told(SECOND) == []

    house.until("10:20")

    (step,) = [effect for effect in receivers.heard if effect.channel == SECOND]
    assert step.numbers == (3,)
    assert [fact.notice.at.minute for fact in house.facts(facts.NotificationDue)] == [0, 1, 5]


def test_a_naked_kill_told_by_an_older_release_is_not_told_again() -> None:
    """SY-03, SY-06: it knew one matter of a kill"""
    house, receivers = a_house()
    house.presses(Kill("key", naked=True))
    (due,) = house.facts(facts.NotificationDue)
    house.desk.record(facts.NotificationSettled(NAKED_KILL))
    house.desk.record(replace(due, matter=KILL))
    assert set(house.desk.notifications.state.matters) == {KILL}

    house = with_receivers(house.restarted(), receivers)

    assert len(house.facts(facts.NotificationDue)) == 2


def test_a_kill_without_rules_records_no_notice() -> None:
    """SY-03: and NAKED is named to rules that come later"""
    house, _ = a_house(rules={})
    house.presses(Kill("key", naked=True))
    assert house.facts(facts.NotificationDue) == house.facts(facts.NotificationSettled) == []

    house.desk.record(facts.SettingsApplied(settings()))
    house.presses(Kill("command"))

    assert [fact.matter for fact in house.facts(facts.NotificationDue)] == [NAKED_KILL]


@pytest.mark.parametrize("naked", [False, True])
def test_kill_is_told_beside_a_matter_of_an_earlier_one(naked: bool) -> None:
    """SY-03, SY-06: a release that knew one matter of a kill left the other open when it was re-armed"""
    house, receivers = a_house()
    house.presses(Kill("key", naked=True))
    *_, left = house.facts(facts.NotificationDue)
    house.presses(Rearm("REARM"))
    house.desk.record(left)
    assert set(house.desk.notifications.state.matters) == {left.matter} == {NAKED_KILL}
    house.until("10:05")

    house.presses(Kill("key", naked=naked))
    house = with_receivers(house.restarted(), receivers)
    house.presses(Kill("command", naked=naked))

    wanted = NAKED_KILL if naked else KILL
    assert [fact.matter for fact in house.facts(facts.NotificationDue)] == [NAKED_KILL, NAKED_KILL, wanted]
    assert set(house.desk.notifications.state.matters) == {wanted}


def test_lasting_disconnect_is_reported(snapshot: SnapshotAssertion) -> None:
    """SY-03"""
    house, receivers = a_house(rules={"lines": {"channels": [PHONE], "kinds": ["disconnect"]}})

    def connection(state: ConnectionState) -> None:
        status = ConnectionStatus(Channel.TRADES, state, house.line.at)
        house.line.take(house.line.at, ConnectionChanged(status))

    connection(ConnectionState.DOWN)
    house.until("10:00:30")
    connection(ConnectionState.UP)
    house.until("10:05")
    assert receivers.told() == []
    connection(ConnectionState.DOWN)
    house.until("10:05:40")
    connection(ConnectionState.CONNECTING)
    house.until("10:06:30")
    connection(ConnectionState.UP)
    house.until("10:10")

    assert receivers.told() == snapshot
    assert len(house.facts(facts.NotificationSettled)) == 1


def test_restored_connection_ends_its_escalation() -> None:
    """SY-03: no fact says that it came back; it is looked at before the next person is called."""
    rule = {"channels": [PHONE], "kinds": ["disconnect"], "escalate": [{"minutes": 5, "channels": [SECOND]}]}
    house, receivers = a_house(rules={"lines": rule})
    down = ConnectionStatus(Channel.TRADES, ConnectionState.DOWN, house.line.at)
    house.line.take(house.line.at, ConnectionChanged(down))
    house.until("10:02")
    assert len(receivers.told(PHONE)) == 1

    with_receivers(house.restarted(), receivers).until("10:20")

    assert receivers.told(SECOND) == []
    assert len(house.facts(facts.NotificationSettled)) == 1


def test_day_ends_with_a_report(snapshot: SnapshotAssertion) -> None:
    """SY-03"""
    receivers = Receivers()
    bars = [*minutes("15:30", "15:59"), *minutes("16:00", "16:20")]
    house = with_receivers(House(bars, settings(rules={"day": {"channels": [PHONE], "kinds": ["report"]}})), receivers)
    house.opens().until("16:10")

    assert receivers.told() == snapshot


def test_urgent_message_is_repeated_until_delivered() -> None:
    """SY-03: the receiver says 500 twice, then takes it."""
    answers = [Delivery(DeliveryCode.REFUSED, 500), Delivery(DeliveryCode.TIMED_OUT), DELIVERED]
    house, receivers = a_house(lambda _: answers.pop(0))
    house.presses(Kill("key"))
    house.until("10:05")

    first, second, third = receivers.told()
    assert REPEAT not in first
    assert second.startswith(REPEAT)
    assert third.startswith(REPEAT)
    failed = house.facts(facts.NotificationFailed)
    assert [(fact.code, fact.status) for fact in failed] == [
        (DeliveryCode.REFUSED, 500),
        (DeliveryCode.TIMED_OUT, None),
    ]
    begun = [r.at for r in house.journal.records() if isinstance(r.fact, facts.NotificationBegun)]
    assert [round((b - a).total_seconds()) for a, b in pairwise(begun)] == [5, 15]
    assert len(house.facts(facts.NotificationSent)) == 1


@pytest.mark.parametrize(
    ("first", "is_repeat"),
    [
        (None, True),
        (Delivery(DeliveryCode.NOT_SENT), False),
        (Delivery(DeliveryCode.NO_ADDRESS), False),
        (Delivery(DeliveryCode.BAD_ADDRESS), False),
    ],
    ids=["silent", "not sent", "no address", "bad address"],
)
def test_an_undelivered_urgent_message_is_tried_again(first: Delivery | None, is_repeat: bool) -> None:
    """SY-03: marked as a repeat where it may have arrived"""
    answers = [first, DELIVERED]
    house, receivers = a_house(lambda _: answers.pop(0))
    house.presses(Kill("key"))
    house.until("10:05")

    assert [e.tries for e in receivers.heard] == [1, 2]
    assert [told.startswith(REPEAT) for told in receivers.told()] == [False, is_repeat]


def a_fill_that_is_told(*answers: Delivery) -> tuple[House, Receivers]:
    """Over a link that answers so, one after the other; the last answer stays."""
    left = list(answers)
    receivers = Receivers(lambda _: left.pop(0) if len(left) > 1 else left[0])
    rules = {"fills": {"channels": [PHONE], "kinds": ["fill"]}}
    house = with_receivers(House(a_day(("10:06", "10:20", STEADY)), settings(rules=rules)), receivers)
    house.opens().until("10:06")
    house.confirms_at("10:06:02")
    return house.until("10:20"), receivers


@pytest.mark.parametrize("code", [DeliveryCode.REFUSED, DeliveryCode.UNCLEAR, DeliveryCode.TIMED_OUT])
def test_ordinary_message_is_tried_once(code: DeliveryCode) -> None:
    """SY-03: at most once, where it may have arrived."""
    house, receivers = a_fill_that_is_told(Delivery(code))

    assert len(receivers.heard) == 1
    assert [(fact.code, fact.again_at) for fact in house.facts(facts.NotificationFailed)] == [(code, None)]


def test_message_without_a_carrier_stays_here() -> None:
    """SY-03"""
    house = a_house_in_a_position(settings=settings(rules={"fills": {"channels": [PHONE], "kinds": ["fill"]}}))

    assert [fact.code for fact in house.facts(facts.NotificationFailed)] == [DeliveryCode.KEPT_HERE]


def test_unsent_ordinary_message_is_retried() -> None:
    """SY-03: over a link that comes back."""
    unsent = Delivery(DeliveryCode.NOT_SENT)
    house, receivers = a_fill_that_is_told(unsent, unsent, DELIVERED)

    assert len(receivers.heard) == 3
    assert len(house.facts(facts.NotificationSent)) == 1


def test_restart_repeats_only_urgent_messages(snapshot: SnapshotAssertion) -> None:
    """SY-03: the message left, its answer was never recorded."""
    nobody = Receivers(lambda _: None)
    rules = {"all": {"channels": [PHONE], "kinds": ["fill", "kill"]}}
    house = House(a_day(("10:06", "10:20", STEADY)), settings(rules=rules))
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
    assert told == snapshot
    assert not [told for told in after.told() if "fill:" in told]
    lost = [fact for fact in house.facts(facts.NotificationFailed) if not fact.is_urgent]
    assert [(fact.code, fact.again_at) for fact in lost] == [(DeliveryCode.CUT_OFF, None)]


def test_removed_channel_is_given_up() -> None:
    """SY-03"""
    house = a_house(lambda _: None)[0]
    house.presses(Kill("key"))
    house.settings = settings(channels={SECOND: {}}, rules={"all": {"channels": [SECOND]}})
    house.restarted().until("10:10")

    assert house.facts(facts.NotificationFailed)[-1].code is DeliveryCode.NO_CHANNEL
    assert house.desk.notifications.line(PHONE, is_urgent=True).batch == []


def test_address_errors_are_given_up_in_time() -> None:
    """SY-03"""
    ends = {PHONE: Delivery(DeliveryCode.NO_ADDRESS), SECOND: Delivery(DeliveryCode.BAD_ADDRESS)}
    house, receivers = a_house(
        lambda effect: ends[effect.channel], rules={"all": {"channels": [PHONE, SECOND]}}, give_up_minutes=30
    )
    house.presses(Kill("key"))
    house.until("10:39")

    assert len(receivers.told(PHONE)) == 10
    assert len(receivers.told(SECOND)) == 6
    assert [line.batch for line in house.desk.notifications.state.urgent.values()] == [[], []]


def test_refused_message_delays_no_other() -> None:
    """SY-03: each is tried at its own times, and the refused one is marked as a repeat."""
    refused = Delivery(DeliveryCode.REFUSED, 400)
    house, receivers = a_house(lambda effect: refused if "strange" in effect.text else DELIVERED)
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


def test_each_failed_urgent_message_is_retried() -> None:
    """SY-03"""
    house, receivers = a_house(lambda effect: DELIVERED if effect.tries > 2 else Delivery(DeliveryCode.NOT_SENT))
    halts(house, "one")
    halts(house, "two")
    halts(house, "three")
    house.until("10:05")

    for word in ("one", "two", "three"):
        assert [effect.tries for effect in receivers.heard if word in effect.text] == [1, 2, 3]
    line = house.desk.notifications.line(PHONE, is_urgent=True)
    assert (line.batch, line.aside, line.waiting) == ([], [], [])


def test_full_disk_message_is_retried_in_memory(snapshot: SnapshotAssertion) -> None:
    """SP-06, SY-03: nothing of it is written, and it is marked where it may have arrived."""
    answers = [Delivery(DeliveryCode.NOT_SENT), Delivery(DeliveryCode.TIMED_OUT), None, DELIVERED]
    moments: list[datetime] = []

    def answer(_effect: SendNotification) -> Delivery | None:
        moments.append(house.line.at)
        return answers.pop(0)

    house, receivers = a_house(answer)
    house.journal.is_full = True
    house.presses(Kill("key"))
    house.until("10:10")

    assert [round((b - a).total_seconds()) for a, b in pairwise(moments)] == [5, 15, 25]
    assert [effect.tries for effect in receivers.heard] == [1, 2, 3, 4]
    assert [told.startswith(REPEAT) for told in receivers.told()] == [False, False, True, True]
    assert receivers.told() == snapshot


def test_full_disk_is_reported_once(snapshot: SnapshotAssertion) -> None:
    """SP-06, SY-03: the desk halts and says so, also to who does not look at it."""
    house, receivers = a_house()
    house.journal.is_full = True
    house.presses(Kill("key"))
    house.presses(Halt("key"))
    house.until("10:05")

    assert receivers.told() == snapshot


def test_burst_becomes_a_few_messages() -> None:
    """SY-03"""
    house, receivers = a_house(channels={PHONE: {"a_minute": 10}})
    for number in range(300):
        house.engine.state.record(facts.Halted(HaltCause.SIGNAL, f"number {number}."))
    look(house)
    house.until("10:20")

    told = "\n".join(receivers.told())
    assert all(f"number {number}." in told for number in range(300))
    assert len(receivers.heard) <= 17
    left = [r.at for r in house.journal.records() if isinstance(r.fact, facts.NotificationBegun)]
    for moment in left:
        assert sum(1 for each in left if moment <= each < moment + timedelta(minutes=1)) <= 10


def test_suppressed_messages_are_counted(snapshot: SnapshotAssertion) -> None:
    """SY-03: a thousand rings of an alert."""
    house, receivers = a_house(channels={PHONE: {"a_minute": 1}})
    terms = AlertTerms(SPY, AlertKind.FILL)
    for number in range(1_000):
        house.engine.state.record(facts.AlertRang(Alert(1, terms), f"ring {number}"))
        if not number:
            look(house)
    look(house)
    house.until("10:10")

    first, second = receivers.heard
    assert "ring 0" in first.text
    assert second.text.splitlines()[-2:] == snapshot
    assert len(house.facts(facts.NotificationSuppressed)) == 899


def test_urgent_does_not_wait_for_ordinary() -> None:
    """SY-03: the ordinary line of a channel is used up; a kill goes at once."""
    house, receivers = a_house(
        lambda effect: DELIVERED if effect.is_urgent else None, channels={PHONE: {"a_minute": 1}}
    )
    for number in range(5):
        house.engine.state.record(facts.AlertRang(Alert(1, AlertTerms(SPY, AlertKind.FILL)), f"ring {number}"))
    look(house)
    house.presses(Kill("key"))

    assert [e.is_urgent for e in receivers.heard] == [False, True]


def test_all_messages_count_for_the_minute() -> None:
    """SY-03: what is urgent takes of it, and waits for nothing else; what is not waits for both."""
    house, receivers = a_house(channels={PHONE: {"a_minute": 3}})
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
    left = [(r.at, r.fact.is_urgent) for r in house.journal.records() if isinstance(r.fact, facts.NotificationBegun)]
    for number, (moment, is_urgent) in enumerate(left, 1):
        before = [other for at, other in left[:number] if at > moment - timedelta(minutes=1)]
        assert (before.count(True) if is_urgent else len(before)) <= 3


def test_no_message_between_a_key_and_its_order() -> None:
    """SY-03, EX-16: what would ask for a sync of the journal waits until the order has left."""
    receivers = Receivers()
    house = with_receivers(
        House(a_day(("10:06", "10:20", STEADY)), settings(rules={"all": {"channels": [PHONE]}})), receivers
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
    begun = [r.at for r in house.journal.records() if isinstance(r.fact, facts.NotificationBegun)]
    approved = [r.at for r in house.journal.records() if isinstance(r.fact, facts.OrderApproved)]
    assert begun[0] >= approved[0]


def is_away_for(house: House, seconds: int) -> int:
    """How often the desk looks around while the stream of trades is down and nothing else happens: 200 at most."""
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


def test_disconnect_on_a_full_channel_counts_once() -> None:
    """SY-03: nobody is reached for three hundred alerts; what is due then is over, and the desk does not spin on it."""
    house, _ = a_house(lambda _: Delivery(DeliveryCode.NOT_SENT))
    for number in range(300):
        rings(house, f"ring {number}")
    before = len(house.facts(facts.NotificationSuppressed))

    looks = is_away_for(house, 120)

    suppressed = house.facts(facts.NotificationSuppressed)[before:]
    assert [fact.notice.kind for fact in suppressed] == [NoticeKind.DISCONNECT]
    assert looks < 100


def test_escalation_to_a_full_digest_counts_once() -> None:
    """SY-03: the step is taken, whatever became of it."""
    rules = {
        "rings": {"channels": [SECOND], "kinds": ["alert"], "digest": True},
        "lines": {"channels": [PHONE], "kinds": ["disconnect"], "escalate": [{"minutes": 5, "channels": [SECOND]}]},
    }
    house, receivers = a_house(rules=rules)
    for number in range(150):
        rings(house, f"ring {number}")
    before = len(house.facts(facts.NotificationSuppressed))

    looks = is_away_for(house, 600)

    assert len(receivers.told(PHONE)) == 1
    suppressed = house.facts(facts.NotificationSuppressed)[before:]
    assert [fact.notice.words[:9] for fact in suppressed] == ["for 5 min"]
    assert looks < 100


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_quiet_hours_hold_ordinary_messages(day: date, snapshot: SnapshotAssertion) -> None:
    """SY-03: what is not urgent waits for the morning, a kill does not, and one that lasts wakes somebody else; in the
    two nights in which the clock is set.
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
    assert morning == snapshot
    hours = {date(2026, 3, 8): 6.5, date(2026, 11, 1): 8.5}[day]
    begun = [r.at for r in house.journal.records() if isinstance(r.fact, facts.NotificationBegun)]
    assert begun[-1] - evening == timedelta(hours=hours)


def test_digest_comes_at_its_hour(snapshot: SnapshotAssertion) -> None:
    """SY-03"""
    rules = {"all": {"channels": [PHONE], "kinds": ["fill", "alert"], "digest": True}}
    house, receivers = a_house(rules=rules, digest_at=["10:30"])
    for words in ("one", "two", "three"):
        rings(house, words)
    house.until("10:29")
    assert receivers.heard == []
    house.until("10:31")

    assert receivers.told() == snapshot


def test_message_carries_nothing_that_acts(snapshot: SnapshotAssertion) -> None:
    """SY-03, SY-06"""
    outside = (
        "see https://evil.example/x?y=1 now",
        "call tel:+15551234 or www.evil.example",
        "evil.example/path",
        "/sell@bot 10",
        "\x1b[31mred\r\nnext\u202eline",
        "a <b>bold</b> claim",
        "price 182.50, BRK.B, 9.5 %",
        "keyturn:confirm/1",
        "order 8f14e45fceea167a cannot become FILLED",
        "904837e3-3b76-47ec-b432-046db621571b is odd",
        "1234567890 USD, deadbeef",
    )
    assert {repr(text): harmless(text) for text in outside} == snapshot


def test_messages_name_no_order_and_no_ticket() -> None:
    """SY-03: nobody can type anything from it."""
    house, receivers = an_exit_that_waits(until="10:30")
    house.presses(Kill("key"))
    house.until("10:35")

    told = "\n".join(receivers.told())
    names = [str(order) for order in house.desk.ledger.state.orders]
    names += [proposal.proposal.id for proposal in house.facts(facts.ProposalStaged)]
    assert names
    assert not [name for name in names if name in told]
    assert "://" not in told


def test_halt_message_names_no_order(snapshot: SnapshotAssertion) -> None:
    """SY-03: its reason does, on the desk and in the journal."""
    house, receivers = a_house()
    name = order_id_of("one", "two")
    halts(house, f"order {name} cannot go from FILLED to NEW")

    (told,) = receivers.told()
    assert told == snapshot
    assert name not in told


def test_notice_is_cut_to_a_screen() -> None:
    """SY-03"""
    notice = Notice(1, at("10:00"), NoticeKind.HALT, Severity.URGENT, None, harmless("x" * 5_000))
    assert len(notice.words) == 300
