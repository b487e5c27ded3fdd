"""Who is told by notifications: receivers that answer what a test says, and the houses that notify them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from core.facts import AlertRang, Halted
from core.messages.effects import MakeReport, SendNotification
from core.messages.inputs import DeadlineReached, NotificationAnswered, ReportAnswered
from core.model.alert import Alert, AlertKind, AlertTerms
from core.model.codes import HaltCause
from core.model.delivery import DELIVERED, Delivery
from core.settings.settings import Settings
from tests.scenarios.house import RECOVERY, STEADY, House, a_house_in_a_position, minutes
from tests.unit.core.brokers.trading_floor import SPY

PHONE, SECOND, THIRD = "phone", "second", "third"


Answers = Callable[[SendNotification], Delivery | None]


def delivers(_effect: SendNotification) -> Delivery:
    return DELIVERED


Made = Callable[[MakeReport], ReportAnswered | None]


def made_nothing(effect: MakeReport) -> ReportAnswered:
    return ReportAnswered(effect.day, (), fault="a test")


@dataclass
class Receivers:
    """Everybody's telephones. Each answers what `answers` says, at once; a report is what `made` says."""

    answers: Answers = delivers
    heard: list[SendNotification] = field(default_factory=list)
    made: Made = made_nothing
    asked: list[MakeReport] = field(default_factory=list)

    def send(self, effect: SendNotification, put: Callable[[NotificationAnswered], None]) -> None:
        self.heard.append(effect)
        if (delivery := self.answers(effect)) is not None:
            put(NotificationAnswered(effect.channel, effect.is_urgent, effect.numbers, effect.tries, delivery))

    def report(self, effect: MakeReport, put: Callable[[ReportAnswered], None]) -> None:
        self.asked.append(effect)
        if (answer := self.made(effect)) is not None:
            put(answer)

    def close(self) -> None: ...

    def told(self, channel: str = "") -> list[str]:
        return [f"{e.title} | {e.text}" for e in self.heard if channel in ("", e.channel)]


def settings(**notify: object) -> Settings:
    terms = {"channels": {PHONE: {}, SECOND: {}, THIRD: {}}, "rules": {"all": {"channels": [PHONE]}}, **notify}
    return Settings.model_validate({"symbols": ["SPY"], "notify": terms})


def with_receivers(house: House, receivers: Receivers) -> House:
    house.line._notifier = receivers
    return house


def a_house(answers: Answers = delivers, **notify: object) -> tuple[House, Receivers]:
    """It is 10:00 in a quiet market, and nothing is held."""
    house, receivers = House(minutes("09:55", "10:40"), settings(**notify)), Receivers(answers)
    return with_receivers(house, receivers).opens().until("10:00"), receivers


def halts(house: House, reason: str = "a test") -> None:
    house.engine.state.record(Halted(HaltCause.SIGNAL, reason))
    look(house)


def look(house: House) -> None:
    """Whatever is due, or was recorded by hand, is followed."""
    house.line.take(house.line.at, DeadlineReached())
    house.line._look_around()


def an_exit_that_waits(
    answers: Answers = delivers, until: str = "10:10:01", **notify: object
) -> tuple[House, Receivers]:
    """It is 10:10: VWAP's exit of 0.502 shares has just been staged."""
    receivers = Receivers(answers)
    house = a_house_in_a_position(("10:06", "10:08", STEADY), ("10:09", "10:40", RECOVERY), settings=settings(**notify))
    return with_receivers(house, receivers).until(until), receivers


def rings(house: House, words: str) -> None:
    house.engine.state.at = house.line.at
    house.engine.state.record(AlertRang(Alert(1, AlertTerms(SPY, AlertKind.FILL)), words))
    look(house)


def sleeps_until(house: House, moment: datetime) -> None:
    """Nothing but the desk's own deadlines happens."""
    while (due := house.engine.next_deadline) is not None and due <= moment:
        house.line.at = max(house.line.at, due)
        house.line.take(house.line.at, DeadlineReached())
        house.line._look_around()
    house.line.at = moment
